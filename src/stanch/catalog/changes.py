"""Stored changes: what changed when, kept so that it is known at the moment of detection and not looked up then.

Sources are read again and again and overlap; a change is recorded once by its id, and a later reading may add what an
earlier one did not know (touched paths, the commit) but takes nothing away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from stanch.catalog.tables import add_change, find_changes, find_latest, known_changes, rewrite_change
from stanch.kernel.redaction import redact, redact_tree
from stanch.ports.changes import Change
from stanch.store import Connection

_LONGEST_DIFF: Final = 65_536


def record_changes(connection: Connection, found: Sequence[Change], *, now: datetime) -> int:
    """Store changes by id and return how many were new; one that is known is completed, never overwritten."""
    unique = {change.id: change for change in found}
    known = known_changes(connection, list(unique))
    for id, change in unique.items():
        if id not in known:
            add_change(connection, without_secrets(change), now=now)
        elif _completed(known[id], change) != known[id]:
            rewrite_change(connection, _completed(known[id], without_secrets(change)))
    return len(unique) - len(known)


def changes_between(
    connection: Connection, *, start: datetime, end: datetime, services: Sequence[str] = (), limit: int = 1000
) -> list[Change]:
    """Return the changes in the half-open window [start, end), oldest first, at most the newest `limit`.

    With `services`, those of these services and those that name none.
    """
    return find_changes(connection, start=start, end=end, services=services, limit=limit)


def latest_changes(connection: Connection, services: Iterable[str]) -> dict[str, Change]:
    """Return the newest change of each of `services` that has one, by service."""
    found = {service: find_latest(connection, service=service) for service in services}
    return {service: change for service, change in found.items() if change is not None}


def without_secrets(change: Change) -> Change:
    """Return a change as it may be kept: titles and diffs, of people and of pipelines, hold tokens at times."""
    data = redact_tree(dict(change.data))
    return replace(
        change,
        title=redact(change.title),
        version=redact(change.version),
        previous=redact(change.previous),
        author=redact(change.author),
        url=redact(change.url),
        diff=redact(change.diff[:_LONGEST_DIFF]),
        data=data if isinstance(data, dict) else {},
    )


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
