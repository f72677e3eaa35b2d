"""MySQL and MariaDB: asked in read-only transactions; their sessions, which can be ended; statements on rows."""

from stanch.integrations.mysql.sessions import MysqlSessions
from stanch.integrations.mysql.source import MysqlSource
from stanch.integrations.mysql.statements import MysqlStatements

__all__ = ["MysqlSessions", "MysqlSource", "MysqlStatements"]
