"""What must be heard regularly: heard in time nothing happens, and its absence is an alert like any other."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.alerts.intake.listing import view_at
from stanch.catalog.alerting import Heartbeat
from stanch.engine.beats import check
from stanch.engine.follow import follow
from stanch.engine.loop import Engine
from stanch.kernel.errors import NotFound
from stanch.operations.beating import AllBeats, beat, list_beats, schedule_beats
from stanch.operations.world import Call
from tests.intake.outside import BEGAN, SHOP, Outside, outside
from tests.operations.desk import ALICE, Via

BACKUP = Heartbeat(name="backup", every_s=3600, grace_s=600, service="payments")
WATCHDOG = Heartbeat(name="prometheus", every_s=120, grace_s=60, alert='alertname="Watchdog"')
CATALOG = replace(SHOP, heartbeats={"backup": BACKUP, "prometheus": WATCHDOG})


@pytest.fixture
def world(database_url: str) -> Iterator[Outside]:
    """Give a shop that waits for a backup and for a watchdog."""
    with outside(database_url, CATALOG) as found:
        found.engine = Engine(found.world, {"follow": follow, "heartbeat": check})
        with found.store.writing() as tx:
            schedule_beats(tx, found.world)
        yield found


def missed(world: Outside) -> list[str]:
    """Return the heartbeats that alerts say are missed now."""
    with world.store.reading() as view:
        found = view_at(view.connection, world.world.routing.now, world.clock.now()).alerts
    return sorted(one.labels["heartbeat"] for one in found if one.labels["alertname"] == "HeartbeatMissed")


def pass_time(world: Outside, minutes: int, *, watchdog: bool = True) -> None:
    """Let minutes pass; Prometheus tells of its watchdog in each, unless it is gone."""
    for _ in range(minutes):
        world.clock.advance(timedelta(minutes=1))
        if watchdog:
            world.post("Watchdog", severity="none")
        world.engine.run_until_quiet()


def test_what_is_heard_in_time(world: Outside) -> None:
    """As long as it beats, there is no alert."""
    for _ in range(3):
        pass_time(world, 60)
        beat(world.world, "backup")

    assert [] == missed(world)


def test_what_is_not_heard(world: Outside) -> None:
    """After its time and its grace its absence is an alert, and an incident of its service."""
    pass_time(world, 69)
    before = missed(world)
    pass_time(world, 2)

    assert ([], ["backup"], [("payments",)]) == (before, missed(world), [one.services for one in world.incidents()])


def test_what_is_heard_again(world: Outside) -> None:
    """A beat ends the alert, and that is on the incident's record."""
    pass_time(world, 75)
    beat(world.world, "backup")
    world.engine.run_until_quiet()

    assert ([], [True]) == (missed(world), [one.ended_at is not None for one in world.incidents()[0].alerts.values()])


def test_a_watchdog_that_stops(world: Outside) -> None:
    """An alert that always fires and is told no more is missed, though its own time-out has not come."""
    pass_time(world, 5)
    before = missed(world)
    pass_time(world, 4, watchdog=False)

    assert ([], ["prometheus"]) == (before, missed(world))


def test_a_watchdog_that_comes_back(world: Outside) -> None:
    """Told again, it is heard again."""
    pass_time(world, 5)
    pass_time(world, 10, watchdog=False)
    pass_time(world, 2)

    assert [] == missed(world)


def test_a_watchdog_that_never_was(world: Outside) -> None:
    """What was never heard since it is waited for is missed as well."""
    pass_time(world, 4, watchdog=False)

    assert ["prometheus"] == missed(world)


def test_a_restart_gives_the_grace(world: Outside) -> None:
    """After a long time without a server nothing is missed before it had the chance to be heard."""
    world.clock.advance(timedelta(hours=10))
    with world.store.writing() as tx:
        tx.cancel_timers(prefix="heartbeat/")
        schedule_beats(tx, world.world)
    world.engine.run_until_quiet()

    assert [] == missed(world)


def test_the_list(world: Outside) -> None:
    """The list says when each was heard and when it is missed."""
    beat(world.world, "backup")
    (backup, _) = list_beats(Call(world=world.world, actor=ALICE, via=Via.CLI), AllBeats())

    assert (BEGAN, BEGAN + timedelta(minutes=70), 1) == (backup.heard_at, backup.due_at, backup.beats)


def test_a_name_that_is_not_configured(world: Outside) -> None:
    """A beat of something unknown is refused with what is known."""
    with pytest.raises(NotFound) as told:
        beat(world.world, "bakcup")

    assert "configured are backup, prometheus" == told.value.hint
