"""Tables of the catalog: changes that were read from change sources or reported. One row per change, kept by its id."""

from typing import Final

from sqlalchemy import Column, Index, Table, Text

from stanch.store.schema import metadata
from stanch.store.types import Document, Instant

changes: Final = Table(
    "changes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("record", Document, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index("ix_changes_at", "at"),
)
