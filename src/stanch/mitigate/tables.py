"""Tables of what runs by itself: each run with when it began and ended, and who paused and resumed it all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Index, Integer, Row, Table, Text, and_, insert, or_, select, update

from stanch.store.schema import metadata
from stanch.store.types import Instant, Serial

runs: Final = Table(
    "automatic_runs",
    metadata,
    Column("incident", Integer, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("began_at", Instant, nullable=False),
    # Until it is known what it did, nothing else runs by itself at the service.
    Column("ended_at", Instant),
    Column("outcome", Text, nullable=False),
    Index("ix_automatic_runs_began_at", "began_at"),
)

switches: Final = Table(
    "automatic_switches",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("paused", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Instant, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class AutomaticRun:
    """One run without a person's yes. `ended_at` is None until it is known what it did."""

    incident: int
    plan: str
    service: str
    action: str
    began_at: datetime
    ended_at: datetime | None = None
    outcome: str = ""


@dataclass(frozen=True, kw_only=True)
class Switch:
    """Somebody paused or resumed everything that runs by itself."""

    paused: bool
    by: str
    via: str
    reason: str
    at: datetime


def put_run(connection: Connection, run: AutomaticRun) -> None:
    """Keep a run that begins."""
    connection.execute(
        insert(runs).values(
            incident=run.incident,
            plan=run.plan,
            service=run.service,
            action=run.action,
            began_at=run.began_at,
            ended_at=run.ended_at,
            outcome=run.outcome,
        )
    )


def end_run(connection: Connection, *, incident: int, plan: str, at: datetime, outcome: str) -> bool:
    """Say what a run did; False when it was no automatic one, or has ended before."""
    own = and_(runs.c.incident == incident, runs.c.plan == plan, runs.c.ended_at.is_(None))
    return connection.execute(update(runs).where(own).values(ended_at=at, outcome=outcome)).rowcount == 1


def runs_since(connection: Connection, since: datetime) -> list[AutomaticRun]:
    """Return the runs that began after `since` or have not ended, the newest first."""
    query = select(runs).where(or_(runs.c.began_at > since, runs.c.ended_at.is_(None)))
    return [_run(row) for row in connection.execute(query.order_by(runs.c.began_at.desc(), runs.c.plan))]


def put_switch(connection: Connection, switch: Switch) -> None:
    """Keep that everything was paused or resumed."""
    connection.execute(
        insert(switches).values(
            paused=int(switch.paused), by=switch.by, via=switch.via, reason=switch.reason, at=switch.at
        )
    )


def last_switch(connection: Connection) -> Switch | None:
    """Return how the switch stands, None where nobody ever touched it."""
    row = connection.execute(select(switches).order_by(switches.c.id.desc()).limit(1)).first()
    if row is None:
        return None
    return Switch(paused=bool(row.paused), by=row.by, via=row.via, reason=row.reason, at=row.at)


def _run(row: Row[tuple[object, ...]]) -> AutomaticRun:
    return AutomaticRun(**row._mapping)
