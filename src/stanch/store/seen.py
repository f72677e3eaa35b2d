"""When the clock of a machine was read last, so that one that was set back is noticed after a restart too.

What waits was set by the clock as it was: by one that goes an hour after, it would wait an hour longer.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.store.schema import counters, timers
from stanch.store.types import from_micros, to_micros

_NAME: Final = "clock/"


def seen(connection: Connection, machine: str) -> datetime | None:
    """Return what the clock of `machine` said when it was noted last, None when it never was."""
    query = select(counters.c.value).where(counters.c.name == f"{_NAME}{machine}")
    found = connection.execute(query).scalar_one_or_none()
    return None if found is None else from_micros(found)


def note(connection: Connection, machine: str, now: datetime) -> None:
    """Note that the clock of `machine` says `now`."""
    insert = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    value = to_micros(now)
    statement = insert(counters).values(name=f"{_NAME}{machine}", value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def bring_forward(connection: Connection, *, since: datetime, by: timedelta, but: str) -> int:
    """Let timers that are due from `since` on be due `by` sooner, those of the kind `but` left out; return how many."""
    rows = connection.execute(
        select(timers.c.id, timers.c.due_at).where(timers.c.due_at >= since, timers.c.kind != but)
    ).all()
    for row in rows:
        connection.execute(update(timers).where(timers.c.id == row.id).values(due_at=row.due_at - by))
    return len(rows)
