"""What a page's events add up to. `fold` is pure: the same events always give the same state."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import singledispatch
from typing import Final

from stanch.kernel.event import Event
from stanch.oncall.escalation import events as ev
from stanch.oncall.escalation.model import FrozenPolicy, Notice, NoticeState, PageStatus, Purpose

_BEYOND: Final = frozenset({NoticeState.DELIVERED, NoticeState.SEEN, NoticeState.ACKNOWLEDGED})


@dataclass(frozen=True, kw_only=True)
class PageState:
    """A page. `step` counts the levels reached in this `round`; a round begins at the start, when an acknowledgement
    went stale and when the severity rose. `acknowledgements` counts them, `at_level` is where it stands (0 is the
    fallback)."""

    number: int
    incident: int | None
    purpose: Purpose
    severity: int
    title: str
    policy: FrozenPolicy
    started_at: datetime
    status: PageStatus = PageStatus.PAGING
    round: int = 1
    step: int = 0
    at_level: int = 1
    notices: tuple[Notice, ...] = ()
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    acknowledgements: int = 0
    nobody: bool = False
    next_at: datetime | None = None
    ended: str = ""
    version: int = 0

    def notice(self, number: int) -> Notice | None:
        """Return a notice by its number, None when there is none."""
        return next((one for one in self.notices if one.number == number), None)

    @property
    def is_paging(self) -> bool:
        """Tell whether somebody is still looked for."""
        return self.status is PageStatus.PAGING

    @property
    def is_acknowledged(self) -> bool:
        """Tell whether somebody has it."""
        return self.status is PageStatus.ACKNOWLEDGED


def fold(state: PageState | None, event: Event) -> PageState | None:
    """Return the state after `event`. Events before the start change nothing."""
    record = ev.typed(event)
    if isinstance(record, ev.PagingStarted):
        return PageState(
            number=record.number,
            incident=record.incident,
            purpose=record.purpose,
            severity=record.severity,
            title=record.title,
            policy=record.policy,
            started_at=event.at,
            version=event.version,
        )
    if state is None:
        return None
    return replace(_apply(record, state, event), version=event.version)


def fold_all(events: Iterable[Event]) -> PageState | None:
    """Return the state that all `events` of one page add up to; None without a start."""
    state: PageState | None = None
    for event in events:
        state = fold(state, event)
    return state


@singledispatch
def _apply(record: ev.PageEvent, state: PageState, event: Event) -> PageState:
    """Return the state after one typed event; kinds without an effect on the state leave it alone."""
    return state


@_apply.register
def _(record: ev.LevelPaged, state: PageState, event: Event) -> PageState:
    return replace(
        state,
        step=record.step,
        at_level=record.level,
        next_at=record.next_at,
        notices=(*state.notices, *record.notices),
    )


@_apply.register
def _(record: ev.LevelEmpty, state: PageState, event: Event) -> PageState:
    return replace(state, step=record.step, at_level=record.level)


@_apply.register
def _(record: ev.NoticeMoved, state: PageState, event: Event) -> PageState:
    known = state.notice(record.notice)
    if known is None:
        return state
    # A far end may say that it arrived, or was answered, before it was recorded that it was handed over.
    behind = record.state is NoticeState.HANDED_OVER and known.state in _BEYOND
    moved = replace(
        known,
        state=known.state if behind else record.state,
        provider=record.provider or known.provider,
        detail=record.detail,
        attempts=max(known.attempts, record.attempt),
        moved_at=event.at,
    )
    return replace(state, notices=_with(state.notices, moved))


@_apply.register
def _(record: ev.NoticeRepeated, state: PageState, event: Event) -> PageState:
    return replace(state, notices=(*state.notices, record.notice))


@_apply.register
def _(record: ev.PageAcknowledged, state: PageState, event: Event) -> PageState:
    notices = _without_waiting(state, event.at)
    answered = state.notice(record.notice)
    if answered is not None:
        notices = _with(notices, replace(answered, state=NoticeState.ACKNOWLEDGED, moved_at=event.at))
    return replace(
        state,
        status=PageStatus.ACKNOWLEDGED,
        acknowledged_by=record.person,
        acknowledged_at=event.at,
        acknowledgements=state.acknowledgements + 1,
        notices=notices,
        next_at=None,
    )


@_apply.register
def _(record: ev.PageAnsweredToo, state: PageState, event: Event) -> PageState:
    answered = state.notice(record.notice)
    if answered is None:
        return state
    moved = replace(answered, state=NoticeState.ACKNOWLEDGED, moved_at=event.at)
    return replace(state, notices=_with(state.notices, moved))


@_apply.register
def _(record: ev.AckWentStale, state: PageState, event: Event) -> PageState:
    return replace(_again(state), status=PageStatus.PAGING, acknowledged_by="", acknowledged_at=None)


@_apply.register
def _(record: ev.PageRaised, state: PageState, event: Event) -> PageState:
    # They tell the severity of before, and everybody is told anew.
    notices = _without_waiting(state, event.at)
    return replace(_again(state), severity=record.severity, policy=record.policy, notices=notices)


@_apply.register
def _(record: ev.PageHurried, state: PageState, event: Event) -> PageState:
    return replace(state, next_at=event.at)


@_apply.register
def _(record: ev.NobodyAnswered, state: PageState, event: Event) -> PageState:
    return replace(state, nobody=True)


@_apply.register
def _(record: ev.PagingEnded, state: PageState, event: Event) -> PageState:
    return replace(
        state,
        status=PageStatus.ENDED,
        ended=record.reason,
        notices=_without_waiting(state, event.at),
        next_at=None,
    )


def _again(state: PageState) -> PageState:
    return replace(state, round=state.round + 1, step=0, at_level=1, nobody=False)


def _with(notices: tuple[Notice, ...], moved: Notice) -> tuple[Notice, ...]:
    return tuple(moved if one.number == moved.number else one for one in notices)


def _without_waiting(state: PageState, at: datetime) -> tuple[Notice, ...]:
    """Return the notices with those that were not handed over yet cancelled."""
    return tuple(
        replace(notice, state=NoticeState.CANCELLED, moved_at=at) if notice.state.is_waiting else notice
        for notice in state.notices
    )
