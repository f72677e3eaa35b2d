"""Every alert says what it led to, or why to nothing: to whom it was told, and to which incident it belongs."""

from collections.abc import Iterator
from contextlib import closing
from typing import Final

import pytest

from stanch.alerts.intake.config import read_routing
from stanch.engine.intake import Intake
from stanch.operations.board.showing import OneAlert, show_alert
from stanch.operations.board.views import AlertView
from stanch.operations.intake import take_parsed
from stanch.operations.world import Call
from stanch.ports.notifier import Notice
from stanch.ports.signals import AlertSignal, Parsed
from tests.intake.outside import Outside, with_rules
from tests.operations.desk import ALICE, Via

ROUTING: Final = """
route:
  receiver: team
  group_wait: 0s
  group_interval: 10s
  repeat_interval: 4h
  group_by: [ alertname ]
  routes:
  - { receiver: team, matchers: [ alertname=Night ], mute_time_intervals: [ always ] }
receivers: [ { name: team, webhook_configs: [ { url: 'http://team/' } ] } ]
inhibit_rules: [ { source_matchers: [ alertname=Down ], target_matchers: [ alertname=Slow ], equal: [ service ] } ]
time_intervals: [ { name: always, time_intervals: [ { months: [ 'january:december' ] } ] } ]
"""


class Receiver:
    """Takes everything."""

    def notify(self, notice: Notice) -> str:
        """Take a notice."""
        return "200"

    def close(self) -> None:
        """Nothing is kept open."""


class Routed(Outside):
    """A world whose alerts are told to a receiver."""

    def listen(self) -> None:
        """Route everything to a receiver."""
        self.world.routing.now = read_routing(ROUTING, kinds={"webhook": lambda settings: None})
        self.intake = Intake(self.world, makers={"webhook": lambda one: Receiver()})
        self.intake.prepare()

    def ticks(self, times: int = 2) -> None:
        """Let some ticks pass."""
        for _ in range(times):
            self.later(seconds=10)
            while self.intake.run_due():
                pass

    def why(self, alert: int) -> dict[str, str]:
        """Return every outcome of an alert with its reason."""
        return {one.what: f"{one.why} {one.detail}".strip() for one in self.show(alert).outcomes}

    def show(self, alert: int) -> AlertView:
        """Return what the page of an alert shows."""
        return show_alert(Call(world=self.world, actor=ALICE, via=Via.CLI), OneAlert(id=f"x{alert}"))


@pytest.fixture
def world(sqlite_url: str) -> Iterator[Routed]:
    """Give a shop that alerts come into, where four changes are flapping."""
    with closing(Routed(sqlite_url, with_rules(flapping_changes=4))) as found:
        found.listen()
        yield found


def test_an_incident_and_a_notification(world: Routed) -> None:
    """A severe alert says which incident it declared, which group holds it, and that it was told."""
    alert = world.post(severity="critical", service="payments")

    assert {
        "incidents": "declared INC-1",
        "grouped for team": "by alertname=Down",
        "team, webhook[0]": "the receiver has been told first",
    } == world.why(alert)


def test_the_incident_is_linked(world: Routed) -> None:
    """The page of the alert leads to the incident."""
    alert = world.post(severity="critical", service="payments")

    assert ["INC-1"] == [one.key for one in world.show(alert).incidents]


def test_grouped_into(world: Routed) -> None:
    """The second alert of one fault says that it joined."""
    world.post(severity="critical", service="payments")
    alert = world.post("Errors", severity="critical", service="gateway")

    assert "grouped into INC-1" == world.why(alert)["incidents"]


def test_below_threshold(world: Routed) -> None:
    """A mild alert says that no rule made it an incident."""
    alert = world.post(severity="warning", service="payments")

    assert world.why(alert)["incidents"].startswith("below threshold")


@pytest.mark.parametrize(
    ("labels", "why"),
    [
        ({"severity": "critical", "service": "nowhere"}, "only listed: the service is not in the catalog"),
        ({"severity": "critical"}, "only listed: no label names a service"),
    ],
    ids=str,
)
def test_nobody_s_service(world: Routed, labels: dict[str, str], why: str) -> None:
    """A severe alert about nothing that is known says so."""
    alert = world.post(**labels)

    assert why == world.why(alert)["incidents"]


def test_silenced(world: Routed) -> None:
    """A silenced alert names its silence, for incidents and for receivers."""
    world.silence({"service": "payments"}, minutes=60)
    alert = world.post(severity="critical", service="payments")
    world.ticks(1)
    why = world.why(alert)

    assert ("silenced by", "silenced: being replaced", "every alert of the group is silenced") == (
        why["incidents"][:11],
        why["nobody is told now"],
        why["team, webhook[0]"][:36],
    )


def test_inhibited(world: Routed) -> None:
    """An alert that another one explains names it."""
    source = world.post("Down", severity="critical", service="payments")
    alert = world.post("Slow", severity="critical", service="payments")
    why = world.why(alert)

    assert (f"inhibited by x{source}", f"inhibited by alert x{source}") == (why["incidents"], why["nobody is told now"])


def test_repeat_interval_not_over(world: Routed) -> None:
    """Told once, it waits for the repeat interval, and says so."""
    alert = world.post(severity="warning", service="payments")
    world.ticks(3)

    assert "nothing has changed, and the repeat interval is not over" == world.why(alert)["team, webhook[0]"]


def test_muted(world: Routed) -> None:
    """An alert whose route is muted names the interval."""
    alert = world.post("Night", severity="warning", service="payments")
    world.ticks(1)
    why = world.why(alert)

    assert ("muted at this time by always", "the route is muted at this time always") == (
        why["nobody is told now"],
        why["team, webhook[0]"],
    )


def test_flapping(world: Routed) -> None:
    """An alert that comes and goes says so."""
    for _ in range(4):
        alert = world.post(severity="warning", service="payments")
        world.ticks(1)
        world.post(severity="warning", service="payments", end=world.clock.now())
        world.ticks(1)

    assert "flapping" in world.why(alert)


def test_an_alert_of_a_sender_says_the_same(world: Routed) -> None:
    """What came through a webhook has its reasons like any other."""
    labels = {"alertname": "DiskFull", "app": "payments"}
    signal = AlertSignal(labels=labels, annotations={"severity": "critical"})
    take_parsed(world.world, "grafana", Parsed(alerts=(signal,)))
    world.engine.run_until_quiet()
    world.ticks(1)

    assert {
        "incidents": "declared INC-1",
        "grouped for team": "by alertname=DiskFull",
        "team, webhook[0]": "the receiver has been told first",
    } == world.why(world.last())
