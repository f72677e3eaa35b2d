"""Who reads a page and how they like it: person, theme, zone. Kept in cookies, so that the first paint is right."""

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from stanch.operations.world import World
from stanch.surfaces.asgi.identity import NOBODY, caller

_THEMES: Final = frozenset({"light", "dark"})


@dataclass(frozen=True, kw_only=True)
class Reader:
    """One reader. An empty `person` may look only; an empty `theme` follows the system; `zone` is `utc` or `local`."""

    person: str
    name: str
    theme: str
    zone: str


def reader_of(request: Request, world: World) -> Reader:
    """Return who reads."""
    actor = caller(request, world)
    theme = request.cookies.get("stanch_theme", "")
    return Reader(
        person="" if actor is NOBODY else actor.id,
        name="" if actor is NOBODY else actor.label,
        theme=theme if theme in _THEMES else "",
        zone="utc" if request.cookies.get("stanch_zone") == "utc" else "local",
    )
