"""Stored changes: what changed when, kept so that it is known at the moment of detection and not looked up then.

Sources are read again and again and overlap; a change is recorded once by its id, and a later reading may add what an
earlier one did not know (touched paths, the commit) but takes nothing away.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, or_, select, update

from stanch.catalog.tables import changes
from stanch.kernel.codec import from_data, to_data
from stanch.ports.changes import Change

_BATCH: Final = 500
"""Ids looked up in one statement; SQLite takes 32,766 variables, so this is far from any limit."""
_LONGEST_DIFF: Final = 65_536


def record_changes(connection: Connection, found: Sequence[Change], *, now: datetime) -> int:
    """Store changes by id and return how many were new; one that is known is completed, never overwritten."""
    unique = {change.id: change for change in found}
    new = 0
    ids = list(unique)
    for start in range(0, len(ids), _BATCH):
        batch = ids[start : start + _BATCH]
        known = {
            row.id: from_data(row.record, Change)
            for row in connection.execute(select(changes.c.id, changes.c.record).where(changes.c.id.in_(batch)))
        }
        for id in batch:
            change = _bounded(unique[id])
            if id not in known:
                connection.execute(insert(changes).values(_row(change, now)))
                new += 1
            elif (completed := _completed(known[id], change)) != known[id]:
                values = {"record": to_data(completed), "service": completed.service}
                connection.execute(update(changes).where(changes.c.id == id).values(values))
    return new


def changes_between(
    connection: Connection, *, start: datetime, end: datetime, services: Sequence[str] = (), limit: int = 1000
) -> list[Change]:
    """Return the changes in the half-open window [start, end), oldest first, at most the newest `limit`.

    With `services`, those of these services and those that name none.
    """
    query = select(changes.c.record).where(changes.c.at >= start, changes.c.at < end)
    if services:
        query = query.where(or_(changes.c.service.in_([*services]), changes.c.service == ""))
    rows = connection.execute(query.order_by(changes.c.at.desc(), changes.c.id.desc()).limit(limit))
    return [from_data(row.record, Change) for row in rows][::-1]


def _row(change: Change, now: datetime) -> dict[str, object]:
    return {
        "id": change.id,
        "at": change.at,
        "kind": change.kind.value,
        "service": change.service,
        "record": to_data(change),
        "recorded_at": now,
    }


def _bounded(change: Change) -> Change:
    return replace(change, diff=change.diff[:_LONGEST_DIFF]) if len(change.diff) > _LONGEST_DIFF else change


def _completed(known: Change, read: Change) -> Change:
    """Fill what is empty in `known` from `read`."""
    return replace(
        known,
        service=known.service or read.service,
        title=known.title or read.title,
        version=known.version or read.version,
        previous=known.previous or read.previous,
        commit=known.commit or read.commit,
        author=known.author or read.author,
        paths=known.paths or read.paths,
        url=known.url or read.url,
        diff=known.diff or read.diff,
        data={**read.data, **known.data},
    )
