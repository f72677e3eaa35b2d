"""Watching a recovery: a whole window without a break, honest about what was not seen; and whether the plan helped."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.catalog.model import Timing
from stanch.engine.effect import judge_effect
from stanch.incidents import events as ev
from stanch.incidents.model import Severity, Status
from stanch.incidents.state import Verification
from stanch.kernel.actor import Via, person
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Refused
from stanch.operations.incident import Resolve, SetSeverity, resolve, set_severity
from stanch.operations.world import Call, World
from tests.engine.incident import PLAN, action_of, approve, declare, engine, kinds, live, shop, state_of, watch_recovery

WINDOW_S = 10
LONGER = (30, 10, 10, 10)


def watched(world: World, number: int) -> Verification:
    """Return how far the recovery has been watched."""
    verification = state_of(world, number).verification
    assert verification is not None
    return verification


def recovering(world: World, clock: ManualClock, *, severity: Severity = Severity.SEV2) -> tuple[World, int]:
    """Return a world with an incident whose figures were bad and whose recovery is watched from now on."""
    world = shop(world)
    number = declare(world, severity=severity)
    live(world, clock, 3, failing=0.45)
    watch_recovery(world, number)
    return world, number


def test_a_window_without_a_break_is_a_recovery(world: World, clock: ManualClock) -> None:
    """Figures leave the window of detection after 3 s, hold for 10 s more, and that is said once."""
    world, _ = recovering(world, clock)
    live(world, clock, 3 + WINDOW_S + 5)

    assert ["verification.started", "verification.passed"] == kinds(world, only="verification.")


def test_it_does_not_pass_early(world: World, clock: ManualClock) -> None:
    """One second before the window is over nothing has passed."""
    world, _ = recovering(world, clock)
    live(world, clock, 3 + WINDOW_S - 1)

    assert ["verification.started"] == kinds(world, only="verification.")


def test_before_it_has_passed_nobody_resolves_unasked(world: World, clock: ManualClock) -> None:
    """Resolving is refused with the reason, and without one nothing is forced."""
    world, number = recovering(world, clock)
    live(world, clock, 5)
    with pytest.raises(Refused) as refusal:
        resolve(Call(world=world, actor=person("alice"), via=Via.HTTP), Resolve(incident=number))

    assert "not_verified" == refusal.value.reason


def test_after_it_has_passed_it_is_resolved(world: World, clock: ManualClock) -> None:
    """A verified incident ends without force."""
    world, number = recovering(world, clock)
    live(world, clock, 3 + WINDOW_S + 1)
    resolve(Call(world=world, actor=person("alice"), via=Via.HTTP), Resolve(incident=number))
    resolution = state_of(world, number).resolution

    assert (Status.RESOLVED, False) == (state_of(world, number).status, resolution is None or resolution.forced)


def test_a_relapse_is_recorded_once_for_each_stretch(world: World, clock: ManualClock) -> None:
    """Two breaks are two relapses, however many seconds each lasts."""
    world, number = recovering(world, clock)
    for _ in range(2):
        live(world, clock, 6)
        live(world, clock, 4, failing=0.45)

    assert (["started", "relapsed", "started", "relapsed"], 2) == (
        [kind.partition(".")[2] for kind in kinds(world, only="verification.")],
        watched(world, number).relapses,
    )


def test_a_relapse_starts_the_wait_again(world: World, clock: ManualClock) -> None:
    """After a break of two seconds the whole window must pass once more."""
    world, number = recovering(world, clock)
    live(world, clock, 3 + WINDOW_S - 2)
    live(world, clock, 2, failing=0.45)
    live(world, clock, 3 + WINDOW_S - 1)
    early = watched(world, number).passed_at
    live(world, clock, 2)

    assert (None, True) == (early, watched(world, number).passed_at is not None)


def test_a_relapse_after_it_has_passed_counts(world: World, clock: ManualClock) -> None:
    """What was verified and breaks before it is resolved is not verified any more."""
    world, number = recovering(world, clock)
    live(world, clock, 3 + WINDOW_S + 2)
    live(world, clock, 2, failing=0.45)

    assert None is watched(world, number).passed_at


def test_a_raised_severity_makes_the_window_longer(world: World, clock: ManualClock) -> None:
    """What has held so far counts, but SEV1 must hold for longer than SEV2."""
    world, number = recovering(world, clock)
    world = replace(world, catalog=replace(world.catalog, timing=replace(world.catalog.timing, verification_s=LONGER)))
    live(world, clock, 3 + WINDOW_S - 2)
    request = SetSeverity(incident=number, severity="SEV1", reason="payments lost")
    set_severity(Call(world=world, actor=person("alice"), via=Via.HTTP), request)
    live(world, clock, WINDOW_S)
    early = watched(world, number).passed_at
    live(world, clock, 2 * WINDOW_S)

    assert (None, True, ["verification.started", "verification.extended", "verification.passed"]) == (
        early,
        watched(world, number).passed_at is not None,
        kinds(world, only="verification."),
    )


def test_a_severity_raised_after_it_has_passed_counts(world: World, clock: ManualClock) -> None:
    """A recovery that was verified for SEV2 is not verified for SEV1."""
    world, number = recovering(world, clock)
    world = replace(world, catalog=replace(world.catalog, timing=replace(world.catalog.timing, verification_s=LONGER)))
    live(world, clock, 3 + WINDOW_S + 2)
    request = SetSeverity(incident=number, severity="SEV1", reason="payments lost")
    set_severity(Call(world=world, actor=person("alice"), via=Via.HTTP), request)
    live(world, clock, 2)

    assert (None, 30.0) == (watched(world, number).passed_at, watched(world, number).window_s)


def test_what_cannot_be_seen_does_not_hold(world: World, clock: ManualClock) -> None:
    """Without figures the wait does not begin."""
    world, _ = recovering(world, clock)
    live(world, clock, 30, failing=None)

    assert [] == kinds(world, only="verification.")


def test_what_is_lost_from_sight_is_a_break(world: World, clock: ManualClock) -> None:
    """When figures stop coming half-way, the stretch is over and says why."""
    world, _ = recovering(world, clock)
    live(world, clock, 8)
    live(world, clock, 6, failing=None)
    with world.store.reading() as view:
        told = [event.data["summary"] for event in view.events() if event.kind == "verification.relapsed"]

    assert ["payments error rate cannot be seen"] == told


def test_a_window_that_nobody_watched_is_watched_anew(world: World, clock: ManualClock) -> None:
    """Figures that are good before and after an outage of Stanch say nothing about the time between."""
    world, number = recovering(world, clock)
    live(world, clock, 5)
    clock.advance(timedelta(seconds=60))
    live(world, clock, 6)

    assert (None, 1) == (watched(world, number).passed_at, watched(world, number).relapses)


@pytest.mark.parametrize(("severity", "window_s"), [(Severity.SEV1, 1800.0), (Severity.SEV2, 900.0)])
def test_the_window_is_that_of_the_severity(
    world: World, clock: ManualClock, severity: Severity, window_s: float
) -> None:
    """Half an hour for SEV1, a quarter for the others, and nothing is said to be shortened."""
    world = shop(world, timing=Timing(detect_window_s=3))
    number = declare(world, severity=severity)
    watch_recovery(world, number)
    live(world, clock, 2)

    assert (window_s, "") == (watched(world, number).window_s, watched(world, number).shortened)


def test_a_shortened_window_says_so(world: World, clock: ManualClock) -> None:
    """A window below the shipped one carries the reason it was given."""
    timing = Timing(verification_s=(20, 10, 10, 10), detect_window_s=3, shortened_because="this is a drill")
    world = shop(world, timing=timing)
    number = declare(world, severity=Severity.SEV1)
    watch_recovery(world, number)
    live(world, clock, 2)

    assert "shortened from 30 min to 20 s: this is a drill" == watched(world, number).shortened


def test_without_figures_to_check_nothing_is_verified(world: World, clock: ManualClock) -> None:
    """An incident that nothing measures is not called recovered because nothing contradicts it."""
    world = shop(world)
    world = replace(world, catalog=replace(world.catalog, services={}))
    number = declare(world, alert=False)
    watch_recovery(world, number)
    live(world, clock, 30)

    assert [] == kinds(world, only="verification.")


def test_what_is_mended_by_hand_is_watched_too(world: World, clock: ManualClock) -> None:
    """When the alert ends without a plan of ours, the recovery is watched as after one."""
    world = shop(world)
    number = declare(world)
    live(world, clock, 2, failing=0.45)
    with world.store.writing() as tx:
        tx.append(
            ev.incident_stream(number), [ev.new_event(ev.AlertEnded(alert="a1", summary="over"))], incident=number
        )
    live(world, clock, 5 + 3 + WINDOW_S)

    assert ["verification.started", "verification.passed"] == kinds(world, only="verification.")


LIMIT = ev.Expectation(service="payments", metric="error_ratio", below=0.05)
UP = ev.Expectation(service="payments", metric="up", above=0.5)


@pytest.mark.parametrize(
    ("expected", "before", "after", "verdict"),
    [
        (LIMIT, 0.45, 0.01, "helped"),
        (LIMIT, 0.45, 0.10, "helped"),  # 0.05 of an excess of 0.40 is left: an eighth, less than a fifth
        (LIMIT, 0.45, 0.14, "partly"),  # 0.09 is left: more than a fifth
        (LIMIT, 0.45, 0.37, "partly"),  # 0.32 is 0.40 * 0.8: a fifth is gone
        (LIMIT, 0.45, 0.40, "no_effect"),
        (LIMIT, 0.45, 0.45, "no_effect"),
        (LIMIT, 0.45, 0.52, "no_effect"),  # 0.47 is less than 0.40 * 1.2
        (LIMIT, 0.45, 0.60, "worse"),
        (LIMIT, None, 0.60, "no_effect"),
        (LIMIT, 0.45, None, "no_effect"),  # nothing to see is no success
        (UP, 0.0, 1.0, "helped"),
        (UP, 0.0, 0.0, "no_effect"),
    ],
)
def test_verdicts(expected: ev.Expectation, before: float | None, after: float | None, verdict: str) -> None:
    """What is left of the excess over the limit decides."""
    assert verdict == judge_effect(expected, before=before, after=after)


@pytest.mark.parametrize(
    ("after", "seconds", "verdict"), [(0.0, 6, "helped"), (0.45, 25, "no_effect"), (0.9, 25, "worse")]
)
def test_the_effect_is_compared_with_before_the_run(
    world: World, clock: ManualClock, after: float, seconds: int, verdict: str
) -> None:
    """Help is said as soon as it is clear, anything else when the time that was promised is over."""
    world = shop(world)
    number = declare(world)
    live(world, clock, 5, failing=0.45)
    approve(world, number)
    engine(world).run_until_quiet()
    live(world, clock, seconds, failing=after)

    assert verdict == action_of(world, number).verdict


def test_before_means_during_the_incident(world: World, clock: ManualClock) -> None:
    """Good figures from before the onset do not make the trouble look smaller than it was."""
    world = shop(world)
    live(world, clock, 30)
    number = declare(world, lasted_s=0)
    live(world, clock, 5, failing=0.45)
    approve(world, number)
    engine(world).run_until_quiet()
    live(world, clock, 6)
    with world.store.reading() as view:
        [checked] = [event.data for event in view.events() if event.kind == "action.effect_checked"]

    assert (PLAN, 0.45) == (checked["plan"], checked["before"])
