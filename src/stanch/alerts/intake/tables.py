"""Tables of alerts that others send.

What is rarely written (`intake_alerts`: labels, annotations) stands apart from what every repetition writes
(`intake_hot`: the present episode), so that a repetition touches few pages. Statements are in the packages below.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text

from stanch.store.schema import metadata
from stanch.store.types import Instant, Serial

Key: Final = BigInteger().with_variant(Integer, "sqlite")

intake_alerts: Final = Table(
    "intake_alerts",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("key", BigInteger, nullable=False, unique=True),
    # JSON text and not `jsonb`: it is written as it is and read as it is, byte for byte.
    Column("labels", Text, nullable=False),
    Column("annotations", Text, nullable=False),
    Column("generator_url", Text, nullable=False),
    Column("first_seen", Instant, nullable=False),
    # A number is never given twice: what groups and notifications remember of an alert outlives its row.
    sqlite_autoincrement=True,
)

intake_hot: Final = Table(
    "intake_hot",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    # 1 when nobody named the end and it is the time-out's.
    Column("assumed", Integer, nullable=False),
    # A digest of annotations and URL, which tells whether the cold row must be written.
    Column("note", BigInteger, nullable=False),
    Column("openings", Integer, nullable=False),
)

intake_members: Final = Table(
    "intake_members",
    metadata,
    Column("group_id", Key, primary_key=True, autoincrement=False),
    # No index the other way round: it would cost every new alert a microsecond, and only whole lists ask that way.
    Column("alert_id", Key, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

intake_sources: Final = Table(
    "intake_sources",
    metadata,
    # The number of the inhibit rule, the values of its `equal` labels, and the alert that is a source of it.
    Column("rule", Integer, primary_key=True, autoincrement=False),
    Column("equal", LargeBinary, primary_key=True),
    Column("alert_id", Key, primary_key=True, autoincrement=False),
    Column("is_target", Integer, nullable=False),
    Index("ix_intake_sources_alert_id", "alert_id"),
    sqlite_with_rowid=False,
)

intake_groups: Final = Table(
    "intake_groups",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    # The route's place in the tree and the labels; `group_key` is what notifications call it.
    Column("key", Text, nullable=False, unique=True),
    Column("group_key", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    # How often it was flushed; 0 while the group wait lasts.
    Column("flush", Integer, nullable=False),
    Column("flushed_at", Instant),
    Column("outstanding", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("emptied_at", Instant),
    Index("ix_intake_groups_group_key", "group_key"),
    sqlite_autoincrement=True,
)

intake_told: Final = Table(
    "intake_told",
    metadata,
    Column("group_key", Text, primary_key=True),
    Column("receiver", Text, primary_key=True),
    Column("integration", Text, primary_key=True),
    # Alert ids, 8 bytes each, little-endian, in order; empty and without `told_at` when it was told nothing yet.
    Column("firing", LargeBinary, nullable=False),
    Column("resolved", LargeBinary, nullable=False),
    Column("told_at", Instant),
    Column("expires_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reason_at", Instant, nullable=False),
    Column("detail", Text, nullable=False),
    # The delivery on its way, and whether a tick came meanwhile.
    Column("delivery", Text, nullable=False),
    Column("missed", Integer, nullable=False),
    Index("ix_intake_told_expires_at", "expires_at"),
)

intake_silences: Final = Table(
    "intake_silences",
    metadata,
    Column("id", Text, primary_key=True),
    Column("matchers", Text, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("comment", Text, nullable=False),
    Column("annotations", Text, nullable=False),
    Index("ix_intake_silences_ends_at", "ends_at"),
)

intake_episodes: Final = Table(
    "intake_episodes",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("alert_id", Key, nullable=False),
    Column("receiver", Text, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("told", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Index("ix_intake_episodes_alert_id", "alert_id"),
    Index("ix_intake_episodes_ends_at", "ends_at"),
    sqlite_autoincrement=True,
)

intake_journal: Final = Table(
    "intake_journal",
    metadata,
    # Bundles that were accepted and are still to be taken in, in this order.
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("accepted_at", Instant, nullable=False),
    Column("alerts", Integer, nullable=False),
    Column("written", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)

intake_facts: Final = Table(
    "intake_facts",
    metadata,
    # What there is one of, by name: the digest of the routing that the groups were made by.
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

TABLES: Final = (
    intake_alerts,
    intake_hot,
    intake_members,
    intake_sources,
    intake_groups,
    intake_told,
    intake_silences,
    intake_episodes,
    intake_journal,
    intake_facts,
)
