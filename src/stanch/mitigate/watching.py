"""Watching a recovery, step by step: it begins, breaks off, begins again, and passes. Pure.

A stretch is the time without a break. It counts only if somebody looked all the while: a look that comes long after
the one before it says nothing about the time between. It passes when it is as long as the window and nothing new is in
the making elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from stanch.incidents import events as ev
from stanch.incidents.state import Verification
from stanch.kernel.event import JSON
from stanch.mitigate.verification import Band, RecoveryCheck

LONGEST_GAP: Final = timedelta(seconds=20)
"""A node that dies has its lease for 15 s; a recovery that was not looked at for longer than this is watched anew."""


@dataclass(frozen=True, kw_only=True)
class Looked:
    """One look at one check: what was measured, and why it does not hold, empty when it does.

    `since` is when it began to hold without a break, None while it does not.
    """

    check: RecoveryCheck
    value: float | None
    why: str
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Window:
    """How long all must hold, in seconds; `shortened` says why that is less than the shipped length."""

    seconds: float
    shortened: str = ""
    severity: str = ""


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What one look hands on to the next: when it was, since when each check holds, the bands from before the onset.

    `onset` is what the bands are of; an onset that is estimated anew makes them anew.
    """

    looked_at: datetime | None = None
    since: Mapping[str, datetime] = field(default_factory=dict)
    onset: datetime | None = None
    bands: Mapping[tuple[str, str], Band | None] = field(default_factory=dict)


def unwatched(memory: Memory, *, now: datetime) -> str:
    """Return that nobody looked, where the last look is so long ago that a break can have passed unseen."""
    if memory.looked_at is None or now - memory.looked_at <= LONGEST_GAP:
        return ""
    return f"nobody watched for {(now - memory.looked_at).total_seconds():.0f} s"


def held_since(found: Sequence[Looked], memory: Memory, *, now: datetime) -> tuple[Looked, ...]:
    """Return the looks with since when each holds: as before, from now on where it did not or nobody looked."""
    former = {} if unwatched(memory, now=now) else memory.since
    return tuple(replace(one, since=None if one.why else former.get(one.check.key, now)) for one in found)


def step(
    watched: Verification | None,
    *,
    failing: Sequence[str],
    pending: Sequence[str],
    checks: Sequence[str],
    window: Window,
    now: datetime,
) -> ev.IncidentEvent | None:
    """Return what one look leads to, None where nothing is to be recorded.

    `failing` is what does not hold; `pending` is what only holds the end up. A stretch that breaks is recorded once,
    and once more when it holds again; what has held so far counts when the severity rises.
    """
    if failing:
        if watched is None or watched.broken:
            return None
        return ev.VerificationRelapsed(check=failing[0], summary="; ".join(failing))
    if watched is None or watched.broken:
        return ev.VerificationStarted(window_s=window.seconds, checks=tuple(checks), shortened=window.shortened)
    if window.seconds > watched.window_s:
        reason = f"it is {window.severity} now, and was to hold for {watched.window_s:.0f} s"
        return ev.VerificationExtended(window_s=window.seconds, reason=reason, shortened=window.shortened)
    held_s = (now - watched.since).total_seconds()
    if watched.passed_at is None and held_s >= watched.window_s and not pending:
        return ev.VerificationPassed(window_s=watched.window_s, summary="; ".join(checks))
    return None


def remembered(data: Mapping[str, JSON]) -> Memory:
    """Return what a timer keeps of the last look; nothing where it keeps none."""
    looked, onset = _instant(data.get("looked")), _instant(data.get("onset"))
    since, bands = data.get("since"), data.get("bands")
    held = {key: at for key, text in since.items() if (at := _instant(text))} if isinstance(since, dict) else {}
    known: dict[tuple[str, str], Band | None] = {}
    for row in bands if isinstance(bands, list) else ():
        match row:
            case [str(service), str(metric), None]:
                known[service, metric] = None
            case [str(service), str(metric), [int() | float() as normal, int() | float() as high]]:
                known[service, metric] = Band(normal=normal, high=high)
    return Memory(looked_at=looked, since=held, onset=onset, bands=known)


def to_remember(memory: Memory) -> dict[str, JSON]:
    """Return what a timer keeps for the next look."""
    bands: list[JSON] = [
        [service, metric, [band.normal, band.high] if band else None]
        for (service, metric), band in memory.bands.items()
    ]
    data: dict[str, JSON] = {"since": {key: at.isoformat() for key, at in memory.since.items()}, "bands": bands}
    if memory.looked_at:
        data["looked"] = memory.looked_at.isoformat()
    if memory.onset:
        data["onset"] = memory.onset.isoformat()
    return data


def _instant(text: JSON) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
