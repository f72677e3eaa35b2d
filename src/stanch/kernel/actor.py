"""Who did something, and through which surface: stands on every event."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ActorKind(StrEnum):
    """What kind of principal acts. Only a person can approve."""

    PERSON = "person"
    AGENT = "agent"
    INTEGRATION = "integration"
    SYSTEM = "system"


class Via(StrEnum):
    """The surface an act came through."""

    CLI = "cli"
    HTTP = "http"
    WEB = "web"
    CHAT = "chat"
    MCP = "mcp"
    ENGINE = "engine"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A principal. `id` is stable (`alice`, `agent:triage`); `name` is what people read."""

    kind: ActorKind
    id: str
    name: str = ""

    @property
    def label(self) -> str:
        """Return the name to show."""
        return self.name or self.id

    @property
    def is_person(self) -> bool:
        """Tell whether a human being acts."""
        return self.kind is ActorKind.PERSON


SYSTEM: Final = Actor(kind=ActorKind.SYSTEM, id="stanch", name="Stanch")


def person(id: str, *, name: str = "") -> Actor:
    """Return the actor for the person `id`."""
    return Actor(kind=ActorKind.PERSON, id=id, name=name)
