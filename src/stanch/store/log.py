"""The event log: append with optimistic concurrency, read in order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Row, delete, func, insert, literal_column, select
from sqlalchemy.exc import IntegrityError

from stanch.kernel.actor import Actor, ActorKind, Via
from stanch.kernel.errors import Conflict
from stanch.kernel.event import Event, NewEvent
from stanch.store.connection import lock_event_order
from stanch.store.schema import events


def append(
    connection: Connection,
    stream: str,
    new: Sequence[NewEvent],
    *,
    actor: Actor,
    via: Via,
    now: datetime,
    incident: int | None,
    cause: int | None,
    expected: int | None,
) -> list[Event]:
    """Append `new` to `stream` and return the events as recorded.

    `expected` is the version the caller decided on; `Conflict` is raised when the stream has moved on since.
    """
    lock_event_order(connection)
    version = stream_version(connection, stream)
    if expected is not None and version != expected:
        raise Conflict(
            f"{stream} has changed since it was read (version {version}, not {expected})",
            reason="stale_version",
            hint="read it again and repeat",
        )
    recorded = []
    for number, event in enumerate(new, start=version + 1):
        row = {
            "stream": stream,
            "version": number,
            "kind": event.kind,
            "at": event.at or now,
            "recorded_at": now,
            "actor_kind": actor.kind.value,
            "actor_id": actor.id,
            "actor_name": actor.name,
            "via": via.value,
            "cause": cause,
            "incident": incident,
            "data": event.data,
        }
        try:
            seq = connection.execute(insert(events).values(row).returning(events.c.seq)).scalar_one()
        except IntegrityError as error:
            raise Conflict(f"{stream} has changed since it was read", reason="stale_version") from error
        recorded.append(
            Event(
                seq=seq,
                stream=stream,
                version=number,
                kind=event.kind,
                at=event.at or now,
                recorded_at=now,
                actor=actor,
                via=via,
                cause=cause,
                incident=incident,
                data=event.data,
            )
        )
    return recorded


def append_together(connection: Connection, ready: Sequence[Event]) -> list[Event]:
    """Append events of several streams, whose versions the caller has decided on under its locks, in one statement.

    Return them as recorded, with their `seq`. Raises `Conflict` when one of the versions is taken.
    """
    if not ready:
        return []
    lock_event_order(connection)
    rows = [
        {
            "stream": event.stream,
            "version": event.version,
            "kind": event.kind,
            "at": event.at,
            "recorded_at": event.recorded_at,
            "actor_kind": event.actor.kind.value,
            "actor_id": event.actor.id,
            "actor_name": event.actor.name,
            "via": event.via.value,
            "cause": event.cause,
            "incident": event.incident,
            "data": event.data,
        }
        for event in ready
    ]
    try:
        numbered = connection.execute(insert(events).returning(events.c.seq, sort_by_parameter_order=True), rows)
        return [replace(event, seq=seq) for event, seq in zip(ready, numbered.scalars(), strict=True)]
    except IntegrityError as error:
        raise Conflict("a stream has changed since it was read", reason="stale_version") from error


def stream_version(connection: Connection, stream: str) -> int:
    """Return the version of the newest event of `stream`, 0 when it has none."""
    query = select(func.coalesce(func.max(events.c.version), 0)).where(events.c.stream == stream)
    return int(connection.execute(query).scalar_one())


def read(
    connection: Connection,
    *,
    stream: str | None = None,
    incident: int | None = None,
    after: int = 0,
    kinds: Sequence[str] = (),
    limit: int | None = None,
) -> list[Event]:
    """Return events with `seq` above `after` in the order of the log, narrowed by stream, incident and kinds."""
    query = select(events).where(events.c.seq > after).order_by(events.c.seq)
    if stream is not None:
        query = query.where(events.c.stream == stream)
    if incident is not None:
        query = query.where(events.c.incident == incident)
    if kinds:
        query = query.where(events.c.kind.in_(kinds))
    if limit is not None:
        query = query.limit(limit)
    return [_event(row) for row in connection.execute(query)]


def read_of_agent(connection: Connection, actor_id: str, *, limit: int) -> list[Event]:
    """Return what an agent did in incidents, the newest first."""
    kept = (events.c.actor_kind == literal_column("'agent'")) & events.c.incident.is_not(None)
    query = select(events).where(kept, events.c.actor_id == actor_id).order_by(events.c.seq.desc()).limit(limit)
    return [_event(row) for row in connection.execute(query)]


def forget(connection: Connection, streams: Collection[str]) -> None:
    """Delete the events of streams that belong to no incident; what happened in an incident is never forgotten."""
    if streams:
        statement = delete(events).where(events.c.stream.in_(sorted(streams)), events.c.incident.is_(None))
        connection.execute(statement)


def last_seq(connection: Connection) -> int:
    """Return the newest `seq`, 0 for an empty log."""
    return int(connection.execute(select(func.coalesce(func.max(events.c.seq), 0))).scalar_one())


def _event(row: Row[tuple[object, ...]]) -> Event:
    columns: Mapping[str, object] = row._mapping  # type: ignore[assignment]
    return Event(
        seq=int(str(columns["seq"])),
        stream=str(columns["stream"]),
        version=int(str(columns["version"])),
        kind=str(columns["kind"]),
        at=row.at,
        recorded_at=row.recorded_at,
        actor=Actor(kind=ActorKind(row.actor_kind), id=row.actor_id, name=row.actor_name),
        via=Via(row.via),
        cause=row.cause,
        incident=row.incident,
        data=row.data,
    )
