"""Counts templates over time, by service, as records stream by; answers what changed at an onset.

Joins the miner with time. Memory is bounded: when there are too many cells, time is told less finely.
"""

from datetime import UTC, datetime, timedelta

from stanch.diagnose.logs.compare import TemplateChange, Window, compare
from stanch.diagnose.logs.miner import Miner, Template
from stanch.diagnose.logs.model import LogRecord

MAX_CELLS = 300_000
"""Counts held, one for each service, template and stretch of time; at 130 bytes a cell 40 MB."""


class TemplateCounts:
    """Lines by service, template and stretch of time. `bucket` is the stretch's length now; it only ever doubles."""

    def __init__(self, *, bucket: timedelta = timedelta(minutes=1)) -> None:
        self._miner = Miner()
        self._width = max(1, int(bucket.total_seconds()))
        self._cells: dict[tuple[str, int], dict[int, int]] = {}
        self._size = 0
        self.untimed = 0
        """Records without a time: they are in the templates, and in no window."""

    @property
    def bucket(self) -> timedelta:
        """Return the length of a stretch."""
        return timedelta(seconds=self._width)

    def add(self, record: LogRecord) -> None:
        """Count a record by the first line of its message."""
        leaf = self._miner.add(record.message.split("\n", 1)[0])
        if record.at is None:
            self.untimed += 1
            return
        cells = self._cells.setdefault((record.service, leaf), {})
        stretch = int(record.at.timestamp()) // self._width
        known = cells.get(stretch)
        if known is not None:
            cells[stretch] = known + 1
            return
        cells[stretch] = 1
        self._size += 1
        while self._size > MAX_CELLS and self._coarsen():
            pass

    def templates(self) -> list[Template]:
        """Return all templates of all services, the most frequent first."""
        return self._miner.templates()

    def services(self) -> list[str]:
        """Return the services that logged, in order of name; a line that names none counts to the empty name."""
        return sorted({service for service, _ in self._cells})

    def series(self, service: str, template: int) -> list[tuple[datetime, int]]:
        """Return (start of stretch in UTC, lines) of one template, oldest first, without stretches that had none."""
        found: dict[int, int] = {}
        for (name, leaf), cells in self._cells.items():
            if name == service and self._miner.resolve(leaf) == self._miner.resolve(template):
                for stretch, count in cells.items():
                    found[stretch] = found.get(stretch, 0) + count
        return [(self._start(stretch), found[stretch]) for stretch in sorted(found)]

    def window(self, service: str, start: datetime, end: datetime) -> Window:
        """Return the service's lines in the stretches that begin in [start, end), by the text of their template."""
        self._miner.merge()
        first = -(-int(start.timestamp()) // self._width)
        last = -(-int(end.timestamp()) // self._width)
        counts: dict[str, int] = {}
        samples: dict[str, str] = {}
        for (name, leaf), cells in self._cells.items():
            count = sum(cells[stretch] for stretch in cells if first <= stretch < last) if name == service else 0
            if count:
                text = self._miner.text(leaf)
                counts[text] = counts.get(text, 0) + count
                samples.setdefault(text, self._miner.sample(leaf))
        return Window(counts=counts, seconds=max(0.0, float((last - first) * self._width)), samples=samples)

    def changes(
        self, onset: datetime, *, before: timedelta, after: timedelta, guard: timedelta = timedelta(0)
    ) -> dict[str, list[TemplateChange]]:
        """Compare each service's lines before the onset with those after it; services without a change are left out.

        `guard` is cut out just before the onset, where an estimated onset may be late.
        """
        found = {}
        for service in self.services():
            old = self.window(service, onset - guard - before, onset - guard)
            changed = compare(old, self.window(service, onset, onset + after))
            if changed:
                found[service] = changed
        return found

    def _start(self, stretch: int) -> datetime:
        return datetime.fromtimestamp(stretch * self._width, UTC)

    def _coarsen(self) -> bool:
        """Double the stretches; False when there is nothing left to join."""
        self._miner.merge()
        joined: dict[tuple[str, int], dict[int, int]] = {}
        for (service, leaf), cells in self._cells.items():
            target = joined.setdefault((service, self._miner.resolve(leaf)), {})
            for stretch, count in cells.items():
                target[stretch // 2] = target.get(stretch // 2, 0) + count
        self._width *= 2
        self._cells = joined
        size = sum(len(cells) for cells in joined.values())
        smaller = size < self._size
        self._size = size
        return smaller
