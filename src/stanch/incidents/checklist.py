"""The checklist per phase. It ticks itself from what has happened, and says what is still missing (T7)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from stanch.incidents.model import Role, Severity
from stanch.incidents.state import ActionState, IncidentState
from stanch.ports.evidence import FindingStatus


@dataclass(frozen=True, kw_only=True)
class ChecklistItem:
    """One line: the phase it belongs to, what has to be done, whether it is, and how to do it."""

    phase: str
    text: str
    done: bool
    how: str


@dataclass(frozen=True, kw_only=True)
class _Line:
    phase: str
    text: str
    how: str
    is_done: Callable[[IncidentState], bool]
    applies: Callable[[IncidentState], bool] = lambda state: True


def _has_role(role: Role) -> Callable[[IncidentState], bool]:
    return lambda state: role in state.roles


def _told(purpose: str) -> Callable[[IncidentState], bool]:
    return lambda state: any(
        message.purpose == purpose and _is_sent(state, message.delivery) for message in state.messages.values()
    )


def _is_sent(state: IncidentState, delivery: str) -> bool:
    end = state.message_ends.get(delivery)
    return end is not None and end.state == "sent"


def _has_seen_changes(state: IncidentState) -> bool:
    if state.changes is None:
        return False
    looks = [one for one in state.findings.values() if one.collector in ("git", "changes")]
    # That nothing changed is known only where everybody could look.
    blind = any(one.status in (FindingStatus.FAILED, FindingStatus.REFUSED) for one in looks)
    return bool(state.changes.changes) or not blind


def _has_measured(state: IncidentState) -> bool:
    return state.impact is not None and state.impact.is_measured


def _is_serious(state: IncidentState) -> bool:
    return state.ruling.severity <= Severity.SEV2


_LINES: Final[tuple[_Line, ...]] = (
    _Line(phase="triage", text="Severity assessed", how="computed at declaration", is_done=lambda state: True),
    _Line(
        phase="triage",
        text="Acknowledged",
        how="stanch ack",
        is_done=lambda state: state.acknowledged_at is not None,
    ),
    _Line(
        phase="triage",
        text="Incident commander assigned",
        how="stanch incident assign commander PERSON",
        is_done=_has_role(Role.COMMANDER),
    ),
    _Line(
        phase="triage",
        text="Communications lead assigned",
        how="stanch incident assign communications_lead PERSON",
        is_done=_has_role(Role.COMMUNICATIONS_LEAD),
        applies=_is_serious,
    ),
    _Line(phase="triage", text="Responders told", how="goes out by itself", is_done=_told("declaration")),
    _Line(
        phase="investigation",
        text="Impact measured",
        how="measured by itself while services are watched",
        is_done=_has_measured,
    ),
    _Line(
        phase="investigation",
        text="What changed is known",
        how="stanch investigate",
        is_done=_has_seen_changes,
    ),
    _Line(
        phase="investigation",
        text="Cause identified",
        how="stanch investigate, or confirm a hypothesis",
        is_done=lambda state: state.cause_known,
    ),
    _Line(
        phase="mitigation",
        text="Mitigation carried out",
        how="approve a plan, or note what was done by hand",
        is_done=lambda state: any(action.state is ActionState.SUCCEEDED for action in state.actions.values()),
    ),
    _Line(
        phase="recovery",
        text="Recovery verified",
        how="watched by itself after a mitigation",
        is_done=lambda state: state.verification is not None and state.verification.passed_at is not None,
    ),
    _Line(
        phase="recovery",
        text="Resolution told",
        how="goes out with stanch resolve",
        is_done=_told("resolution"),
    ),
    _Line(
        phase="learning",
        text="Post-mortem drafted",
        how="drafted from the log at resolution",
        is_done=lambda state: state.postmortem is not None,
    ),
    _Line(
        phase="learning",
        text="Post-mortem published",
        how="stanch postmortem publish",
        is_done=lambda state: state.published > 0,
    ),
)


def checklist(state: IncidentState) -> tuple[ChecklistItem, ...]:
    """Return the checklist of the incident, in the order of work."""
    return tuple(
        ChecklistItem(phase=line.phase, text=line.text, done=line.is_done(state), how=line.how)
        for line in _LINES
        if line.applies(state)
    )
