"""Who is asking. In front of a loopback address a name is taken at its word; what a role may do is decided below.

An API caller says `Stanch-Actor: alice`, or `Stanch-Agent: triage` when it is a program that acts by itself; a
browser keeps the chosen person in a cookie. An agent's own token decides alone, whatever else is said. Nobody named at
all may look, and change nothing.
"""

from typing import Final

from starlette.requests import HTTPConnection

from stanch.kernel.actor import Actor, ActorKind, agent, check_name, is_name, person
from stanch.kernel.errors import Forbidden
from stanch.operations.world import World
from stanch.surfaces.asgi.trust import AGENT_HEADER

ACTOR_HEADER: Final = "stanch-actor"
AGENT_SCOPE: Final = "stanch_agent"
"""Where the frame puts the name of the agent whose token came with a request."""
PERSON_COOKIE: Final = "stanch_person"

NOBODY: Final = Actor(kind=ActorKind.INTEGRATION, id="nobody", name="nobody in particular")

__all__ = [
    "ACTOR_HEADER",
    "AGENT_HEADER",
    "AGENT_SCOPE",
    "NOBODY",
    "PERSON_COOKIE",
    "caller",
    "check_name",
    "known_person",
    "require_somebody",
]


def caller(request: HTTPConnection, world: World) -> Actor:
    """Return who asks; `NOBODY` when the request does not say. Raises `Invalid` for a name that is none."""
    authenticated = request.scope.get(AGENT_SCOPE)
    if isinstance(authenticated, str) and authenticated:
        return agent(authenticated)
    program = request.headers.get(AGENT_HEADER, "").strip()
    if program:
        return agent(check_name(program, field="Stanch-Agent"))
    named = request.headers.get(ACTOR_HEADER, "").strip()
    if named:
        return known_person(check_name(named, field="Stanch-Actor"), world)
    chosen = request.cookies.get(PERSON_COOKIE, "")
    return known_person(chosen, world) if is_name(chosen) else NOBODY


def known_person(id: str, world: World) -> Actor:
    """Return the person `id`, with the name the catalog knows."""
    entry = world.catalog.people.get(id)
    return person(id, name=entry.name if entry else "")


def require_somebody(actor: Actor) -> None:
    """Raise `Forbidden` when nobody stands behind a request that changes something."""
    if actor is NOBODY:
        raise Forbidden(
            "say who you are before you change something",
            reason="nobody",
            hint="send the header Stanch-Actor with your name, or choose a person on the web page",
        )
