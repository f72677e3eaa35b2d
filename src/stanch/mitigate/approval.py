"""Who may say yes to what. An approval is a person's, bound to a plan's digest, single use, and it expires."""

from datetime import datetime, timedelta

from stanch.catalog.model import Catalog
from stanch.incidents import events as ev
from stanch.incidents.state import Action, ActionState, IncidentState
from stanch.kernel.actor import Actor
from stanch.kernel.errors import Conflict, Forbidden, Refused
from stanch.mitigate.plan import approvals_needed, digest_of

# What failed may be tried again with a new yes; of an unknown outcome nobody can say what a second run would do.
_WAITING = frozenset({ActionState.PROPOSED, ActionState.FAILED})


def approve(
    state: IncidentState, action: Action, *, actor: Actor, digest: str, now: datetime, catalog: Catalog
) -> ev.Approved:
    """Return the approval of `action` by `actor`.

    Raises `Forbidden` for anything but a person, `Conflict` when the digest is not the plan's, and `Refused` when the
    plan does not wait for approval, or when this person has already approved it.
    """
    if not actor.is_person:
        raise Forbidden(
            f"{actor.label} may propose but not approve",
            reason="approval_needs_a_person",
            hint="ask a person to approve in the terminal or the web page",
        )
    if not state.is_open:
        raise Refused(f"{state.key} is {state.status.value}", reason="not_open")
    if action.state not in _WAITING:
        raise Refused(
            f"{action.plan.title} is {action.state.value} and does not wait for approval",
            reason="not_waiting",
            hint="look at it first: stanch incident show",
        )
    if action.plan.refusal:
        raise Refused(f"{action.plan.title} may not be done: {action.plan.refusal}", reason="may_not")
    if action.plan.unseen:
        raise Refused(
            f"{action.plan.title} could not be checked: {action.plan.unseen}",
            reason="far_end_down",
            hint=f"look again: stanch plan look {state.key} {action.plan.id}",
        )
    if digest != digest_of(action.plan):
        raise Conflict(
            "the plan is not the one that was shown",
            reason="digest_mismatch",
            hint="read the plan again, then approve it with its digest",
        )
    if any(one.person.id.casefold() == actor.id.casefold() for one in action.agreeing(now)):
        raise Refused("a second approval must come from another person", reason="already_approved")
    expires_at = now + timedelta(seconds=catalog.timing.approval_s)
    # The severity may have changed since the plan was made, and with it how many people it takes; never fewer.
    needed = max(
        action.plan.approvals_needed, approvals_needed(action.plan.risk, state.ruling.severity, catalog.approvals)
    )
    return ev.Approved(plan=action.plan.id, digest=digest, expires_at=expires_at, needed=needed)


def may_run(action: Action, *, now: datetime) -> str:
    """Return why `action` may not run at `now`, in words; empty when it may."""
    if action.state is not ActionState.APPROVED and action.plan.approvals_needed:
        return f"it is {action.state.value}"
    digest = digest_of(action.plan)
    if action.automatic:
        good = action.decided[0] == digest and action.automatic_until is not None and now < action.automatic_until
        return "" if good else "the decision that it runs by itself has expired"
    if sum(one.digest == digest for one in action.agreeing(now)) < action.needed:
        return "its approval has expired"
    return ""
