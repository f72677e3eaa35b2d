"""Tries each outside source of evidence once, for `stanch doctor`: does it answer, does it let us ask.

Systems are asked the first of their queries, sources of changes for the last hour, sources of logs for one line of a
service, Sentry and the like what an investigation asks, a language model nothing. Nothing is recorded.
"""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final

from stanch.catalog.systems import SYSTEM_KINDS
from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.redaction import redact
from stanch.operations.asking import Window, ask_query, trouble
from stanch.operations.world import World
from stanch.ports.changes import ChangeSource
from stanch.ports.evidence import Collector, FindingStatus, Question, status_of
from stanch.ports.logsource import LogSource
from stanch.ports.query import QuerySource
from stanch.ports.tracker import Tracker

_BACK: Final = timedelta(hours=1)
_NEWEST: Final = timedelta(minutes=6)
_LOG_S: Final = 5.0
_LOG_BYTES: Final = 64 * 1024
_AT_A_TIME: Final = 8
_WORST: Final = (FindingStatus.FAILED, FindingStatus.REFUSED, FindingStatus.NO_DATA, FindingStatus.OK)


@dataclass(frozen=True, kw_only=True)
class Tried:
    """How one source did: `ok`, `no_data`, `refused` or `failed` with the reason. `queries` are those it can be put."""

    name: str
    kind: str
    where: str
    services: tuple[str, ...]
    status: FindingStatus
    detail: str
    queries: int = 0
    took_s: float = 0.0


def try_all(world: World, *, now: datetime) -> tuple[Tried, ...]:
    """Try every source side by side: systems, logs, changes, collectors, trackers, and the model last."""
    own = [one for one in world.collectors if one.name.partition(":")[0] in SYSTEM_KINDS]
    looks: list[Callable[[], Tried]] = [
        *(partial(_system, world, one, now=now) for one in world.systems),
        *(partial(_log, world, one, now=now) for one in world.log_sources),
        *(partial(_changes, one, now=now) for one in world.change_sources),
        *(partial(_collector, world, one, now=now) for one in own),
        *(partial(_tracker, one) for one in world.trackers),
        *([partial(_model, world)] if world.catalog.thinker.provider else []),
    ]
    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="try") as pool:
        return _once(tuple(pool.map(_timed, looks)))


def _once(found: tuple[Tried, ...]) -> tuple[Tried, ...]:
    """Leave out what failed for want of a connection that is told to be broken itself: one trouble is one line."""
    bad = (FindingStatus.FAILED, FindingStatus.REFUSED)
    broken = {one.name for one in found if one.kind == "connection" and one.status in bad}
    # A source of changes and a collector are named `kind:name`, or by the kind where both are the same.
    return tuple(
        one
        for one in found
        if one.kind not in ("changes", "evidence") or one.status not in bad or one.name.rpartition(":")[2] not in broken
    )


def _timed(look: Callable[[], Tried]) -> Tried:
    began = time.monotonic()
    tried = look()
    took_s = round(time.monotonic() - began, 3)
    return Tried(**{**vars(tried), "where": redact(tried.where), "detail": redact(tried.detail), "took_s": took_s})


def _system(world: World, source: QuerySource, *, now: datetime) -> Tried:
    queries = world.packs.of_system(source.system)
    window = Window(start=now - _BACK, end=now, onset=now - _NEWEST)
    status, detail = FindingStatus.OK, "answers"
    try:
        with source.open() as session:
            found = ask_query(session, source, queries[0], window=window, catalog=world.catalog) if queries else None
        # What a metrics server has no data for was still answered.
        if found is not None and found.status not in (FindingStatus.OK, FindingStatus.NO_DATA):
            status, detail = found.status, found.summary
    except (Refused, Unavailable, Invalid) as error:
        told = trouble(source, error, catalog=world.catalog)
        status, detail = (FindingStatus.FAILED if told.status is FindingStatus.OK else told.status), told.summary
    return Tried(
        name=source.name,
        kind=source.system,
        where=source.where,
        services=source.services,
        status=status,
        detail=detail,
        queries=len(queries),
    )


def _log(world: World, source: LogSource, *, now: datetime) -> Tried:
    service = next(iter(source.services or tuple(world.catalog.services)), "")
    status, detail = FindingStatus.OK, f"answers; its newest hour has lines of {service}"
    try:
        lines = source.lines(service, start=now - _BACK, end=now, timeout_s=_LOG_S, most_bytes=_LOG_BYTES)
        if not _count(lines):
            status, detail = FindingStatus.NO_DATA, f"answers; no line of {service} in the last hour"
    except (Refused, Unavailable, Invalid) as error:
        status, detail = status_of(error), error.message
    return Tried(
        name=source.name, kind="logs", where=source.where, services=source.services, status=status, detail=detail
    )


def _changes(source: ChangeSource, *, now: datetime) -> Tried:
    status, detail = FindingStatus.OK, ""
    try:
        count = len(source.changes(services=(), start=now - _BACK, end=now))
        detail = f"answers; {count} change{'' if count == 1 else 's'} in the last hour"
    except (Refused, Unavailable, Invalid) as error:
        status, detail = status_of(error), error.message
    where = str(getattr(source, "command", "")) or source.name
    return Tried(name=source.name, kind="changes", where=where, services=(), status=status, detail=detail)


def _collector(world: World, collector: Collector, *, now: datetime) -> Tried:
    services = tuple(world.catalog.services)[:1]
    question = Question(incident=0, services=services, start=now - _BACK, end=now, onset=now - _NEWEST)
    found = collector.collect(question)
    worst = min(found, key=lambda one: _WORST.index(one.status), default=None)
    return Tried(
        name=collector.name,
        kind="evidence",
        where=worst.source if worst is not None else collector.name,
        services=services,
        status=worst.status if worst is not None else FindingStatus.NO_DATA,
        detail=worst.summary
        if worst is not None
        else f"has nothing to say about {', '.join(services) or 'no service'}",
    )


def _tracker(tracker: Tracker) -> Tried:
    status, where = FindingStatus.OK, tracker.where
    try:
        found = tracker.connection()
        parts = [f"connected by {found.how}", f"may {', '.join(found.scopes)}" if found.scopes else ""]
        parts.append(f"granted by {found.user}" if found.user else "")
        parts.append(f"renewed before {found.expires_at:%Y-%m-%d %H:%M} UTC" if found.expires_at else "")
        if found.missing:
            status = FindingStatus.REFUSED
            parts.append(f"these rights are missing: {', '.join(found.missing)}")
        detail = "; ".join(part for part in parts if part)
    except (Refused, Unavailable, Invalid) as error:
        # What is not there is no connection, and never the silence of one.
        status = FindingStatus.FAILED if isinstance(error, NotFound) else status_of(error)
        detail = f"{error.message} ({error.hint})" if error.hint else error.message
    return Tried(name=tracker.name, kind="connection", where=where, services=(), status=status, detail=detail)


def _model(world: World) -> Tried:
    """Look whether the configured model can be reached with its key; it is asked nothing."""
    spec, thinker = world.catalog.thinker, world.thinker
    status, detail = FindingStatus.OK, f"answers, and has {spec.model}"
    if thinker is None:
        status, detail = FindingStatus.NO_DATA, "off: `uses` names nothing that it may be asked for"
    elif spec.key_env and not thinker.has_key:
        status, detail = FindingStatus.REFUSED, f"the variable {spec.key_env}, which is to hold its key, is not set"
    else:
        try:
            known = thinker.knows_model()
        except (Refused, Unavailable, Invalid) as error:
            status = status_of(error)
            detail = f"{error.message} ({error.hint})" if error.hint else error.message
        else:
            if not known:
                status = FindingStatus.NO_DATA
                detail = (
                    f"answers, and does not list {spec.model}"
                    if known is False
                    else f"answers, and does not say whether it has {spec.model}"
                )
    where = thinker.place if thinker else spec.url or spec.provider
    return Tried(name="thinker", kind=f"model {spec.model}", where=where, services=(), status=status, detail=detail)


def _count(lines: Iterable[bytes]) -> int:
    return sum(1 for _ in islice(lines, 1))
