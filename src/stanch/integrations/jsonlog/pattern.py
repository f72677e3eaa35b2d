"""The pattern sampler: how many lines that were added to a log match, text or JSON, over rotations too."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from stanch.integrations.jsonlog.sampler import place_of
from stanch.integrations.jsonlog.tail import MOST_BYTES, CannotFollow, follow
from stanch.kernel.event import JSON
from stanch.kernel.pattern import pattern
from stanch.kernel.redaction import redact
from stanch.ports.checks import LogCheck
from stanch.ports.sampler import Look, Sample

LONGEST_LINE: Final = 16_384
"""What is searched of a line: an expression that goes back and forth takes long over long texts."""

LONGEST_SHOWN: Final = 200


class LogPatternSampler:
    """Counts matching lines of a file since the last look. Where it was stands in the cursor."""

    def __init__(self, settings: LogCheck, *, most_bytes: int = MOST_BYTES) -> None:
        folded = settings.ignore_case
        self._pattern = pattern(settings.pattern, ignore_case=folded)
        self._unless = pattern(settings.unless, ignore_case=folded) if settings.unless else None
        self._field = tuple(settings.json_field.split(".")) if settings.json_field else ()
        self._most_bytes = most_bytes

    @property
    def kind(self) -> str:
        """Return `logpattern`."""
        return "logpattern"

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Read what was added to the file `target`. The first look only finds its place: what was there is old."""
        place = place_of(cursor)
        try:
            tail = follow(Path(target), place, most=self._most_bytes)
        except CannotFollow as reason:
            return Look(cursor=cursor, trouble=str(reason))
        next_cursor = msgspec.to_builtins(tail.place)
        if place is None:
            return Look(cursor=next_cursor)
        count, newest = self._count(tail.lines)
        sample = Sample(service=service, metric="rule", value=float(count), at=now, note=newest)
        samples: tuple[Sample, ...] = (sample,)
        if tail.skipped:
            samples += (Sample(service=service, metric="log_bytes_skipped", value=float(tail.skipped), at=now),)
        return Look(samples=samples, cursor=next_cursor)

    def _count(self, lines: Iterable[bytes]) -> tuple[int, str]:
        """Return how many lines match, with the newest of them as it may be shown."""
        count, newest = 0, b""
        for line in lines:
            text = self._searched(line)
            if text and self._pattern.is_in(text) and not (self._unless and self._unless.is_in(text)):
                count += 1
                newest = line
        return count, redact(" ".join(newest.decode("utf-8", "replace").split()))[:LONGEST_SHOWN]

    def _searched(self, line: bytes) -> str:
        if not self._field:
            return line[:LONGEST_LINE].decode("utf-8", "replace")
        try:
            value: JSON = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError):
            return ""
        for part in self._field:
            if not isinstance(value, dict):
                return ""
            value = value.get(part)
        if value is None:
            return ""
        return (value if isinstance(value, str) else msgspec.json.encode(value).decode())[:LONGEST_LINE]
