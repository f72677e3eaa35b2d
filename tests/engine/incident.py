"""An incident of one failing service with a plan that prints what a test says, and figures fed by hand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.samples.tables import store_samples
from stanch.app.wiring import DUTIES
from stanch.catalog.model import Catalog, ChannelSpec, Check, Service, Timing
from stanch.engine.loop import Engine
from stanch.incidents import events as ev
from stanch.incidents.model import Reading, Severity, SeverityRuling
from stanch.incidents.state import Action, IncidentState
from stanch.integrations.command import CommandActuator
from stanch.kernel.actor import Via, person
from stanch.kernel.clock import ManualClock
from stanch.mitigate.plan import digest_of
from stanch.operations import cases
from stanch.operations.declaring import start_clocks
from stanch.operations.mitigation import ApprovePlan, approve_plan
from stanch.operations.world import Call, World
from stanch.ports.actuator import Actuator, Step
from stanch.ports.channel import Message, Receipt
from stanch.ports.sampler import Sample
from stanch.store.model import Timer

PLAN: Final = "rollback-payments"
NORMAL: Final = 0.002


class Room:
    """A channel that remembers what it got."""

    name = "room"
    idempotent = True

    def __init__(self) -> None:
        self.got: list[Message] = []

    def post(self, message: Message) -> Receipt:
        """Take the message."""
        self.got.append(message)
        return Receipt()


def shop(world: World, *, timing: Timing | None = None, actuator: Actuator | None = None) -> World:
    """Return `world` with a shop of one measured service, a room and something that runs commands."""
    check = (Check(sampler="openmetrics", target="http://127.0.0.1:9/metrics", every_s=1.0),)
    catalog = Catalog(
        services={"payments": Service(name="payments", tier=1, checks=check)},
        channels={"room": ChannelSpec(name="room", kind="file", target="rooms")},
        timing=timing or Timing(verification_s=(10, 10, 10, 10), detect_window_s=3, remeasure_s=5),
    )
    return replace(
        world, catalog=catalog, actuators={"command": actuator or CommandActuator()}, channels={"room": Room()}
    )


def engine(world: World) -> Engine:
    """Return an engine with every duty but those that look outside."""
    return Engine(world, {kind: duty for kind, duty in DUTIES.items() if kind not in ("watch", "changes", "collect")})


def declare(
    world: World,
    *,
    severity: Severity = Severity.SEV2,
    argv: Sequence[str] = ("echo", "done"),
    timeout_s: float = 60.0,
    alert: bool = True,
    lasted_s: float = 60.0,
    people: int = 1,
) -> int:
    """Put an incident with its clocks on record: payments fails for `lasted_s`, and a plan is proposed."""
    onset = world.clock.now() - timedelta(seconds=lasted_s)
    with world.store.writing() as tx:
        number = tx.next_number("incident")
        declared = ev.Declared(
            number=number,
            title="payments error rate 45 %",
            summary="",
            source="alert",
            services=("payments",),
            started_at=onset,
            ruling=SeverityRuling(severity=severity, rule="test", reason="by the test"),
            channel="inc-test",
        )
        cases.record(tx, number, declared)
        if alert:
            cases.record(tx, number, _alert(onset))
        plan = _plan(tuple(argv), timeout_s=timeout_s, people=people)
        proposed = ev.MitigationProposed(path=(), plan=plan, alternatives=(), verdict=plan.title)
        cases.record(tx, number, proposed)
        start_clocks(tx, world, cases.load(tx, number))
        tx.cancel_timers(prefix=f"inc{number}/collect")
    return number


def _alert(onset: datetime) -> ev.AlertAttached:
    reading = Reading(metric="error_ratio", service="payments", value=0.45, unit="ratio", normal=NORMAL, high=0.01)
    return ev.AlertAttached(alert="a1", summary="payments error rate 45 %", reading=reading, starts_at=onset)


def _plan(argv: tuple[str, ...], *, timeout_s: float, people: int) -> ev.Plan:
    expectation = ev.Expectation(service="payments", metric="error_ratio", below=0.05, within_s=20.0)
    plan = ev.Plan(
        id=PLAN,
        mitigation="rollback",
        title="Roll payments back to v3.2.0",
        why="bad deploy",
        target="payments",
        steps=(Step(actuator="command", argv=argv, timeout_s=timeout_s),),
        dry_run=(),
        undo=(),
        risk="low",
        reversible=False,
        expectation=expectation,
        approvals_needed=people,
        digest="",
    )
    return replace(plan, digest=digest_of(plan))


def approve(world: World, number: int, *, who: str = "alice", plan: str = PLAN) -> None:
    """Approve the plan as a person."""
    digest = state_of(world, number).actions[plan].plan.digest
    call = Call(world=world, actor=person(who), via=Via.HTTP)
    approve_plan(call, ApprovePlan(incident=number, plan=plan, digest=digest))


def watch_recovery(world: World, number: int) -> None:
    """Begin to watch the recovery, as the end of a run does."""
    with world.store.writing() as tx:
        tx.schedule(
            Timer(id=f"inc{number}/verify", kind="verify", due_at=world.clock.now(), incident=number), replace=True
        )


def state_of(world: World, number: int) -> IncidentState:
    """Return the incident as its log says it is."""
    with world.store.reading() as view:
        return cases.load(view, number)


def action_of(world: World, number: int) -> Action:
    """Return the plan and what became of it."""
    return state_of(world, number).actions[PLAN]


def kinds(world: World, *, only: str = "") -> list[str]:
    """Return the kinds of all events in order, or those that begin with `only`."""
    with world.store.reading() as view:
        return [event.kind for event in view.events() if event.kind.startswith(only)]


def see(world: World, *, failing: float = 0.0) -> None:
    """Measure payments now: 100 requests, of which a share fails."""
    figures = {"requests": 100.0, "failed_requests": 100 * failing, "error_ratio": failing}
    with world.store.writing() as tx:
        found = [
            Sample(service="payments", metric=name, value=value, at=tx.clock.now()) for name, value in figures.items()
        ]
        store_samples(tx.connection, found)


def live(world: World, clock: ManualClock, seconds: int, *, failing: float | None = 0.0) -> None:
    """Let that many seconds pass, with figures each second (`failing` is their share, None where nothing is seen)."""
    running = engine(world)
    for _ in range(seconds):
        clock.advance(timedelta(seconds=1))
        if failing is not None:
            see(world, failing=failing)
        running.run_until_quiet()
