"""Turns records into JSON values and back, so that typed events can stand in the log as data."""

from typing import TypeVar

import msgspec

from stanch.kernel.errors import Bug
from stanch.kernel.event import JSON

T = TypeVar("T")


def to_data(record: object) -> dict[str, JSON]:
    """Return a dataclass as a JSON object: datetimes as RFC 3339, enums as their value, tuples as arrays."""
    data = msgspec.to_builtins(record)
    if not isinstance(data, dict):
        raise Bug(f"{type(record).__name__} is not a record")
    return data


def from_data(data: object, kind: type[T]) -> T:
    """Return the record of type `kind` that `data` describes; keys it does not know are ignored.

    Raises `Bug` when it does not fit: what stands in the log was written by us.
    """
    try:
        return msgspec.convert(data, type=kind)
    except msgspec.ValidationError as error:
        raise Bug(f"stored data is not a {kind.__name__}: {error}") from error
