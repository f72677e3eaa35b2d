"""What happened, for replaying it through another configuration: incidents, whom they paged, overrides of that time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from stanch.catalog.model import Catalog
from stanch.incidents.tables import find as find_incidents
from stanch.kernel.errors import Invalid
from stanch.oncall.levels import Level, Levels, levels_for
from stanch.oncall.model import Facts, Override
from stanch.oncall.overrides.tables import overrides_between
from stanch.operations.oncall.facts import facts_between
from stanch.operations.oncall.paged import pages_between
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call

_MOST = 5000
_LONGEST = timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class AskHistory:
    """From `start` to `end`, by default the last 30 days."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PastLevel:
    """One level: after how many seconds, and who."""

    after_s: float
    people: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PastIncident:
    """An incident: whom it paged in fact, and whom the present configuration would page level by level."""

    number: int
    key: str
    title: str
    at: datetime
    services: tuple[str, ...]
    severity: int
    paged: tuple[str, ...]
    policy: str
    levels: tuple[PastLevel, ...]
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class History:
    """What happened in a time."""

    start: datetime
    end: datetime
    incidents: tuple[PastIncident, ...]
    overrides: tuple[Override, ...]


@operation("oncall.history", effect=Effect.READ, example={})
def history(call: Call, request: AskHistory) -> History:
    """List the incidents of a time with whom they paged, to replay them through another configuration."""
    end = request.end or call.now
    start = request.start or end - timedelta(days=30)
    if not start < end <= start + _LONGEST:
        raise Invalid(f"must be after start, by at most {_LONGEST.days} days", field="end")
    with call.world.store.reading() as view:
        listed = [one for one in find_incidents(view.connection, limit=_MOST) if start <= one.declared_at < end]
        facts = facts_between(call.world, view.connection, start=start, end=end).facts
        pages = pages_between(view.connection, start=start, end=end)
        made = overrides_between(view.connection, start=start, end=end)
    paged: dict[int, dict[str, None]] = {}
    for page in reversed(pages):
        if page.incident is not None:
            paged.setdefault(page.incident, {}).update(dict.fromkeys(one.person for one in page.notices))
    found = []
    for one in sorted(listed, key=lambda incident: incident.declared_at):
        levels = levels_of(
            call.world.catalog, one.services, at=one.declared_at, severity=int(one.severity), facts=facts
        )
        found.append(
            PastIncident(
                number=one.number,
                key=f"INC-{one.number}",
                title=one.title,
                at=one.declared_at,
                services=one.services,
                severity=int(one.severity),
                paged=tuple(paged.get(one.number, ())),
                policy=levels.policy,
                levels=tuple(_past(level) for level in levels.levels),
                reason=levels.reason,
            )
        )
    return History(start=start, end=end, incidents=tuple(found), overrides=tuple(one.override for one in made))


def levels_of(catalog: Catalog, services: tuple[str, ...], *, at: datetime, severity: int, facts: Facts) -> Levels:
    """Return who would be paged about an incident of `services`: by the first of them that has a policy."""
    found = [levels_for(catalog, one, at=at, severity=severity, facts=facts) for one in services or ("",)]
    return next((one for one in found if not one.reason), found[0])


def _past(level: Level) -> PastLevel:
    return PastLevel(after_s=level.after_s, people=level.people)
