"""Timers: what must happen later, claimed with a lease, consumed in the transaction of its effect."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, and_, delete, func, or_, select, update

from stanch.store.model import Timer
from stanch.store.schema import timers
from stanch.store.upsert import upsert


def schedule(connection: Connection, timer: Timer, *, replace: bool = False) -> None:
    """Store `timer`. A timer with the same id stays as it is, unless `replace`, which also takes it from its lessee."""
    values = _columns(timer)
    changed = tuple(name for name in values if name != "id") if replace else ()
    connection.execute(upsert(connection, timers, key=("id",), changed=changed), values)


def schedule_together(connection: Connection, ready: Sequence[Timer]) -> None:
    """Store timers in one statement, each over one with the same id."""
    # One id once: PostgreSQL refuses to touch a row twice in one statement.
    rows = {timer.id: _columns(timer) for timer in ready}
    if rows:
        changed = tuple(name for name in next(iter(rows.values())) if name != "id")
        connection.execute(upsert(connection, timers, key=("id",), changed=changed), list(rows.values()))


def claim(
    connection: Connection,
    *,
    kinds: Sequence[str],
    now: datetime,
    lease_now: datetime,
    lease: timedelta,
    node: str,
    token: str,
    limit: int,
) -> list[Timer]:
    """Take up to `limit` due timers of `kinds` for `node` until `lease_now + lease`, longest due first."""
    free = or_(timers.c.lease_until.is_(None), timers.c.lease_until <= lease_now)
    due = (
        select(timers.c.id)
        .where(and_(timers.c.due_at <= now, free, timers.c.kind.in_(kinds)))
        .order_by(timers.c.due_at, timers.c.id)
        .limit(limit)
    )
    if connection.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    # The guard stands outside as well: PostgreSQL may evaluate the inner query on a row that has since been taken.
    statement = (
        update(timers)
        .where(and_(timers.c.id.in_(due.scalar_subquery()), free))
        .values(
            lease_owner=node,
            lease_token=token,
            lease_until=lease_now + lease,
            attempts=timers.c.attempts + 1,
        )
        .returning(timers)
    )
    claimed = [_timer(row) for row in connection.execute(statement)]
    return sorted(claimed, key=lambda timer: (timer.due_at, timer.id))


def take_due(connection: Connection, *, kind: str, now: datetime, limit: int) -> list[Timer]:
    """Delete up to `limit` due timers of `kind` and return them, longest due first.

    For duties that look at nothing outside: their effect is in this transaction, so that no claim is needed.
    """
    due = (
        select(timers.c.id)
        .where(and_(timers.c.kind == kind, timers.c.due_at <= now))
        .order_by(timers.c.due_at, timers.c.id)
        .limit(limit)
    )
    if connection.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    taken = connection.execute(delete(timers).where(timers.c.id.in_(due.scalar_subquery())).returning(timers))
    return sorted((_timer(row) for row in taken), key=lambda timer: (timer.due_at, timer.id))


def hold_due(connection: Connection, *, kind: str, now: datetime, limit: int) -> list[Timer]:
    """Return up to `limit` due timers of `kind` that no other transaction holds, longest due first, and hold them.

    For an effect that has to choose among them before it deletes what it takes.
    """
    due = (
        select(timers)
        .where(and_(timers.c.kind == kind, timers.c.due_at <= now))
        .order_by(timers.c.due_at, timers.c.id)
        .limit(limit)
    )
    if connection.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    return [_timer(row) for row in connection.execute(due)]


def remove(connection: Connection, ids: Sequence[str]) -> int:
    """Delete the timers with these ids; return how many there were."""
    return connection.execute(delete(timers).where(timers.c.id.in_(ids))).rowcount


def postpone(connection: Connection, id: str, *, due_at: datetime, error: str) -> None:
    """Put the timer off until `due_at`, with the reason why its effect did not work."""
    connection.execute(
        update(timers)
        .where(timers.c.id == id)
        .values(due_at=due_at, attempts=timers.c.attempts + 1, last_error=error[:2000])
    )


def consume(connection: Connection, timer: Timer) -> bool:
    """Delete `timer` where the claim still holds; False means another node has it or it was cancelled."""
    statement = delete(timers).where(and_(timers.c.id == timer.id, timers.c.lease_token == timer.lease_token))
    return connection.execute(statement).rowcount == 1


def extend(connection: Connection, timer: Timer, *, until: datetime) -> bool:
    """Keep the claim on `timer` until `until`; False when it does not hold any more."""
    statement = (
        update(timers)
        .where(and_(timers.c.id == timer.id, timers.c.lease_token == timer.lease_token))
        .values(lease_until=until)
    )
    return connection.execute(statement).rowcount == 1


def release(connection: Connection, timer: Timer, *, due_at: datetime, error: str) -> bool:
    """Give `timer` back, to be tried again at `due_at`, with the reason why it did not work."""
    statement = (
        update(timers)
        .where(and_(timers.c.id == timer.id, timers.c.lease_token == timer.lease_token))
        .values(due_at=due_at, last_error=error[:2000], lease_owner=None, lease_token=None, lease_until=None)
    )
    return connection.execute(statement).rowcount == 1


def cancel(connection: Connection, *, incident: int | None = None, prefix: str = "", keep: Sequence[str] = ()) -> int:
    """Delete the timers of `incident`, or whose id begins with `prefix`, or both; return how many there were.

    Those of the kinds in `keep` stay.
    """
    conditions = []
    if incident is not None:
        conditions.append(timers.c.incident == incident)
    if prefix:
        conditions.append(timers.c.id.startswith(prefix, autoescape=True))
    if not conditions:
        return 0
    if keep:
        conditions.append(timers.c.kind.not_in(keep))
    return connection.execute(delete(timers).where(and_(*conditions))).rowcount


def find(connection: Connection, *, incident: int | None = None, kind: str = "") -> list[Timer]:
    """Return waiting timers, soonest first, narrowed by incident and kind."""
    query = select(timers).order_by(timers.c.due_at, timers.c.id)
    if incident is not None:
        query = query.where(timers.c.incident == incident)
    if kind:
        query = query.where(timers.c.kind == kind)
    return [_timer(row) for row in connection.execute(query)]


def next_due(connection: Connection, *, kinds: Sequence[str]) -> datetime | None:
    """Return when the next timer of `kinds` is due (UTC), None when there is none."""
    due: datetime | None = connection.execute(
        select(timers.c.due_at).where(timers.c.kind.in_(kinds)).order_by(timers.c.due_at).limit(1)
    ).scalar_one_or_none()
    return due


def count(connection: Connection) -> int:
    """Return how many timers wait."""
    return int(connection.execute(select(func.count()).select_from(timers)).scalar_one())


def _columns(timer: Timer) -> dict[str, object]:
    return {
        "id": timer.id,
        "kind": timer.kind,
        "due_at": timer.due_at,
        "incident": timer.incident,
        "schema": timer.schema,
        "data": timer.data,
        "attempts": timer.attempts,
        "last_error": timer.last_error,
        "lease_owner": None,
        "lease_token": None,
        "lease_until": None,
    }


def _timer(row: Row[tuple[object, ...]]) -> Timer:
    return Timer(
        id=row.id,
        kind=row.kind,
        due_at=row.due_at,
        incident=row.incident,
        schema=row.schema,
        data=row.data,
        attempts=row.attempts,
        last_error=row.last_error,
        lease_token=row.lease_token or "",
    )
