"""A small shop as numbers: web calls orders and search, orders calls db, search calls db; what its faults look like."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from stanch.alerts.baseline import Floats
from stanch.diagnose.metrics.frame import EdgeFrame, EdgeKey, Graph, LogCounts, MetricFrame, SeriesKey

ROWS = 90
ONSET = 80
STEP = 60.0
AT = 1_000_000.0 + ONSET * STEP
# Calls a request: a fifth of what web is asked goes to orders, the rest to search.
CALLS = {
    ("web", "orders"): 0.2,
    ("web", "search"): 0.8,
    ("orders", "db"): 1.0,
    ("search", "db"): 1.0,
    ("orders", "mail"): 1.0,
}
GRAPH = Graph.of(CALLS)
# Requests a second, seconds of own work, CPU in per cent, memory in bytes.
QUIET = {
    "web": (50.0, 0.020, 20.0, 4e8),
    "orders": (10.0, 0.030, 15.0, 6e8),
    "search": (40.0, 0.010, 30.0, 8e8),
    "db": (50.0, 0.005, 40.0, 2e9),
    "mail": (10.0, 0.050, 2.0, 1e8),
}
Change = Callable[[Floats], Floats]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """What differs from quiet: a change of own latency, CPU, memory, requests or success by service, after ONSET."""

    seed: int = 0
    latency: Mapping[str, float] = field(default_factory=dict)
    cpu: Mapping[str, float] = field(default_factory=dict)
    memory: Mapping[str, float] = field(default_factory=dict)
    requests: Mapping[str, float] = field(default_factory=dict)
    success: Mapping[str, float] = field(default_factory=dict)

    def frame(self) -> MetricFrame:
        """Return the metrics: latency adds up along the calls, everything has noise of a few per cent."""
        columns: dict[SeriesKey, Floats] = {}
        own = {name: self._series(name, "latency", quiet[1], self.latency) for name, quiet in QUIET.items()}
        whole: dict[str, Floats] = {}
        for name in ("db", "mail", "search", "orders", "web"):
            below = [calls * whole[callee] for (caller, callee), calls in CALLS.items() if caller == name]
            whole[name] = own[name] + np.sum(below, axis=0) if below else own[name]
            columns[SeriesKey(name, "latency_avg")] = whole[name]
        for name, (requests, _, cpu, memory) in QUIET.items():
            columns[SeriesKey(name, "requests_sum")] = self._series(name, "requests", requests, self.requests)
            columns[SeriesKey(name, "cpu_pct")] = self._series(name, "cpu", cpu, self.cpu)
            columns[SeriesKey(name, "memory_bytes")] = self._series(name, "memory", memory, self.memory)
            up = np.full(ROWS, 100.0)
            up[ONSET:] = self.success.get(name, 100.0)
            columns[SeriesKey(name, "success_pct")] = up
        return MetricFrame(times=clock(), keys=tuple(columns), values=np.stack(list(columns.values()), axis=1))

    def _series(self, name: str, kind: str, level: float, factors: Mapping[str, float]) -> Floats:
        # Every series has a stream of its own, so that a change of one leaves all others as they are.
        stream = np.random.default_rng([self.seed, *f"{name}/{kind}".encode()])
        series: Floats = level * (1 + 0.03 * stream.standard_normal(ROWS))
        series[ONSET:] *= factors.get(name, 1.0)
        return series


def clock() -> Floats:
    """The rows' times."""
    times: Floats = 1_000_000.0 + STEP * np.arange(ROWS, dtype=np.float64)
    return times


def permuted(frame: MetricFrame, order: list[int]) -> MetricFrame:
    """The same frame with its columns in another order."""
    return replace(frame, keys=tuple(frame.keys[i] for i in order), values=frame.values[:, order])


def renamed(frame: MetricFrame, names: Mapping[str, str]) -> MetricFrame:
    """The same frame with other service names."""
    return replace(frame, keys=tuple(SeriesKey(names[key.service], key.metric) for key in frame.keys))


def with_column(frame: MetricFrame, key: SeriesKey, series: Floats) -> MetricFrame:
    """The frame with one more column."""
    return replace(frame, keys=(*frame.keys, key), values=np.column_stack([frame.values, series]))


def calls(*, slow: str | None = None) -> EdgeFrame:
    """Client and server latencies of all calls; 0.2 s of way to `slow` are added after the onset."""
    columns: dict[EdgeKey, Floats] = {}
    for caller, callee in CALLS:
        stream = np.random.default_rng([*f"{caller}/{callee}".encode()])
        server: Floats = QUIET[callee][1] * (1 + 0.05 * stream.standard_normal(ROWS))
        way: Floats = 0.002 * (1 + 0.1 * stream.standard_normal(ROWS))
        way[ONSET:] += 0.2 if callee == slow else 0.0
        columns[EdgeKey(caller, callee, "latency_p50_server")] = server
        columns[EdgeKey(caller, callee, "latency_p50_client")] = server + way
    return EdgeFrame(times=clock(), keys=tuple(columns), values=np.stack(list(columns.values()), axis=1))


def lines(*, changed: str | None = None, seed: int = 3) -> LogCounts:
    """Six kinds of lines of every service; `changed` writes its third no more after the onset, and a new one."""
    stream = np.random.default_rng(seed)
    names = tuple(QUIET)
    rows: list[tuple[float, int, int]] = []
    for number, name in enumerate(names):
        for time in np.sort(stream.uniform(AT - 3600, AT + 600, 700)):
            kind = int(stream.integers(6))
            if name == changed and time >= AT and kind == 2:
                kind = 6
            rows.append((float(time), number, kind))
    return LogCounts(
        times=np.array([row[0] for row in rows]),
        services=names,
        service_of=np.array([row[1] for row in rows], dtype=np.int64),
        templates=tuple(f"kind {kind}" for kind in range(7)),
        template_of=np.array([row[2] for row in rows], dtype=np.int64),
        quiet=np.zeros(len(rows), dtype=np.bool_),
    )
