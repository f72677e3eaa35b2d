"""SQLite: who holds a database file, told by the kernel; the process that does can be ended. The file is not opened."""

from stanch.integrations.sqlite.sessions import SqliteSessions
from stanch.integrations.sqlite.source import SqliteSource

__all__ = ["SqliteSessions", "SqliteSource"]
