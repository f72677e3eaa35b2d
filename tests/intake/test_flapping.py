"""An alert that comes and goes is told once, as flapping, and then no more until it is calm."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Final

import pytest

from stanch.alerts.intake.config import read_routing
from stanch.alerts.intake.decisions import Reason
from stanch.alerts.intake.flapping import Turns, turned
from stanch.alerts.intake.groups.tables import all_groups, memories
from stanch.engine.intake import Intake
from stanch.ports.notifier import Notice
from tests.intake.outside import Outside, with_rules

ROUTING: Final = """
route: { receiver: team, group_by: [alertname], group_wait: 0s, group_interval: 10s, repeat_interval: 4h }
receivers: [ { name: team, webhook_configs: [ { url: 'http://team/' } ] } ]
"""
MINUTE: Final = 60_000_000


@dataclass
class Told:
    """Takes the place of a receiver; notes status, reason and whether it flaps."""

    notices: list[tuple[str, str, bool]]

    def notify(self, notice: Notice) -> str:
        """Note a notice."""
        flaps = any("flapping" in one.annotations for one in notice.alerts)
        self.notices.append(("firing" if notice.is_firing else "resolved", notice.reason, flaps))
        return "200"

    def close(self) -> None:
        """Nothing is kept open."""


class Flapping(Outside):
    """A world whose alerts are told to a receiver."""

    def listen(self) -> list[tuple[str, str, bool]]:
        """Route everything to a receiver and return what it is told."""
        told: list[tuple[str, str, bool]] = []
        self.world.routing.now = read_routing(ROUTING, kinds={"webhook": lambda settings: None})
        self.intake = Intake(self.world, makers={"webhook": lambda one: Told(told)})
        self.intake.prepare()
        return told

    def turn(self, times: int) -> None:
        """Let the alert fire for half a minute and be over for half a minute, some times."""
        for _ in range(times):
            self.post("Flaps", severity="critical", service="payments")
            self.pass_by(3)
            self.post("Flaps", severity="critical", service="payments", end=self.clock.now())
            self.pass_by(3)

    def pass_by(self, ticks: int) -> None:
        """Let ten seconds pass, some times."""
        for _ in range(ticks):
            self.later(seconds=10)
            while self.intake.run_due():
                pass


@pytest.fixture
def world(database_url: str) -> Iterator[Flapping]:
    """Give a world where six changes in ten minutes are flapping."""
    with closing(Flapping(database_url, with_rules(flapping_changes=6, flapping_s=600.0))) as found:
        yield found


def test_it_is_told_once(world: Flapping) -> None:
    """Before it flaps each turn is told; then that it flaps, and nothing more however often it turns."""
    told = world.listen()
    world.turn(10)

    assert [
        ("firing", "first", False),
        ("resolved", "all_resolved", False),
        ("firing", "new_alerts", False),
        ("resolved", "all_resolved", False),
        ("firing", "new_alerts", False),
        ("resolved", "all_resolved", False),
        ("firing", "new_alerts", True),
    ] == told


def test_the_end_is_told_when_it_is_calm(world: Flapping) -> None:
    """Once it has not turned for the whole window, what it is then is told."""
    told = world.listen()
    world.turn(6)
    before = len(told)
    world.pass_by(70)

    assert [("resolved", "all_resolved", False)] == told[before:]


def test_one_that_keeps_firing_is_told_no_more(world: Flapping) -> None:
    """When it settles in firing there is nothing new to tell."""
    told = world.listen()
    world.turn(6)
    before = len(told)
    for _ in range(70):
        world.post("Flaps", severity="critical", service="payments")
        world.pass_by(1)

    assert [] == told[before:]


def test_its_incident_holds_it_as_one(world: Flapping) -> None:
    """While it flaps the incident is not told an end at each turn."""
    world.listen()
    world.turn(10)
    (state,) = world.incidents()

    assert [None] == [one.ended_at for one in state.alerts.values()]


def test_the_reason_says_so(world: Flapping) -> None:
    """That it flaps stands in what is known of the group."""
    world.listen()
    world.turn(10)
    with world.store.reading() as view:
        (group,) = all_groups(view.connection)
        (known,) = memories(view.connection, group.group_key, group.receiver).values()

    assert (Reason.REPEAT_NOT_OVER, "1 flapping") == (known.reason, known.detail)


def test_nothing_flaps_where_it_is_switched_off(database_url: str) -> None:
    """Without a number of changes every turn is told."""
    with closing(Flapping(database_url, with_rules(flapping_changes=0))) as world:
        told = world.listen()
        world.turn(8)

    assert 16 == len(told)


def test_the_fifth_opening_in_the_window_begins_it() -> None:
    """Ten changes are five times that it was over and fired again."""
    turns = Turns()
    for minute in range(5):
        assert not turns.flaps(minute * MINUTE)
        turns = turned(turns, at=minute * MINUTE, changes=10, window=15 * MINUTE)

    assert (4 * MINUTE, 19 * MINUTE) == (turns.since, turns.until)


def test_slow_turns_are_no_flapping() -> None:
    """What turns every ten minutes never has enough of them in the window."""
    turns = Turns()
    for number in range(50):
        turns = turned(turns, at=number * 10 * MINUTE, changes=10, window=15 * MINUTE)

    assert 0 == turns.until


def test_each_turn_prolongs_it() -> None:
    """Calm is a whole window without a turn."""
    turns = Turns(openings=(0, 1, 2, 3, 4), since=4, until=15 * MINUTE)
    turns = turned(turns, at=14 * MINUTE, changes=10, window=15 * MINUTE)

    assert (4, 29 * MINUTE) == (turns.since, turns.until)


def test_lengths_are_bounded() -> None:
    """However often it turns, what is kept of it stays small."""
    turns = Turns()
    for second in range(1000):
        turns = turned(turns, at=second * 1_000_000, changes=10, window=15 * MINUTE)

    assert 32 == len(turns.openings)
