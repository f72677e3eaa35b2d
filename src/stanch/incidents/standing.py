"""How the parts of an incident stand, as its log says: plans, alerts, the recovery, tests and causes people named."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stanch.incidents import events as ev
from stanch.kernel.actor import Actor


class ActionState(StrEnum):
    """Where a plan stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    STALE = "stale"


@dataclass(frozen=True, kw_only=True)
class Approval:
    """A person's yes to one digest, until `expires_at`; `needed` is how many were needed by then."""

    person: Actor
    digest: str
    at: datetime
    expires_at: datetime
    needed: int = 0


@dataclass(frozen=True, kw_only=True)
class Action:
    """A plan and what became of it. `proposed_seq` is the event that proposed it.

    `spent` counts the approvals that a run has used up: a plan that failed needs new ones. `not_run` says why it was
    not run when it was to be. `automatic` says that it runs or ran without a person's yes, good `automatic_until`;
    `decided` is the digest and the reason of the last decision on that, `decision` the same in words. A `stale` one
    has another in its place, for a world that has changed.
    """

    plan: ev.Plan
    state: ActionState
    proposed_seq: int
    proposed_at: datetime
    dry_run: str = ""
    dry_run_code: int | None = None
    approvals: tuple[Approval, ...] = ()
    started_at: datetime | None = None
    ended_at: datetime | None = None
    output: tuple[str, ...] = ()
    code: int | None = None
    verdict: str = ""
    effect: str = ""
    version: int = 0
    spent: int = 0
    not_run: str = ""
    settled_by: str = ""
    automatic: bool = False
    automatic_until: datetime | None = None
    decided: tuple[str, str] = ("", "")
    decision: str = ""

    @property
    def standing(self) -> tuple[Approval, ...]:
        """Return the approvals that no run has used up yet."""
        return self.approvals[self.spent :]

    @property
    def needed(self) -> int:
        """Return how many people must say yes: as the plan says, or more where the severity rose since."""
        return max(self.plan.approvals_needed, *(one.needed for one in self.standing), 0)

    def agreeing(self, now: datetime) -> tuple[Approval, ...]:
        """Return the approvals that hold at `now`, one for each person."""
        valid = (one for one in self.standing if one.expires_at > now)
        # Alice in the terminal and alice on the page are one person.
        return tuple({one.person.id.casefold(): one for one in valid}.values())


@dataclass(frozen=True, kw_only=True)
class AttachedAlert:
    """An alert of this incident, and when it ended."""

    alert: ev.AlertAttached
    ended_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Verification:
    """How far the recovery has been watched.

    `since` is when the present stretch began; `broken` says that a check does not hold now.
    """

    started_at: datetime
    since: datetime
    window_s: float
    checks: tuple[str, ...]
    shortened: str = ""
    relapses: int = 0
    broken: bool = False
    passed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AddedHypothesis:
    """A cause that somebody thought of, who that was, and whether a person."""

    hypothesis: ev.HypothesisAdded
    by: str
    by_person: bool = True


@dataclass(frozen=True, kw_only=True)
class AskedTest:
    """A test that was asked for, by whom, and how it ended; `ended` is None while it is under way."""

    test: ev.NextTestAsked
    by: str
    at: datetime
    ended: ev.NextTestEnded | None = None
