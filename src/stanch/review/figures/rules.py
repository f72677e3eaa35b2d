"""How figures are computed. Pure: courses in, spreads and groups out; every definition stands here once, in words too.

The words in `DEFINITIONS` are shown beside the figures, so that nobody has to guess what was measured.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from stanch.review.figures.model import By, Course, Group, Measure, Repeat, Spread

REPEAT_WITHIN: Final = timedelta(days=90)
NOT_KNOWN: Final = "not known"

DEFINITIONS: Final[dict[Measure, str]] = {
    Measure.DETECT: (
        "from the estimated start to the declaration; not known where nothing was measured and nobody said when it "
        "began"
    ),
    Measure.ACKNOWLEDGE: "from the declaration to the first acknowledgement",
    Measure.MITIGATE: (
        "from the start until the harm was over: the beginning of the watched stretch in which every figure held; "
        "where nobody watched, when a plan was seen to help; else not known"
    ),
    Measure.RESOLVE: "from the start to the resolution that stood; not known while it is open",
}
SPREAD_DEFINITION: Final = (
    "median and 90th percentile over the incidents in which it is known, between neighbours in proportion; "
    "where nobody knows the start, the declaration stands in for it when it comes to mitigating and resolving"
)
REPEAT_DEFINITION: Final = (
    f"an incident whose cause is of the same kind and at the same service as another's in the "
    f"{REPEAT_WITHIN.days} days before"
)
COUNT_DEFINITION: Final = (
    "by the day of the declaration; what was dismissed or merged into another is left out, and drills unless asked "
    "for; an incident counts once, for the service where its cause lies, else for the first it was declared on"
)


def took(measure: Measure, course: Course) -> float | None:
    """Return how long something took in an incident (seconds, never below 0), None where it is not known."""
    match measure:
        case Measure.DETECT:
            return _between(course.started_at, course.declared_at) if course.start_known else None
        case Measure.ACKNOWLEDGE:
            return _between(course.declared_at, course.acknowledged_at)
        case Measure.MITIGATE:
            return _between(course.started_at, mitigated_at(course))
        case Measure.RESOLVE:
            return _between(course.started_at, course.resolved_at)


def mitigated_at(course: Course) -> datetime | None:
    """Return when the harm was over (UTC), None where nobody knows: what was watched counts before what was seen."""
    return course.watched_at or course.helped_at


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the value below which a share (0..1) of `values` lies, None of none.

    With n values sorted upwards and h = (n - 1) share: x[floor h] + (h - floor h) (x[floor h + 1] - x[floor h]), the
    seventh definition in Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996). Of 10, 20, 30, 40 at 0.9:
    h = 2.7, so 30 + 0.7 (40 - 30) = 37.
    """
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    # Weighed rather than stepped: of equal neighbours no rounding error may make something else.
    if ordered[low] == ordered[high]:
        return ordered[low]
    found = ordered[low] + (place - low) * (ordered[high] - ordered[low])
    return min(max(found, ordered[low]), ordered[high])


def spread(values: Sequence[float]) -> Spread:
    """Return how values are spread."""
    return Spread(known=len(values), median_s=quantile(values, 0.5), p90_s=quantile(values, 0.9))


def group(name: str, courses: Sequence[Course], *, again: frozenset[int] = frozenset()) -> Group:
    """Return the figures of these incidents; `again` are the numbers of those that had happened before."""
    return Group(
        name=name,
        incidents=len(courses),
        open=sum(1 for one in courses if one.status.is_open),
        repeats=sum(1 for one in courses if one.number in again),
        spreads={
            measure: spread([value for one in courses if (value := took(measure, one)) is not None])
            for measure in Measure
        },
    )


def groups(
    courses: Iterable[Course], *, by: By, zone: ZoneInfo, again: frozenset[int] = frozenset()
) -> tuple[Group, ...]:
    """Return the figures by what incidents have in common.

    Months and severities come in their order, services and causes with the most incidents first. Months are those of
    `zone`.
    """
    found: dict[str, list[Course]] = {}
    name_of = _naming(by, zone)
    for one in courses:
        found.setdefault(name_of(one), []).append(one)
    if by in (By.MONTH, By.SEVERITY):
        names = sorted(found)
    else:
        names = sorted(found, key=lambda name: (-len(found[name]), name))
    return tuple(group(name, found[name], again=again) for name in names)


def repeats(courses: Iterable[Course]) -> tuple[Repeat, ...]:
    """Return the incidents that had happened before, oldest first, each with the last one like it.

    An incident whose cause is not known repeats nothing, and nothing repeats it.
    """
    last: dict[tuple[str, str], Course] = {}
    found = []
    for one in sorted(courses, key=lambda course: (course.declared_at, course.number)):
        if not one.cause_kind:
            continue
        key = (one.service, one.cause_kind)
        before = last.get(key)
        if before is not None and one.declared_at - before.declared_at <= REPEAT_WITHIN:
            found.append(
                Repeat(
                    incident=one.number,
                    title=one.title,
                    service=one.service,
                    cause_kind=one.cause_kind,
                    before=before.number,
                    days=(one.declared_at - before.declared_at) / timedelta(days=1),
                )
            )
        last[key] = one
    return tuple(found)


def was_acted_on(course: Course | None, *, paged_at: datetime, acknowledged: bool) -> bool:
    """Tell whether a page was worth it: somebody acknowledged it, a person then did something about the incident, and
    it was not dismissed. A page without an incident counts once it is acknowledged."""
    if not acknowledged:
        return False
    if course is None:
        return True
    return course.counts and course.acted_at is not None and course.acted_at >= paged_at


def _naming(by: By, zone: ZoneInfo) -> Callable[[Course], str]:
    match by:
        case By.SERVICE:
            return lambda one: one.service or NOT_KNOWN
        case By.SEVERITY:
            return lambda one: one.severity.label
        case By.CAUSE:
            return lambda one: one.cause_kind or NOT_KNOWN
        case By.MONTH:
            return lambda one: f"{one.declared_at.astimezone(zone):%Y-%m}"


def _between(start: datetime, end: datetime | None) -> float | None:
    # An estimate can put the start behind what followed from it; nothing takes less than no time.
    return None if end is None else max(0.0, (end - start).total_seconds())
