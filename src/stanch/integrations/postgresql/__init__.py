"""PostgreSQL, asked in read-only transactions."""

from stanch.integrations.postgresql.source import PostgresSource

__all__ = ["PostgresSource"]
