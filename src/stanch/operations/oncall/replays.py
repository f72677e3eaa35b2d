"""Runs what happened through a configuration folder: who would have been paged instead. Needs no store."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stanch.catalog.model import Catalog
from stanch.kernel.codec import from_data
from stanch.operations.oncall.checking import configured_facts
from stanch.operations.oncall.replaying import History, levels_of
from stanch.ports.calendars import Calendars

_LOOK = timedelta(days=40)


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """An incident: whom the levels paged as configured then and there, and whom the other configuration would."""

    key: str
    at: datetime
    services: tuple[str, ...]
    before: str
    after: str

    @property
    def is_changed(self) -> bool:
        """Tell whether the other configuration would have paged others, or in another order."""
        return self.before != self.after


def replay(
    past: Mapping[str, object], catalog: Catalog, *, calendars_for: Callable[[Catalog], Calendars | None]
) -> tuple[Replayed, ...]:
    """Return each incident of `past` (an answer of `oncall.history`), in order of time, as `catalog` would page it.

    Overrides that were made then hold for schedules of the same name.
    """
    history = from_data(past, History)
    known, _ = configured_facts(catalog, calendars_for(catalog), start=history.start - _LOOK, end=history.end + _LOOK)
    facts = replace(known.facts, overrides=history.overrides)
    found = []
    for one in history.incidents:
        after = levels_of(catalog, one.services, at=one.at, severity=one.severity, facts=facts)
        found.append(
            Replayed(
                key=one.key,
                at=one.at,
                services=one.services,
                before=_said((level.people for level in one.levels), one.reason),
                after=_said((level.people for level in after.levels), after.reason),
            )
        )
    return tuple(found)


def _said(levels: Iterable[Sequence[str]], reason: str) -> str:
    if reason:
        return f"nobody ({reason})"
    return ", then ".join(" and ".join(people) or "nobody" for people in levels) or "nobody"
