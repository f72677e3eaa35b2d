"""Who is asking. In front of a loopback address a name is taken at its word; what a role may do is decided below.

An API caller says `Stanch-Actor: alice`, or `Stanch-Agent: triage` when it is a program that acts by itself; a
browser keeps the chosen person in a cookie. Nobody named at all may look, and change nothing.
"""

import re
from typing import Final

from starlette.requests import HTTPConnection

from stanch.kernel.actor import Actor, ActorKind, person
from stanch.kernel.errors import Forbidden, Invalid
from stanch.operations.world import World

ACTOR_HEADER: Final = "stanch-actor"
AGENT_HEADER: Final = "stanch-agent"
PERSON_COOKIE: Final = "stanch_person"

NOBODY: Final = Actor(kind=ActorKind.INTEGRATION, id="nobody", name="nobody in particular")

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")


def caller(request: HTTPConnection, world: World) -> Actor:
    """Return who asks; `NOBODY` when the request does not say. Raises `Invalid` for a name that is none."""
    agent = request.headers.get(AGENT_HEADER, "").strip()
    if agent:
        name = check_name(agent, field="Stanch-Agent")
        return Actor(kind=ActorKind.AGENT, id=f"agent:{name}", name=name)
    named = request.headers.get(ACTOR_HEADER, "").strip()
    if named:
        return known_person(check_name(named, field="Stanch-Actor"), world)
    chosen = request.cookies.get(PERSON_COOKIE, "")
    return known_person(chosen, world) if _NAME.fullmatch(chosen) else NOBODY


def known_person(id: str, world: World) -> Actor:
    """Return the person `id`, with the name the catalog knows."""
    entry = world.catalog.people.get(id)
    return person(id, name=entry.name if entry else "")


def check_name(name: str, *, field: str) -> str:
    """Return `name`, or raise `Invalid` on `field` when it is no identifier of a principal."""
    if not _NAME.fullmatch(name):
        raise Invalid("a name is up to 64 letters, digits and . _ @ + -", field=field)
    return name


def require_somebody(actor: Actor) -> None:
    """Raise `Forbidden` when nobody stands behind a request that changes something."""
    if actor is NOBODY:
        raise Forbidden(
            "say who you are before you change something",
            reason="nobody",
            hint="send the header Stanch-Actor with your name, or choose a person on the web page",
        )
