"""Records of alerts that others send, as they pass from the door to the groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from stanch.alerts.intake.episodes import Episode
from stanch.alerts.intake.fingerprint import canonical, key_of, read_labels


class Received(msgspec.Struct, gc=False):
    """An alert as it came in, checked.

    `said` is what the labels as they were written are told apart by, for `Recognition`: a repetition is not read, and
    `id` is then the alert's, and 0 otherwise. `note` is a digest of annotations and URL.
    """

    said: int
    id: int
    raw_labels: msgspec.Raw
    raw_annotations: msgspec.Raw
    generator_url: str
    note: int
    starts_at: int
    ends_at: int
    assumed: bool
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    canonical: bytes = b""
    stored_by: int | None = None

    @property
    def episode(self) -> Episode:
        """Return the stretch that is said."""
        return Episode(self.starts_at, self.ends_at, self.assumed)

    def read(self) -> dict[str, str]:
        """Return the labels; of a repetition they are read now."""
        if not self.canonical:
            self.labels = self.labels or labels_of(self.raw_labels)
            self.canonical = canonical(self.labels)
        return self.labels

    def key(self) -> int:
        """Return what the alert is stored by."""
        if self.stored_by is None:
            self.read()
            self.stored_by = key_of(self.canonical)
        return self.stored_by

    def annotations(self) -> str:
        """Return the annotations as JSON, as they were written: they have been checked."""
        text = str(self.raw_annotations, "utf-8")
        return "{}" if text in ("", "null") else text


def labels_of(raw: msgspec.Raw) -> dict[str, str]:
    """Return labels as they count: those with an empty value are as good as not there. Raises what msgspec raises."""
    labels = read_labels(raw) or {}
    if "" in labels.values():
        return {name: value for name, value in labels.items() if value}
    return labels


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

    The three tuples run side by side; `ends` is 0 for an alert that fires, and for those in `flapping`. Stands in the
    delivery, so that what is sent again after a crash is the same.
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
    flapping: tuple[int, ...] = ()

    @property
    def firing(self) -> list[int]:
        """Return the ids of the alerts that fire."""
        return [id for id, end in zip(self.ids, self.ends, strict=True) if not end]

    @property
    def resolved(self) -> list[int]:
        """Return the ids of the alerts that have resolved."""
        return [id for id, end in zip(self.ids, self.ends, strict=True) if end]
