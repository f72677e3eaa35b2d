"""Records of the durable core: what a timer and a delivery are."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from stanch.kernel.event import JSON


@dataclass(frozen=True, kw_only=True)
class Timer:
    """Something that must happen at `due_at` (UTC) or soon after.

    `id` is deterministic (`inc42/verify`), so scheduling the same thing twice is one timer. `schema` is the version
    of `data`; a node claims only kinds that it knows.
    """

    id: str
    kind: str
    due_at: datetime
    incident: int | None = None
    schema: int = 1
    data: dict[str, JSON] = field(default_factory=dict)
    attempts: int = 0
    last_error: str = ""
    lease_token: str = ""


class DeliveryState(StrEnum):
    """Where a delivery stands.

    `sending` with a lapsed lease has an unknown outcome: an idempotent channel is tried again with the same id, any
    other is marked `unknown`.
    """

    READY = "ready"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A message that is owed to the outside. `id` is stable and is the provider's idempotency key."""

    id: str
    channel: str
    room: str
    purpose: str
    message: dict[str, JSON]
    due_at: datetime
    created_at: datetime
    incident: int | None = None
    state: DeliveryState = DeliveryState.READY
    attempts: int = 0
    detail: str = ""
    reference: str = ""
    ended_at: datetime | None = None
    lease_token: str = ""


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One try to hand a delivery over. `ended_at` is None while it is under way or when its node died."""

    delivery: str
    number: int
    node: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    detail: str
