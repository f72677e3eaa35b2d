"""What looks lead to: checks that fail, rules on series, sources that cannot be seen; and no check blocks another."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from stanch.alerts.looks.tables import find_seeing
from stanch.alerts.model import Metric
from stanch.app.wiring import DUTIES
from stanch.app.world import samplers_for
from stanch.catalog.load import read_catalog
from stanch.engine.loop import Engine
from stanch.engine.watch import schedule_watches
from stanch.kernel.clock import ManualClock, SystemClock
from stanch.operations.world import World
from stanch.store import timers
from tests.engine.watched import Watch, check, series
from tests.support.farend import Reply, flood, hang, site, wire

CHECKED = """
[services.shop]
tier = 1
[[services.shop.checks]]
name = "buy"
sampler = "dns"
target = "shop.example"
every_s = 10
severity = "{severity}"
"""
RULED = """
[services.mail]
metrics = "http://127.0.0.1:9/metrics"
check_every_s = 10
[[services.mail.rules]]
name = "queue"
metric = "queue_depth"
{limits}
"""


def test_a_check_that_fails_twice_is_an_incident(world: World, clock: ManualClock) -> None:
    """The second look in a row opens the alert, in the words of the check, and declares."""
    watch = Watch.over(world, clock, CHECKED.format(severity="critical"))
    watch.say("buy", check(1.0))
    watch.run(60)
    watch.say("buy", check(0.0, "step 2 'pay': answered 500, where 200 is right"))
    watch.run(40)

    assert ["shop buy: step 2 'pay': answered 500, where 200 is right"] == list(watch.incidents())


def test_one_failed_look_is_none(world: World, clock: ManualClock) -> None:
    """A single look that fails opens nothing."""
    watch = Watch.over(world, clock, CHECKED.format(severity="critical"))
    watch.say("buy", check(0.0, "no answer"))
    watch.run(10)
    watch.say("buy", check(1.0))
    watch.run(60)

    assert [] == watch.alerts(firing=False)


def test_a_warning_declares_nothing(world: World, clock: ManualClock) -> None:
    """A warning is an alert with the reason why it is no incident."""
    watch = Watch.over(world, clock, CHECKED.format(severity="warning"))
    watch.say("buy", check(0.0, "slow"))
    watch.run(60)

    assert (["a warning: it is shown, and declares no incident"], []) == (
        [alert.quiet for alert in watch.alerts()],
        list(watch.incidents()),
    )


def test_a_check_that_is_well_again_ends(world: World, clock: ManualClock) -> None:
    """After it has been well for long enough the alert is over."""
    watch = Watch.over(world, clock, CHECKED.format(severity="critical"))
    watch.say("buy", check(0.0, "no"))
    watch.run(60)
    watch.say("buy", check(1.0))
    watch.run(150)

    assert [] == watch.alerts()


def test_a_series_above_its_limit(world: World, clock: ManualClock) -> None:
    """Each series of a rule is judged on its own, once it has held."""
    watch = Watch.over(world, clock, RULED.format(limits='above = 100\nfor_s = "30s"'))
    watch.say("metrics", series(250, rule="queue", q="mail"), series(20, rule="queue", q="pdf"))
    watch.run(100)

    assert ["mail queue q=mail: 250 is above 100"] == [alert.summary for alert in watch.alerts()]


def test_a_series_far_from_its_normal(world: World, clock: ManualClock) -> None:
    """With a factor alone it is held against what is normal, which is told."""
    watch = Watch.over(world, clock, RULED.format(limits="factor = 3"))
    watch.say("metrics", series(20, rule="queue"))
    watch.run(1200, step=10)
    watch.say("metrics", series(55, rule="queue"))
    watch.run(150)
    quiet = watch.alerts()
    watch.say("metrics", series(90, rule="queue"))
    watch.run(150)

    assert ([], ["mail queue: 90 is above 3 times the normal 20, normal 20"]) == (
        quiet,
        [alert.summary for alert in watch.alerts()],
    )


EXPECTED = """
[maintenance.reindexing]
services = ["mail"]
starts_at = "2026-11-21T03:30"
ends_at = "2026-11-23T00:00"
"""


def test_what_is_so_every_night_is_normal(world: World, clock: ManualClock) -> None:
    """Expected on two nights, a queue that fills is no news on the third; one that fills far more is, on the fourth."""
    limits = 'factor = 3\nfor_s = "2m"'
    watch = Watch.over(world, clock, RULED.format(limits=limits).replace("= 10", "= 60") + EXPECTED)
    loud = []
    for busy in (100, 100, 100, 900):
        watch.say("metrics", series(20, rule="queue"))
        watch.run(3600, step=60)
        watch.say("metrics", series(busy, rule="queue"))
        watch.run(1200, step=60)
        loud.append(sum(not alert.quiet for alert in watch.alerts(firing=False)))
        watch.say("metrics", series(20, rule="queue"))
        watch.run(1200, step=60)
        clock.advance(timedelta(days=1, seconds=-6000))

    assert [0, 0, 0, 1] == loud


def test_a_series_that_is_gone_is_over(world: World, clock: ManualClock) -> None:
    """When the page is seen and the series is not there any more, its alert ends."""
    watch = Watch.over(world, clock, RULED.format(limits="above = 100"))
    watch.say("metrics", series(250, rule="queue"))
    watch.run(120)
    opened = len(watch.alerts())
    watch.say("metrics", ("memory_bytes", 1e6, (), ""))
    watch.run(200)

    assert (1, 0) == (opened, len(watch.alerts()))


def test_a_page_that_cannot_be_read_ends_nothing(world: World, clock: ManualClock) -> None:
    """Nothing seen is never all is well: the alert stays while its page is not seen."""
    watch = Watch.over(world, clock, RULED.format(limits="above = 100"))
    watch.say("metrics", series(250, rule="queue"))
    watch.run(120)
    watch.say("metrics", trouble="refused")
    watch.run(200)

    assert {Metric.RULE, Metric.BLIND} == {alert.metric for alert in watch.alerts()}


def test_lines_in_a_log_over_a_window(world: World, clock: ManualClock) -> None:
    """Matching lines are added up over the window that is asked for."""
    text = """
    [services.shop]
    [[services.shop.checks]]
    name = "oom"
    sampler = "logpattern"
    target = "app.log"
    pattern = "OutOfMemory"
    above = 10
    window_s = "1m"
    every_s = 10
    """
    watch = Watch.over(world, clock, text)
    watch.say("oom", series(1))
    watch.run(60)
    few = len(watch.alerts())
    watch.say("oom", series(3))
    watch.run(40)

    assert (0, ["shop oom"]) == (few, [alert.title for alert in watch.alerts()])


SHARED = "\n".join(f'[services.s{number}]\ntier = 1\nlogs = ["app.log"]\n{{more}}' for number in range(4))


def test_one_source_is_one_alert_and_no_incident(world: World, clock: ManualClock) -> None:
    """Four services behind one file that cannot be read are one alert, which declares nothing."""
    watch = Watch.over(world, clock, SHARED.format(more=""))
    watch.say("log", trouble="/srv/app.log cannot be read")
    watch.run(300)

    assert (["cannot see s0: /srv/app.log cannot be read"], []) == (
        [alert.summary for alert in watch.alerts()],
        list(watch.incidents()),
    )


def test_unseen_declares_where_that_is_asked_for(world: World, clock: ManualClock) -> None:
    """For a critical service that says so, not to be seen is an incident."""
    watch = Watch.over(world, clock, SHARED.format(more="unseen_declares = true"))
    watch.say("log", trouble="/srv/app.log cannot be read")
    watch.run(300)

    assert ["cannot see s0: /srv/app.log cannot be read"] == list(watch.incidents())


def test_first_looks_are_soon_and_rhythms_apart(world: World, clock: ManualClock) -> None:
    """Checks with one period all look within five seconds first, and after that all over the period."""
    text = "\n".join(f'[services.s{n}]\nhealth = "http://127.0.0.1:9/{n}"\ncheck_every_s = 60' for n in range(40))
    watch = Watch.over(world, clock, text)
    watch.run(6, step=1)
    with world.store.reading() as view:
        first = [one for one in find_seeing(view.connection) if one.looked_at]
        due = sorted(timer.due_at.timestamp() for timer in timers.find(view.connection, kind="watch"))
    spread = due[-2] - due[0]

    assert (40, True) == (len(first), spread > 40)


def test_memory_that_grows_alone_is_no_outage(world: World, clock: ManualClock) -> None:
    """A critical service whose memory grows while it answers is SEV3: it runs short, and nobody is hurt yet."""
    watch = Watch.over(world, clock, '[services.shop]\ntier = 1\nmetrics = "http://h/metrics"\ncheck_every_s = 10')
    watch.say("metrics", ("memory_bytes", 50e6, (), ""))
    watch.run(1200, step=10)
    for number in range(30):
        watch.say("metrics", ("memory_bytes", 60e6 + number * 10e6, (), ""))
        watch.run(10, step=10)

    assert ["SEV3 critical-strained"] == watch.rulings()


@pytest.mark.parametrize(("speak", "most"), [(hang, 15), (flood, 60)])
def test_no_check_blocks_another(world: World, speak: Callable[..., None], most: int) -> None:
    """Beside thirty far ends that hang or flood, a check that answers keeps its rhythm."""
    begun: list[float] = []

    def counted(*line: object) -> None:
        begun.append(time.monotonic())
        speak(*line)

    with contextlib.ExitStack() as stack:
        place = stack.enter_context(wire(counted))
        far = stack.enter_context(site(lambda asked: Reply(body="fine")))
        text = {f"bad{n}": {"health": f"http://{place}/{n}", "check_every_s": 0.5} for n in range(30)}
        text |= {"good": {"health": f"{far.url}/health", "check_every_s": 0.5}}
        catalog = read_catalog({"services": text}, root=Path("/srv"))
        store = replace(world, clock=SystemClock(), catalog=catalog, samplers=samplers_for(catalog))
        store.store.clock = SystemClock()
        with store.store.writing() as tx:
            schedule_watches(tx, store)
        engine = Engine(store, {"watch": DUTIES["watch"]})
        engine.start()
        try:
            give_up_at = time.monotonic() + 120
            while len(far.asked) < 5 and time.monotonic() < give_up_at:
                time.sleep(0.05)
            asked, bad = len(far.asked), len(begun)
            looks = bad_looks = 0
            # A machine that stands still for a moment makes a few looks late; those that queue stay late for ever.
            while (looks < 4 or bad_looks >= most * looks) and time.monotonic() < give_up_at:
                time.sleep(0.05)
                looks, bad_looks = len(far.asked) - asked, len(begun) - bad
        finally:
            engine.stop()

    # A look that hangs takes three seconds; were the good one to queue behind them, there would be thirty to one of it.
    # One that floods ends soon, so that there are thirty of those to one, and not many more.
    assert (True, True) == (looks >= 4, bad_looks < most * looks)
