"""The projection that figures are computed from: a row per incident with its instants, and the alerts it took in.

Computed from the log; `Store.rebuild` makes it again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    and_,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.alerts.board.tables import alert_board
from stanch.incidents import events as ev
from stanch.incidents.model import Hypothesis, Judgement, Severity, Status
from stanch.kernel.event import Event
from stanch.review.figures.model import Course
from stanch.store.schema import metadata
from stanch.store.types import Document, Instant

courses: Final = Table(
    "courses",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("service", Text, nullable=False),
    Column("cause_kind", Text, nullable=False),
    Column("cause_service", Text, nullable=False),
    # Kind and service of every hypothesis, by its id: whoever confirms one says no more than that.
    Column("hypotheses", Document, nullable=False),
    Column("drill", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("start_known", Integer, nullable=False),
    Column("declared_at", Instant, nullable=False),
    Column("acknowledged_at", Instant),
    Column("watched_at", Instant),
    Column("helped_at", Instant),
    Column("resolved_at", Instant),
    Column("acted_at", Instant),
    Index("ix_courses_declared_at", "declared_at"),
)

course_alerts: Final = Table(
    "course_alerts",
    metadata,
    Column("alert", Text, primary_key=True),
    Column("incident", Integer, primary_key=True, autoincrement=False),
    Index("ix_course_alerts_incident", "incident"),
)

# Fewer than the parameters that one statement may have on SQLite.
_AT_ONCE: Final = 500
_SAME_INSTANT: Final = timedelta(seconds=1)
_PREFIXES: Final = ("incident.", "investigation.", "mitigation.", "action.", "automatic.", "runbook.", "verification.")
# What a person does about an incident. Declaring it, taking it on with the role that brings, dismissing it: none is.
_ACTS: Final = frozenset(
    kind.kind
    for kind in (
        ev.NoteAdded,
        ev.StatusChanged,
        ev.SeverityChanged,
        ev.NextTestAsked,
        ev.HypothesisAdded,
        ev.HypothesisConfirmed,
        ev.HypothesisRefuted,
        ev.PlanAdded,
        ev.DryRunFinished,
        ev.Approved,
        ev.Rejected,
        ev.OutcomeSettled,
        ev.RunbookChecked,
        ev.Resolved,
        ev.Reopened,
    )
)


class CourseProjector:
    """Keeps the tables `courses` and `course_alerts`."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the two tables."""
        return (courses, course_alerts)

    def project(self, connection: Connection, event: Event) -> None:
        """Bring the incident's rows up to date with `event`."""
        if event.incident is None or not event.kind.startswith(_PREFIXES) or event.kind not in ev.EVENT_TYPES:
            return
        if event.kind == ev.Declared.kind:
            record = ev.typed(event)
            if isinstance(record, ev.Declared):
                connection.execute(insert(courses).values(_row(record, event)))
            return
        changed = _changes(connection, event)
        if event.actor.is_person and event.kind in _ACTS:
            changed["acted_at"] = event.at
        if changed:
            connection.execute(update(courses).where(courses.c.number == event.incident).values(changed))


def find_courses(connection: Connection, *, start: datetime, end: datetime) -> list[Course]:
    """Return the incidents that were declared from `start` to before `end` (UTC), oldest first."""
    within = and_(courses.c.declared_at >= start, courses.c.declared_at < end)
    query = _query().where(within).order_by(courses.c.declared_at, courses.c.number)
    return [_course(row) for row in connection.execute(query)]


def read_courses(connection: Connection, numbers: Iterable[int]) -> dict[int, Course]:
    """Return the incidents with these numbers."""
    wanted = sorted(set(numbers))
    found: dict[int, Course] = {}
    for first in range(0, len(wanted), _AT_ONCE):
        query = _query().where(courses.c.number.in_(wanted[first : first + _AT_ONCE]))
        found.update({row.number: _course(row) for row in connection.execute(query)})
    return found


def count_alerts(connection: Connection, *, start: datetime, end: datetime) -> tuple[int, int]:
    """Return how many alerts began from `start` to before `end` (UTC), and how many of them led to an incident.

    An alert that is not kept any more is not counted.
    """
    within = and_(alert_board.c.starts_at >= start, alert_board.c.starts_at < end)
    everything: int = connection.execute(select(func.count()).select_from(alert_board).where(within)).scalar_one()
    joined = alert_board.join(course_alerts, course_alerts.c.alert == alert_board.c.id)
    led = select(func.count(alert_board.c.id.distinct())).select_from(joined).where(within)
    return everything, int(connection.execute(led).scalar_one())


def _query() -> Select[tuple[object, ...]]:
    attached = (
        select(course_alerts.c.incident, func.count().label("alerts")).group_by(course_alerts.c.incident).subquery()
    )
    counted = func.coalesce(attached.c.alerts, 0).label("alerts")
    return select(courses, counted).outerjoin(attached, attached.c.incident == courses.c.number)


def _row(record: ev.Declared, event: Event) -> dict[str, object]:
    return {
        "number": record.number,
        "title": record.title,
        "status": Status.DETECTED.value,
        "severity": record.ruling.severity.value,
        "service": record.services[0] if record.services else "",
        "cause_kind": "",
        "cause_service": "",
        "hypotheses": {},
        "drill": int(record.drill),
        "started_at": record.started_at,
        # Without an interval around it, a start at the declaration is only that nobody said another; the clock was read
        # twice for the two.
        "start_known": int(record.started_low is not None or event.at - record.started_at >= _SAME_INSTANT),
        "declared_at": event.at,
    }


def _changes(connection: Connection, event: Event) -> dict[str, object]:
    match ev.typed(event):
        case ev.AlertAttached(alert=alert):
            _attach(connection, event.incident or 0, alert)
        case ev.Acknowledged():
            return _first_acknowledged(connection, event)
        case ev.StatusChanged(status=status):
            return {"status": status.value}
        case ev.SeverityChanged(ruling=ruling):
            return {"severity": ruling.severity.value}
        case ev.OnsetEstimated(at=at):
            return {"started_at": at, "start_known": 1}
        case ev.HypothesesRanked() as ranked:
            return _ranked(connection, event, ranked)
        case ev.HypothesisAdded(hypothesis=id, cause=cause, service=service):
            return {"hypotheses": {**_hypotheses(connection, event), id: [cause, service]}}
        case ev.HypothesisConfirmed(hypothesis=id):
            kind, service = _hypotheses(connection, event).get(id, ("", ""))
            return {"cause_kind": kind, "cause_service": service}
        case ev.EffectChecked(verdict="helped"):
            return {"helped_at": event.at}
        case ev.VerificationPassed(window_s=window_s):
            return {"watched_at": event.at - timedelta(seconds=window_s)}
        case ev.VerificationRelapsed():
            return {"watched_at": None}
        case ev.Resolved():
            return {"status": Status.RESOLVED.value, "resolved_at": event.at}
        case ev.Reopened():
            ended = {"resolved_at": None, "watched_at": None, "helped_at": None}
            return {"status": Status.INVESTIGATING.value, **ended}
        case ev.Dismissed(merged_into=merged_into):
            return {"status": (Status.DISMISSED if merged_into is None else Status.MERGED).value}
        case _:
            pass
    return {}


def _first_acknowledged(connection: Connection, event: Event) -> dict[str, object]:
    query = select(courses.c.acknowledged_at, courses.c.status).where(courses.c.number == event.incident)
    row = connection.execute(query).first()
    if row is None or row.acknowledged_at is not None:
        return {}
    status = Status.ACKNOWLEDGED.value if row.status == Status.DETECTED.value else row.status
    return {"acknowledged_at": event.at, "status": status}


def _ranked(connection: Connection, event: Event, ranked: ev.HypothesesRanked) -> dict[str, object]:
    known: dict[str, object] = dict(_hypotheses(connection, event))
    known.update({one.id: [one.kind, one.service] for one in ranked.hypotheses})
    cause = _cause_of(ranked)
    if cause is None:
        return {"hypotheses": known, "cause_kind": "", "cause_service": ""}
    return {"hypotheses": known, "cause_kind": cause.kind, "cause_service": cause.service}


def _cause_of(ranked: ev.HypothesesRanked) -> Hypothesis | None:
    """Return what is held to be the cause: what a person confirmed, else the likeliest where one is known."""
    for one in ranked.hypotheses:
        if one.judged and one.judged.judgement is Judgement.CONFIRMED:
            return one
    return ranked.hypotheses[0] if ranked.known and ranked.hypotheses else None


def _hypotheses(connection: Connection, event: Event) -> Mapping[str, tuple[str, str]]:
    query = select(courses.c.hypotheses).where(courses.c.number == event.incident)
    found: Mapping[str, tuple[str, str]] = connection.execute(query).scalar_one_or_none() or {}
    return found


def _attach(connection: Connection, incident: int, alert: str) -> None:
    made = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = made(course_alerts).values(alert=alert, incident=incident)
    connection.execute(statement.on_conflict_do_nothing(index_elements=["alert", "incident"]))


def _course(row: Row[tuple[object, ...]]) -> Course:
    return Course(
        number=row.number,
        title=row.title,
        status=Status(row.status),
        severity=Severity(row.severity),
        service=row.cause_service or row.service,
        cause_kind=row.cause_kind,
        drill=bool(row.drill),
        started_at=row.started_at,
        start_known=bool(row.start_known),
        declared_at=row.declared_at,
        acknowledged_at=row.acknowledged_at,
        watched_at=row.watched_at,
        helped_at=row.helped_at,
        resolved_at=row.resolved_at,
        acted_at=row.acted_at,
        alerts=row.alerts,
    )
