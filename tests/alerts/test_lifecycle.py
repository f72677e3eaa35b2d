"""What a verdict does to an alert."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stanch.alerts.lifecycle import advance
from stanch.alerts.model import Alert, AlertStatus, Condition, Measured, Metric, Outcome
from stanch.alerts.verdict import Verdict
from stanch.catalog.model import Thresholds

NOW = datetime(2026, 3, 1, 14, 0, tzinfo=UTC)
SHIPPED = Thresholds()
BAD = Verdict(breach=True, outcome=Outcome.HELD_TOO_SHORT, detail="", held_s=60.0, hold_s=60.0)
YOUNG = replace(BAD, held_s=10.0)
WELL = Verdict(breach=False, outcome=Outcome.BELOW_THRESHOLD, detail="")
UNSEEN = Verdict(breach=False, outcome=Outcome.NO_DATA, detail="")
FIRING = Alert(
    id="a1",
    fingerprint="f",
    service="payments",
    metric=Metric.ERROR_RATIO,
    status=AlertStatus.FIRING,
    measured=Measured(value=0.4),
    starts_at=NOW,
    starts_low=NOW,
    starts_high=NOW,
    detected_at=NOW,
    updated_at=NOW,
    title="payments error rate",
    summary="payments error rate 40 %",
)


def ended(*, ago_s: float, openings: int = 1) -> Alert:
    """Return the alert as it ended so long ago."""
    return replace(FIRING, status=AlertStatus.ENDED, ended_at=NOW - timedelta(seconds=ago_s), openings=openings)


def well_for(seconds: float) -> Condition:
    """Return a condition that has been well for so long."""
    return Condition(
        service="payments",
        metric=Metric.ERROR_RATIO,
        labels={},
        at=NOW,
        outcome=Outcome.WELL_TOO_SHORT,
        detail="",
        well_since=NOW - timedelta(seconds=seconds),
    )


@pytest.mark.parametrize(
    ("verdict", "alert", "outcome"),
    [
        (BAD, None, Outcome.OPENED),
        (YOUNG, None, Outcome.HELD_TOO_SHORT),
        (WELL, None, Outcome.BELOW_THRESHOLD),
        (UNSEEN, None, Outcome.NO_DATA),
        (BAD, FIRING, Outcome.STILL_FIRING),
        (YOUNG, FIRING, Outcome.STILL_FIRING),
        (WELL, FIRING, Outcome.WELL_TOO_SHORT),
        (UNSEEN, FIRING, Outcome.NO_DATA),
        (BAD, ended(ago_s=599), Outcome.REOPENED),
        (BAD, ended(ago_s=601), Outcome.OPENED),
        (BAD, ended(ago_s=60, openings=2), Outcome.FLAPPING),
    ],
)
def test_outcome(verdict: Verdict, alert: Alert | None, outcome: Outcome) -> None:
    """A verdict and the newest alert decide what happens."""
    assert outcome is advance(verdict, alert=alert, before=None, thresholds=SHIPPED, now=NOW).outcome


@pytest.mark.parametrize(
    ("openings", "well_s", "outcome"),
    [
        (1, 119, Outcome.WELL_TOO_SHORT),
        (1, 120, Outcome.ENDED),
        (3, 359, Outcome.WELL_TOO_SHORT),
        (3, 360, Outcome.ENDED),
    ],
)
def test_end(openings: int, well_s: float, outcome: Outcome) -> None:
    """An alert ends when it has been well for long enough, three times as long when it flaps."""
    alert = replace(FIRING, openings=openings)
    step = advance(WELL, alert=alert, before=well_for(well_s), thresholds=SHIPPED, now=NOW)

    assert outcome is step.outcome


def test_relapse_starts_the_wait_again() -> None:
    """A breach takes back what had been well."""
    step = advance(BAD, alert=FIRING, before=well_for(100), thresholds=SHIPPED, now=NOW)

    assert step.well_since is None


def test_unseen_starts_the_wait_again() -> None:
    """Not seen is not well: the wait begins anew."""
    step = advance(UNSEEN, alert=FIRING, before=well_for(100), thresholds=SHIPPED, now=NOW)

    assert step.well_since is None


def test_explained() -> None:
    """What another alert explains is not opened."""
    step = advance(BAD, alert=None, before=None, thresholds=SHIPPED, now=NOW, explained=True)

    assert Outcome.EXPLAINED is step.outcome


def test_every_outcome_has_words() -> None:
    """Every outcome can be told to a person."""
    assert all(outcome.words for outcome in Outcome)
