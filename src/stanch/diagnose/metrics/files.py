"""Reads metrics and a call graph from files: what the commands that work on their own are given.

A table of metrics is CSV: a column of times (Unix seconds or RFC 3339), then one column per series, named
`service|metric` or `metric`. A graph is JSON: `{"edges": [["caller", "callee"], ...]}`.
"""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from stanch.diagnose.metrics.anomaly import AnomalyDetector
from stanch.diagnose.metrics.frame import Graph, MetricFrame, SeriesKey
from stanch.kernel.errors import Invalid


def read_metrics(lines: Iterable[str]) -> MetricFrame:
    """Return the table as a frame. Rows whose time does not ascend are left out; an empty or odd cell is missing.

    Raises `Invalid` naming the line when the header or a time cannot be read, or when fewer than two rows are left.
    """
    rows = csv.reader(lines)
    header = next(rows, [])
    if len(header) < 2:
        raise Invalid("needs a header: a column of times, then one column per series", field="line 1")
    keys = tuple(_key(name) for name in header[1:])
    times: list[float] = []
    values: list[list[float]] = []
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        at = _time(row[0], number)
        if times and at <= times[-1]:
            continue
        times.append(at)
        values.append([_cell(row, column) for column in range(1, len(header))])
    if len(times) < 2:
        raise Invalid("needs at least two rows whose times ascend", field="body")
    return MetricFrame(times=np.array(times), keys=keys, values=np.array(values))


@dataclass(frozen=True, kw_only=True)
class Found:
    """One sample that is surprising: of which series, when (seconds since 1970), and how (see `anomaly.Surprise`)."""

    series: str
    at: float
    value: float
    score: float


def surprises(lines: Iterable[str], *, threshold: float) -> Iterator[Found]:
    """Yield the anomalies of every series of a table as its rows come; memory is bounded by the number of columns.

    Rows whose time does not ascend are left out; an empty or odd cell is no sample. Raises `Invalid` for a header or a
    time that cannot be read.
    """
    rows = csv.reader(lines)
    header = next(rows, [])
    if len(header) < 2:
        raise Invalid("needs a header: a column of times, then one column per series", field="line 1")
    detectors = [AnomalyDetector(threshold=threshold) for _ in header[1:]]
    newest = -np.inf
    for number, row in enumerate(rows, start=2):
        if not any(cell.strip() for cell in row):
            continue
        at = _time(row[0], number)
        if at <= newest:
            continue
        newest = at
        for column, detector in enumerate(detectors, start=1):
            seen = detector.add(at, _cell(row, column))
            if seen.anomalous:
                yield Found(series=header[column].strip(), at=at, value=seen.value, score=seen.score)


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


def _time(cell: str, number: int) -> float:
    try:
        return float(cell)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise Invalid(f"{cell!r} is no time", field=f"line {number}") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _cell(row: list[str], column: int) -> float:
    try:
        value = float(row[column])
    except (ValueError, IndexError):
        return float("nan")
    return value if np.isfinite(value) else float("nan")
