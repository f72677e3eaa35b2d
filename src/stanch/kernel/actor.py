"""Who did something, and through which surface: stands on every event."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stanch.kernel.errors import Invalid

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_AGENT: Final = "agent:"


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


def agent(name: str) -> Actor:
    """Return the actor for a program that acts by itself."""
    return Actor(kind=ActorKind.AGENT, id=f"{_AGENT}{name}", name=name)


def agent_name(named: str) -> str:
    """Return `triage` of `agent:triage`, empty where a person is named."""
    return named.removeprefix(_AGENT) if named.startswith(_AGENT) else ""


def is_name(text: str) -> bool:
    """Tell whether `text` can name a principal: it stands in logs, headers and pages."""
    return _NAME.fullmatch(text) is not None


def check_name(name: str, *, field: str) -> str:
    """Return `name`, or raise `Invalid` on `field` when it names no principal."""
    if not is_name(name):
        raise Invalid("a name is up to 64 letters, digits and . _ @ + -", field=field)
    return name
