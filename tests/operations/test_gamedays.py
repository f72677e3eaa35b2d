"""Game days at the desk: who may begin one and when, how it ends, what its score leaves."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from stanch.catalog.gamedays.model import digest_of
from stanch.catalog.gamedays.reading import read_gamedays
from stanch.incidents.tables import IncidentProjector
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Conflict, Forbidden, Refused
from stanch.operations.gamedays import GamedaysView, GamedayView
from stanch.operations.items import ItemView
from stanch.review.items.tables import ItemProjector
from stanch.store import Store
from tests.operations.desk import AGENT, Desk

TARGETS = """
[targets.payments]
kind = "process"
services = ["payments"]
pid_files = ["run/payments.pid"]
most_share = 1.0
"""
PLACES = {"service": "payments"}


@pytest.fixture
def desk(database_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Desk]:
    """Give a desk with one declared target, once on each database."""
    (tmp_path / "gamedays").mkdir()
    (tmp_path / "gamedays" / "targets.toml").write_text(TARGETS)
    store = Store.open(database_url, clock=clock, projectors=(IncidentProjector(), ItemProjector()))
    found = Desk.open(store, clock)
    yield replace(found, world=replace(found.world, catalog=replace(found.world.catalog, root=str(tmp_path))))
    store.close()


def digest(desk: Desk) -> str:
    """Return what is agreed to."""
    known = read_gamedays(Path(desk.world.catalog.root))
    return digest_of(known.scenarios["killed-process"].on(PLACES), known.targets)


def asked(desk: Desk, name: str, **body: object) -> GamedayView:
    """Ask an operation that answers with a game day."""
    answer = desk.ask(name, **body)
    assert isinstance(answer, GamedayView)
    return answer


def begun(desk: Desk) -> int:
    """Begin a game day and return its number."""
    return asked(desk, "gameday.begin", scenario="killed-process", digest=digest(desk), on=PLACES).gameday


def ended(desk: Desk, number: int) -> GamedayView:
    """End a game day whose step was done and taken back now."""
    now = desk.clock.now().isoformat()
    step = {"step": 0, "words": "kill payments", "done_at": now, "undone_at": now}
    return asked(desk, "gameday.end", gameday=number, reason="time_over", steps=[step])


def test_a_person_says_yes(desk: Desk) -> None:
    """An agent may not."""
    with pytest.raises(Forbidden):
        desk.ask("gameday.begin", by=AGENT, scenario="killed-process", digest=digest(desk), on=PLACES)

    assert 1 == begun(desk)


@pytest.mark.parametrize("service", ["payments", "gateway"])
def test_an_open_incident_keeps_it_shut(desk: Desk, service: str) -> None:
    """On what it touches, or on what depends on that."""
    desk.declare(services=[service])
    with pytest.raises(Refused) as refused:
        begun(desk)

    assert "incident_open" == refused.value.reason


def test_an_incident_elsewhere_does_not(desk: Desk) -> None:
    """Search has nothing to do with payments."""
    desk.declare(services=["search"])

    assert 1 == begun(desk)


def test_one_at_a_time(desk: Desk) -> None:
    """Until it is ended, or its time is long over."""
    begun(desk)
    with pytest.raises(Refused) as refused:
        begun(desk)
    desk.pass_time(minutes=12)

    assert ("another_gameday", 2) == (refused.value.reason, begun(desk))


def test_what_was_agreed_to_is_what_is_done(desk: Desk) -> None:
    """A target that was changed meanwhile needs another yes."""
    before = digest(desk)
    path = Path(desk.world.catalog.root) / "gamedays" / "targets.toml"
    path.write_text(TARGETS.replace("1.0", "0.5"))
    with pytest.raises(Conflict):
        desk.ask("gameday.begin", scenario="killed-process", digest=before, on=PLACES)


def test_without_its_target_it_cannot_begin(desk: Desk) -> None:
    """What is not declared is not broken."""
    with pytest.raises(Refused):
        desk.ask("gameday.begin", scenario="killed-process", digest="0" * 64)


def test_it_is_scored_by_the_first_incident_that_it_touched(desk: Desk) -> None:
    """Not by one elsewhere."""
    number = begun(desk)
    desk.pass_time(seconds=5)
    desk.declare(services=["search"])
    desk.declare(services=["gateway"])

    assert 2 == asked(desk, "gameday.show", gameday=number).incident


def test_what_was_missed_becomes_action_items_once(desk: Desk) -> None:
    """Keeping the score again adds nothing."""
    number = begun(desk)
    over = ended(desk, number)
    desk.pass_time(seconds=30)
    declared = desk.declare(services=["payments"])
    desk.pass_time(minutes=20)
    for _ in range(2):
        kept = asked(desk, "gameday.score", gameday=number)
    found = desk.ask("item.list", incident=declared)
    assert isinstance(found, tuple)
    titles = [one.title.partition(":")[0] for one in found if isinstance(one, ItemView)]

    assert (
        False,
        True,
        ["Have a mitigation that ends it in time (within 30m)", "Reach somebody in time (within 5m)"],
    ) == (over.scored, kept.scored, sorted(titles)[:2])


def test_a_score_is_of_what_is_over(desk: Desk) -> None:
    """Before its end nothing is kept."""
    number = begun(desk)
    with pytest.raises(Refused) as refused:
        desk.ask("gameday.score", gameday=number)

    assert "not_over" == refused.value.reason


def test_the_list_says_what_can_be_played(desk: Desk) -> None:
    """And what was."""
    begun(desk)
    told = desk.ask("gameday.list")
    assert isinstance(told, GamedaysView)

    assert (11, ["killed-process"], ()) == (
        len(told.scenarios),
        [one.scenario for one in told.played],
        told.problems,
    )
