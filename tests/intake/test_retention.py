"""What is put away and deleted of alerts from outside, when, and that nothing is lost by it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Table, func, select

from stanch.alerts.intake.retention.tables import IDLE, KEPT_FOR, idle_alerts
from stanch.alerts.intake.tables import intake_alerts, intake_episodes, intake_hot
from stanch.engine.loop import Engine
from stanch.engine.tidy import first_timers, tidy
from tests.intake.outside import Outside, outside


@pytest.fixture
def world(database_url: str) -> Iterator[Outside]:
    """Give a world that tidies up."""
    with outside(database_url) as found:
        found.engine = Engine(found.world, {"tidy": tidy, "follow": lambda timer, world: lambda tx: None})
        with found.store.writing() as tx:
            for timer in first_timers(found.world):
                tx.schedule(timer)
        yield found


def pass_time(world: Outside, length: timedelta) -> None:
    """Let time pass in ten steps, flush groups and tidy up in each."""
    for _ in range(10):
        world.clock.advance(length / 10)
        while world.intake.run_due():
            pass
        world.engine.run_until_quiet()


def count(world: Outside, table: Table) -> int:
    """Return how many rows a table has."""
    with world.store.reading() as view:
        return int(view.connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_an_alert_that_fires_stays(world: Outside) -> None:
    """What fires is never put away, however long it does."""
    for _ in range(4):
        world.post("Down", end=world.clock.now() + timedelta(hours=1))
        pass_time(world, timedelta(minutes=30))

    assert (1, 1) == (count(world, intake_alerts), count(world, intake_hot))


def test_what_ended_is_put_away(world: Outside) -> None:
    """A while after its end an alert is known, and stands nowhere among those that fire or may soon again."""
    world.post("Down")
    pass_time(world, timedelta(minutes=20) + IDLE)

    assert (1, 0) == (count(world, intake_alerts), count(world, intake_hot))


def test_what_is_put_away_comes_back(world: Outside) -> None:
    """An alert that fires again long after its end is the same alert."""
    first = world.post("Down")
    pass_time(world, timedelta(hours=5))
    again = world.post("Down")

    assert (first, 1) == (again, count(world, intake_hot))


def test_what_is_old_is_deleted(world: Outside) -> None:
    """A month after its end nothing is left of an alert."""
    world.post("Down")
    pass_time(world, timedelta(hours=5))
    pass_time(world, KEPT_FOR)
    # What was told of it goes first, then the alert.
    pass_time(world, timedelta(minutes=20))

    assert (0, 0) == (count(world, intake_alerts), count(world, intake_episodes))


def test_what_was_deleted_comes_back(world: Outside) -> None:
    """An alert that was deleted and fires again is stored like a new one, though its labels are recognised."""
    first = world.post("Down")
    pass_time(world, timedelta(hours=5))
    pass_time(world, KEPT_FOR)
    # What was told of it goes first, then the alert.
    pass_time(world, timedelta(minutes=20))
    again = world.post("Down")

    assert (True, 1, 1) == (again > first, count(world, intake_alerts), count(world, intake_hot))


def test_some_at_a_time(world: Outside) -> None:
    """No more is looked up at once than is asked for."""
    for number in range(3):
        world.post(f"Down{number}")
    for _ in range(3):
        world.clock.advance(timedelta(minutes=20))
        while world.intake.run_due():
            pass
    with world.store.reading() as view:
        found = idle_alerts(view.connection, now=world.clock.now(), limit=2)

    assert 2 == len(found)
