"""Approvals: a person's, bound to the digest, single use, expiring."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.catalog.acting import Approvals
from stanch.catalog.model import Catalog
from stanch.incidents.model import Status
from stanch.incidents.state import Action, ActionState, Approval
from stanch.kernel.actor import Actor, ActorKind, person
from stanch.kernel.errors import Conflict, Forbidden, Refused
from stanch.mitigate.approval import approve, may_run
from stanch.mitigate.plan import digest_of
from tests.mitigate.test_plan import NOW, bare_state, plan_for

ALICE, BOB = person("alice"), person("bob")
AGENT = Actor(kind=ActorKind.AGENT, id="agent:triage")


def waiting(*, needed: int = 1) -> Action:
    """Return a plan that waits for `needed` approvals."""
    plan = replace(plan_for(), approvals_needed=needed)
    return Action(plan=plan, state=ActionState.PROPOSED, proposed_seq=1, proposed_at=NOW)


def say_yes(action: Action, *, actor: Actor = ALICE, digest: str = "", status: Status = Status.IDENTIFIED) -> str:
    """Approve `action` and return the digest that the approval is bound to."""
    state = replace(bare_state(), status=status)
    given = digest or digest_of(action.plan)
    return approve(state, action, actor=actor, digest=given, now=NOW, catalog=Catalog()).digest


def test_a_person_approves_what_was_shown() -> None:
    """The approval is bound to the plan's digest."""
    action = waiting()

    assert digest_of(action.plan) == say_yes(action)


def test_an_agent_does_not_approve() -> None:
    """Whatever it is told, an agent only proposes."""
    with pytest.raises(Forbidden) as refusal:
        say_yes(waiting(), actor=AGENT)

    assert "approval_needs_a_person" == refusal.value.reason


def test_another_digest_is_a_conflict() -> None:
    """A plan that is not the one that was shown is not approved."""
    with pytest.raises(Conflict) as refusal:
        say_yes(waiting(), digest="0" * 64)

    assert "digest_mismatch" == refusal.value.reason


@pytest.mark.parametrize(
    "state", [ActionState.APPROVED, ActionState.RUNNING, ActionState.SUCCEEDED, ActionState.UNKNOWN]
)
def test_an_approval_is_for_once(state: ActionState) -> None:
    """What was approved, runs or ran takes no further approval."""
    with pytest.raises(Refused) as refusal:
        say_yes(replace(waiting(), state=state))

    assert "not_waiting" == refusal.value.reason


def test_nothing_is_approved_after_the_end() -> None:
    """A resolved incident takes no approvals."""
    with pytest.raises(Refused) as refusal:
        say_yes(waiting(), status=Status.RESOLVED)

    assert "not_open" == refusal.value.reason


def test_two_approvals_are_two_people() -> None:
    """The same person twice is one."""
    first = Approval(person=ALICE, digest="d", at=NOW, expires_at=NOW + timedelta(minutes=15))
    action = replace(waiting(needed=2), approvals=(first,))
    with pytest.raises(Refused) as refusal:
        say_yes(action, actor=ALICE)

    assert "already_approved" == refusal.value.reason


def approved(*, digest: str = "", expires_in_s: float = 900) -> Action:
    """Return a plan that Alice approved."""
    action = waiting()
    yes = Approval(
        person=ALICE, digest=digest or digest_of(action.plan), at=NOW, expires_at=NOW + timedelta(seconds=expires_in_s)
    )
    return replace(action, state=ActionState.APPROVED, approvals=(yes,))


def test_an_approved_plan_may_run() -> None:
    """Nothing stands in its way."""
    assert "" == may_run(approved(), now=NOW)


def test_an_expired_approval_runs_nothing() -> None:
    """At the instant it expires it counts no more."""
    assert "its approval has expired" == may_run(approved(expires_in_s=0), now=NOW)


def test_an_approval_of_another_plan_runs_nothing() -> None:
    """A digest that does not fit is no approval."""
    assert "its approval has expired" == may_run(approved(digest="0" * 64), now=NOW)


def test_a_yes_in_other_letters_is_the_same_person() -> None:
    """Alice in the terminal and alice on the page are one of two."""
    first = Approval(person=person("Alice"), digest="d", at=NOW, expires_at=NOW + timedelta(minutes=15))
    action = replace(waiting(needed=2), approvals=(first,))
    with pytest.raises(Refused) as refusal:
        say_yes(action, actor=ALICE)

    assert "already_approved" == refusal.value.reason


def test_a_higher_severity_asks_for_more_people() -> None:
    """What one person could approve when it was proposed takes two now that the severity says so."""
    catalog = Catalog(approvals=Approvals(low=(2, 2, 2, 2)))
    plan = waiting()
    said = approve(bare_state(), plan, actor=ALICE, digest=digest_of(plan.plan), now=NOW, catalog=catalog)

    assert 2 == said.needed


def test_what_a_severity_asked_for_holds_when_it_runs() -> None:
    """One yes does not run what takes two by then."""
    action = approved()
    action = replace(action, approvals=(replace(action.approvals[0], needed=2),))

    assert "its approval has expired" == may_run(action, now=NOW)
