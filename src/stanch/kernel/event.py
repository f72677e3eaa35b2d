"""The event envelope: one entry of a log. What stands in `data` belongs to the concept that owns the kind."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from stanch.kernel.actor import Actor, Via

if TYPE_CHECKING:
    JSON: TypeAlias = bool | int | float | str | list["JSON"] | dict[str, "JSON"] | None
else:
    # msgspec builds no decoder for a recursive alias, and what it decodes without a type is JSON anyway.
    JSON = Any


@dataclass(frozen=True, kw_only=True)
class NewEvent:
    """An event that is not yet in the log. `at` is when it happened (UTC), by default when it is recorded."""

    kind: str
    data: dict[str, JSON] = field(default_factory=dict)
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """An event in the log.

    `seq` is the order everybody follows and the permalink (`#e-17`); `version` counts within the stream from 1;
    `at` is when it happened and may be earlier than `recorded_at`, when it was learnt (both UTC); `cause` is the
    `seq` of the event that led to it.
    """

    seq: int
    stream: str
    version: int
    kind: str
    at: datetime
    recorded_at: datetime
    actor: Actor
    via: Via
    cause: int | None
    incident: int | None
    data: dict[str, JSON]
