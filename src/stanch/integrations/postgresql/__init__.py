"""PostgreSQL: asked in read-only transactions, and its sessions, which can be ended."""

from stanch.integrations.postgresql.sessions import PostgresSessions
from stanch.integrations.postgresql.source import PostgresSource

__all__ = ["PostgresSessions", "PostgresSource"]
