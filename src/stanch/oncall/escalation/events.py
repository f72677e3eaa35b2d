"""The typed events of a page's log, stream `page/<n>`. A kind is never renamed, a field never changes its meaning.

The events of a page about an incident carry the incident's number, so that they stand on its time line.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, TypeAlias

from stanch.kernel.codec import from_data, to_data
from stanch.kernel.errors import Bug
from stanch.kernel.event import Event, NewEvent
from stanch.oncall.escalation.model import FrozenPolicy, Notice, NoticeState, Purpose


@dataclass(frozen=True, kw_only=True)
class PagingStarted:
    """Somebody has to be reached. The policy is frozen here; `severity` is 1 (worst) to 4."""

    kind: ClassVar[str] = "page.started"
    number: int
    incident: int | None
    purpose: Purpose
    severity: int
    title: str
    policy: FrozenPolicy
    reason: str


@dataclass(frozen=True, kw_only=True)
class NotPaged:
    """Nobody is paged, and why. Stands in the incident's own stream."""

    kind: ClassVar[str] = "page.not_started"
    reason: str


@dataclass(frozen=True, kw_only=True)
class LevelPaged:
    """A level was reached and these notices were committed. `level` counts from 1; 0 is the fallback.

    `unreached` are people with no contact method; `next_at` (UTC) is when it goes on without an answer.
    """

    kind: ClassVar[str] = "page.level_paged"
    round: int
    step: int
    level: int
    people: tuple[str, ...]
    notices: tuple[Notice, ...]
    unreached: tuple[str, ...]
    next_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class LevelEmpty:
    """A level was reached and nobody stands there who can be told; it goes on at once."""

    kind: ClassVar[str] = "page.level_empty"
    round: int
    step: int
    level: int
    targets: tuple[str, ...]
    unreached: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NoticeMoved:
    """One attempt ended, or the far end said something later; `detail` is in the provider's words."""

    kind: ClassVar[str] = "page.notice_moved"
    notice: int
    state: NoticeState
    provider: str = ""
    detail: str = ""
    attempt: int = 0
    reference: str = ""


@dataclass(frozen=True, kw_only=True)
class NoticeRepeated:
    """A notice of unknown outcome is said again, once, as what it is."""

    kind: ClassVar[str] = "page.notice_repeated"
    notice: Notice


@dataclass(frozen=True, kw_only=True)
class PageAcknowledged:
    """Somebody has it. `how` is `link`, `reply`, `call` or the surface; `notice` is the one answered, if known."""

    kind: ClassVar[str] = "page.acknowledged"
    person: str
    how: str
    notice: int = 0


@dataclass(frozen=True, kw_only=True)
class PageAnsweredToo:
    """Somebody answered a page that another has already, or that is over: nothing changes by it but the record."""

    kind: ClassVar[str] = "page.answered_too"
    person: str
    how: str
    notice: int = 0


@dataclass(frozen=True, kw_only=True)
class AckWentStale:
    """Nobody has acted since the acknowledgement, so that it counts no more and paging starts over."""

    kind: ClassVar[str] = "page.ack_went_stale"
    last_act_at: datetime


@dataclass(frozen=True, kw_only=True)
class PageRaised:
    """The severity rose; from now on this policy holds, from its first level. What waited is dropped."""

    kind: ClassVar[str] = "page.raised"
    severity: int
    policy: FrozenPolicy


@dataclass(frozen=True, kw_only=True)
class PageHurried:
    """The next level is due now, and why."""

    kind: ClassVar[str] = "page.hurried"
    reason: str


@dataclass(frozen=True, kw_only=True)
class NobodyAnswered:
    """Every level was gone through as often as the policy says; from here on the last resort is paged."""

    kind: ClassVar[str] = "page.nobody_answered"
    fallback: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PagingEnded:
    """There is nothing to page for any more."""

    kind: ClassVar[str] = "page.ended"
    reason: str


PageEvent: TypeAlias = (
    PagingStarted
    | NotPaged
    | LevelPaged
    | LevelEmpty
    | NoticeMoved
    | NoticeRepeated
    | PageAcknowledged
    | PageAnsweredToo
    | AckWentStale
    | PageRaised
    | PageHurried
    | NobodyAnswered
    | PagingEnded
)

PAGE_EVENTS: Final[dict[str, type[PageEvent]]] = {kind.kind: kind for kind in PageEvent.__args__}


def new_event(record: PageEvent) -> NewEvent:
    """Wrap a typed event for the log."""
    return NewEvent(kind=record.kind, data=to_data(record))


def typed(event: Event) -> PageEvent:
    """Return the typed event in an envelope. Raises `Bug` for a kind that is none of a page."""
    kind = PAGE_EVENTS.get(event.kind)
    if kind is None:
        raise Bug(f"unknown event kind {event.kind!r} at #{event.seq}")
    return from_data(event.data, kind)


def page_stream(number: int) -> str:
    """Return the stream of a page."""
    return f"page/{number}"
