"""A desk at which operations are asked for: a small shop, a clock moved by hand, far sides that only listen."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from stanch.alerts.model import Alert, AlertStatus, Measured, Metric, Outcome, Unit
from stanch.app.wiring import DUTIES
from stanch.catalog.model import ActionSpec, Catalog, ChannelSpec, Person, Service
from stanch.engine.loop import Engine
from stanch.incidents import events as ev
from stanch.incidents.model import Citation, Hypothesis
from stanch.incidents.state import Action, IncidentState
from stanch.kernel.actor import Actor, ActorKind, Via, person
from stanch.kernel.clock import ManualClock
from stanch.kernel.event import Event
from stanch.operations import cases, registry
from stanch.operations.all import all_operations
from stanch.operations.detection import alert_changed
from stanch.operations.investigation import conclude
from stanch.operations.views import IncidentView
from stanch.operations.world import Call, World
from stanch.ports.actuator import Step, StepResult
from stanch.ports.channel import Message, Receipt
from stanch.store import Store

START: Final = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
ALICE, BOB = person("alice", name="Alice"), person("bob", name="Bob")
AGENT: Final = Actor(kind=ActorKind.AGENT, id="agent:triage", name="triage")
OPERATIONS: Final = all_operations()
PLAN: Final = "rollback-payments"


def catalog() -> Catalog:
    """Return a shop: the gateway calls checkout, that payments, that an acquirer outside; search stands alone."""
    rollback = ActionSpec(
        name="rollback",
        mitigation="rollback",
        title="Roll {service} back to {previous}",
        run=("shopctl", "rollback", "{service}", "--to", "{previous}"),
        dry_run=("shopctl", "rollback", "{service}", "--to", "{previous}", "--dry-run"),
        undo=("shopctl", "deploy", "{service}", "{version}"),
        risk="low",
    )
    services = (
        Service(name="gateway", tier=1, weight=1.0, depends_on=("checkout",), endpoints=("/api/cart",)),
        Service(name="checkout", tier=1, weight=0.8, depends_on=("payments",)),
        Service(name="payments", tier=1, weight=0.8, depends_on=("acquirer",), actions=(rollback,)),
        Service(name="acquirer", tier=1, external=True),
        Service(name="search", tier=3, weight=0.1),
    )
    return Catalog(
        services={service.name: service for service in services},
        people={name: Person(id=name, name=name.title()) for name in ("alice", "bob")},
        channels={
            "room": ChannelSpec(name="room", kind="file", target="room", audiences=("responders",)),
            "status": ChannelSpec(name="status", kind="file", target="status", audiences=("stakeholders", "public")),
        },
    )


class Listener:
    """A channel that keeps what it is given."""

    idempotent = True

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: list[Message] = []

    def post(self, message: Message) -> Receipt:
        """Keep a message."""
        self.heard.append(message)
        return Receipt(reference=str(len(self.heard)))


class Runner:
    """An actuator that runs nothing and keeps what it was told to run; `code` is what every step ends with."""

    name = "command"

    def __init__(self) -> None:
        self.ran: list[tuple[str, ...]] = []
        self.code = 0

    def problems(self, step: Step) -> tuple[str, ...]:
        """Have none."""
        return ()

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Keep the command and say so."""
        self.ran.append(step.argv)
        emit(f"would run {' '.join(step.argv)}")
        return StepResult(code=self.code, output="", took_s=0.1)


@dataclass(frozen=True)
class Desk:
    """A world and the few words that tests say to it."""

    world: World
    clock: ManualClock
    runner: Runner
    channels: dict[str, Listener] = field(default_factory=dict)

    @classmethod
    def open(cls, store: Store, clock: ManualClock) -> "Desk":
        """Return a desk on `store`."""
        runner = Runner()
        channels = {name: Listener(name) for name in ("room", "status")}
        world = World(
            store=store,
            clock=clock,
            catalog=catalog(),
            node="n1",
            url="http://stanch.example",
            actuators={"command": runner},
            channels=dict(channels),
        )
        return cls(world=world, clock=clock, runner=runner, channels=channels)

    def ask(self, name: str, *, by: Actor = ALICE, via: Via = Via.CLI, **body: object) -> object:
        """Ask the operation `name` as a surface does: decode, check who may, run."""
        entry = OPERATIONS[name]
        return registry.call(entry, Call(world=self.world, actor=by, via=via), registry.decode(entry, body))

    def view(self, name: str, *, by: Actor = ALICE, **body: object) -> IncidentView:
        """Ask an operation that answers with an incident."""
        answer = self.ask(name, by=by, **body)
        assert isinstance(answer, IncidentView)
        return answer

    def declare(self, title: str = "Checkout fails", **body: object) -> int:
        """Declare an incident on checkout by hand and return its number."""
        return self.view("incident.declare", title=title, **{"services": ["checkout"], **body}).card.number

    def declare_alone(self, **body: object) -> int:
        """Declare an incident that nobody looks into by himself."""
        number = self.declare(**body)  # type: ignore[arg-type]  # a title is a text where it is given
        with self.world.store.writing() as tx:
            tx.cancel_timers(prefix=f"inc{number}/collect")
        return number

    def diagnosed(self, **body: object) -> int:
        """Declare an incident whose cause is known, and that nobody looks into by himself."""
        number = self.declare_alone(**body)
        self.diagnose(number)
        return number

    def action(self, number: int, plan: str = PLAN) -> Action:
        """Return a plan and what became of it."""
        return self.state(number).actions[plan]

    def approve(self, number: int, plan: str = PLAN) -> None:
        """Approve a plan as it is shown."""
        self.ask("mitigation.approve", incident=number, plan=plan, digest=self.action(number, plan).plan.digest)

    def state(self, number: int) -> IncidentState:
        """Return an incident as its log says it is."""
        with self.world.store.reading() as view:
            return cases.load(view, number)

    def log(self, number: int) -> list[Event]:
        """Return an incident's events in the order in which they were recorded."""
        with self.world.store.reading() as view:
            return view.events(incident=number)

    def kinds(self, number: int) -> list[str]:
        """Return the kinds of an incident's events."""
        return [event.kind for event in self.log(number)]

    def tell(self, number: int, *records: ev.IncidentEvent, stream: str = "") -> None:
        """Put events on record that something else would have recorded."""
        with self.world.store.writing() as tx:
            cases.record(tx, number, *records, stream=stream or None)

    def pass_time(self, **length: float) -> datetime:
        """Move the clock, and nothing else."""
        return self.clock.advance(timedelta(**length))

    def work(self) -> int:
        """Let the engine do what is due now."""
        return Engine(self.world, DUTIES).run_until_quiet(rounds=50)

    def alert(self, service: str, *, metric: Metric = Metric.ERROR_RATIO, value: float = 0.45) -> Alert:
        """Open an alert on `service` and let what follows follow."""
        now = self.clock.now()
        alert = Alert(
            id=f"{service}/{metric.value}",
            fingerprint=f"{service}/{metric.value}",
            service=service,
            metric=metric,
            status=AlertStatus.FIRING,
            measured=Measured(value=value, unit=Unit.RATIO, normal=0.002, low=0.0, high=0.01),
            starts_at=now - timedelta(seconds=40),
            starts_low=now - timedelta(seconds=45),
            starts_high=now - timedelta(seconds=35),
            detected_at=now,
            updated_at=now,
            title=f"{service} error rate",
            summary=f"{service} error rate {value:.0%}, normal 0.2 %",
        )
        self.follow(alert, Outcome.OPENED)
        return alert

    def follow(self, alert: Alert, outcome: Outcome) -> None:
        """Let follow what follows from a change of an alert."""
        with self.world.store.writing() as tx:
            alert_changed(tx, self.world, alert, outcome)

    def diagnose(self, number: int, *, score: float = 0.9) -> None:
        """Put a ranking on record in which a deploy of payments comes first, and draw the conclusion."""
        self.tell(
            number,
            ev.HypothesesRanked(
                round=1,
                hypotheses=(bad_deploy(score),),
                known=score >= 0.5,
                verdict="payments v3.2.1 is likely" if score >= 0.5 else "not known yet",
                next_test="Compare the failing code with the release before",
            ),
        )
        with self.world.store.writing() as tx:
            conclude(tx, self.world, cases.load(tx, number))

    def verify(self, number: int) -> None:
        """Put on record that the recovery was watched and held."""
        self.tell(
            number,
            ev.VerificationStarted(window_s=900.0, checks=("checkout error ratio at most 5 %",)),
            ev.VerificationPassed(window_s=900.0, summary="every figure held"),
        )


def bad_deploy(score: float) -> Hypothesis:
    """Return the hypothesis that the deploy of payments v3.2.1 did it."""
    return Hypothesis(
        id="bad_deploy/payments",
        kind="bad_deploy",
        title="Bad deploy: payments v3.2.1",
        score=score,
        service="payments",
        change="deploy/7",
        change_title="payments v3.2.1",
        version="v3.2.1",
        previous="v3.2.0",
        commit="7d1f00c0ffee",
        culprit="payments/validation.py:41",
        evidence_for=(Citation(finding="f1-git-1", text="it came 40 s before", weight=2.7),),
        evidence_against=(Citation(finding="f1-host-1", text="the machine is not short of memory", weight=-0.2),),
    )
