"""What the log of one service says about an onset: errors that are new or more frequent, and lines that came or went.

Streams: records go in one by one, memory is bounded by the groupers. Pure; where the lines come from is the
collector's business.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.diagnose.logs.compare import TemplateChange, Window, compare
from stanch.diagnose.logs.errors import ErrorGroup, ErrorGrouper
from stanch.diagnose.logs.miner import Miner
from stanch.diagnose.logs.model import Level, LogRecord
from stanch.diagnose.picture import is_raised
from stanch.diagnose.slices import Breadth, RequestCounter, breadth_of
from stanch.kernel.event import JSON
from stanch.ports.evidence import Signal

GUARD: Final = timedelta(seconds=15)
"""What lies this shortly before the onset counts to the time after it: an estimated onset is seldom early."""
_MOST_GROUPS: Final = 10
_MOST_TEMPLATES: Final = 8
_MOST_FILES: Final = 30
_LEAST_HISTORY: Final = 20
"""Records before the onset without which nothing can be called new."""
_LONGEST_SAMPLE: Final = 4_000


@dataclass(frozen=True, kw_only=True)
class Digest:
    """The outcome: error groups as signals, the surest first, changed templates, and how much was read.

    `who` says whom the failures met, where the log tells of requests: what they have in common, and how many users.
    """

    errors: tuple[Signal, ...]
    templates: tuple[Signal, ...]
    samples: dict[str, str]
    before: int
    after: int
    who: tuple[Signal, ...] = ()


class LogDigest:
    """Takes the records of one service between `start` and `end`."""

    def __init__(self, service: str, *, start: datetime, onset: datetime, end: datetime) -> None:
        self._service = service
        self._start, self._split, self._end = start, onset - GUARD, end
        self._onset = onset
        self._requests = RequestCounter()
        self._errors = (ErrorGrouper(), ErrorGrouper())
        self._miner = Miner()
        self._lines: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self._counts = [0, 0]
        self._first: datetime | None = None

    def add(self, record: LogRecord) -> None:
        """Count a record that lies within the stretch; others, and those without a time, are left out."""
        at = record.at
        if at is None or not self._start <= at <= self._end:
            return
        if self._first is None or at < self._first:
            self._first = at
        side = int(at >= self._split)
        if at >= self._onset and record.fields:
            own = {"version": record.version} if record.version else {}
            self._requests.add({**record.fields, **own})
        self._counts[side] += 1
        self._errors[side].add(record)
        leaf = self._miner.add(record.message.split("\n", 1)[0])
        self._lines[side][leaf] = self._lines[side].get(leaf, 0) + 1

    def result(self) -> Digest:
        """Return what stands out, after the last record."""
        before, after = (grouper.groups() for grouper in self._errors)
        known = {group.fingerprint: group for group in before}
        share = self._share()
        judged = [(group, self._signal(group, known.get(group.fingerprint), share)) for group in after]
        judged.sort(key=lambda pair: (not is_raised(pair[1]), -(pair[1].value or 0) + (pair[1].normal or 0)))
        shown = judged[:_MOST_GROUPS]
        return Digest(
            errors=tuple(signal for _, signal in shown),
            templates=tuple(_of_template(self._service, change) for change in self._changed()[:_MOST_TEMPLATES]),
            samples={group.fingerprint: _sample(group.sample) for group, _ in shown[:3]},
            before=self._counts[0],
            after=self._counts[1],
            who=self._who(),
        )

    def _who(self) -> tuple[Signal, ...]:
        found = breadth_of(self._requests.rows())
        signals = [who_signal(self._service, found)] if found.failed else []
        if self._requests.users is not None:
            users = float(self._requests.users)
            signals.append(Signal(name="users_affected", service=self._service, value=users, unit="users"))
        return tuple(signals)

    def _share(self) -> float:
        """Return the length of the time after the split over that of the time before it that was logged."""
        length = (self._split - max(self._start, self._first or self._start)).total_seconds()
        return max(1.0, (self._end - self._split).total_seconds()) / length if length > 0 else 1.0

    def _signal(self, group: ErrorGroup, before: ErrorGroup | None, share: float) -> Signal:
        comparable = self._counts[0] >= _LEAST_HISTORY
        first = before.first_seen if before is not None and before.first_seen else group.first_seen
        exception = group.sample.exception
        own = [frame.file for frame in exception.frames if frame.in_application] if exception is not None else []
        data: dict[str, JSON] = {
            "fingerprint": group.fingerprint,
            "type": group.type,
            "culprit": str(group.culprit) if group.culprit is not None else "",
            "files": list[JSON](dict.fromkeys(own[-_MOST_FILES:])),
            "versions": list[JSON](dict.fromkeys([*(before.versions if before else ()), *group.versions])),
            "level": Level.FATAL.value if group.sample.level is Level.FATAL else group.sample.level.value,
            "last": group.last_seen.isoformat() if group.last_seen else "",
        }
        return Signal(
            name="error_group",
            service=self._service,
            value=float(group.count),
            normal=round(before.count * share, 2) if before is not None else (0.0 if comparable else None),
            text=group.title,
            at=first,
            data=data,
        )

    def _changed(self) -> list[TemplateChange]:
        if min(self._counts) < _LEAST_HISTORY:
            return []
        self._miner.merge()
        windows = []
        for side, begin, end in (
            (0, max(self._start, self._first or self._start), self._split),
            (1, self._split, self._end),
        ):
            counts: dict[str, int] = {}
            samples: dict[str, str] = {}
            for leaf, count in self._lines[side].items():
                text = self._miner.text(leaf)
                counts[text] = counts.get(text, 0) + count
                samples.setdefault(text, self._miner.sample(leaf))
            windows.append(Window(counts=counts, seconds=max(1.0, (end - begin).total_seconds()), samples=samples))
        return compare(windows[0], windows[1])


def who_signal(service: str, found: Breadth) -> Signal:
    """Return whom the failures of a service met, as a signal: the share of failures, normal being that of requests."""
    common = found.slice
    data: dict[str, JSON] = {
        "labels": dict[str, JSON](common.labels) if common is not None else {},
        "failed": found.failed,
        "requests": found.requests,
        "regions": list[JSON](found.regions),
        "versions": list[JSON](found.versions),
    }
    return Signal(
        name="failure_slice",
        service=service,
        value=common.coverage if common is not None else None,
        normal=common.share if common is not None else None,
        text=common.text if common is not None else "",
        data=data,
    )


def _of_template(service: str, change: TemplateChange) -> Signal:
    return Signal(
        name="log_template",
        service=service,
        value=round(change.rate_after, 2),
        normal=round(change.rate_before, 2),
        unit="1/min",
        text=change.template[:500],
        data={
            "change": change.kind.value,
            "sample": change.sample[:500],
            "before": change.before,
            "after": change.after,
        },
    )


def _sample(record: LogRecord) -> str:
    """Return a record as text: its message, and the trace where it has one."""
    exception = record.exception
    if exception is None:
        return record.message[:_LONGEST_SAMPLE]
    frames = "\n".join(f"  {frame}" for frame in exception.frames[-_MOST_FILES:])
    return f"{record.message}\n{frames}\n{exception.title}"[:_LONGEST_SAMPLE]
