"""Similar incidents at the desk, on both databases: found while one runs, with what ended them; told to who joins."""

from collections.abc import Iterator

import pytest

from stanch.comms.catchup import Catchup
from stanch.incidents import events as ev
from stanch.incidents.model import PrimaryError
from stanch.incidents.tables import IncidentProjector
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Invalid, NotFound
from stanch.operations.similar import SimilarIncident
from stanch.review.figures.tables import CourseProjector
from stanch.review.similar.tables import TraitsProjector
from stanch.store import Store
from tests.operations.desk import START, Desk
from tests.operations.test_rebuild import live


@pytest.fixture
def desk(database_url: str, clock: ManualClock) -> Iterator[Desk]:
    """Give a desk that keeps what incidents are compared by, once on each database."""
    projectors = (IncidentProjector(), CourseProjector(), TraitsProjector())
    store = Store.open(database_url, clock=clock, projectors=projectors)
    yield Desk.open(store, clock)
    store.close()


def found(desk: Desk, number: int, **body: object) -> list[SimilarIncident]:
    """Return the incidents that are like this one."""
    answer = desk.ask("incident.similar", incident=number, **body)
    assert isinstance(answer, tuple)
    return [one for one in answer if isinstance(one, SimilarIncident)]


def guest(desk: Desk, sample: str) -> int:
    """Declare an incident in which guests cannot pay, with an error that names one of them."""
    number = desk.declare("Guests cannot pay")
    error = PrimaryError(
        title=f"TypeError: no email of '{sample}'", count=40, first_seen=START, last_seen=START, trend="spiking"
    )
    desk.tell(number, ev.SymptomSeen(error=error))
    return number


def test_what_was_like_it_is_found_with_what_ended_it(desk: Desk) -> None:
    """The error is the same but for the guest it names."""
    first = guest(desk, "guest-17")
    desk.ask("incident.resolve", incident=first, mitigation="rolled payments back", cause="v3.2.1", force_reason="test")
    desk.declare("Search index is stale", services=["search"])
    (one,) = found(desk, guest(desk, "guest-99"))

    assert (first, "rolled payments back", "v3.2.1", True) == (
        one.number,
        one.mitigation,
        one.cause,
        "the same error: TypeError: no email of #" in one.reasons,
    )


def test_what_nobody_recorded_is_empty(desk: Desk) -> None:
    """No words stand where there is nothing to say."""
    desk.ask("incident.resolve", incident=guest(desk, "a"), force_reason="test")
    (one,) = found(desk, guest(desk, "b"))

    assert ("", "") == (one.mitigation, one.cause)


def test_what_was_none_is_like_nothing(desk: Desk) -> None:
    """A dismissed incident has nothing to teach."""
    desk.ask("incident.dismiss", incident=guest(desk, "a"), reason="a load test")

    assert [] == found(desk, guest(desk, "b"))


def test_only_what_came_before_is_looked_at(desk: Desk) -> None:
    """The first of two like each other has none before it."""
    first = guest(desk, "a")
    guest(desk, "b")

    assert [] == found(desk, first)


def test_a_ranked_cause_is_compared_too(desk: Desk) -> None:
    """Once the cause is known, the same cause at the same service is a reason, although a page had asked before."""
    desk.diagnose(guest(desk, "a"))
    second = guest(desk, "b")
    found(desk, second)
    desk.diagnose(second)
    (one,) = found(desk, second)

    assert "the same kind of cause at payments: bad deploy" in one.reasons


def test_whoever_joins_late_is_told_of_the_likest(desk: Desk) -> None:
    """The catch-up names it with what ended it."""
    first = guest(desk, "a")
    desk.ask("incident.resolve", incident=first, mitigation="rolled payments back", force_reason="test")
    caught = desk.ask("incident.catchup", incident=guest(desk, "b"))
    assert isinstance(caught, Catchup)

    assert "Like INC-1 Guests cannot pay (100 %), ended by: rolled payments back" == caught.state[-1]


def test_a_limit_and_an_incident_that_is_not_there(desk: Desk) -> None:
    """Both are refused by name."""
    with pytest.raises(NotFound):
        found(desk, 7)
    with pytest.raises(Invalid):
        found(desk, desk.declare(), limit=0)


def test_a_rebuild_equals_what_was_there(desk: Desk) -> None:
    """The table is a projection."""
    live(desk)
    guest(desk, "a")
    before = desk.world.store.dump_projections()
    desk.world.store.rebuild()

    assert before == desk.world.store.dump_projections()
