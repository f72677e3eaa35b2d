"""Shadow mode: who we would have on call and page, beside whom the old tool had and paged. Pages nobody."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from stanch.catalog.model import Catalog
from stanch.kernel.errors import Invalid
from stanch.oncall.levels import levels_for
from stanch.oncall.model import Facts, Shift, Span
from stanch.oncall.roster import shifts
from stanch.oncall.spans import clipped, without
from stanch.operations.oncall.checking import configured_facts
from stanch.operations.oncall.moving.export import read_export
from stanch.ports.calendars import Calendars
from stanch.ports.migration import OnCallThere, OtherTool, PagedThere, slug_of

_LOOK = timedelta(days=60)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where the two differ: `here` and `there` are people, `start` to `end` the time, equal for a page."""

    about: str
    start: datetime
    end: datetime
    here: str
    there: str


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What was compared (hours of shifts, pages), where the two differ, and what is unknown here."""

    hours: float
    pages: int
    differences: tuple[Difference, ...]
    unknown: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Tell whether both would have done the same with all that was compared."""
        return not self.differences and not self.unknown


def shadow(
    tool: OtherTool, log: Path, catalog: Catalog, *, calendars_for: Callable[[Catalog], Calendars | None]
) -> Compared:
    """Compare the configuration with what `log` says. Raises `Invalid` where there is nothing to compare."""
    there, paged = tool.log(read_export(log))
    if not there and not paged:
        raise Invalid(
            "says neither who was on call nor who was paged", field=str(log), hint="docs/oncall.md names them"
        )
    moments = [one.start for one in there] + [one.end for one in there] + [one.at for one in paged]
    known, _ = configured_facts(catalog, calendars_for(catalog), start=min(moments) - _LOOK, end=max(moments) + _LOOK)
    unknown: list[str] = []
    differences = [
        *_shifts(catalog, there, facts=known.facts, unknown=unknown),
        *_pages(catalog, paged, facts=known.facts, unknown=unknown),
    ]
    return Compared(
        hours=sum(((one.end - one.start) for one in there), timedelta()) / timedelta(hours=1),
        pages=len(paged),
        differences=tuple(sorted(differences, key=lambda one: (one.start, one.about))),
        unknown=tuple(dict.fromkeys(unknown)),
    )


def _shifts(
    catalog: Catalog, there: Iterable[OnCallThere], *, facts: Facts, unknown: list[str]
) -> Iterable[Difference]:
    schedules = {slug_of(text): one.name for one in catalog.oncall.schedules.values() for text in (one.name, one.title)}
    theirs: dict[str, list[Shift]] = {}
    for one in there:
        schedule = next((schedules[slug] for text in one.schedule if (slug := slug_of(text)) in schedules), "")
        if not schedule:
            unknown.append(f"schedule {_last(one.schedule)}")
            continue
        person = _person(catalog, one.who)
        if not person:
            unknown.append(f"person {_last(one.who)}")
        who = person or _last(one.who)
        theirs.setdefault(schedule, []).append(Shift(start=one.start, end=one.end, person=who, layer=""))
    for schedule, found in theirs.items():
        start, end = min(one.start for one in found), max(one.end for one in found)
        ours = shifts(catalog, schedule, start=start, end=end, facts=facts)
        for shift in found:
            yield from _against(schedule, shift, ours, found)


def _against(schedule: str, there: Shift, ours: Sequence[Shift], all_there: Sequence[Shift]) -> Iterable[Difference]:
    """Yield the parts of a shift of theirs in which somebody else or nobody is on here."""
    same = [one for one in ours if one.person == there.person]
    for rest in without(there, same):
        # Two of theirs at once: one of them is enough, and is somebody we would page.
        also = [one for one in all_there if one is not there]
        others = [part for one in ours if (part := clipped(one, rest.start, rest.end))]
        for part in others:
            if not any(one.person == part.person and one.start <= part.start and one.end >= part.end for one in also):
                yield Difference(about=schedule, start=part.start, end=part.end, here=part.person, there=there.person)
        for gap in without(Span(start=rest.start, end=rest.end), others):
            yield Difference(about=schedule, start=gap.start, end=gap.end, here="nobody", there=there.person)


def _pages(catalog: Catalog, paged: Iterable[PagedThere], *, facts: Facts, unknown: list[str]) -> Iterable[Difference]:
    services = {slug_of(text): one.name for one in catalog.services.values() for text in (one.name, one.title)}
    for one in paged:
        service = next((services[slug] for text in one.service if (slug := slug_of(text)) in services), "")
        if not service:
            unknown.append(f"service {_last(one.service)}")
            continue
        person = _person(catalog, one.who)
        levels = levels_for(catalog, service, at=one.at, facts=facts).levels
        everyone = [who for level in levels for who in level.people]
        if not person or person not in everyone:
            here = ", then ".join(" and ".join(level.people) or "nobody" for level in levels) or "nobody"
            about = f"{service} {one.about}".strip()
            yield Difference(about=about, start=one.at, end=one.at, here=here, there=person or _last(one.who))


def _person(catalog: Catalog, names: Sequence[str]) -> str:
    for person in catalog.people.values():
        known = {text.casefold() for text in (person.id, person.name, person.email) if text}
        if any(name.casefold() in known for name in names):
            return person.id
    return ""


def _last(names: Sequence[str]) -> str:
    return names[-1] if names else "?"
