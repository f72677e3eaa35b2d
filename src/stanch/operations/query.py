"""Operations on query packs and systems: which queries there are, what one of them answers now, what can be reached."""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact, redact_tree
from stanch.operations.asking import Window, ask_query, finding_of, trouble
from stanch.operations.registry import Effect, operation
from stanch.operations.trying import Tried, try_all
from stanch.operations.world import Call, World
from stanch.packs.model import Query
from stanch.packs.reading import fill
from stanch.ports.evidence import FindingStatus
from stanch.ports.query import QuerySource

_MOST_MINUTES: Final = 7 * 24 * 60


@dataclass(frozen=True, kw_only=True)
class AllQueries:
    """Queries of one pack, or those that fit one configured system; by default all."""

    pack: str = ""
    on: str = ""


@dataclass(frozen=True, kw_only=True)
class QueryCard:
    """A query of a pack. `systems` are the configured ones that it can be put to; `source` is the file it is from."""

    name: str
    pack: str
    language: str
    title: str
    text: str
    meaning: str
    unit: str
    threshold: float | None
    below: bool
    signal: str
    systems: tuple[str, ...]
    source: str


@dataclass(frozen=True, kw_only=True)
class RunQuery:
    """Which query, and on what: a configured system, or a service that uses one. The window ends now."""

    name: str
    on: str
    minutes: float = 60.0


@dataclass(frozen=True, kw_only=True)
class QueryAnswer:
    """What a query answered: status, a sentence, its rows or series. `command` repeats it; `raised` says that the
    answer is past its threshold; `took_s` is in seconds."""

    name: str
    system: str
    status: FindingStatus
    summary: str
    raised: bool
    command: str
    where: str
    meaning: str
    took_s: float
    data: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AllSystems:
    """No arguments."""


@operation("query.list", effect=Effect.READ, example={"pack": "postgresql"})
def list_queries(call: Call, request: AllQueries) -> tuple[QueryCard, ...]:
    """List the read-only queries of the packs, with what each asks and what its answer means."""
    world = call.world
    sources = _sources(world, request.on) if request.on else world.systems
    fitting = {source.name: {_name(one) for one in world.packs.of_system(source.system)} for source in sources}
    return tuple(
        _card(query, tuple(name for name, queries in fitting.items() if _name(query) in queries))
        for query in world.packs.queries.values()
        if request.pack in ("", query.pack) and (not request.on or any(_name(query) in one for one in fitting.values()))
    )


@operation("query.run", effect=Effect.READ, example={"name": "postgresql.connections", "on": "orders-db"})
def run_query(call: Call, request: RunQuery) -> QueryAnswer:
    """Put one query of a pack to a system and say what it answers; changes nothing there or here."""
    world = call.world
    if not 0 < request.minutes <= _MOST_MINUTES:
        raise Invalid(f"must be above 0 and at most {_MOST_MINUTES}", field="minutes")
    source, query = _meant(world, request)
    window = Window(
        start=call.now - timedelta(minutes=request.minutes),
        end=call.now,
        # The newest tenth against what came before.
        onset=call.now - timedelta(minutes=request.minutes / 10),
    )
    began = time.monotonic()
    try:
        with source.open() as session:
            finding = ask_query(session, source, query, window=window, catalog=world.catalog)
    except (Refused, Unavailable, Invalid) as error:
        told = trouble(source, error, catalog=world.catalog, title=query.title)
        command = fill(query.text, source.settings)
        finding = finding_of(source, told, window=window, command=command, took_s=time.monotonic() - began)
    data = redact_tree(finding.data)
    return QueryAnswer(
        name=_name(query),
        system=source.name,
        status=finding.status,
        summary=redact(finding.summary),
        raised=any(signal.data.get("raised") is True for signal in finding.signals),
        command=redact(finding.command),
        where=redact(source.where),
        meaning=query.meaning,
        took_s=round(finding.took_s, 3),
        data=data if isinstance(data, dict) else {},
    )


@operation("system.list", effect=Effect.READ, example={})
def list_systems(call: Call, request: AllSystems) -> tuple[Tried, ...]:
    """List what evidence is read from and try each: systems, logs, sources of changes; does it let us ask."""
    return try_all(call.world, now=call.now)


def _meant(world: World, request: RunQuery) -> tuple[QuerySource, Query]:
    """Return the system and the query that a request names. Raises `NotFound` and `Invalid` with what there is."""
    named = [query for query in world.packs.queries.values() if request.name in (_name(query), query.name, query.title)]
    if not named:
        raise NotFound(f"there is no query {request.name!r}", hint="list them: stanch query list")
    sources = _sources(world, request.on)
    fitting = [
        (source, query)
        for source in sources
        for query in named
        if _name(query) in {_name(one) for one in world.packs.of_system(source.system)}
    ]
    if not fitting:
        kinds = ", ".join(f"{source.name} ({source.system})" for source in sources)
        raise Invalid(f"{request.name} cannot be put to {kinds}", field="on", hint="list what fits: stanch query list")
    if len(fitting) > 1:
        several = ", ".join(f"{_name(query)} on {source.name}" for source, query in fitting)
        raise Invalid(f"several are meant: {several}", field="name", hint="say pack.query, and a system")
    return fitting[0]


def _sources(world: World, on: str) -> tuple[QuerySource, ...]:
    """Return the system of that name, else those that the service of that name uses."""
    found = tuple(source for source in world.systems if source.name == on)
    found = found or tuple(source for source in world.systems if on in source.services)
    if not found:
        there = ", ".join(source.name for source in world.systems) or "none is configured"
        raise NotFound(f"there is no system {on!r}, and no service of that name uses one", hint=f"systems: {there}")
    return found


def _name(query: Query) -> str:
    return f"{query.pack}.{query.name}"


def _card(query: Query, systems: tuple[str, ...]) -> QueryCard:
    return QueryCard(
        name=_name(query),
        pack=query.pack,
        language=query.language,
        title=query.title,
        text=query.text,
        meaning=query.meaning,
        unit=query.unit,
        threshold=query.threshold,
        below=query.below,
        signal=query.signal,
        systems=systems,
        source=query.source,
    )
