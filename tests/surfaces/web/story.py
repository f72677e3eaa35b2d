"""One incident, told into a store event by event, so that a page can be looked at in any of its states."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from stanch.alerts.samples.tables import store_samples
from stanch.app.world import PROJECTORS
from stanch.catalog.model import ActionSpec, Catalog, Person, Service
from stanch.catalog.tables import add_change
from stanch.incidents import events as ev
from stanch.incidents.model import (
    Citation,
    Hypothesis,
    Impact,
    NearestChange,
    PrimaryError,
    Reading,
    Severity,
    SeverityRuling,
    Status,
)
from stanch.kernel.actor import SYSTEM, Actor, person
from stanch.kernel.clock import ManualClock
from stanch.mitigate.plan import make_plan
from stanch.operations import cases
from stanch.operations.all import all_operations
from stanch.operations.world import World
from stanch.ports.actuator import Step, StepResult
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Finding, FindingStatus, Signal
from stanch.ports.sampler import Sample
from stanch.store import Store

START: Final = datetime(2026, 3, 1, 14, 30, tzinfo=UTC)
HOSTILE: Final = (
    "<script>alert('x')</script> {{7*7001}} ${7*7001} \u202egnp.exe\u202c <img src=x onerror=alert(1)> & \"q\" 'q'"
)
ALICE: Final = person("alice", name="Alice Adams")
OPERATIONS: Final = all_operations()

ROLLBACK: Final = ActionSpec(
    name="rollback",
    mitigation="rollback",
    title="Roll payments back to {previous}",
    run=("shopctl", "rollback", "{service}", "--to", "{previous}"),
    dry_run=("shopctl", "rollback", "{service}", "--to", "{previous}", "--dry-run"),
    undo=("shopctl", "deploy", "{service}", "{version}"),
    risk="low",
)
RESTART: Final = ActionSpec(
    name="restart", mitigation="restart", title="Restart payments", run=("shopctl", "restart", "{service}"), risk="high"
)


class Rehearsal:
    """An actuator that runs nothing and says what it would run."""

    name = "command"

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return no problem."""
        return ()

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Say the command."""
        emit(f"would run {' '.join(step.argv)}")
        return StepResult(code=0, output="", took_s=0.1)


def catalog() -> Catalog:
    """Return three services, one of which can be rolled back, and two people."""
    services = {
        "gateway": Service(name="gateway", title="Gateway", tier=1, depends_on=("checkout",)),
        "checkout": Service(name="checkout", title="Checkout", tier=1, depends_on=("payments",)),
        "payments": Service(name="payments", title="Payments", tier=1, actions=(ROLLBACK, RESTART)),
    }
    people = {"alice": Person(id="alice", name="Alice Adams"), "bob": Person(id="bob", name="Bob Brown")}
    return Catalog(name="shop", services=services, people=people, drill=True)


class Story:
    """A store, its world, and the acts of one incident. Every act moves the clock on."""

    def __init__(self, path: str) -> None:
        self.clock = ManualClock(START + timedelta(seconds=40))
        self.store = Store.open(path, clock=self.clock, projectors=PROJECTORS)
        self.world = World(store=self.store, clock=self.clock, catalog=catalog(), actuators={"command": Rehearsal()})
        self._plan: ev.Plan | None = None

    @property
    def plan(self) -> ev.Plan:
        """Return the plan that was proposed."""
        assert self._plan is not None
        return self._plan

    def say(
        self, *records: ev.IncidentEvent, actor: Actor = SYSTEM, number: int = 1, stream: str | None = None
    ) -> None:
        """Append events two seconds later."""
        self.clock.advance(timedelta(seconds=2))
        with self.store.writing() as tx:
            cases.record(tx, number, *records, actor=actor, stream=stream)

    def calm(self) -> None:
        """Measure ten quiet minutes."""
        self.measure(START - timedelta(minutes=10), START, ratio=0.002, latency=84.0)

    def measure(self, start: datetime, end: datetime, *, ratio: float, latency: float) -> None:
        """Store samples every five seconds, with a little ripple."""
        found = []
        count = int((end - start).total_seconds() / 5)
        for index in range(count):
            at = start + timedelta(seconds=5 * index)
            ripple = 1 + 0.06 * ((index * 7) % 5 - 2)
            for service in ("checkout", "payments"):
                found.append(Sample(service=service, metric="error_ratio", value=ratio * ripple, at=at))
                found.append(Sample(service=service, metric="latency_p95_ms", value=latency * ripple, at=at))
        with self.store.writing() as tx:
            store_samples(tx.connection, found)

    def declare(self, *, title: str = "Checkout: error rate 45 %, normal 0.2 %", number: int = 1) -> None:
        """Open the incident, with what is seen at once."""
        self.measure(START, self.clock.now(), ratio=0.45, latency=310.0)
        change = Change(
            id="deploy-payments-v3.2.1",
            at=START - timedelta(seconds=40),
            kind=ChangeKind.DEPLOY,
            service="payments",
            title="payments v3.2.1 deployed",
            version="v3.2.1",
            previous="v3.2.0",
            commit="9f2c1ab4d0",
            author="carol",
            paths=("payments/validate.py",),
            diff="-    if customer and customer.email:\n+    if customer.email:",
        )
        with self.store.writing() as tx:
            add_change(tx.connection, change, now=self.clock.now())
        ruling = SeverityRuling(
            severity=Severity.SEV2, rule="error-rate", reason="45 % of requests of a tier 1 service fail (10 % or more)"
        )
        reading = Reading(metric="error_ratio", service="checkout", value=0.45, unit="ratio", normal=0.002)
        self.say(
            ev.Declared(
                number=number,
                title=title,
                summary=title,
                source="check",
                services=("checkout", "payments"),
                started_at=START,
                started_low=START - timedelta(seconds=4),
                started_high=START + timedelta(seconds=4),
                ruling=ruling,
                channel="incident-2026-03-01-checkout-error-rate",
                environment="production",
                drill=True,
            ),
            ev.AlertAttached(
                alert="a1", summary="checkout error rate 45 %", reading=reading, starts_at=START, trend="spiking"
            ),
            ev.SymptomSeen(error=error_seen(), change=nearest(change)),
            ev.ImpactMeasured(impact=impact(START + timedelta(seconds=42))),
            number=number,
        )
        self.say(
            ev.MessageOwed(
                delivery=f"inc{number}/declared/room",
                channel="room",
                audience="responders",
                purpose="declaration",
                text="SEV2 declared: checkout fails for guests.",
                next_update_at=START + timedelta(minutes=16),
            ),
            ev.MessageEnded(delivery=f"inc{number}/declared/room", state="sent", attempts=1),
            number=number,
        )

    def investigate(self) -> None:
        """Collect evidence, rank, and propose."""
        window = {"start": START - timedelta(minutes=15), "end": START + timedelta(minutes=1)}
        findings = (
            Finding(
                id="f1-1",
                collector="logs",
                source="payments.log",
                command="grep TypeError payments.log",
                status=FindingStatus.OK,
                summary="TypeError in validate_payment appears 1,204 times; it was never seen before v3.2.1",
                took_s=0.4,
                signals=(Signal(name="new_error", service="payments", value=1204.0),),
                **window,
            ),
            Finding(
                id="f1-2",
                collector="git",
                source="git log v3.2.0..v3.2.1",
                command="git log --oneline v3.2.0..v3.2.1 -- payments",
                status=FindingStatus.OK,
                summary="commit 9f2c1ab4d0 changed payments/validate.py line 42, where the error is raised",
                took_s=0.1,
                **window,
            ),
            Finding(
                id="f1-3",
                collector="dependency",
                source="http://acquirer.example/status",
                command="GET http://acquirer.example/status",
                status=FindingStatus.FAILED,
                summary="the acquirer's status page did not answer within 3 s",
                took_s=3.0,
                **window,
            ),
        )
        self.say(ev.InvestigationStarted(round=1, collectors=("logs", "git", "dependency"), **window))
        for finding in findings:
            self.say(ev.FindingRecorded(round=1, finding=finding))
        with self.store.reading() as view:
            state = cases.load(view, 1)
        hypothesis = top_hypothesis()
        payments = self.world.catalog.services["payments"]
        expectation = ev.Expectation(
            service="checkout", metric="error_ratio", below=0.01, describe="checkout error rate below 1 % within 2 min"
        )
        plans = [
            make_plan(state, self.world.catalog, spec, service=payments, hypothesis=hypothesis, expectation=expectation)
            for spec in (ROLLBACK, RESTART)
        ]
        self._plan = plans[0]
        change = Change(
            id="deploy-payments-v3.2.1",
            at=START - timedelta(seconds=40),
            kind=ChangeKind.DEPLOY,
            service="payments",
            title="payments v3.2.1 deployed",
            commit="9f2c1ab4d0",
            author="carol",
            paths=("payments/validate.py",),
            diff="-    if customer and customer.email:\n+    if customer.email:",
        )
        ranked = ev.RankedChange(
            change=change,
            score=5.2,
            verdict="Very likely explains it: the errors are raised in a line that this release changed.",
            reasons=("deployed 40 s before the start", "touches payments/validate.py", "payments lies under checkout"),
        )
        self.say(
            ev.ChangesRanked(round=1, changes=(ranked,), none_explains=False, verdict="payments v3.2.1 stands out.")
        )
        self.say(
            ev.HypothesesRanked(
                round=1,
                hypotheses=(hypothesis, other_hypothesis()),
                known=True,
                verdict="Bad deploy of payments v3.2.1 (93 %).",
            ),
            ev.StatusChanged(status=Status.IDENTIFIED, reason="bad deploy of payments v3.2.1"),
            ev.MitigationProposed(
                path=(
                    ev.Fork(question="Was there a deploy?", answer="yes", reason="payments v3.2.1", findings=("f1-2",)),
                    ev.Fork(question="Can it be rolled back?", answer="yes", reason="rollback is declared"),
                ),
                plan=plans[0],
                alternatives=(plans[1],),
                verdict="Roll payments back: the release is the likely cause, and the way back is short.",
                phases={"now": ("Roll payments back to v3.2.0",), "later": ("Fix validate_payment for guests",)},
            ),
        )

    def approve(self) -> None:
        """Have Alice take the incident on and approve the plan."""
        self.say(ev.Acknowledged(), actor=ALICE)
        stream = ev.action_stream(1, self.plan.id)
        approved = ev.Approved(
            plan=self.plan.id, digest=self.plan.digest, expires_at=self.clock.now() + timedelta(minutes=15)
        )
        self.say(approved, actor=ALICE, stream=stream)

    def run(self) -> None:
        """Run the plan, with output, and begin to watch the recovery."""
        stream = ev.action_stream(1, self.plan.id)
        self.say(ev.RunStarted(plan=self.plan.id, node="here"), stream=stream)
        self.say(ev.StatusChanged(status=Status.MITIGATING, reason="rollback runs"))
        for line in ("stopping payments v3.2.1", "checking out v3.2.0", "payments v3.2.0 is up"):
            self.say(ev.RunOutput(plan=self.plan.id, step=0, text=line), stream=stream)
        self.say(ev.RunFinished(plan=self.plan.id, code=0, took_s=6.2), stream=stream)
        self.say(
            ev.StatusChanged(status=Status.MONITORING, reason="the rollback is done"),
            ev.VerificationStarted(
                window_s=60.0,
                checks=("error rate in its band", "p95 in its band", "health checks pass"),
                shortened="60 s instead of 15 min, for the drill",
            ),
        )
        at = self.clock.now()
        self.measure(at - timedelta(seconds=2), at + timedelta(seconds=70), ratio=0.002, latency=86.0)
        self.clock.advance(timedelta(seconds=30))

    def verify(self) -> None:
        """Hold for the whole window."""
        self.clock.advance(timedelta(seconds=31))
        self.say(ev.EffectChecked(plan=self.plan.id, verdict="helped", summary="error rate 45 % before, 0.2 % after"))
        self.say(ev.VerificationPassed(window_s=60.0, summary="every check held"))


def error_seen() -> PrimaryError:
    """Return the error that stands out."""
    return PrimaryError(
        title="TypeError: 'NoneType' object has no attribute 'email'",
        count=1204,
        first_seen=START + timedelta(seconds=1),
        last_seen=START + timedelta(seconds=41),
        service="payments",
        culprit="payments/validate.py:42 in validate_payment",
        trend="spiking",
        versions=("v3.2.1",),
        sample='Traceback (most recent call last):\n  File "payments/validate.py", line 42, in validate_payment\n'
        "    if customer.email:\nTypeError: 'NoneType' object has no attribute 'email'",
    )


def nearest(change: Change) -> NearestChange:
    """Return `change` as the one closest before the start."""
    return NearestChange(
        id=change.id,
        title=change.title,
        kind=change.kind.value,
        service=change.service,
        version=change.version,
        at=change.at,
        seconds_before=40.0,
    )


def impact(at: datetime) -> Impact:
    """Return what the outside feels."""
    return Impact(
        at=at,
        down=("payments",),
        affected=("checkout", "gateway"),
        error_ratio=0.45,
        normal_error_ratio=0.002,
        latency_p95_ms=310.0,
        normal_latency_p95_ms=84.0,
        failed_requests=1204,
        total_requests=2671,
        formula="failed requests at the gateway since the start",
    )


def top_hypothesis() -> Hypothesis:
    """Return the likely cause."""
    return Hypothesis(
        id="h1",
        kind="bad_deploy",
        title="Bad deploy of payments v3.2.1",
        score=0.93,
        service="payments",
        change="deploy-payments-v3.2.1",
        change_title="payments v3.2.1 deployed",
        version="v3.2.1",
        previous="v3.2.0",
        commit="9f2c1ab4d0",
        culprit="payments/validate.py:42",
        log_odds=2.6,
        evidence_for=(
            Citation(finding="f1-1", text="a new error began with this release", weight=2.3),
            Citation(finding="f1-2", text="the line that fails was changed in it", weight=1.9),
        ),
        evidence_against=(Citation(finding="f1-3", text="the acquirer could not be asked", weight=-0.3),),
        next_test="replay one guest checkout against v3.2.0",
        next_command="shopctl replay --guest --version v3.2.0",
        mitigations=("rollback",),
    )


def other_hypothesis() -> Hypothesis:
    """Return another, less likely cause."""
    return replace(
        top_hypothesis(),
        id="h2",
        kind="dependency",
        title="The acquirer is failing",
        score=0.05,
        commit="",
        culprit="",
        version="",
        service="acquirer",
        next_command="",
    )
