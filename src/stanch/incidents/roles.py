"""What each role is and must do now (T6)."""

from typing import Final

from stanch.incidents.model import Role, Status
from stanch.incidents.state import IncidentState

TITLES: Final = {
    Role.COMMANDER: "Incident commander",
    Role.TECHNICAL_LEAD: "Technical lead",
    Role.COMMUNICATIONS_LEAD: "Communications lead",
    Role.SCRIBE: "Scribe",
    Role.RESPONDER: "Responder",
}


def duty_now(role: Role, state: IncidentState) -> str:
    """Return in one sentence what `role` must do now."""
    if not state.is_open:
        return "Read the post-mortem and take your action items." if role is Role.COMMANDER else ""
    match role:
        case Role.COMMANDER:
            return _commander(state)
        case Role.TECHNICAL_LEAD:
            if state.cause_known:
                return "Check the evidence against the first hypothesis before the plan runs."
            return "Run the next test, and write down what it says."
        case Role.COMMUNICATIONS_LEAD:
            if state.next_update_at:
                return f"Send the next update before {state.next_update_at:%H:%M} UTC."
            return "Tell those affected what is known."
        case Role.SCRIBE:
            return "Write decisions into the log as they are made; everything else is recorded by itself."
        case Role.RESPONDER:
            return "Take work from the technical lead."


def _commander(state: IncidentState) -> str:
    if state.acknowledged_at is None:
        return "Acknowledge."
    if state.status is Status.MONITORING:
        return "Wait for the verification, then resolve."
    if state.proposal and state.proposal.plan and not any(action.approvals for action in state.actions.values()):
        return f"Decide on the proposed plan: {state.proposal.plan.title}."
    return "Hold the course: roles given, decisions taken, the next update on time."
