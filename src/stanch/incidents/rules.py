"""What may happen to an incident: pure decisions. State, command and `now` in; typed events out, or `Refused`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.incidents import events as ev
from stanch.incidents.model import BY_HAND, Role, Severity, SeverityRuling, Status
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import Actor
from stanch.kernel.errors import Invalid, Refused

POSTMORTEM_AFTER: Final = timedelta(hours=48)
LONGEST_NOTE: Final = 20_000
NOT_KNOWN: Final = "not known"
"""What stands for the cause where neither the log nor a person knows it."""

# What a person may say by hand. Resolving, dismissing and reopening have operations of their own.
_BY_HAND: Final = frozenset(
    {Status.ACKNOWLEDGED, Status.INVESTIGATING, Status.IDENTIFIED, Status.MITIGATING, Status.MONITORING}
)


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What is said at the end: the cause, what was done, and why it is forced when it is."""

    cause: str = ""
    mitigation: str = ""
    force_reason: str = ""


def acknowledge(state: IncidentState, *, actor: Actor) -> tuple[ev.IncidentEvent, ...]:
    """Take the incident on. A second acknowledgement changes nothing; who takes it first leads until told otherwise."""
    if state.acknowledged_at is not None:
        return ()
    events: list[ev.IncidentEvent] = [ev.Acknowledged()]
    if Role.COMMANDER not in state.roles and actor.is_person:
        events.append(ev.RoleAssigned(role=Role.COMMANDER, person=actor.id))
    return tuple(events)


def change_status(state: IncidentState, status: Status, *, reason: str) -> tuple[ev.IncidentEvent, ...]:
    """Move the incident on by hand. Raises `Refused` for the ends of its life, which have their own rules."""
    if status is state.status:
        return ()
    if status not in _BY_HAND:
        raise Refused(
            f"{state.key} cannot be set to {status.value} by hand",
            reason="own_operation",
            hint="use stanch resolve, stanch incident dismiss or stanch incident reopen",
        )
    return (ev.StatusChanged(status=status, reason=reason or "set by hand"),)


def override_severity(state: IncidentState, severity: Severity, *, reason: str) -> tuple[ev.IncidentEvent, ...]:
    """Set the severity against the rules. Raises `Invalid` without a reason."""
    if not reason.strip():
        raise Invalid("say why the rule's severity does not fit", field="reason")
    ruling = SeverityRuling(severity=severity, rule=BY_HAND, reason=reason.strip())
    if severity is state.ruling.severity and state.severity_overridden:
        return ()
    return (ev.SeverityChanged(ruling=ruling, previous=state.ruling.severity, overridden=True),)


def rule_again(state: IncidentState, ruling: SeverityRuling) -> tuple[ev.IncidentEvent, ...]:
    """Follow the rules upwards by themselves; downwards only a person goes, and never against an override."""
    if state.severity_overridden or ruling.severity >= state.ruling.severity:
        return ()
    return (ev.SeverityChanged(ruling=ruling, previous=state.ruling.severity, overridden=False),)


def note(text: str, *, pinned: bool) -> ev.NoteAdded:
    """Write something down. Raises `Invalid` for an empty or overlong text."""
    text = text.strip()
    if not text:
        raise Invalid("a note needs a text", field="text")
    if len(text) > LONGEST_NOTE:
        raise Invalid(f"a note has at most {LONGEST_NOTE:,} characters, this one {len(text):,}", field="text")
    return ev.NoteAdded(text=text, pinned=pinned)


_WAIT: Final = "wait for the verification, or force it with a reason: --force-reason ..."
# What nobody measures is never verified: who is told to wait would wait for ever.
_NOTHING_TO_WAIT_FOR: Final = (
    "it is watched once a mitigation is done, where something of it is measured;"
    " otherwise end it with a reason: --force-reason ..."
)


def why_not_verified(state: IncidentState, *, now: datetime) -> str:
    """Return why the recovery does not count as verified, in words; empty when it does."""
    watched = state.verification
    if watched is None:
        return "the recovery has not been watched yet"
    if watched.passed_at is not None:
        return ""
    if watched.broken:
        return f"every check must hold for {watched.window_s:.0f} s without a break, and one does not hold now"
    held_s = (now - watched.since).total_seconds()
    return f"every check must hold for {watched.window_s:.0f} s without a break; so far {held_s:.0f} s"


def resolve(
    state: IncidentState, resolution: Resolution, *, now: datetime, actor: Actor
) -> tuple[ev.IncidentEvent, ...]:
    """End the incident. Raises `Refused` (`not_verified`) unless verified, or forced with a reason by a person."""
    missing = why_not_verified(state, now=now)
    if missing and not resolution.force_reason.strip():
        raise Refused(
            f"{state.key} is not verified: {missing}",
            reason="not_verified",
            hint=_WAIT if state.verification else _NOTHING_TO_WAIT_FOR,
        )
    if missing and not actor.is_person:
        raise Refused("only a person can resolve what is not verified", reason="force_needs_a_person")
    cause = _one_line(resolution.cause) or (state.known_cause.title if state.known_cause else "")
    mitigation = _one_line(resolution.mitigation) or _what_helped(state)
    resolved = ev.Resolved(
        cause=cause or NOT_KNOWN,
        mitigation=mitigation or "none recorded",
        duration_s=(now - state.started_at).total_seconds(),
        forced=bool(missing),
        reason=resolution.force_reason.strip() if missing else "",
    )
    ended = tuple(
        ev.AlertEnded(alert=name, summary="ended with the incident")
        for name, attached in state.alerts.items()
        if attached.ended_at is None
    )
    return (*ended, resolved, ev.PostmortemScheduled(due_at=now + POSTMORTEM_AFTER))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def reopen(state: IncidentState, *, reason: str) -> tuple[ev.IncidentEvent, ...]:
    """Take an ended incident up again. Raises `Refused` when it is open, `Invalid` without a reason."""
    if state.is_open:
        raise Refused(f"{state.key} is open", reason="already_open")
    if not reason.strip():
        raise Invalid("say why it is taken up again", field="reason")
    return (ev.Reopened(reason=reason.strip()),)


def dismiss(state: IncidentState, *, reason: str, into: IncidentState | None = None) -> tuple[ev.IncidentEvent, ...]:
    """Say that it was no incident, or that it is part of `into`.

    Raises `Invalid` without a reason or into itself, `Refused` when `into` was dismissed or merged itself.
    """
    if not reason.strip():
        raise Invalid("say why", field="reason")
    if into is None:
        return (ev.Dismissed(reason=reason.strip()),)
    if into.number == state.number:
        raise Invalid("an incident cannot be merged into itself", field="merged_into")
    if into.status in (Status.DISMISSED, Status.MERGED):
        raise Refused(f"{into.key} is {into.status.value}", reason="not_open", hint="merge into one that stands")
    return (ev.Dismissed(reason=reason.strip(), merged_into=into.number),)


def take_over(merged: IncidentState, into: IncidentState) -> tuple[ev.IncidentEvent, ...]:
    """Put on record at `into` that `merged` is part of it, with the alerts that have not ended."""
    told = ev.NoteAdded(text=f"{merged.key} is part of this: {merged.title}")
    running = (one.alert for name, one in merged.alerts.items() if one.ended_at is None and name not in into.alerts)
    return (told, *running) if into.is_open else (told,)


def _what_helped(state: IncidentState) -> str:
    helped = [action.plan.title for action in state.actions.values() if action.verdict == "helped"]
    done = [action.plan.title for action in state.actions.values() if action.code == 0]
    return "; ".join(helped or done)
