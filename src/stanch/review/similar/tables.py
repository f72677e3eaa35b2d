"""The projection that incidents are compared by. Computed from the log; `Store.rebuild` makes it again.

What both need, service and kind of cause among it, is read from the projection of figures.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Column, Connection, Integer, Row, Select, Table, Text, func, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.kernel.event import Event
from stanch.review.figures.tables import courses
from stanch.review.similar.model import Traits
from stanch.review.similar.rules import template_of, words_of
from stanch.store.schema import events, metadata
from stanch.store.types import Document

traits: Final = Table(
    "traits",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("services", Document, nullable=False),
    Column("error", Text, nullable=False),
    Column("change_kind", Text, nullable=False),
    Column("shape", Text, nullable=False),
    # Words with blanks between and around them.
    Column("metrics", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("mitigation", Text, nullable=False),
)

# Some 600 words: an incident with hundreds of alerts says the same over and over.
_LONGEST: Final = 5_000
_KINDS: Final = frozenset(
    kind.kind for kind in (ev.Declared, ev.AlertAttached, ev.SymptomSeen, ev.ChangesRanked, ev.Resolved, ev.Reopened)
)


_IS_OWN: Final = courses.c.status.not_in((Status.DISMISSED.value, Status.MERGED.value))


class TraitsProjector:
    """Keeps the table `traits`."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the one table."""
        return (traits,)

    def project(self, connection: Connection, event: Event) -> None:
        """Bring the incident's row up to date with `event`."""
        if event.incident is None or event.kind not in _KINDS:
            return
        record = ev.typed(event)
        if isinstance(record, ev.Declared):
            connection.execute(insert(traits).values(_row(record)))
        elif changed := _changes(connection, event.incident, record):
            connection.execute(update(traits).where(traits.c.number == event.incident).values(changed))


def read_traits(connection: Connection, number: int) -> Traits | None:
    """Return what an incident can be compared by, None when there is no such incident."""
    row = connection.execute(_query().where(traits.c.number == number)).first()
    return _traits(row) if row else None


def last_traits(connection: Connection, *, most: int, before: int | None = None) -> list[Traits]:
    """Return the last `most` incidents that were incidents of their own, newest first; those below `before`, if any."""
    query = _query().where(_IS_OWN).order_by(traits.c.number.desc()).limit(most)
    if before is not None:
        query = query.where(traits.c.number < before)
    return [_traits(row) for row in connection.execute(query)]


def traits_of(connection: Connection, numbers: Sequence[int]) -> list[Traits]:
    """Return those of these incidents that were incidents of their own."""
    return [_traits(row) for row in connection.execute(_query().where(_IS_OWN, traits.c.number.in_(numbers)))]


def changed_since(connection: Connection, seq: int) -> list[int]:
    """Return the incidents that the log has told of after `seq`."""
    query = select(events.c.incident).distinct().where(events.c.seq > seq, events.c.incident.is_not(None))
    return [row.incident for row in connection.execute(query)]


def _query() -> Select[tuple[object, ...]]:
    return select(traits, courses).join(courses, courses.c.number == traits.c.number)


def _row(record: ev.Declared) -> dict[str, object]:
    said = words_of(record.title, record.summary, record.symptom, record.endpoint, record.text)
    return {
        "number": record.number,
        "services": sorted(record.services),
        "error": "",
        "change_kind": "",
        "shape": "",
        "metrics": " ",
        "words": " ".join(said)[:_LONGEST],
        "cause": "",
        "mitigation": "",
    }


def _changes(connection: Connection, number: int, record: ev.IncidentEvent) -> dict[str, object]:
    match record:
        case ev.AlertAttached(summary=summary, reading=reading, trend=trend):
            changed: dict[str, object] = {"words": _more(summary)}
            if trend:
                changed["shape"] = trend
            if reading is not None:
                changed["metrics"] = traits.c.metrics + f"{reading.metric} "
            return changed
        case ev.SymptomSeen(error=error, change=change):
            seen: dict[str, object] = {}
            if error is not None:
                template = template_of(error.title)
                known = connection.execute(select(traits.c.error).where(traits.c.number == number)).scalar_one_or_none()
                # It is told again whenever it is counted; its words are said once.
                seen |= {} if template == known else {"error": template, "words": _more(error.title, error.culprit)}
                seen |= {"shape": error.trend} if error.trend else {}
            return seen | ({"change_kind": change.kind} if change else {})
        case ev.ChangesRanked(changes=ranked, none_explains=none_explains):
            kind = ranked[0].change.kind.value if ranked and not none_explains else ""
            return {"change_kind": kind}
        case ev.Resolved(cause=cause, mitigation=mitigation):
            return {"cause": cause, "mitigation": mitigation}
        case ev.Reopened():
            return {"cause": "", "mitigation": ""}
        case _:
            return {}


def _more(*texts: str) -> ColumnElement[str]:
    return func.substr(traits.c.words + " " + " ".join(words_of(*texts)), 1, _LONGEST)


def _traits(row: Row[tuple[object, ...]]) -> Traits:
    return Traits(
        number=row.number,
        title=row.title,
        status=row.status,
        drill=bool(row.drill),
        declared_at=row.declared_at,
        started_at=row.started_at,
        resolved_at=row.resolved_at,
        service=row.cause_service or row.service,
        services=frozenset(row.services),
        error=row.error,
        change_kind=row.change_kind,
        cause_kind=row.cause_kind,
        shape=row.shape,
        metrics=frozenset(row.metrics.split()),
        words=tuple(row.words.split()),
        cause=row.cause,
        mitigation=row.mitigation,
    )
