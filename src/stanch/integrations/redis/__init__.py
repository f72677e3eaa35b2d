"""Redis, asked by commands that only read about the server."""

from stanch.integrations.redis.source import RedisSource

__all__ = ["RedisSource"]
