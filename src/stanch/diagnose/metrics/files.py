"""Reads metrics and a call graph from files: what the commands that work on their own are given.

A table of metrics is CSV: a column of times (Unix seconds, or thousandths and finer as their size tells, or RFC 3339),
then one column per series, named `service|metric` or `metric`. A graph is JSON:
`{"edges": [["caller", "callee"], ...]}`.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final

import numpy as np

from stanch.diagnose.metrics.anomaly import AnomalyDetector
from stanch.diagnose.metrics.frame import Graph, MetricFrame, SeriesKey
from stanch.kernel.errors import Invalid

_LATEST: Final = 253_402_300_800.0
"""The year 10000 in seconds since 1970: a larger number is not in seconds."""
_EARLIEST: Final = -62_135_596_800.0
"""The year 1."""
_MOST: Final = 1e150
"""Beyond it squares overflow, and nothing that is measured lies there."""


def read_metrics(lines: Iterable[str], *, zone: tzinfo = UTC) -> MetricFrame:
    """Return the table as a frame, in order of time. Of rows with the same time the first counts; an empty or odd cell
    is missing. `zone` is that of times without one.

    Raises `Invalid` naming the line when the header or a time cannot be read, or when fewer than two rows are left, or
    no number in them.
    """
    table = _Table(lines, zone=zone)
    found: dict[float, list[float]] = {}
    for at, row in table:
        found.setdefault(at, [_cell(row, column) for column in range(1, len(table.header))])
    if len(found) < 2:
        raise Invalid("needs at least two rows whose times differ", field="body")
    times = np.array(sorted(found))
    values = np.array([found[at] for at in times])
    if not np.isfinite(values).any():
        raise Invalid("no column holds numbers", field="body")
    return MetricFrame(times=times, keys=tuple(_key(name) for name in table.header[1:]), values=values)


@dataclass(frozen=True, kw_only=True)
class Found:
    """One sample that is surprising: of which series, when (seconds since 1970), and how (see `anomaly.Surprise`)."""

    series: str
    at: float
    value: float
    score: float


class Surprises:
    """The anomalies of every series of a table as its rows come; memory is bounded by the number of columns.

    Rows whose time does not ascend are `left_out`; an empty or odd cell is no sample. Raises `Invalid` for a header or
    a time that cannot be read.
    """

    def __init__(self, lines: Iterable[str], *, threshold: float) -> None:
        self._table = _Table(lines, zone=UTC)
        self._detectors = [AnomalyDetector(threshold=threshold) for _ in self._table.header[1:]]
        self.rows = 0
        self.left_out = 0

    def __iter__(self) -> Iterator[Found]:
        newest = -np.inf
        for at, row in self._table:
            if at <= newest:
                self.left_out += 1
                continue
            newest = at
            self.rows += 1
            for column, detector in enumerate(self._detectors, start=1):
                seen = detector.add(at, _cell(row, column))
                if seen.anomalous:
                    yield Found(series=self._table.header[column], at=at, value=seen.value, score=seen.score)


class _Table:
    """The rows of a CSV file with their times, as they come; the header is read at once."""

    def __init__(self, lines: Iterable[str], *, zone: tzinfo) -> None:
        self._rows = csv.reader(lines)
        self._zone = zone
        try:
            header = next(self._rows, [])
        except csv.Error as error:
            raise Invalid(f"is no CSV: {error}", field="line 1") from error
        self.header = [name.strip() for name in header]
        if len(header) < 2:
            raise Invalid("needs a header: a column of times, then one column per series", field="line 1")
        twice = sorted({name for name in self.header[1:] if self.header[1:].count(name) > 1})[:3]
        if twice:
            raise Invalid(f"names a column twice: {', '.join(twice)}", field="line 1")

    def __iter__(self) -> Iterator[tuple[float, list[str]]]:
        try:
            for row in self._rows:
                if any(cell.strip() for cell in row):
                    yield _time(row[0], self._rows.line_num, self._zone), row
        except csv.Error as error:
            raise Invalid(f"is no CSV: {error}", field=f"line {self._rows.line_num}") from error


def read_graph(text: str) -> Graph:
    """Return the call graph. Raises `Invalid` when it is not JSON with pairs of names under `edges`."""
    try:
        given = json.loads(text)
        edges = [(str(caller), str(callee)) for caller, callee in given["edges"]]
        nodes = [str(name) for name in given.get("nodes", ())]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid('must be JSON such as {"edges": [["checkout", "payments"]]}', field="graph") from error
    return Graph.of(edges, nodes=nodes)


def _key(name: str) -> SeriesKey:
    service, bar, metric = name.strip().rpartition("|")
    return SeriesKey(service, metric) if bar else SeriesKey("", metric)


def _time(cell: str, number: int, zone: tzinfo) -> float:
    try:
        seconds = float(cell)
    except ValueError:
        seconds = _written(cell, number, zone)
    for _ in range(3):
        if seconds >= _LATEST:
            seconds /= 1000
    if not _EARLIEST < seconds < _LATEST:
        raise Invalid(f"{cell[:60]!r} is no time", field=f"line {number}")
    return seconds


def _written(cell: str, number: int, zone: tzinfo) -> float:
    try:
        found = datetime.fromisoformat(cell.strip())
        return (found if found.tzinfo else found.replace(tzinfo=zone)).timestamp()
    except (ValueError, OverflowError):
        raise Invalid(f"{cell[:60]!r} is no time", field=f"line {number}") from None


def _cell(row: list[str], column: int) -> float:
    try:
        value = float(row[column])
    except (ValueError, IndexError):
        return float("nan")
    return value if abs(value) < _MOST else float("nan")
