"""MySQL and MariaDB: asked in read-only transactions, and their sessions, which can be ended."""

from stanch.integrations.mysql.sessions import MysqlSessions
from stanch.integrations.mysql.source import MysqlSource

__all__ = ["MysqlSessions", "MysqlSource"]
