"""Groups failures by what went wrong and where: same exception type and same application frames, or same words.

Line numbers and values do not count, so that a group survives an edit above the frame and another customer's id.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from stanch.diagnose.logs.masks import mask
from stanch.diagnose.logs.model import ExceptionInfo, Frame, LogRecord

MAX_GROUPS = 1_000
"""Groups held; a sample is 2 KiB as a rule and 90 KiB at worst (a message of 8 KiB, 64 frames), so 2 MB or 90."""
MAX_MINUTES = 2_880
"""Minutes of counts kept in a group: two days."""
MAX_VERSIONS = 20
_FINGERPRINT_FRAMES = 8


@dataclass(frozen=True, kw_only=True)
class ErrorGroup:
    """One kind of failure of one service.

    `per_minute` maps the start of a minute (UTC) to its count, oldest first; records without a time are in `count`
    only.
    `title` is the newest message's, e.g. `TypeError: 'NoneType' object is not subscriptable`. `sample` is the first
    record with a trace, else the first record.
    """

    fingerprint: str
    service: str
    title: str
    type: str
    culprit: Frame | None
    count: int
    first_seen: datetime | None
    last_seen: datetime | None
    per_minute: Mapping[datetime, int]
    versions: tuple[str, ...]
    sample: LogRecord


class ErrorGrouper:
    """Groups records one by one in bounded memory."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}
        self.ungrouped = 0
        """Failures beyond `MAX_GROUPS` kinds; they belong to no group."""

    def add(self, record: LogRecord) -> str | None:
        """Count a record; return its group's fingerprint, None where it reports no failure or there is no room."""
        if not record.is_failure:
            return None
        key = fingerprint(record)
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= MAX_GROUPS:
                self.ungrouped += 1
                return None
            group = self._groups[key] = _Group(record)
        group.count_in(record)
        return key

    def groups(self) -> list[ErrorGroup]:
        """Return the groups, the most frequent first."""
        found = [group.frozen(key) for key, group in self._groups.items()]
        return sorted(found, key=lambda group: (-group.count, group.fingerprint))


def fingerprint(record: LogRecord) -> str:
    """Return 16 hexadecimal digits that are equal for failures of one kind: service, type, and frames or words."""
    parts = [record.service]
    exception = record.exception
    if exception is None:
        parts += ["message", mask(_first_line(record.message))]
    else:
        own = [frame for frame in exception.frames if frame.in_application] or list(exception.frames)
        places = [f"{_file(frame)}#{frame.function}" for frame in own[-_FINGERPRINT_FRAMES:]]
        # Without frames only the words tell two failures of one type apart.
        parts += [exception.type, *(places or [mask(_first_line(exception.message))])]
    return hashlib.blake2b("\x00".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0][:512]


def _file(frame: Frame) -> str:
    """Return the last two parts of a path: where a program is installed does not make another failure of it."""
    return "/".join(frame.file.replace("\\", "/").rsplit("/", 2)[-2:])


def _title(record: LogRecord) -> str:
    exception: ExceptionInfo | None = record.exception
    return (exception.title if exception is not None else _first_line(record.message))[:300]


def _has_frames(record: LogRecord) -> bool:
    return record.exception is not None and bool(record.exception.frames)


class _Group:
    """The counts of one group while records come in."""

    def __init__(self, record: LogRecord) -> None:
        self.sample = record
        self.title = _title(record)
        self.count = 0
        self.first: datetime | None = None
        self.last: datetime | None = None
        self.minutes: dict[int, int] = {}
        self.versions: dict[str, None] = {}

    def count_in(self, record: LogRecord) -> None:
        self.count += 1
        if _has_frames(record) and not _has_frames(self.sample):
            self.sample = record
        if record.version and len(self.versions) < MAX_VERSIONS:
            self.versions[record.version] = None
        if record.at is None:
            return
        if self.last is None or record.at >= self.last:
            self.last, self.title = record.at, _title(record)
        if self.first is None or record.at < self.first:
            self.first = record.at
        minute = int(record.at.timestamp()) // 60
        if minute not in self.minutes and len(self.minutes) >= MAX_MINUTES:
            oldest = min(self.minutes)
            if minute < oldest:
                return
            del self.minutes[oldest]
        self.minutes[minute] = self.minutes.get(minute, 0) + 1

    def frozen(self, key: str) -> ErrorGroup:
        exception = self.sample.exception
        return ErrorGroup(
            fingerprint=key,
            service=self.sample.service,
            title=self.title,
            type=exception.type if exception is not None else "",
            culprit=exception.culprit if exception is not None else None,
            count=self.count,
            first_seen=self.first,
            last_seen=self.last,
            per_minute={
                datetime.fromtimestamp(minute * 60, UTC): self.minutes[minute] for minute in sorted(self.minutes)
            },
            versions=tuple(self.versions),
            sample=self.sample,
        )
