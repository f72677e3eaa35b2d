"""Tables of the durable core: the event log, timers, deliveries and their attempts, settings.

Concepts declare their own tables on the same `metadata` in their `tables.py`.
"""

from typing import Final

from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, UniqueConstraint, text

from stanch.store.types import Document, Instant, Serial

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

events: Final = Table(
    "events",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("stream", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("actor_name", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("cause", Serial),
    Column("incident", Integer),
    Column("data", Document, nullable=False),
    UniqueConstraint("stream", "version"),
    Index("ix_events_incident_seq", "incident", "seq"),
    # What an agent did, for those who answer for it. Agents write little of the log, so no other entry pays for this.
    Index(
        "ix_events_agents",
        "actor_id",
        "seq",
        sqlite_where=text("actor_kind = 'agent'"),
        postgresql_where=text("actor_kind = 'agent'"),
    ),
    # A number is never given twice, even after the newest row is gone: permalinks must not move.
    sqlite_autoincrement=True,
)

timers: Final = Table(
    "timers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("incident", Integer),
    Column("schema", Integer, nullable=False),
    Column("data", Document, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("lease_owner", Text),
    Column("lease_token", Text),
    Column("lease_until", Instant),
    Index("ix_timers_due_at", "due_at"),
    # A kind with many timers must not slow down the search for the next one of another.
    Index("ix_timers_kind_due_at", "kind", "due_at"),
    Index("ix_timers_incident", "incident"),
)

deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("incident", Integer),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("attempts", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("message", Document, nullable=False),
    Column("lease_owner", Text),
    Column("lease_token", Text),
    Column("lease_until", Instant),
    Index("ix_deliveries_state_due_at", "state", "due_at"),
    Index("ix_deliveries_incident", "incident"),
)

attempts: Final = Table(
    "delivery_attempts",
    metadata,
    Column("delivery", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("node", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

counters: Final = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Serial, nullable=False),
)
