"""What somebody needs who joins late or takes over: what changed, the last decisions, the state, what is open. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.incidents import events as ev
from stanch.incidents.checklist import checklist
from stanch.incidents.model import Role
from stanch.incidents.roles import TITLES, duty_now
from stanch.incidents.state import ActionState, IncidentState
from stanch.incidents.telling import tell
from stanch.kernel.event import Event
from stanch.kernel.percentage import percent

_DECISIONS: Final = (
    ev.Acknowledged,
    ev.SeverityChanged,
    ev.RoleAssigned,
    ev.Approved,
    ev.Rejected,
    ev.HypothesisConfirmed,
    ev.HypothesisRefuted,
    ev.RunStarted,
    ev.RunFinished,
    ev.Resolved,
    ev.Reopened,
    ev.Dismissed,
)
_LAST: Final = 7


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One thing that was decided: its entry (`seq`), when, by whom, in words."""

    seq: int
    at: datetime
    actor: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Duty:
    """A role, who holds it, and what it must do now."""

    role: str
    title: str
    person: str
    duty: str


@dataclass(frozen=True, kw_only=True)
class Catchup:
    """Where an incident stands, for somebody who was not there. `state` and `open` are sentences, decisions newest
    last."""

    key: str
    title: str
    state: tuple[str, ...]
    decisions: tuple[Decision, ...]
    open: tuple[str, ...]
    duties: tuple[Duty, ...]
    url: str


def catch_up(state: IncidentState, events: Iterable[Event], *, url: str) -> Catchup:
    """Return what somebody needs to know who joins now."""
    return Catchup(
        key=state.key,
        title=state.title,
        state=tuple(_standing(state)),
        decisions=decisions(events),
        open=tuple(open_points(state)),
        duties=tuple(
            Duty(role=role.value, title=TITLES[role], person=state.roles.get(role, ""), duty=duty_now(role, state))
            for role in Role
            if role in state.roles or role is not Role.RESPONDER
        ),
        url=url,
    )


def decisions(events: Iterable[Event], *, last: int = _LAST) -> tuple[Decision, ...]:
    """Return the last decisions and what people pinned, oldest first."""
    found = []
    for event in events:
        record = ev.typed(event)
        pinned = isinstance(record, ev.NoteAdded) and record.pinned
        if isinstance(record, _DECISIONS) or pinned:
            told = tell(record)
            words = f"{told.title}: {told.text}" if told.text else told.title
            found.append(Decision(seq=event.seq, at=event.at, actor=event.actor.label, text=_short(words)))
    return tuple(found[-last:])


def open_points(state: IncidentState) -> Iterator[str]:
    """Yield what is not done yet, what matters most first."""
    if not state.is_open:
        return
    proposal = state.proposal.plan if state.proposal else None
    for action in state.actions.values():
        if action.state is ActionState.PROPOSED and proposal and action.plan.id == proposal.id:
            yield f"A plan waits for a decision: {action.plan.title}"
        elif action.state in (ActionState.APPROVED, ActionState.RUNNING):
            yield f"Under way: {action.plan.title}"
        elif action.state is ActionState.UNKNOWN:
            yield f"Nobody knows how it ended: {action.plan.title}"
    if state.next_update_at is not None:
        yield f"The next update is promised for {state.next_update_at:%H:%M} UTC"
    for item in checklist(state):
        if not item.done and item.phase != "learning":
            yield f"{item.text} ({item.how})"


def changed(old: IncidentState | None, new: IncidentState) -> Iterator[str]:
    """Yield what is different in `new` from `old`, which is as things stood when the last message went out."""
    if old is None:
        return
    if old.ruling.severity is not new.ruling.severity:
        yield f"Severity {old.ruling.severity.label} became {new.ruling.severity.label}: {new.ruling.reason}"
    if old.status is not new.status:
        yield f"{old.status.value.capitalize()} became {new.status.value}"
    if old.acknowledged_by is None and new.acknowledged_by is not None:
        yield f"{new.acknowledged_by.label} took it on"
    yield from _changed_cause(old, new)
    for key, action in new.actions.items():
        before = old.actions.get(key)
        stands = f"{action.state.value}{f': {action.effect}' if action.effect else ''}"
        if before is None or (before.state, before.effect) != (action.state, action.effect):
            yield f"{action.plan.title}: {stands}"
    more = sorted(set(new.services) - set(old.services))
    if more:
        yield f"Also affected: {', '.join(more)}"
    watched = new.verification
    if watched and watched.passed_at and not (old.verification and old.verification.passed_at):
        yield "The recovery was watched and held"
    elif watched and watched.relapses > (old.verification.relapses if old.verification else 0):
        yield "The recovery did not hold; the watch began again"


def _changed_cause(old: IncidentState, new: IncidentState) -> Iterator[str]:
    first = new.known_cause.title if new.known_cause else ""
    before = old.known_cause.title if old.known_cause else ""
    if first and first != before:
        yield f"The likely cause is known: {first}"
    elif before and not first:
        yield f"{before} is no longer the likely cause"


def _standing(state: IncidentState) -> Iterator[str]:
    yield f"{state.ruling.severity.label}, {state.status.value}, since {state.started_at:%Y-%m-%d %H:%M} UTC"
    if state.impact:
        down = ", ".join(state.impact.down)
        if down:
            yield f"Down: {down}"
        if state.impact.affected:
            yield f"Affected: {', '.join(state.impact.affected)}"
    if state.error:
        yield f"Primary error: {state.error.title}, {state.error.count:,} times"
    if state.hypotheses:
        known = "Likely cause" if state.cause_known else "First hypothesis"
        yield f"{known}: {state.hypotheses[0].title} ({percent(state.hypotheses[0].score)})"
    for action in state.actions.values():
        if action.started_at:
            yield f"{action.plan.title}: {action.state.value}{f', {action.effect}' if action.effect else ''}"


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= 200 else f"{line[:199]}…"
