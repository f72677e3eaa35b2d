"""Whom a target of an escalation policy means at an instant. Pure."""

from datetime import datetime

from stanch.catalog.model import Catalog
from stanch.kernel.errors import NotFound
from stanch.oncall.model import NOTHING, Facts
from stanch.oncall.roster import everyone, on_call, schedule_of

_ALL = "/all"


def reach(catalog: Catalog, target: str, *, at: datetime, facts: Facts = NOTHING) -> tuple[str, ...]:
    """Return the ids of the people that `target` means at `at`, each once; empty where it is nobody.

    `person:alice`; `schedule:checkout` for whoever is on; `schedule:checkout/all` for everyone of its rotations,
    whoever is on first; `team:commerce`. Raises `NotFound` for a schedule, person or kind that does not exist.
    """
    kind, _, name = target.partition(":")
    if kind == "person" and name in catalog.people:
        return (name,)
    if kind == "team":
        return tuple(person.id for person in catalog.people.values() if name in person.teams)
    if kind == "schedule":
        shift = on_call(catalog, name.removesuffix(_ALL), at=at, facts=facts)
        first = (shift.person,) if shift else ()
        others = everyone(schedule_of(catalog, name.removesuffix(_ALL)), facts) if name.endswith(_ALL) else ()
        return tuple(dict.fromkeys([*first, *others]))
    raise NotFound(f"there is no target {target!r}", hint="write person:alice, schedule:checkout or team:commerce")


def all_reached(catalog: Catalog, targets: tuple[str, ...], *, at: datetime, facts: Facts = NOTHING) -> tuple[str, ...]:
    """Return everybody that any of `targets` means, each once, in order."""
    return tuple(dict.fromkeys(person for one in targets for person in reach(catalog, one, at=at, facts=facts)))
