"""What comes due while an incident lasts: missed targets once, promised updates on time, severity only upwards."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from stanch.app.wiring import DUTIES
from stanch.engine.loop import Engine
from stanch.engine.watch import schedule_watches
from stanch.incidents.model import Severity
from stanch.kernel.actor import Via, person
from stanch.kernel.clock import ManualClock
from stanch.kernel.event import JSON
from stanch.operations.incident import ById, SetSeverity, acknowledge, set_severity
from stanch.operations.world import Call, World
from stanch.ports.channel import Message
from stanch.ports.sampler import Look, Sample
from stanch.store import timers
from tests.engine.incident import Room, declare, engine, kinds, shop, state_of

MINUTE = timedelta(minutes=1)


def pass_time(world: World, clock: ManualClock, minutes: int) -> None:
    """Let minutes pass, looking at what is due each."""
    for _ in range(minutes):
        clock.advance(MINUTE)
        engine(world).run_until_quiet()


def heard(world: World) -> list[Message]:
    """Return what came to the room."""
    room = world.channels["room"]
    assert isinstance(room, Room)
    return room.got


@pytest.mark.parametrize(("severity", "minutes"), [(Severity.SEV1, 5), (Severity.SEV2, 15), (Severity.SEV3, 60)])
def test_a_missed_target_is_recorded_once(world: World, clock: ManualClock, severity: Severity, minutes: int) -> None:
    """Nobody acknowledged in time: said when it happens, and not again."""
    world = shop(world)
    number = declare(world, severity=severity)
    pass_time(world, clock, minutes)
    in_time = state_of(world, number).missed_targets
    clock.advance(timedelta(seconds=1))
    pass_time(world, clock, 5)

    assert ((), ("acknowledge",)) == (in_time, state_of(world, number).missed_targets)


def test_a_target_that_was_met_is_not_missed(world: World, clock: ManualClock) -> None:
    """Acknowledged in the last minute, nothing is held against anybody."""
    world = shop(world)
    number = declare(world)
    pass_time(world, clock, 14)
    acknowledge(Call(world=world, actor=person("alice"), via=Via.HTTP), ById(incident=number))
    pass_time(world, clock, 5)

    assert () == state_of(world, number).missed_targets


def test_a_raised_severity_shortens_the_target(world: World, clock: ManualClock) -> None:
    """Five minutes are over when SEV2 becomes SEV1 after six: missed at the next look."""
    world = shop(world)
    number = declare(world)
    pass_time(world, clock, 6)
    request = SetSeverity(incident=number, severity="SEV1", reason="payments lost")
    set_severity(Call(world=world, actor=person("alice"), via=Via.HTTP), request)
    pass_time(world, clock, 1)

    assert ("acknowledge",) == state_of(world, number).missed_targets


def test_the_promised_update_is_sent(world: World, clock: ManualClock) -> None:
    """Every quarter of an hour, each with words of its own."""
    world = shop(world)
    declare(world)
    pass_time(world, clock, 46)

    assert (3, 3) == (len(heard(world)), len({message.id for message in heard(world)}))


def test_an_update_promises_the_next(world: World, clock: ManualClock) -> None:
    """What is promised in the message is when the next one is due; five minutes before it is looked after."""
    world = shop(world)
    number = declare(world)
    pass_time(world, clock, 15)
    with world.store.reading() as view:
        [timer] = timers.find(view.connection, incident=number, kind="remind")

    assert (clock.now() + 15 * MINUTE, f"by {timer.due_at + 5 * MINUTE:%H:%M} UTC") == (
        state_of(world, number).next_update_at,
        heard(world)[-1].text.partition("Next update: ")[2].partition("\n")[0],
    )


def test_an_update_that_nobody_writes_says_something_to_customers(world: World, clock: ManualClock) -> None:
    """Where it stands, in a sentence: a promise of the next one alone would be no update."""
    world = shop(world)
    channels = {name: replace(spec, audiences=("public",)) for name, spec in world.catalog.channels.items()}
    world = replace(world, catalog=replace(world.catalog, channels=channels))
    declare(world)
    pass_time(world, clock, 15)

    assert "We are looking into it." in heard(world)[-1].text


def test_for_the_least_severe_nothing_is_promised(world: World, clock: ManualClock) -> None:
    """SEV4 has no rhythm of updates."""
    world = shop(world)
    declare(world, severity=Severity.SEV4)
    pass_time(world, clock, 60)

    assert [] == heard(world)


class Figures:
    """A sampler of payments: half of its requests fail, or none."""

    kind = "openmetrics"

    def __init__(self) -> None:
        self.failing = 0.5

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Return what was counted in the last second."""
        counted = {"requests": 100.0, "failed_requests": 100 * self.failing, "error_ratio": self.failing}
        return Look(samples=tuple(Sample(service=service, metric=name, value=n, at=now) for name, n in counted.items()))


def watched(world: World, *, failing: float) -> World:
    """Return the shop with its check looking at figures of which a share fails."""
    figures = Figures()
    figures.failing = failing
    world = replace(shop(world), samplers={"openmetrics": figures})
    with world.store.writing() as tx:
        schedule_watches(tx, world)
    return world


def look_on(world: World, clock: ManualClock, seconds: int) -> None:
    """Let seconds pass, with a look at payments each."""
    running = Engine(world, {kind: DUTIES[kind] for kind in ("watch", "measure")})
    for _ in range(seconds):
        clock.advance(timedelta(seconds=1))
        running.run_until_quiet()


def test_the_severity_follows_the_figures_upwards(world: World, clock: ManualClock) -> None:
    """Half of the requests of a critical service failing makes SEV2 a SEV1, with the rule."""
    world = watched(world, failing=0.5)
    number = declare(world)
    look_on(world, clock, 12)

    assert (Severity.SEV1, "critical-majority") == (
        state_of(world, number).ruling.severity,
        state_of(world, number).ruling.rule,
    )


def test_the_severity_does_not_fall_by_itself(world: World, clock: ManualClock) -> None:
    """Good figures do not lower it: a person does."""
    world = watched(world, failing=0.0)
    number = declare(world, severity=Severity.SEV1)
    look_on(world, clock, 12)

    assert (Severity.SEV1, 0.0) == (state_of(world, number).ruling.severity, error_ratio(world, number))


def test_the_severity_of_a_person_stands(world: World, clock: ManualClock) -> None:
    """Set by hand, it does not follow the figures."""
    world = watched(world, failing=0.5)
    number = declare(world)
    request = SetSeverity(incident=number, severity="SEV3", reason="only the test shop")
    set_severity(Call(world=world, actor=person("alice"), via=Via.HTTP), request)
    look_on(world, clock, 12)

    assert (Severity.SEV3, 0.5) == (state_of(world, number).ruling.severity, error_ratio(world, number))


def error_ratio(world: World, number: int) -> float | None:
    """Return the error ratio that was measured last."""
    impact = state_of(world, number).impact
    return impact.error_ratio if impact else None


def test_impact_is_recorded_when_it_moves(world: World, clock: ManualClock) -> None:
    """Steady figures are one entry, not one each time they are measured."""
    world = watched(world, failing=0.0)
    declare(world)
    look_on(world, clock, 22)

    assert 1 == kinds(world).count("incident.impact_measured")
