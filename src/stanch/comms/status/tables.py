"""The updates of the public status page, a projection of the log; who subscribed, and how often somebody asked to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Index, Integer, Row, Table, Text, delete, func, insert, select, update

from stanch.comms.status.model import ComponentState, Outcome, Stage, Update
from stanch.incidents import events as ev
from stanch.kernel.event import Event
from stanch.store.schema import metadata
from stanch.store.types import Document, Instant, Serial

updates: Final = Table(
    "status_updates",
    metadata,
    Column("incident", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("stage", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("components", Document, nullable=False),
    Column("digest", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("by", Text, nullable=False),
    Index("ix_status_updates_outcome_at", "outcome", "at"),
)

subscribers: Final = Table(
    "status_subscribers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    Index("ix_status_subscribers_confirmed_at", "confirmed_at"),
)

asks: Final = Table(
    "status_asks",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    # What tells one sender from another for a day: a digest, no address.
    Column("sender", Text, nullable=False),
    Index("ix_status_asks_sender_at", "sender", "at"),
    Index("ix_status_asks_at", "at"),
    sqlite_autoincrement=True,
)


class StatusProjector:
    """Keeps the table `status_updates`."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the one table."""
        return (updates,)

    def project(self, connection: Connection, event: Event) -> None:
        """Bring an update's row up to date with `event`."""
        if event.incident is None or not event.kind.startswith("status."):
            return
        number = event.incident
        match ev.typed(event):
            case ev.StatusOffered() as said:
                waits = (updates.c.incident == number) & (updates.c.outcome == Outcome.WAITING.value)
                connection.execute(update(updates).where(waits).values(outcome=Outcome.SUPERSEDED.value))
                connection.execute(insert(updates).values(_row(said, event)))
            case ev.StatusPublished() as said:
                changes: dict[str, object] = {"outcome": Outcome.PUBLISHED.value, "at": event.at}
                changes |= {"text": said.text} if said.text else {}
                changes["by"] = event.actor.label
                _change(connection, number, said.number, changes)
            case ev.StatusDiscarded() as said:
                done = {"outcome": Outcome.DISCARDED.value, "by": event.actor.label}
                _change(connection, number, said.number, done)
            case _:
                pass


def _row(said: ev.StatusOffered, event: Event) -> dict[str, object]:
    return {
        "incident": event.incident,
        "number": said.number,
        "stage": said.stage,
        "title": said.title,
        "text": said.text,
        "severity": said.severity,
        "components": dict(said.components),
        "digest": said.digest,
        "started_at": said.started_at,
        "at": event.at,
        "outcome": Outcome.WAITING.value,
        "by": "",
    }


def _change(connection: Connection, incident: int, number: int, changes: Mapping[str, object]) -> None:
    is_it = (updates.c.incident == incident) & (updates.c.number == number)
    connection.execute(update(updates).where(is_it).values(changes))


def published(connection: Connection, *, limit: int = 5000) -> list[Update]:
    """Return what was published, the newest first."""
    query = select(updates).where(updates.c.outcome == Outcome.PUBLISHED.value)
    rows = connection.execute(query.order_by(updates.c.at.desc(), updates.c.number.desc()).limit(limit))
    return [_update(row) for row in rows]


def waiting(connection: Connection) -> list[Update]:
    """Return what waits for a yes, what waits longest first: at most one of an incident."""
    query = select(updates).where(updates.c.outcome == Outcome.WAITING.value)
    return [_update(row) for row in connection.execute(query.order_by(updates.c.at, updates.c.incident))]


def read_update(connection: Connection, incident: int, number: int) -> Update | None:
    """Return one update, None when there is none."""
    query = select(updates).where((updates.c.incident == incident) & (updates.c.number == number))
    row = connection.execute(query).first()
    return _update(row) if row else None


def last_number(connection: Connection, incident: int) -> int:
    """Return the number of the last update that was made ready for an incident, 0 before the first."""
    query = select(func.max(updates.c.number)).where(updates.c.incident == incident)
    return int(connection.execute(query).scalar() or 0)


def _update(row: Row[tuple[object, ...]]) -> Update:
    return Update(
        incident=row.incident,
        number=row.number,
        stage=Stage(row.stage),
        title=row.title,
        text=row.text,
        severity=row.severity,
        components={key: ComponentState(state) for key, state in row.components.items()},
        started_at=row.started_at,
        at=row.at,
        digest=row.digest,
        outcome=Outcome(row.outcome),
        by=row.by,
    )


@dataclass(frozen=True, kw_only=True)
class Subscriber:
    """Who is told of every update once confirmed. `kind` is email or webhook; the address is for sending alone."""

    id: str
    kind: str
    address: str
    created_at: datetime
    asked_at: datetime
    confirmed_at: datetime | None

    def __repr__(self) -> str:
        """Show no address: this may stand in a log."""
        return f"Subscriber(id={self.id!r}, kind={self.kind!r})"


def add_subscriber(connection: Connection, one: Subscriber, *, digest: str) -> None:
    """Store a subscriber."""
    values = {
        "id": one.id,
        "kind": one.kind,
        "address": one.address,
        "digest": digest,
        "created_at": one.created_at,
        "asked_at": one.asked_at,
        "confirmed_at": one.confirmed_at,
    }
    connection.execute(insert(subscribers).values(values))


def subscriber_by(connection: Connection, *, id: str = "", digest: str = "") -> Subscriber | None:
    """Return a subscriber by id, or by the digest of kind and address; None where there is none."""
    query = select(subscribers).where(subscribers.c.id == id if id else subscribers.c.digest == digest)
    row = connection.execute(query).first()
    return _subscriber(row) if row else None


def find_subscribers(
    connection: Connection, *, confirmed_only: bool = False, after: str = "", limit: int = 1000
) -> list[Subscriber]:
    """Return subscribers by id, from after `after`."""
    query = select(subscribers).where(subscribers.c.id > after).order_by(subscribers.c.id).limit(limit)
    if confirmed_only:
        query = query.where(subscribers.c.confirmed_at.is_not(None))
    return [_subscriber(row) for row in connection.execute(query)]


def count_subscribers(connection: Connection) -> dict[str, int]:
    """Return how many are confirmed, by kind."""
    query = select(subscribers.c.kind, func.count()).where(subscribers.c.confirmed_at.is_not(None))
    return {row[0]: int(row[1]) for row in connection.execute(query.group_by(subscribers.c.kind))}


def touch_subscriber(
    connection: Connection, id: str, *, asked_at: datetime | None = None, confirmed_at: datetime | None = None
) -> None:
    """Remember when a subscriber was asked to confirm, or that they did."""
    changes = {"asked_at": asked_at, "confirmed_at": confirmed_at}
    known = {name: value for name, value in changes.items() if value is not None}
    connection.execute(update(subscribers).where(subscribers.c.id == id).values(known))


def drop_subscriber(connection: Connection, id: str) -> bool:
    """Delete a subscriber; False when there is none."""
    return connection.execute(delete(subscribers).where(subscribers.c.id == id)).rowcount == 1


def drop_unconfirmed(connection: Connection, *, before: datetime) -> list[str]:
    """Delete those who were asked before an instant and never confirmed; return their ids."""
    late = subscribers.c.confirmed_at.is_(None) & (subscribers.c.asked_at < before)
    return [row.id for row in connection.execute(delete(subscribers).where(late).returning(subscribers.c.id))]


def note_ask(connection: Connection, *, sender: str, now: datetime) -> None:
    """Remember that somebody asked to subscribe."""
    connection.execute(insert(asks).values(at=now, sender=sender))


def count_asks(connection: Connection, *, since: datetime, sender: str | None = None) -> int:
    """Return how many asked since an instant, from one sender or all."""
    query = select(func.count()).select_from(asks).where(asks.c.at > since)
    if sender is not None:
        query = query.where(asks.c.sender == sender)
    return int(connection.execute(query).scalar_one())


def forget_asks(connection: Connection, *, before: datetime) -> None:
    """Delete who asked before an instant."""
    connection.execute(delete(asks).where(asks.c.at < before))


def _subscriber(row: Row[tuple[object, ...]]) -> Subscriber:
    return Subscriber(
        id=row.id,
        kind=row.kind,
        address=row.address,
        created_at=row.created_at,
        asked_at=row.asked_at,
        confirmed_at=row.confirmed_at,
    )
