"""What a silence or other routes would have done to the alerts of the last days, before they are put in force."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Final

import pytest

from stanch.alerts.intake.config import read_routing
from stanch.engine.intake import Intake
from stanch.kernel.errors import Invalid
from stanch.operations.routing import PreviewRoutes, RoutePreview, preview
from stanch.operations.silencing import PreviewSilence
from stanch.operations.silencing import preview as preview_silence
from stanch.operations.world import Call
from stanch.ports.notifier import Notice
from tests.intake.outside import SHOP, Outside
from tests.operations.desk import ALICE, Via

RECEIVERS: Final = """
receivers:
- { name: team, webhook_configs: [ { url: 'http://team/' } ] }
- { name: database, webhook_configs: [ { url: 'http://database/', http_config: { proxy_url: 'http://p' } } ] }
- { name: nobody }
"""
TIMES: Final = "group_wait: 0s, group_interval: 10s, repeat_interval: 4h, group_by: [alertname]"
NOW: Final = f"""
route: {{ receiver: team, {TIMES}, routes: [ {{ receiver: nobody, matchers: [ severity=info ] }} ] }}
{RECEIVERS}
"""
THEN: Final = f"""
route:
  receiver: team
  routes:
  - {{ receiver: database, matchers: [ 'job=~"pg.*"' ] }}
  - {{ receiver: nobody, matchers: [ 'severity=~"info|warning"' ] }}
{RECEIVERS}
"""


class Receiver:
    """Takes everything."""

    def notify(self, notice: Notice) -> str:
        """Take a notice."""
        return "200"

    def close(self) -> None:
        """Nothing is kept open."""


@pytest.fixture
def world(database_url: str) -> Iterator[Outside]:
    """Give a world with a history: two alerts of databases, two warnings, one of them twice, an information."""
    with closing(Outside(database_url, SHOP)) as found:
        found.world.routing.now = read_routing(NOW, kinds={"webhook": lambda settings: None})
        found.intake = Intake(found.world, makers={"webhook": lambda one: Receiver()})
        found.intake.prepare()
        happen(found, "Replication", severity="critical", job="pg-1")
        happen(found, "Vacuum", severity="critical", job="pg-2")
        happen(found, "Slow", severity="warning")
        happen(found, "Slow", severity="warning")
        happen(found, "Started", severity="info")
        yield found


def happen(world: Outside, name: str, **labels: str) -> None:
    """Let an alert fire for a minute, and be told."""
    world.post(name, **labels)
    drain(world)
    world.post(name, end=world.clock.now(), **labels)
    drain(world)


def drain(world: Outside) -> None:
    """Let half a minute pass."""
    for _ in range(3):
        world.later(seconds=10)
        while world.intake.run_due():
            pass


def asked(world: Outside, config: str = THEN, *, days: int = 30) -> RoutePreview:
    """Return what the preview says."""
    call = Call(world=world.world, actor=ALICE, via=Via.CLI)
    return preview(call, PreviewRoutes(config=config, days=days))


def test_what_would_have_gone_elsewhere(world: Outside) -> None:
    """Of the five alerts those of the databases and the warnings would have had another receiver."""
    found = asked(world)

    assert (5, 4, 4, 2) == (found.alerts, found.moved, found.told, found.lost)


def test_the_receivers_now_and_then(world: Outside) -> None:
    """Each receiver has its number of alerts, as it is and as it would be."""
    found = asked(world)

    assert ({"team": 4, "nobody": 1}, {"nobody": 3, "database": 2}) == (found.before, found.after)


def test_the_sentence(world: Outside) -> None:
    """The sentence says what was told and would not be any more."""
    words = "4 of 5 alerts in 30 days would have gone elsewhere; somebody was told about 4 of them"

    assert f"{words}, and of 2 nobody would be" == asked(world).summary


def test_the_examples_name_the_way(world: Outside) -> None:
    """An example says from whom to whom."""
    first = asked(world).examples[0]

    assert ("Replication", ("team",), ("database",), True) == (
        first.labels["alertname"],
        first.before,
        first.after,
        first.told,
    )


def test_the_same_routes_move_nothing(world: Outside) -> None:
    """What holds already changes nothing."""
    assert 0 == asked(world, NOW).moved


def test_what_is_too_long_ago(world: Outside) -> None:
    """Only the days that were asked for count."""
    world.clock.advance(timedelta(days=3))

    assert (0, 5) == (asked(world, days=1).alerts, asked(world, days=4).alerts)


@pytest.mark.parametrize(
    ("config", "field"), [("route: {receiver: x}", "receivers"), ("[", "config"), ("routes: {}", "routes")]
)
def test_a_mistake_in_the_routes(world: Outside, config: str, field: str) -> None:
    """What could not be put in force is refused with the key."""
    with pytest.raises(Invalid) as told:
        asked(world, config)

    assert field in {one.field for one in told.value.problems}


def test_a_silence_counts_an_alert_once(world: Outside) -> None:
    """Alerts that a silence would have kept quiet, and how many of them somebody was told about."""
    call = Call(world=world.world, actor=ALICE, via=Via.CLI)
    found = preview_silence(call, PreviewSilence(matchers='severity=~"warning|info"'))

    assert (3, 2) == (found.matched, found.told)


def test_an_alert_with_two_receivers_is_one(world: Outside) -> None:
    """What went to two receivers counts once."""
    both = NOW.replace("routes: [", "routes: [ { receiver: database, matchers: [ job=both ], continue: true },")
    both = both.replace("{ receiver: nobody, matchers: [ severity=info ] }", "{ receiver: team }")
    world.world.routing.now = read_routing(both, kinds={"webhook": lambda settings: None})
    world.intake = Intake(world.world, makers={"webhook": lambda one: Receiver()})
    world.intake.prepare()
    happen(world, "Both", severity="critical", job="both")
    call = Call(world=world.world, actor=ALICE, via=Via.CLI)

    assert 1 == preview_silence(call, PreviewSilence(matchers="job=both")).matched
