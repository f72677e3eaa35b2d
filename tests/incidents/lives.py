"""Incidents for tests of pure rules: a state made by hand, or folded from a few events without any store."""

from datetime import UTC, datetime, timedelta
from typing import Final

from stanch.incidents import events as ev
from stanch.incidents.folding import fold_all
from stanch.incidents.model import Citation, Hypothesis, Impact, NearestChange, PrimaryError, Severity, SeverityRuling
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import SYSTEM, Actor, Via, person
from stanch.kernel.codec import to_data
from stanch.kernel.event import Event
from stanch.ports.actuator import Step
from stanch.ports.evidence import Finding, FindingStatus

NOW: Final = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
ALICE, BOB = person("alice", name="Alice"), person("bob", name="Bob")

DECLARED: Final = ev.Declared(
    number=7,
    title="checkout error rate 45 %, normal 0.2 %",
    summary="checkout error rate 45 %, normal 0.2 %; 1,204 failed requests so far",
    source="alert",
    services=("checkout",),
    started_at=NOW - timedelta(minutes=2),
    ruling=SeverityRuling(severity=Severity.SEV2, rule="critical-failing", reason="5 % or more failing"),
    channel="incident-2026-11-21-checkout-error-ratio",
    environment="production",
)
PLAN: Final = ev.Plan(
    id="rollback-payments",
    mitigation="rollback",
    title="Roll payments back to v3.2.0",
    why="Bad deploy: payments v3.2.1",
    target="payments",
    steps=(Step(actuator="command", argv=("shopctl", "rollback", "payments")),),
    dry_run=(),
    undo=(Step(actuator="command", argv=("shopctl", "deploy", "payments")),),
    risk="low",
    reversible=True,
    expectation=None,
    approvals_needed=1,
    digest="d" * 64,
)
RESTART: Final = ev.Plan(
    id="restart-payments",
    mitigation="restart",
    title="Restart payments",
    why="Bad deploy: payments v3.2.1",
    target="payments",
    steps=(),
    dry_run=(),
    undo=(),
    risk="high",
    reversible=False,
    expectation=None,
    approvals_needed=1,
    digest="e" * 64,
)
CAUSE: Final = Hypothesis(
    id="bad_deploy/payments",
    kind="bad_deploy",
    title="Bad deploy: payments v3.2.1",
    score=0.93,
    service="payments",
    change="deploy/7",
    change_title="payments v3.2.1",
    version="v3.2.1",
    previous="v3.2.0",
    commit="7d1f00c0ffee",
    culprit="payments/validation.py:41",
    evidence_for=(Citation(finding="f1-git-1", text="it came 40 s before", weight=2.7),),
    evidence_against=(Citation(finding="f1-host-1", text="no memory is short", weight=-0.2),),
)
RANKED: Final = ev.HypothesesRanked(round=1, hypotheses=(CAUSE,), known=True, verdict="payments v3.2.1 is likely")
PROPOSED: Final = ev.MitigationProposed(
    path=(ev.Fork(question="Did a recent deploy cause it?", answer="yes", reason="93 %"),),
    plan=PLAN,
    alternatives=(RESTART,),
    verdict="roll back first",
)
IMPACT: Final = Impact(
    at=NOW,
    down=("checkout",),
    affected=("gateway",),
    error_ratio=0.45,
    normal_error_ratio=0.002,
    latency_p95_ms=120.0,
    normal_latency_p95_ms=100.0,
    failed_requests=1204,
    total_requests=2676,
    formula="failures of the outermost service since the start",
)
SYMPTOM: Final = ev.SymptomSeen(
    error=PrimaryError(
        title="TypeError: 'NoneType' object is not subscriptable",
        count=1204,
        first_seen=NOW - timedelta(minutes=2),
        last_seen=NOW,
        service="payments",
        trend="sudden",
    ),
    change=NearestChange(
        id="deploy/7",
        title="payments v3.2.1",
        kind="deploy",
        service="payments",
        version="v3.2.1",
        at=NOW - timedelta(seconds=160),
        seconds_before=40.0,
    ),
)


class Log:
    """A log in memory: tells events at instants, numbered as the store numbers them."""

    def __init__(self, *records: ev.IncidentEvent) -> None:
        self.events: list[Event] = []
        self.now = NOW
        self.tell(*(records or (DECLARED,)))

    def tell(
        self, *records: ev.IncidentEvent, by: Actor = SYSTEM, after_s: float = 0.0, at: datetime | None = None
    ) -> "Log":
        """Put events on record `after_s` seconds later than the last ones; `at` when they happened, if earlier."""
        self.now += timedelta(seconds=after_s)
        for record in records:
            stream = stream_of(record)
            self.events.append(
                Event(
                    seq=len(self.events) + 1,
                    stream=stream,
                    version=sum(event.stream == stream for event in self.events) + 1,
                    kind=record.kind,
                    at=at or self.now,
                    recorded_at=self.now,
                    actor=by,
                    via=Via.WEB if by is not SYSTEM else Via.ENGINE,
                    cause=None,
                    incident=7,
                    data=to_data(record),
                )
            )
        return self

    @property
    def state(self) -> IncidentState:
        """Return what the events add up to."""
        state = fold_all(self.events)
        assert state is not None
        return state


def stream_of(record: ev.IncidentEvent) -> str:
    """Return the stream that an event belongs to."""
    if record.kind.startswith("action."):
        return ev.action_stream(7, getattr(record, "plan", ""))
    return ev.postmortem_stream(7) if record.kind.startswith("postmortem.") else ev.incident_stream(7)


def finding(name: str, *, collector: str = "git", status: FindingStatus = FindingStatus.OK) -> ev.FindingRecorded:
    """Return the event of a finding."""
    return ev.FindingRecorded(
        round=1,
        finding=Finding(
            id=name,
            collector=collector,
            source=collector,
            command="git log",
            status=status,
            summary=f"what {collector} says",
            start=NOW - timedelta(hours=1),
            end=NOW,
        ),
    )


def whole_life() -> Log:
    """Return the log of an incident from the alert to the published post-mortem, with a relapse on the way."""
    log = Log()
    log.tell(SYMPTOM, ev.ImpactMeasured(impact=IMPACT))
    log.tell(ev.Acknowledged(), by=ALICE, after_s=60)
    log.tell(ev.InvestigationStarted(round=1, collectors=("git", "host"), start=NOW, end=NOW), after_s=1)
    log.tell(finding("f1-git-1"), finding("f1-host-1", collector="host"), after_s=1)
    log.tell(RANKED, PROPOSED, after_s=1)
    log.tell(ev.Approved(plan=PLAN.id, digest=PLAN.digest, expires_at=NOW + timedelta(hours=1)), by=ALICE, after_s=30)
    log.tell(ev.RunStarted(plan=PLAN.id, node="n1"), after_s=1)
    log.tell(ev.RunOutput(plan=PLAN.id, step=0, text="payments is at v3.2.0"), after_s=2)
    log.tell(ev.RunFinished(plan=PLAN.id, code=0, took_s=2.5), after_s=1)
    log.tell(ev.EffectChecked(plan=PLAN.id, verdict="helped", summary="errors 45 % → 0.3 %"), after_s=10)
    log.tell(ev.VerificationStarted(window_s=900, checks=("checkout error ratio at most 5 %",)))
    log.tell(ev.VerificationRelapsed(check="checkout", summary="checkout error ratio is 9 %"), after_s=100)
    log.tell(ev.VerificationPassed(window_s=900, summary="every figure held"), after_s=900)
    resolved = ev.Resolved(cause="Bad deploy: payments v3.2.1", mitigation="rolled back", duration_s=1230)
    log.tell(resolved, ev.PostmortemScheduled(due_at=NOW + timedelta(hours=48)), by=ALICE, after_s=20)
    return log
