"""What an incident means for a tracker of errors: which issues are its own, and what is owed to them, once each.

A writing is owed in the transaction of what it follows from, as a timer; `engine.tracker` makes it and records how it
ended. Its id says what it is, so one that is owed or on record already is not owed again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.incidents.tracking import KINDS, Tracked, tracked_of
from stanch.kernel.blocks import escape_markdown
from stanch.kernel.codec import to_data
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.operations.world import World
from stanch.ports.issues import Act, IssueDesk, Moment, Writing
from stanch.store import Transaction, log
from stanch.store.model import Timer

WRITING: Final = "tracker_writing"
MOST_ISSUES: Final = 3
"""Issues of one incident that are written to: those its alerts name, else the one that stands out most."""
_LONGEST_TITLE: Final = 200


@dataclass(frozen=True, kw_only=True)
class Issue:
    """An issue of a tracker that belongs to an incident, and the service it is of."""

    id: str
    service: str


def tracked(tx: Transaction, number: int) -> Tracked:
    """Return what is on record of an incident about trackers."""
    return tracked_of(log.read(tx.connection, incident=number, kinds=KINDS))


def issues_of(state: IncidentState, desk: IssueDesk) -> list[Issue]:
    """Return the issues of a tracker that an incident is about: its alerts', else the one that a look showed first."""
    named = [
        Issue(id=one.alert.labels["issue_id"], service=one.alert.labels.get("service", ""))
        for one in state.alerts.values()
        if one.alert.source == desk.kind and one.alert.labels.get("issue_id")
    ]
    found = named or list(_seen(state, desk))[:1]
    return list(dict.fromkeys(one for one in found if desk.serves(one.service)))[:MOST_ISSUES]


def owe_writings(tx: Transaction, world: World, state: IncidentState, moment: Moment) -> None:
    """Owe to the issues of an incident what is configured for this moment."""
    if not world.desks:
        return
    for desk in world.desks.values():
        for issue in issues_of(state, desk):
            for act in (Act.STATUS, Act.ASSIGN, Act.NOTE):
                value = desk.value_of(act, moment, team=_team(world, issue.service)) if desk.may(act) else ""
                if value:
                    id = f"inc{state.number}/{moment.value}/{desk.name}/{issue.id}/{act.value}"
                    _owe(tx, world, state, desk, _to_issue(world, state, id, issue, act, moment, value), moment)


def owe_marker(tx: Transaction, world: World, state: IncidentState, plan: ev.Plan) -> None:
    """Owe the marker of a deploy for a roll back that was carried out."""
    if plan.mitigation != "rollback" or plan.undo_of:
        return
    cause = next((one for one in state.hypotheses if one.id == plan.hypothesis), None)
    service = world.catalog.services.get(plan.target)
    for desk in world.desks.values():
        if not desk.may(Act.DEPLOY) or not desk.serves(plan.target):
            continue
        writing = Writing(
            id=f"inc{state.number}/{Moment.ROLLED_BACK.value}/{desk.name}/{plan.id}/{Act.DEPLOY.value}",
            act=Act.DEPLOY,
            value=cause.previous if cause is not None else "",
            service=plan.target,
            environment=service.environment if service else "production",
            mark=f"{state.key} roll back {plan.digest[:12]}",
            url=f"{world.url}/i/{state.number}",
        )
        _owe(tx, world, state, desk, writing, Moment.ROLLED_BACK)


def _owe(
    tx: Transaction, world: World, state: IncidentState, desk: IssueDesk, writing: Writing, moment: Moment
) -> None:
    if writing.id in tracked(tx, state.number).writings:
        return
    now = world.clock.now()
    data: dict[str, JSON] = {
        "writing": to_data(writing),
        "desk": desk.name,
        "moment": moment.value,
        "incident": state.number,
        "owed_at": now.isoformat(),
    }
    # It belongs to no incident as a timer: it must be made even when the incident's other timers end with it.
    tx.schedule(Timer(id=f"{WRITING}/{writing.id}", kind=WRITING, due_at=now, data=data))


def _to_issue(
    world: World, state: IncidentState, id: str, issue: Issue, act: Act, moment: Moment, value: str
) -> Writing:
    url = f"{world.url}/i/{state.number}"
    return Writing(
        id=id,
        act=act,
        issue=issue.id,
        value=value,
        text=note_text(state, moment, url=url) if act is Act.NOTE else "",
        mark=_mark(state, moment, url=url),
        service=issue.service,
        url=url,
    )


def note_text(state: IncidentState, moment: Moment, *, url: str) -> str:
    """Return what a note says, in Markdown: what happened, the incident's link, and by what the note is known."""
    title = _plain(state.title)
    exercise = "Exercise. " if state.drill else ""
    lines = [f"{exercise}{state.key} ({state.ruling.severity.label}): {title}"]
    if moment is Moment.RESOLVED and state.resolution is not None:
        lines.append(f"Cause: {_said(state.resolution.cause)}. Mitigation: {_said(state.resolution.mitigation)}.")
    return "\n".join([*lines, _mark(state, moment, url=url)])


def _said(text: str) -> str:
    return _plain(text.rstrip(". \n")) or "not recorded"


def _plain(text: str) -> str:
    """Return text that others wrote as one line of Markdown that shows it: no link, no picture, no heading."""
    return escape_markdown(redact(" ".join(text.split()))[:_LONGEST_TITLE])


def _mark(state: IncidentState, moment: Moment, *, url: str) -> str:
    return f"{state.key} was {moment.value}: {url}"


def _team(world: World, service: str) -> str:
    found = world.catalog.services.get(service)
    return found.team if found else ""


def _seen(state: IncidentState, desk: IssueDesk) -> Iterator[Issue]:
    for finding in state.findings.values():
        for signal in finding.signals:
            kind, _, id = str(signal.data.get("fingerprint", "")).partition("/")
            if signal.name == "error_group" and kind == desk.kind and id and signal.data.get("raised"):
                yield Issue(id=id, service=signal.service)
