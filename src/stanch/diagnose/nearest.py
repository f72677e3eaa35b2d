"""The change that lies closest before the onset, for the first look: "payments v3.2.1 deployed 40 s before". Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from stanch.diagnose.picture import is_running
from stanch.diagnose.wording import change_done
from stanch.incidents.model import NearestChange
from stanch.ports.changes import Change

_LOOK_BACK: Final = timedelta(hours=24)
_SLACK: Final = timedelta(seconds=5)
"""Clocks of machines differ a little; a change this long after the onset may still have come before it."""


def nearest_of(changes: Sequence[Change], *, onset: datetime, services: Sequence[str]) -> NearestChange | None:
    """Pick the change closest before `onset`: of what runs, and only without such a one of commits and tags."""
    before = [
        change
        for change in changes
        if onset - _LOOK_BACK <= change.at <= onset + _SLACK and (not services or change.service in ("", *services))
    ]
    chosen = max((is_running(change), change.at, change.id) for change in before) if before else None
    if chosen is None:
        return None
    change = next(change for change in before if change.id == chosen[2])
    return NearestChange(
        id=change.id,
        title=change_done(change),
        kind=change.kind.value,
        service=change.service,
        version=change.version,
        at=change.at,
        seconds_before=max(0.0, (onset - change.at).total_seconds()),
    )
