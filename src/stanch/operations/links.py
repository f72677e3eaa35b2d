"""Links of an incident into other tools, each at its time range, from the templates of the configuration."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from stanch.catalog.links import fill_link
from stanch.incidents.state import IncidentState
from stanch.operations.world import World

_BEFORE: Final = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Link:
    """A page elsewhere, with its title."""

    title: str
    address: str


def links_of(state: IncidentState, world: World, *, now: datetime) -> tuple[Link, ...]:
    """Return the configured links, from a quarter of an hour before the start to the end, or to now."""
    start, end = state.started_at - _BEFORE, state.resolved_at or now
    top = state.hypotheses[0] if state.hypotheses else None
    first = (state.known_cause.service if state.known_cause else "") or next(iter(state.services), "")
    versions = state.impact.versions if state.impact is not None else ()
    values = {
        "from_ms": str(round(start.timestamp() * 1000)),
        "to_ms": str(round(end.timestamp() * 1000)),
        "from_s": str(round(start.timestamp())),
        "to_s": str(round(end.timestamp())),
        "from_iso": f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "to_iso": f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "service": first,
        "services": ",".join(state.services),
        "version": (top.version if top is not None else "") or next(iter(versions), ""),
        "environment": state.environment,
        "incident": state.key,
    }
    return tuple(Link(title=title, address=fill_link(one, values)) for title, one in world.catalog.links.items())
