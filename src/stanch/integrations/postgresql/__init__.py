"""PostgreSQL: asked in read-only transactions; its sessions, which can be ended; statements that change rows."""

from stanch.integrations.postgresql.sessions import PostgresSessions
from stanch.integrations.postgresql.source import PostgresSource
from stanch.integrations.postgresql.statements import PostgresStatements

__all__ = ["PostgresSessions", "PostgresSource", "PostgresStatements"]
