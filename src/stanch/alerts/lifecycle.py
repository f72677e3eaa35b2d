"""What a verdict does to an alert: open it, keep it, bring it back, end it, or nothing, and why. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.model import Alert, Condition, Outcome
from stanch.alerts.verdict import Verdict
from stanch.catalog.model import Thresholds

REOPEN_RESOLVES: Final = 5.0
"""An alert that comes back within five times `resolve_for_s` of its end is the same one."""

FLAPPING_OPENINGS: Final = 3
FLAPPING_RESOLVES: Final = 3.0
"""One that has opened three times must be well for three times as long."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What happens at one look, and since when the condition has been well (UTC), None where it is not."""

    outcome: Outcome
    well_since: datetime | None = None


def advance(
    verdict: Verdict,
    *,
    alert: Alert | None,
    before: Condition | None,
    thresholds: Thresholds,
    now: datetime,
    explained: bool = False,
) -> Step:
    """Decide what `verdict` means for the newest alert of its condition, firing or ended, None when there was none.

    `explained` says that another alert of the service is the reason, so that this one is not opened.
    """
    if alert is not None and alert.is_firing:
        return _kept(verdict, alert, before=before, thresholds=thresholds, now=now)
    if not verdict.breach:
        return Step(outcome=verdict.outcome)
    if explained:
        return Step(outcome=Outcome.EXPLAINED)
    if not verdict.is_due:
        return Step(outcome=Outcome.HELD_TOO_SHORT)
    if alert is None or not comes_back(alert, thresholds=thresholds, now=now):
        return Step(outcome=Outcome.OPENED)
    return Step(outcome=Outcome.FLAPPING if alert.openings + 1 >= FLAPPING_OPENINGS else Outcome.REOPENED)


def comes_back(alert: Alert, *, thresholds: Thresholds, now: datetime) -> bool:
    """Tell whether an ended alert is recent enough to be opened again instead of a new one."""
    window = timedelta(seconds=REOPEN_RESOLVES * thresholds.resolve_for_s)
    return alert.ended_at is not None and now - alert.ended_at <= window


def resolve_for(alert: Alert, thresholds: Thresholds) -> timedelta:
    """Return for how long a firing alert must be well to end."""
    factor = FLAPPING_RESOLVES if alert.openings >= FLAPPING_OPENINGS else 1.0
    return timedelta(seconds=factor * thresholds.resolve_for_s)


def _kept(verdict: Verdict, alert: Alert, *, before: Condition | None, thresholds: Thresholds, now: datetime) -> Step:
    if verdict.breach:
        return Step(outcome=Outcome.STILL_FIRING)
    since = before.well_since if before else None
    if verdict.outcome is Outcome.NO_DATA:
        # Nothing seen is never "all is well": the alert stays, and the wait begins anew when it is seen again.
        return Step(outcome=Outcome.NO_DATA)
    since = since or now
    if now - since >= resolve_for(alert, thresholds):
        return Step(outcome=Outcome.ENDED, well_since=since)
    return Step(outcome=Outcome.WELL_TOO_SHORT, well_since=since)
