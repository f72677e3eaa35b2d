"""Alerts in a maintenance window: recorded with the reason, told to nobody, and let go when it ends."""

from datetime import timedelta

import pytest

from stanch.alerts.model import Outcome
from stanch.incidents.tables import find
from stanch.kernel.actor import Via, person
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Conflict, Invalid, NotFound
from stanch.operations import silencing
from stanch.operations.board.showing import OneAlert, show_alert
from stanch.operations.maintenance import (
    CreateWindow,
    ListWindows,
    OneWindow,
    PreviewWindow,
    create,
    end,
    list_windows,
    preview,
)
from stanch.operations.silencing import CreateSilence, OneSilence, PreviewSilence, SilenceView
from stanch.operations.world import Call, World
from tests.engine.watched import Watch, check

SHOP = """
zone = "UTC"
[services.db]
[services.shop]
depends_on = ["db"]
[[services.shop.checks]]
name = "buy"
sampler = "dns"
target = "shop.example"
every_s = 10
"""
DECLARED = f"""{SHOP}
[maintenance.nightly]
services = ["shop"]
rrule = "FREQ=DAILY"
first = "2026-01-01T03:00"
lasts_s = "10m"
why = "reindexing"
"""


def by(world: World) -> Call:
    """Return the call of alice."""
    return Call(world=world, actor=person("alice"), via=Via.CLI)


def failing(world: World, clock: ManualClock, text: str = SHOP) -> Watch:
    """Return a world whose check fails from now on."""
    watch = Watch.over(world, clock, text)
    watch.say("buy", check(0.0, "no name"))
    return watch


def test_alert_in_a_declared_window_opens_nothing(world: World, clock: ManualClock) -> None:
    """It is recorded with the window and its end as the reason, and there is no incident."""
    watch = failing(world, clock, DECLARED)
    watch.run(120)

    assert (["in maintenance nightly until 2026-11-21 03:10 UTC (reindexing)"], []) == (
        [alert.quiet for alert in watch.alerts()],
        list(watch.incidents()),
    )


def test_the_alert_says_why_it_led_to_no_incident(world: World, clock: ManualClock) -> None:
    """Whoever looks at the alert reads which window holds it back, and until when."""
    watch = failing(world, clock, DECLARED)
    watch.run(120)
    shown = show_alert(by(watch.world), OneAlert(id=watch.alerts()[0].id))

    assert ["in maintenance nightly until 2026-11-21 03:10 UTC (reindexing)"] == [
        one.why for one in shown.outcomes if one.what == "no incident"
    ]


def test_alert_opens_when_the_window_ends(world: World, clock: ManualClock) -> None:
    """At the end of the window the condition still holds: now it is an incident."""
    watch = failing(world, clock, DECLARED)
    watch.run(595)
    before = list(watch.incidents())
    watch.run(10)

    assert ([], ["shop buy: no name"], [""]) == (
        before,
        list(watch.incidents()),
        [alert.quiet for alert in watch.alerts()],
    )


def test_what_ends_in_the_window_is_nothing(world: World, clock: ManualClock) -> None:
    """An alert that is over before the window is leads to nothing, then and later."""
    watch = failing(world, clock, DECLARED)
    watch.run(60)
    watch.say("buy", check(1.0))
    watch.run(900, step=15)

    assert ([Outcome.ENDED], []) == ([one.outcome for one in watch.alerts(firing=False)], list(watch.incidents()))


def test_an_incident_from_before_stays(world: World, clock: ManualClock) -> None:
    """What was open when the window began stays open."""
    watch = failing(world, clock)
    watch.run(60)
    create(by(watch.world), CreateWindow(name="late", services=("shop",), lasts="1h"))
    watch.run(120)
    with world.store.reading() as view:
        assert 1 == len(find(view.connection, open_only=True))


def test_a_window_by_an_operation_covers_dependants(world: World, clock: ManualClock) -> None:
    """Maintenance of the database covers the shop that needs it; ended early, the alert opens."""
    watch = failing(world, clock)
    made = create(by(watch.world), CreateWindow(name="pg17", services=("db",), dependants=True, lasts="2h"))
    watch.run(60)
    held = [row.holds_back for row in list_windows(by(watch.world), ListWindows())]
    end(by(watch.world), OneWindow(name="pg17"))
    watch.run(40)

    assert (("db", "shop"), [("shop buy: no name",)], ["shop buy: no name"]) == (
        made.services,
        held,
        list(watch.incidents()),
    )


def test_who_put_it_and_who_ended_it_is_kept(world: World, clock: ManualClock) -> None:
    """A window that is over is still there, with both names."""
    watch = Watch.over(world, clock, SHOP)
    create(by(watch.world), CreateWindow(name="pg17", services=("db",), lasts="2h"))
    end(by(watch.world), OneWindow(name="pg17"))
    [row] = list_windows(by(watch.world), ListWindows(over=True))

    assert ("over", "alice", "alice") == (row.state, row.created_by, row.ended_by)


def test_a_declared_window_is_ended_in_the_configuration(world: World, clock: ManualClock) -> None:
    """What the file declares is not ended by an operation."""
    watch = Watch.over(world, clock, DECLARED)

    with pytest.raises(Conflict, match="configuration"):
        end(by(watch.world), OneWindow(name="nightly"))


def test_no_such_window(world: World, clock: ManualClock) -> None:
    """A name that there is not says how to list them."""
    watch = Watch.over(world, clock, SHOP)

    with pytest.raises(NotFound, match="nightly"):
        end(by(watch.world), OneWindow(name="nightly"))


def test_preview_counts_what_it_would_have_covered(world: World, clock: ManualClock) -> None:
    """Before it is put, it is said which alerts it would have covered, and when it would hold."""
    watch = failing(world, clock)
    watch.run(60)
    request = PreviewWindow(
        services=("shop",), rrule="FREQ=DAILY", first="2026-01-01T03:00", lasts="10m", zone="Europe/Berlin"
    )
    found = preview(by(watch.world), request)

    # 03:00 in Berlin is 02:00 UTC; the clock of the test stands after 03:00 UTC.
    assert (1, 0, 1, "2026-11-22T02:00:00+00:00") == (
        found.matched,
        found.inside,
        found.firing,
        found.next[0].start.isoformat(),
    )


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (CreateWindow(services=("nope",), lasts="1h"), "services"),
        (CreateWindow(services=("db",)), "lasts"),
        (CreateWindow(lasts="1h"), "services"),
        (CreateWindow(services=("db",), rrule="FREQ=DAILY", first="2026-01-01T03:00"), "lasts_s"),
    ],
)
def test_mistake(world: World, clock: ManualClock, request_: CreateWindow, field: str) -> None:
    """A window that makes no sense is refused at its field, and nothing is stored."""
    watch = Watch.over(world, clock, SHOP)
    with pytest.raises(Invalid) as raised:
        create(by(watch.world), request_)

    assert ([field], ()) == (
        [problem.field for problem in raised.value.problems],
        list_windows(by(watch.world), ListWindows(over=True)),
    )


def test_past_window(world: World, clock: ManualClock) -> None:
    """A window that is over before it is put is refused."""
    watch = Watch.over(world, clock, SHOP)
    early = clock.now() - timedelta(hours=3)
    with pytest.raises(Invalid, match="past"):
        create(by(watch.world), CreateWindow(services=("db",), starts_at=early, lasts="1h"))


def silence(watch: Watch, matchers: str = 'source="check", service="shop"', lasts: str = "10m") -> SilenceView:
    """Put a silence as alice does."""
    return silencing.create(by(watch.world), CreateSilence(matchers=matchers, lasts=lasts, comment="known, OPS-12"))


def test_a_silence_holds_an_own_check(world: World, clock: ManualClock) -> None:
    """An alert that a silence matches leads to no incident, and says whose silence holds it, and until when."""
    watch = failing(world, clock)
    silence(watch)
    watch.run(120)

    assert (["silenced by alice until 2026-11-21 03:10 UTC (known, OPS-12)"], []) == (
        [alert.quiet for alert in watch.alerts()],
        list(watch.incidents()),
    )


def test_a_silence_of_others_holds_nothing(world: World, clock: ManualClock) -> None:
    """A silence that does not match leaves an own check alone."""
    watch = failing(world, clock)
    silence(watch, 'service="db"')
    watch.run(60)

    assert ["shop buy: no name"] == list(watch.incidents())


def test_an_own_alert_opens_when_its_silence_ends(world: World, clock: ManualClock) -> None:
    """At the end of the silence the condition still holds: now it is an incident."""
    watch = failing(world, clock)
    silence(watch)
    watch.run(595)
    before = list(watch.incidents())
    watch.run(10)

    assert ([], ["shop buy: no name"]) == (before, list(watch.incidents()))


def test_an_own_alert_opens_soon_after_its_silence_is_ended(world: World, clock: ManualClock) -> None:
    """Somebody ends the silence early: within half a minute the alert is an incident."""
    watch = failing(world, clock)
    put = silence(watch)
    watch.run(120)
    silencing.end(by(watch.world), OneSilence(id=put.id))
    watch.run(31)

    assert ["shop buy: no name"] == list(watch.incidents())


def test_a_preview_counts_own_alerts(world: World, clock: ManualClock) -> None:
    """What a silence would have kept quiet counts alerts of own checks, and how many of them led to an incident."""
    watch = failing(world, clock)
    watch.run(120)
    seen = silencing.preview(by(watch.world), PreviewSilence(matchers='service="shop"'))

    assert (1, 1) == (seen.matched, seen.told)
