"""Column types that mean the same on both databases."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import JSON, BigInteger, Dialect, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Document: Final = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON value: text on SQLite, `jsonb` on PostgreSQL."""

Serial: Final = BigInteger().with_variant(Integer, "sqlite")
"""A 64-bit key that the database numbers; SQLite numbers only columns declared INTEGER."""


def to_micros(instant: datetime) -> int:
    """Return whole microseconds since 1970-01-01 UTC. Exact, unlike a float of `timestamp()`."""
    return (instant - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the UTC instant `micros` microseconds after 1970-01-01 UTC."""
    return _EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """A UTC instant, stored as a 64-bit count of microseconds, so both databases compare it alike."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn an aware datetime into microseconds."""
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into an aware UTC datetime."""
        return None if value is None else from_micros(value)
