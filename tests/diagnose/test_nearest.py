"""The change closest before the onset, for the first look."""

from datetime import timedelta

from stanch.diagnose.nearest import nearest_of
from stanch.ports.changes import ChangeKind
from tests.diagnose.scene import ONSET, change

DEPLOY = change(ChangeKind.DEPLOY, "payments", "v3.2.1", 40)


def test_it_says_how_long_before() -> None:
    """The nearest change carries the seconds between it and the onset, and what was done."""
    found = nearest_of([DEPLOY], onset=ONSET, services=("payments",))

    assert found is not None and (40.0, "payments v3.2.1 deployed") == (found.seconds_before, found.title)


def test_the_closest_one_wins() -> None:
    """Of two deploys before the onset the later one is nearer."""
    earlier = change(ChangeKind.DEPLOY, "payments", "v3.2.0", 4000)

    assert DEPLOY.id == getattr(nearest_of([DEPLOY, earlier], onset=ONSET, services=()), "id", None)


def test_what_runs_beats_a_commit() -> None:
    """A commit a moment before the onset says less than a deploy a little earlier."""
    commit = change(ChangeKind.COMMIT, "payments", "c0ffee", 5)

    assert DEPLOY.id == getattr(nearest_of([DEPLOY, commit], onset=ONSET, services=()), "id", None)


def test_a_change_after_the_onset_is_not_before_it() -> None:
    """A deploy a minute after the onset is no candidate."""
    late = change(ChangeKind.DEPLOY, "payments", "v3.2.2", -60)

    assert nearest_of([late], onset=ONSET, services=()) is None


def test_other_services_do_not_count() -> None:
    """With services given, a change of another one is left out."""
    assert nearest_of([DEPLOY], onset=ONSET, services=("mailer",)) is None


def test_a_day_is_the_limit() -> None:
    """What changed more than a day before is not near."""
    assert nearest_of([DEPLOY], onset=ONSET + timedelta(days=2), services=()) is None
