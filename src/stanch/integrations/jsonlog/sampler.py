"""The log sampler: what a log file has reported as errors since the last look, grouped by kind."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec

from stanch.integrations.jsonlog.records import ErrorRecord, read_error, shown_sample
from stanch.integrations.jsonlog.tail import MOST_BYTES, CannotFollow, Place, follow
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.ports.sampler import ErrorSighting, Look, Sample

MOST_KINDS: Final = 200
"""Kinds of errors told apart in one look; what is beyond is counted as other errors."""

BUCKET_S: Final = 10
OTHERS: Final = "other errors"


class JsonLogSampler:
    """Follows log files. Holds nothing itself: where it was stands in the cursor."""

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes

    @property
    def kind(self) -> str:
        """Return `jsonlog`."""
        return "jsonlog"

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Read what was added to the file `target`. The first look takes in what is there, but counts no sample."""
        place = place_of(cursor)
        try:
            tail = follow(Path(target), place, most=self._most_bytes)
        except CannotFollow as reason:
            return Look(cursor=cursor, trouble=str(reason))
        groups = _Groups(service, now=now)
        count = 0
        for line in tail.lines:
            error = read_error(line)
            if error is not None:
                count += 1
                groups.add(error)
        samples = []
        if place is not None:
            samples.append(Sample(service=service, metric="error_records", value=float(count), at=now))
        if tail.skipped:
            samples.append(Sample(service=service, metric="log_bytes_skipped", value=float(tail.skipped), at=now))
        return Look(samples=tuple(samples), errors=tuple(groups.sightings()), cursor=msgspec.to_builtins(tail.place))


@dataclass
class _Group:
    """Occurrences of one error in one version within ten seconds."""

    newest: ErrorRecord
    first_at: datetime
    last_at: datetime
    count: int = 0


class _Groups:
    """What one look has found so far."""

    def __init__(self, service: str, *, now: datetime) -> None:
        self.service, self.now = service, now
        self.kinds: set[str] = set()
        self.groups: dict[tuple[str, str, int], _Group] = {}

    def add(self, error: ErrorRecord) -> None:
        """Count one error in."""
        # A clock ahead of ours must not put errors into the future.
        at = min(error.at or self.now, self.now)
        kind = error.fingerprint
        if kind not in self.kinds and len(self.kinds) >= MOST_KINDS:
            kind = OTHERS
        self.kinds.add(kind)
        key = (kind, error.version, int(at.timestamp()) // BUCKET_S)
        group = self.groups.setdefault(key, _Group(newest=error, first_at=at, last_at=at))
        group.count += 1
        group.first_at = min(group.first_at, at)
        if at >= group.last_at:
            group.last_at, group.newest = at, error

    def sightings(self) -> list[ErrorSighting]:
        """Return what was found, without secrets; one per kind, version and ten seconds, oldest first."""
        samples: dict[str, str] = {}
        found = []
        for (kind, version, _), group in sorted(self.groups.items(), key=lambda item: item[1].first_at):
            error = group.newest
            if kind not in samples:
                samples[kind] = shown_sample(error.line)
            found.append(
                ErrorSighting(
                    service=self.service,
                    fingerprint=kind,
                    title=OTHERS if kind == OTHERS else redact(error.title),
                    count=group.count,
                    first_at=group.first_at.astimezone(UTC),
                    last_at=group.last_at.astimezone(UTC),
                    version=version,
                    culprit="" if kind == OTHERS else redact(error.culprit),
                    sample=samples[kind],
                )
            )
        return found


def place_of(cursor: dict[str, JSON]) -> Place | None:
    """Return where the last look ended, None when there was none or it cannot be told."""
    try:
        return msgspec.convert(cursor, Place) if cursor else None
    except msgspec.ValidationError:
        # Written by another version: as good as none.
        return None
