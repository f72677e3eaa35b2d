"""Silences: for a while, alerts that match are not notified about. What may be changed about one, and when. Pure.

The times are UTC. A silence that has ended is never changed: what it kept quiet is history.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from stanch.alerts.intake.matchers import Matcher, matches_all
from stanch.kernel.errors import Invalid, Problem

_MOST_MATCHERS: Final = 100
_LONGEST_TEXT: Final = 4096


class SilenceState(StrEnum):
    """Where a silence stands at an instant."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


@dataclass(frozen=True, kw_only=True)
class Silence:
    """Keeps alerts quiet that match all `matchers`, from `starts_at` until just before `ends_at`."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: datetime
    ends_at: datetime
    updated_at: datetime
    created_by: str = ""
    comment: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)

    def state(self, now: datetime) -> SilenceState:
        """Return where it stands at `now`."""
        if now < self.starts_at:
            return SilenceState.PENDING
        return SilenceState.ACTIVE if now < self.ends_at else SilenceState.EXPIRED

    def silences(self, labels: Mapping[str, str]) -> bool:
        """Tell whether it keeps an alert with `labels` quiet while it is active."""
        return matches_all(self.matchers, labels)


def _pairs(silence: Silence) -> Iterable[str]:
    return (text for pair in silence.annotations.items() for text in pair)


def check_silence(wanted: Silence, *, now: datetime) -> None:
    """Raise `Invalid` with everything that is wrong with a silence that somebody wants."""
    problems = []
    if not wanted.matchers:
        problems.append(Problem(field="matchers", message="at least one matcher is needed"))
    elif all(one.matches_value("") for one in wanted.matchers):
        message = "at least one matcher must not match the empty string, or everything would be silenced"
        problems.append(Problem(field="matchers", message=message))
    if len(wanted.matchers) > _MOST_MATCHERS:
        problems.append(Problem(field="matchers", message=f"there are more than {_MOST_MATCHERS}"))
    told = {"comment": wanted.comment, "createdBy": wanted.created_by, "annotations": "".join(_pairs(wanted))}
    for place, text in told.items():
        if len(text) > _LONGEST_TEXT:
            problems.append(Problem(field=place, message=f"is longer than {_LONGEST_TEXT} characters"))
        if "\0" in text:
            problems.append(Problem(field=place, message="a NUL character cannot be kept"))
    if any("\0" in text for one in wanted.matchers for text in (one.name, one.value)):
        problems.append(Problem(field="matchers", message="a NUL character cannot be kept"))
    if any(not one.name for one in wanted.matchers):
        problems.append(Problem(field="matchers", message="a matcher needs the name of a label"))
    if wanted.starts_at >= wanted.ends_at:
        problems.append(Problem(field="endsAt", message="start time must be before end time"))
    elif wanted.ends_at < now:
        problems.append(Problem(field="endsAt", message="end time can't be in the past"))
    if problems:
        raise Invalid("", problems=problems)


def save(wanted: Silence, old: Silence | None, *, fresh_id: str, now: datetime) -> tuple[Silence, ...]:
    """Return the silences to store, the one that holds from now on last.

    What an update would change about the past makes a new silence with `fresh_id`, and ends the old one.
    """
    check_silence(wanted, now=now)
    current = replace(wanted, updated_at=now)
    if old is not None and _can_become(old, current, now=now):
        return (replace(current, id=old.id),)
    new = replace(current, id=fresh_id, starts_at=max(current.starts_at, now))
    if old is None or old.state(now) is SilenceState.EXPIRED:
        return (new,)
    return (expire(old, now=now), new)


def expire(silence: Silence, *, now: datetime) -> Silence:
    """Return `silence` ended at `now`; one that has ended stays as it is."""
    match silence.state(now):
        case SilenceState.EXPIRED:
            return silence
        case SilenceState.ACTIVE:
            return replace(silence, ends_at=now, updated_at=now)
        case SilenceState.PENDING:
            return replace(silence, starts_at=now, ends_at=now, updated_at=now)


def in_order(silences: Sequence[Silence], *, now: datetime) -> list[Silence]:
    """Return silences as people look for them: active by end, pending by start, expired with the newest first."""

    def rank(one: Silence) -> tuple[int, float]:
        match one.state(now):
            case SilenceState.ACTIVE:
                return 0, one.ends_at.timestamp()
            case SilenceState.PENDING:
                return 1, one.starts_at.timestamp()
            case SilenceState.EXPIRED:
                return 2, -one.ends_at.timestamp()

    return sorted(silences, key=rank)


def _can_become(old: Silence, new: Silence, *, now: datetime) -> bool:
    if sorted(old.matchers) != sorted(new.matchers):
        return False
    match old.state(now):
        case SilenceState.ACTIVE:
            # A second is what clients keep of a time that they read and send back.
            return int(new.starts_at.timestamp()) == int(old.starts_at.timestamp()) and new.ends_at >= now
        case SilenceState.PENDING:
            return new.starts_at >= now
        case SilenceState.EXPIRED:
            return False
