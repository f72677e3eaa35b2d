"""MySQL and MariaDB, asked in read-only transactions."""

from stanch.integrations.mysql.source import MysqlSource

__all__ = ["MysqlSource"]
