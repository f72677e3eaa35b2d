"""Whether a group is notified about at a tick, and why, or why not. Pure.

Each integration of a receiver has a memory of its own: which alerts it was last told as firing and as resolved.
"""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """What a tick led to for one integration. Those before `NOTHING_FIRED` notify."""

    FIRST = "first"
    NEW_ALERTS = "new_alerts"
    ALL_RESOLVED = "all_resolved"
    SOME_RESOLVED = "some_resolved"
    REPEAT = "repeat"
    FLAPPING = "flapping"
    NOTHING_FIRED = "nothing_fired"
    RESOLVED_UNKNOWN = "resolved_unknown"
    REPEAT_NOT_OVER = "repeat_not_over"
    SUPPRESSED = "suppressed"
    MUTED = "muted"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"

    @property
    def notifies(self) -> bool:
        """Tell whether the integration is to be told something."""
        return self in _NOTIFYING

    @property
    def words(self) -> str:
        """Return the reason as a person reads it."""
        return _WORDS[self]


_NOTIFYING: Final = frozenset(
    {
        Reason.FIRST,
        Reason.NEW_ALERTS,
        Reason.ALL_RESOLVED,
        Reason.SOME_RESOLVED,
        Reason.REPEAT,
        Reason.FLAPPING,
    }
)
_WORDS: Final = {
    Reason.FIRST: "the group fires and nobody has been told yet",
    Reason.NEW_ALERTS: "an alert fires that the receiver does not know",
    Reason.ALL_RESOLVED: "everything the receiver was told has resolved",
    Reason.SOME_RESOLVED: "an alert has resolved that the receiver was told",
    Reason.REPEAT: "nothing has changed, and the repeat interval is over",
    Reason.FLAPPING: "an alert comes and goes: this is told once, and then nothing of it until it is calm",
    Reason.NOTHING_FIRED: "nothing fires, and the receiver was never told that something did",
    Reason.RESOLVED_UNKNOWN: "what has resolved is nothing that the receiver was told",
    Reason.REPEAT_NOT_OVER: "nothing has changed, and the repeat interval is not over",
    Reason.SUPPRESSED: "every alert of the group is silenced, inhibited or in maintenance",
    Reason.MUTED: "the route is muted at this time",
    Reason.SENDING: "the notification before is still on its way",
    Reason.SENT: "the receiver has been told",
    Reason.FAILED: "the receiver did not take it; the next tick tries again",
}


@dataclass(frozen=True, kw_only=True)
class Told:
    """What an integration was last told, by alert id, and when it took it."""

    firing: frozenset[int]
    resolved: frozenset[int]
    at: datetime


def decide(
    told: Told | None,
    *,
    firing: Set[int],
    resolved: Set[int],
    send_resolved: bool,
    repeat_interval: timedelta,
    now: datetime,
    flapping_since: datetime | None = None,
) -> Reason:
    """Return whether to notify, given the alerts of the group that are not suppressed.

    `flapping_since` is when the last of the alerts began to flap that do now; they count as firing.
    That everything has resolved is decided whatever `send_resolved` says, so that the memory is cleared.
    """
    if told is None:
        return Reason.FIRST if firing else Reason.NOTHING_FIRED
    if not firing <= told.firing:
        return Reason.NEW_ALERTS
    if flapping_since is not None and flapping_since > told.at:
        return Reason.FLAPPING
    if not firing:
        return Reason.ALL_RESOLVED if told.firing else Reason.RESOLVED_UNKNOWN
    if send_resolved and not resolved <= told.resolved:
        return Reason.SOME_RESOLVED
    return Reason.REPEAT if now - told.at > repeat_interval else Reason.REPEAT_NOT_OVER
