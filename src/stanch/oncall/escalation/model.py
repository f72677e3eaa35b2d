"""What an escalation is made of: its policy frozen as data, and the notices it sends."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """Why somebody is paged."""

    INCIDENT = "incident"
    DIRECT = "direct"
    TEST = "test"
    SYNTHETIC = "synthetic"


class PageStatus(StrEnum):
    """How a page stands."""

    PAGING = "paging"
    ACKNOWLEDGED = "acknowledged"
    ENDED = "ended"


class NoticeState(StrEnum):
    """How far one notice has come. Handed over means that the provider took it, and nothing more.

    Unsure is handed over without an answer, and handed over again with the same key; unknown is the same at a provider
    that knows no keys, so that it is left alone.
    """

    COMMITTED = "committed"
    HELD = "held"
    HANDED_OVER = "handed_over"
    DELIVERED = "delivered"
    SEEN = "seen"
    ACKNOWLEDGED = "acknowledged"
    THROTTLED = "throttled"
    RETRYING = "retrying"
    UNSURE = "unsure"
    FELL_BACK = "fell_back"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"

    @property
    def is_waiting(self) -> bool:
        """Tell whether it has still to be handed over."""
        return self in _WAITING

    @property
    def may_have_arrived(self) -> bool:
        """Tell whether the person may have it."""
        return self in _ARRIVING


_WAITING = frozenset(
    {
        NoticeState.COMMITTED,
        NoticeState.HELD,
        NoticeState.THROTTLED,
        NoticeState.RETRYING,
        NoticeState.UNSURE,
        NoticeState.FELL_BACK,
    }
)
_ARRIVING = frozenset(
    {
        NoticeState.HANDED_OVER,
        NoticeState.DELIVERED,
        NoticeState.SEEN,
        NoticeState.ACKNOWLEDGED,
        NoticeState.UNKNOWN,
    }
)


@dataclass(frozen=True, kw_only=True)
class FrozenStep:
    """One level: who is told, as targets such as `schedule:checkout`, and how long an answer is waited for."""

    targets: tuple[str, ...]
    wait_s: float


@dataclass(frozen=True, kw_only=True)
class FrozenPolicy:
    """A policy as it was when paging started, for one severity.

    All levels are gone through `repeat` times more than once; then `fallback` is paged, again and again. After
    `stale_after_s` seconds without an act of anybody an acknowledgement does not count any more; 0 is never.
    """

    name: str
    steps: tuple[FrozenStep, ...]
    repeat: int = 0
    fallback: tuple[str, ...] = ()
    stale_after_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One person told through one method. `number` counts within the page, `hint` is the address made unreadable.

    `held_until` is the end of the person's quiet hours where they put it off; `repeats` is the notice of unknown
    outcome that this one says again, 0 for none.
    """

    number: int
    person: str
    method: str
    kind: str
    hint: str
    due_at: datetime
    round: int = 0
    level: int = 0
    verified: bool = True
    held_until: datetime | None = None
    repeats: int = 0
    state: NoticeState = NoticeState.COMMITTED
    provider: str = ""
    detail: str = ""
    attempts: int = 0
    moved_at: datetime | None = None
