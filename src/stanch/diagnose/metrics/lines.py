"""Counts log lines for the ranking of causes: each line's time, service and template, as numbers. Streams."""

from array import array
from typing import Final

import numpy as np

from stanch.diagnose.logs.miner import Miner
from stanch.diagnose.logs.model import LogRecord
from stanch.diagnose.metrics.frame import LogCounts

MOST_LINES: Final = 5_000_000
"""At 24 bytes a line 120 MB; what is beyond them is left out, and `left_out` says how many."""


class LineCounter:
    """Takes records one by one; keeps those between `since` and `until` (seconds since 1970) that have a time."""

    def __init__(self, *, since: float, until: float) -> None:
        self._since, self._until = since, until
        self._miner = Miner()
        self._services: dict[str, int] = {}
        self._times, self._service_of, self._leaves = array("d"), array("q"), array("q")
        self.left_out = 0

    def add(self, record: LogRecord) -> None:
        """Count one record."""
        if record.at is None or not self._since <= (at := record.at.timestamp()) <= self._until:
            return
        if len(self._times) >= MOST_LINES:
            self.left_out += 1
            return
        self._times.append(at)
        self._service_of.append(self._services.setdefault(record.service, len(self._services)))
        # What an error is of tells more than that one was logged.
        kind = record.exception.type if record.exception is not None else ""
        line = record.message.split("\n", 1)[0]
        self._leaves.append(self._miner.add(f"{kind} {line}" if kind and kind not in line else line))

    def counts(self) -> LogCounts:
        """Return what was counted, after the last record."""
        self._miner.merge()
        kinds: dict[int, int] = {}
        templates: list[int] = []
        for leaf in self._leaves:
            resolved = self._miner.resolve(leaf)
            templates.append(kinds.setdefault(resolved, len(kinds)))
        return LogCounts(
            times=np.frombuffer(self._times, dtype=np.float64) if self._times else np.empty(0),
            services=tuple(self._services),
            service_of=np.array(self._service_of, dtype=np.int64),
            templates=tuple(self._miner.text(template) for template in kinds),
            template_of=np.array(templates, dtype=np.int64),
            quiet=np.zeros(len(self._times), dtype=np.bool_),
        )
