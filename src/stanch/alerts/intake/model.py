"""Records of alerts that others send, as they pass from the door to the groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from stanch.alerts.intake.episodes import Episode


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as it came in, checked. `canonical` are the labels as JSON, `fingerprint` and `note` are digests of it.

    `note` is that of annotations and URL.
    """

    fingerprint: bytes
    canonical: bytes
    labels: dict[str, str]
    annotations: bytes
    generator_url: str
    note: int
    episode: Episode


@dataclass(frozen=True, kw_only=True)
class Group:
    """Alerts of one route that are notified about together. `due_at` is the next tick, `flush` counts them."""

    id: int
    key: str
    group_key: str
    route: str
    receiver: str
    labels: Mapping[str, str]
    created_at: datetime
    due_at: datetime
    flush: int
    flushed_at: datetime | None
    outstanding: int
    failed: bool
    emptied_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """What one notification tells: the alerts of a group as they were at its tick, in microseconds.

    The three tuples run side by side; `ends` is 0 for an alert that fires. Stands in the delivery, so that what is sent
    again after a crash is the same.
    """

    group: int
    group_key: str
    receiver: str
    integration: str
    labels: Mapping[str, str]
    flush: int
    at: datetime
    give_up_at: datetime
    repeat_s: float
    reason: str
    ids: tuple[int, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    @property
    def firing(self) -> list[int]:
        """Return the ids of the alerts that fire."""
        return [id for id, end in zip(self.ids, self.ends, strict=True) if not end]

    @property
    def resolved(self) -> list[int]:
        """Return the ids of the alerts that have resolved."""
        return [id for id, end in zip(self.ids, self.ends, strict=True) if end]
