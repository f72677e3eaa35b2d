"""What a recovery is held to besides the figures that raised it: neighbours, customers, logs, health, and its sight."""

from dataclasses import replace
from datetime import timedelta

from stanch.alerts.errors.tables import store_errors
from stanch.alerts.looks.tables import save_cursor
from stanch.alerts.model import Alert, AlertStatus, Measured, Metric, Seeing, Unit
from stanch.alerts.reports.tables import add_report
from stanch.alerts.samples.tables import store_samples
from stanch.alerts.tables import save_alert
from stanch.catalog.model import Catalog, Check, Service, Timing
from stanch.incidents import events as ev
from stanch.incidents.model import PrimaryError
from stanch.incidents.state import Verification
from stanch.kernel.clock import ManualClock
from stanch.operations import cases
from stanch.operations.recovering import progress_of
from stanch.operations.views import Progress
from stanch.operations.world import World
from stanch.ports.sampler import ErrorSighting, Sample
from tests.engine.incident import approve, declare, engine, kinds, live, see, shop, state_of, watch_recovery

TITLE = "TypeError: guest has no card"
METRICS = Check(sampler="openmetrics", target="http://127.0.0.1:9/metrics", every_s=1.0)
LOG = Check(sampler="jsonlog", target="payments.log", every_s=1.0)


def around(world: World, *, timing: Timing | None = None, log: bool = False) -> World:
    """Return a shop in which a gateway calls payments, and search stands alone."""
    world = shop(world, timing=timing)
    services = (
        Service(name="gateway", tier=1, depends_on=("payments",)),
        Service(name="payments", tier=1, checks=(METRICS, LOG) if log else (METRICS,)),
        Service(name="search", tier=1, checks=(METRICS,)),
    )
    catalog: Catalog = replace(world.catalog, services={one.name: one for one in services})
    return replace(world, catalog=catalog)


def recovering(world: World, clock: ManualClock) -> int:
    """Return an incident of payments whose recovery is watched and holds since four seconds."""
    number = declare(world)
    live(world, clock, 3, failing=0.45)
    watch_recovery(world, number)
    live(world, clock, 7)
    return number


def broken(world: World) -> list[str]:
    """Return why stretches broke."""
    with world.store.reading() as view:
        return [str(event.data["summary"]) for event in view.events() if event.kind == "verification.relapsed"]


def stands(world: World, number: int) -> Verification:
    """Return how far the recovery has been watched."""
    found = state_of(world, number).verification
    assert found is not None
    return found


def progress(world: World, number: int) -> Progress:
    """Return what a page shows of the recovery."""
    with world.store.reading() as view:
        found = progress_of(view, world, cases.load(view, number), now=world.clock.now())
    assert found is not None
    return found


def firing(world: World, service: str, *, quiet: str = "") -> None:
    """Let an alert on a service fire that nobody has put into an incident yet."""
    now = world.clock.now()
    alert = Alert(
        id=f"{service}/latency",
        fingerprint=f"{service}/latency",
        service=service,
        metric=Metric.LATENCY_P95_MS,
        status=AlertStatus.FIRING,
        measured=Measured(value=4000.0, unit=Unit.MILLISECONDS, normal=40.0, high=60.0),
        starts_at=now,
        starts_low=now,
        starts_high=now,
        detected_at=now,
        updated_at=now,
        title="latency",
        summary=f"{service} P95 latency 4,000 ms",
        quiet=quiet,
    )
    with world.store.writing() as tx:
        save_alert(tx.connection, alert)


def test_a_new_problem_next_door_is_named_and_is_no_recovery(world: World, clock: ManualClock) -> None:
    """What mends payments and breaks the gateway has not mended anything."""
    world = around(world)
    number = recovering(world, clock)
    firing(world, "gateway")
    live(world, clock, 20)

    assert (["a new problem at gateway: gateway P95 latency 4,000 ms"], None) == (
        broken(world),
        stands(world, number).passed_at,
    )


def test_what_breaks_far_away_or_is_expected_holds_nothing_up(world: World, clock: ManualClock) -> None:
    """Search has nothing to do with payments, and a maintenance of the gateway was announced."""
    world = around(world)
    number = recovering(world, clock)
    firing(world, "search")
    firing(world, "gateway", quiet="maintenance")
    live(world, clock, 20)

    assert ([], True) == (broken(world), stands(world, number).passed_at is not None)


def test_a_customer_who_still_reports_starts_the_wait_again(world: World, clock: ManualClock) -> None:
    """Figures that are well do not outweigh somebody who cannot pay."""
    world = around(world)
    number = recovering(world, clock)
    with world.store.writing() as tx:
        add_report(tx.connection, at=clock.now(), service="payments", text="I cannot pay", contact="", sender="a")
    live(world, clock, 2)
    early = broken(world)
    live(world, clock, 20)

    assert (["customers still report trouble with payments: a report"], True) == (
        early,
        stands(world, number).passed_at is not None,
    )


def log_error(world: World, *, seen: bool = True, logged: bool = False) -> None:
    """Let the log of payments be read, with or without its error in it."""
    now = world.clock.now()
    sighting = ErrorSighting(service="payments", fingerprint="f1", title=TITLE, count=1, first_at=now, last_at=now)
    with world.store.writing() as tx:
        if logged:
            store_errors(tx.connection, [sighting])
        if seen:
            seeing = Seeing(
                check="payments/1",
                service="payments",
                sampler="jsonlog",
                target="payments.log",
                looked_at=now,
                seen_at=now,
                trouble="",
                troubled_since=None,
                troubles=0,
            )
            save_cursor(tx.connection, seeing, {})


def with_log(world: World, clock: ManualClock) -> tuple[World, int]:
    """Return an incident whose error stands in the log of payments."""
    world = around(world, log=True)
    number = declare(world)
    now = clock.now()
    error = PrimaryError(title=TITLE, count=9, first_seen=now, last_seen=now, service="payments")
    with world.store.writing() as tx:
        cases.record(tx, number, ev.SymptomSeen(error=error))
    log_error(world, logged=True)
    watch_recovery(world, number)
    return world, number


def test_an_error_that_is_still_logged_is_no_recovery(world: World, clock: ManualClock) -> None:
    """Requests that succeed do not say that the fault is gone: it is still there in the log."""
    world, number = with_log(world, clock)
    for _ in range(30):
        log_error(world, logged=True)
        live(world, clock, 1)

    assert (None, True) == (
        state_of(world, number).verification,
        any(TITLE in one for one in progress(world, number).failing),
    )


def test_an_error_that_is_gone_for_a_minute_is_gone(world: World, clock: ManualClock) -> None:
    """The minute leaves the last sighting behind, then the window runs."""
    world, number = with_log(world, clock)
    for _ in range(100):
        log_error(world)
        live(world, clock, 1)

    assert stands(world, number).passed_at is not None


def test_a_log_that_nobody_reads_is_not_quiet(world: World, clock: ManualClock) -> None:
    """When reading stopped, nothing is known of the error."""
    world, number = with_log(world, clock)
    live(world, clock, 100)

    assert ["the log of payments cannot be seen"] == [
        one for one in progress(world, number).failing if one.startswith("the log")
    ]


def test_an_old_figure_is_none(world: World, clock: ManualClock) -> None:
    """Within a window of a minute, a check that looks each second and was last seen 11 s ago is lost from sight."""
    world = around(world, timing=Timing(verification_s=(120, 120, 120, 120), detect_window_s=60, remeasure_s=5))
    number = declare(world)
    live(world, clock, 1)
    watch_recovery(world, number)
    live(world, clock, 10)
    live(world, clock, 9, failing=None)
    held = broken(world)
    live(world, clock, 2, failing=None)

    assert ([], ["payments error rate cannot be seen"]) == (held, broken(world))


def test_health_and_latency_are_held_to_what_was_normal_before(world: World, clock: ManualClock) -> None:
    """The band is that of before the onset, and what is affected must be inside it."""
    world = around(world)
    onset = clock.now() - timedelta(seconds=60)
    with world.store.writing() as tx:
        before = [
            Sample(service="payments", metric="latency_p95_ms", value=40.0 + at % 3, at=onset - timedelta(seconds=at))
            for at in range(1, 40)
        ]
        store_samples(tx.connection, before)
    number = declare(world)
    watch_recovery(world, number)
    for _ in range(6):
        clock.advance(timedelta(seconds=1))
        see(world)
        slow = Sample(service="payments", metric="latency_p95_ms", value=400.0, at=clock.now())
        with world.store.writing() as tx:
            store_samples(tx.connection, [slow])
        engine(world).run_until_quiet()

    assert ["payments P95 latency at most 82 ms, but is 400 ms"] == list(progress(world, number).failing)


def test_progress_says_since_when_each_check_holds_and_what_is_left(world: World, clock: ManualClock) -> None:
    """Four seconds of ten have held, so six are left."""
    world = around(world)
    number = recovering(world, clock)
    shown = progress(world, number)

    assert (True, 4.0, 6.0, [("payments error rate at most 2 %", clock.now() - timedelta(seconds=4))]) == (
        shown.holding,
        shown.held_s,
        shown.left_s,
        [(one.text, one.since) for one in shown.checks],
    )


def test_a_mitigation_that_helps_half_is_shown_as_not_holding(world: World, clock: ManualClock) -> None:
    """From 45 % to 10 % is better and not well: no wait begins, and the page says what is missing."""
    world = around(world)
    number = declare(world)
    live(world, clock, 3, failing=0.45)
    approve(world, number)
    engine(world).run_until_quiet()
    live(world, clock, 25, failing=0.10)
    shown = progress(world, number)

    assert ([], False, 0.0, ("payments error rate at most 2 %, but is 10 %",)) == (
        kinds(world, only="verification."),
        shown.holding,
        shown.held_s,
        shown.failing,
    )
