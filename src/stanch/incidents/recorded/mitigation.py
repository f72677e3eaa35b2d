"""What a mitigation records: the proposal, the yes or no, the run, its effect, the recovery."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from stanch.ports.actuator import Step


@dataclass(frozen=True, kw_only=True)
class Fork:
    """One question of the decision tree, its answer, and the findings it rests on."""

    question: str
    answer: str
    reason: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """The effect a plan should have, as a check on a metric: `error_ratio` of `checkout` below 0.01 in 120 s."""

    service: str
    metric: str
    below: float | None = None
    above: float | None = None
    within_s: float = 120.0
    describe: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A mitigation as data. `digest` covers everything that decides what would run; approvals are bound to it.

    `risk` is `read`, `low`, `high` or `irreversible`; `world` is what was seen when it was made (e.g. the running
    version, and as `state of step 1` the fingerprint of what that step acts on), so that a plan for a world that has
    changed is refused.

    `asked` are the steps before they were made exact by a look at the far end, empty where nothing was looked at;
    `warnings` and `preview` are what that look said. `refusal` says why it may not be done, `unseen` why the far end
    could not be looked at: either keeps it from being approved. `origin` is `tree`, `person`, `undo` or
    `runbook:<name>`; `undo_of` names the plan it takes back, `replaces` the one it stands in for.
    """

    id: str
    mitigation: str
    title: str
    why: str
    target: str
    steps: tuple[Step, ...]
    dry_run: tuple[Step, ...]
    undo: tuple[Step, ...]
    risk: str
    reversible: bool
    expectation: Expectation | None
    approvals_needed: int
    digest: str
    hypothesis: str = ""
    world: dict[str, str] = field(default_factory=dict)
    asked: tuple[Step, ...] = ()
    warnings: tuple[str, ...] = ()
    preview: tuple[str, ...] = ()
    refusal: str = ""
    unseen: str = ""
    origin: str = "tree"
    undo_of: str = ""
    replaces: str = ""


@dataclass(frozen=True, kw_only=True)
class MitigationProposed:
    """The decision tree was walked: the path, the first action, the alternatives, and the phases of work."""

    kind: ClassVar[str] = "mitigation.proposed"
    path: tuple[Fork, ...]
    plan: Plan | None
    alternatives: tuple[Plan, ...]
    verdict: str
    phases: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DryRunFinished:
    """A plan was tried without effect."""

    kind: ClassVar[str] = "action.dry_run_finished"
    plan: str
    code: int
    output: str


@dataclass(frozen=True, kw_only=True)
class Approved:
    """A person approved a plan, bound to its digest, until `expires_at`.

    `needed` is how many people must, at the severity that the incident has by then; 0: as many as the plan says.
    """

    kind: ClassVar[str] = "action.approved"
    plan: str
    digest: str
    expires_at: datetime
    needed: int = 0


@dataclass(frozen=True, kw_only=True)
class AutomaticDecided:
    """It was decided whether a plan that is marked automatic runs without a person's yes.

    `reason` is a value of `stanch.mitigate.guarding.Why`; `digest` what was decided on. To act is good until
    `expires_at`.
    """

    kind: ClassVar[str] = "automatic.decided"
    plan: str
    acts: bool
    reason: str
    detail: str
    digest: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class AutomaticStopped:
    """What ran by itself did not help: nothing else does in this incident, and somebody is paged."""

    kind: ClassVar[str] = "automatic.stopped"
    plan: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class AutomaticSwitched:
    """Everything that runs by itself was paused or resumed while this incident was open."""

    kind: ClassVar[str] = "automatic.switched"
    paused: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A person said no to a plan."""

    kind: ClassVar[str] = "action.rejected"
    plan: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class LookedAgain:
    """The far end of a plan that waits was looked at again; `plan` is what it is now, under the same id."""

    kind: ClassVar[str] = "action.looked_again"
    plan: Plan


@dataclass(frozen=True, kw_only=True)
class RunRefused:
    """An approved plan was not run, and nothing happened.

    `reason` is `world_changed` (another plan takes its place), `far_end_down`, `may_not`, `expired`,
    `not_open`, `paused` or `cannot_run`.
    """

    kind: ClassVar[str] = "action.run_refused"
    plan: str
    reason: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """A plan began to run on `node`. From here on a death of the process leaves its outcome unknown."""

    kind: ClassVar[str] = "action.run_started"
    plan: str
    node: str
    undo: bool = False


@dataclass(frozen=True, kw_only=True)
class RunOutput:
    """A few lines that a running step printed, redacted."""

    kind: ClassVar[str] = "action.run_output"
    plan: str
    step: int
    text: str


@dataclass(frozen=True, kw_only=True)
class RunFinished:
    """A plan's run ended; `code` 0 is success."""

    kind: ClassVar[str] = "action.run_finished"
    plan: str
    code: int
    took_s: float
    detail: str = ""
    undo: bool = False


@dataclass(frozen=True, kw_only=True)
class RunOutcomeUnknown:
    """The node that ran the plan died; a person has to look what happened. It is never run again by itself."""

    kind: ClassVar[str] = "action.run_outcome_unknown"
    plan: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class OutcomeSettled:
    """A person has looked what became of a run whose outcome was unknown: it `happened`, or it did not."""

    kind: ClassVar[str] = "action.outcome_settled"
    plan: str
    happened: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class EffectChecked:
    """What the plan did to its expectation: `helped`, `partly`, `no_effect` or `worse`."""

    kind: ClassVar[str] = "action.effect_checked"
    plan: str
    verdict: str
    summary: str
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True, kw_only=True)
class VerificationStarted:
    """The recovery began to be watched: every check must hold for `window_s` seconds without a break.

    `shortened` says that the window is shorter than the severity's own, and why.
    """

    kind: ClassVar[str] = "verification.started"
    window_s: float
    checks: tuple[str, ...]
    shortened: str = ""


@dataclass(frozen=True, kw_only=True)
class VerificationExtended:
    """The severity rose while the recovery was watched: it must hold for `window_s` seconds, from where it began.

    `reason` names the severity; `shortened` is as of `VerificationStarted`.
    """

    kind: ClassVar[str] = "verification.extended"
    window_s: float
    reason: str
    shortened: str = ""


@dataclass(frozen=True, kw_only=True)
class VerificationRelapsed:
    """A check did not hold: the wait starts again."""

    kind: ClassVar[str] = "verification.relapsed"
    check: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class VerificationPassed:
    """Every check held for the whole window."""

    kind: ClassVar[str] = "verification.passed"
    window_s: float
    summary: str


@dataclass(frozen=True, kw_only=True)
class RunbookChecked:
    """A block of a runbook was run, which only reads.

    `asked` is exactly what was asked of `on`; `outcome` is `as_expected`, `not_as_expected`, `told` or `failed`.
    """

    kind: ClassVar[str] = "runbook.checked"
    runbook: str
    block: int
    heading: str
    asked: str
    on: str
    outcome: str
    answer: str
    expects: str
    took_s: float


@dataclass(frozen=True, kw_only=True)
class PlanAdded:
    """A plan that the tree did not propose: a block of a runbook, a person's, an undo, one for a changed world."""

    kind: ClassVar[str] = "mitigation.plan_added"
    plan: Plan
    runbook: str = ""
    block: int = 0
    reason: str = ""
