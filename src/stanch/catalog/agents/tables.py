"""Agents, what each spent by the minute, and the answers kept under their keys. Of a token its hash is stored alone."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    Row,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)

from stanch.catalog.agents.model import Agent, OwnLimits, Spent
from stanch.catalog.agents.rules import HOUR
from stanch.store.schema import metadata
from stanch.store.types import Instant
from stanch.store.upsert import upsert

agents: Final = Table(
    "agents",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("name", Text, nullable=False, index=True),
    Column("about", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("made_via", Text, nullable=False),
    Column("ended_by", Text, nullable=False),
    Column("ended_at", Instant),
    Column("ended_via", Text, nullable=False),
    # Its own limits; without one, what holds for all agents does.
    Column("calls", Integer),
    Column("writes", Integer),
    Column("executions", Integer),
    Column("seconds", Integer),
)
spending: Final = Table(
    "agent_spending",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("minute", Instant, primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("writes", Integer, nullable=False),
    Column("executions", Integer, nullable=False),
    Column("micros", BigInteger, nullable=False),
)
kept: Final = Table(
    "agent_kept",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("same", Text, nullable=False),
    # Empty while the call is under way, and for good where the process died in it.
    Column("answer", Text, nullable=False),
)
REMEMBERED: Final = timedelta(hours=24)


def add_agent(connection: Connection, agent: Agent, *, token_hash: str) -> None:
    """Store a new agent."""
    connection.execute(
        insert(agents).values(
            token_hash=token_hash,
            name=agent.name,
            about=agent.about,
            made_by=agent.made_by,
            made_at=agent.made_at,
            made_via=agent.made_via,
            ended_by="",
            ended_at=None,
            ended_via="",
            **asdict(agent.own),
        )
    )


def agent_named_by(connection: Connection, token_hash: str) -> str:
    """Return the name of the agent whose token this is, empty where there is none or it was revoked."""
    query = select(agents.c.name).where(agents.c.token_hash == token_hash, agents.c.ended_at.is_(None))
    found: str | None = connection.execute(query).scalar_one_or_none()
    return found or ""


def own_limits(connection: Connection, name: str) -> OwnLimits:
    """Return the limits of the token that an agent has, none where it has no token."""
    query = select(agents).where(agents.c.name == name, agents.c.ended_at.is_(None))
    row = connection.execute(query).first()
    return _own(row) if row else OwnLimits()


def seen_agents(connection: Connection) -> dict[str, datetime]:
    """Return when each agent was last seen, by name, also those that act by a name alone. A day is remembered."""
    query = select(spending.c.agent, func.max(spending.c.minute).label("at")).group_by(spending.c.agent)
    return {row.agent: row.at for row in connection.execute(query)}


def all_agents(connection: Connection) -> list[Agent]:
    """Return all agents that ever had a token, by name and then newest first."""
    query = select(agents).order_by(agents.c.name, agents.c.made_at.desc())
    last = seen_agents(connection)
    return [_agent(row, last.get(row.name)) for row in connection.execute(query)]


def end_agent(connection: Connection, name: str, *, by: str, via: str, at: datetime) -> int:
    """Revoke what tokens an agent has, and return how many."""
    held = (agents.c.name == name) & agents.c.ended_at.is_(None)
    return connection.execute(update(agents).where(held).values(ended_by=by, ended_via=via, ended_at=at)).rowcount


def spent_by(connection: Connection, agent: str, *, now: datetime) -> Spent:
    """Return what an agent spent in the hour before `now`."""
    one = spending.c
    query = select(
        func.sum(one.calls), func.sum(one.writes), func.sum(one.executions), func.sum(one.micros), func.min(one.minute)
    ).where(one.agent == agent, one.minute > now - HOUR)
    calls, writes, executions, micros, since = connection.execute(query).one()
    if since is None:
        return Spent()
    return Spent(
        calls=int(calls), writes=int(writes), executions=int(executions), seconds=int(micros) / 1e6, since=since
    )


def spend(
    connection: Connection,
    agent: str,
    *,
    now: datetime,
    calls: int = 0,
    writes: int = 0,
    executions: int = 0,
    micros: int = 0,
) -> None:
    """Add to what an agent spent in this minute, and forget what no budget asks for any more."""
    minute = now.replace(second=0, microsecond=0)
    none = {"agent": agent, "minute": minute, "calls": 0, "writes": 0, "executions": 0, "micros": 0}
    connection.execute(upsert(connection, spending, key=("agent", "minute"), changed=()), none)
    one = spending.c
    connection.execute(
        update(spending)
        .where(one.agent == agent, one.minute == minute)
        .values(
            calls=one.calls + calls,
            writes=one.writes + writes,
            executions=one.executions + executions,
            micros=one.micros + micros,
        )
    )
    connection.execute(delete(spending).where(one.agent == agent, one.minute < now - REMEMBERED))


def kept_under(connection: Connection, agent: str, key: str, *, now: datetime) -> tuple[str, str] | None:
    """Return the call a key stands for and its answer, None where it stands for none. The answer may be empty."""
    query = select(kept.c.same, kept.c.answer).where(
        kept.c.agent == agent, kept.c.key == key, kept.c.at > now - REMEMBERED
    )
    row = connection.execute(query).first()
    return (row.same, row.answer) if row else None


def begin_key(connection: Connection, agent: str, key: str, *, same: str, now: datetime) -> None:
    """Remember that a call under a key has begun, and forget the keys of yesterday."""
    connection.execute(delete(kept).where(kept.c.agent == agent, kept.c.at <= now - REMEMBERED))
    connection.execute(insert(kept).values(agent=agent, key=key, at=now, same=same, answer=""))


def end_key(connection: Connection, agent: str, key: str, *, answer: str) -> None:
    """Keep the answer of a call under its key; without one the key is free again."""
    held = (kept.c.agent == agent) & (kept.c.key == key)
    if answer:
        connection.execute(update(kept).where(held).values(answer=answer))
    else:
        connection.execute(delete(kept).where(held))


def _agent(row: Row[tuple[object, ...]], seen_at: datetime | None) -> Agent:
    return Agent(
        name=row.name,
        about=row.about,
        made_by=row.made_by,
        made_at=row.made_at,
        made_via=row.made_via,
        ended_by=row.ended_by,
        ended_at=row.ended_at,
        seen_at=seen_at,
        own=_own(row),
    )


def _own(row: Row[tuple[object, ...]]) -> OwnLimits:
    return OwnLimits(calls=row.calls, writes=row.writes, executions=row.executions, seconds=row.seconds)
