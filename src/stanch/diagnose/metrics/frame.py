"""What the library works on: series of services, series of calls, log lines by template, the call graph.

Only shapes and names, and what a metric's name says about its role. Where the numbers come from is the caller's.
Nothing here knows a service by name.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stanch.alerts.baseline import Floats

Integers = NDArray[np.int64]
Marks = NDArray[np.bool_]


class Role(Enum):
    """What a metric measures, as far as its name tells."""

    LATENCY = "latency"
    SUCCESS = "success"
    FAILURE = "failure"
    LOAD = "load"
    CPU = "cpu"
    MEMORY = "memory"
    SATURATION = "saturation"
    HOST = "host"
    OTHER = "other"


# In this order: the first that matches decides. Names as exporters write them, e.g. `container_cpu_usage`,
# `http_server_duration_p90`, `requests_sum`. A host's metric is the same for all that runs on it, so it names nobody.
_ROLES: tuple[tuple[Role, re.Pattern[str]], ...] = (
    (Role.HOST, re.compile(r"^(node|host|machine)_")),
    (Role.LATENCY, re.compile(r"lat_|latenc|duration|response_time|elapsed|rtt")),
    (Role.SUCCESS, re.compile(r"avail|success")),
    (Role.FAILURE, re.compile(r"err|fail|5xx|exception")),
    (Role.LOAD, re.compile(r"request|(?<!sys)calls|_ops\b|rps|qps|^lod$|load|throughput|hits")),
    (Role.CPU, re.compile(r"cpu")),
    (Role.MEMORY, re.compile(r"mem|heap|rss")),
    (Role.SATURATION, re.compile(r"disk|inode|open_files|file_desc|conn|queue|thread|pool|satur|throttl")),
)
_CLIENT = re.compile(r"client")
_SHARE = re.compile(r"ratio|pct|percent|share")
# Means can be added up along a call graph, medians nearly, tails hardly.
_LATENCY_CHOICE = ("avg", "mean", "p50", "_50", "median", "p90", "_90", "p95", "p99", "_99")


class SeriesKey(NamedTuple):
    """A series by its service and its metric."""

    service: str
    metric: str


class EdgeKey(NamedTuple):
    """A series of the calls from one service to another."""

    caller: str
    callee: str
    metric: str


@dataclass(frozen=True, kw_only=True, eq=False)
class MetricFrame:
    """Series on one clock. `times` are seconds, ascending, one per row of `values`; `keys` one per column.

    Missing samples are NaN. Raises ValueError when the shapes do not fit or the times do not ascend.
    """

    times: Floats
    keys: tuple[SeriesKey, ...]
    values: Floats

    def __post_init__(self) -> None:
        _check(self.times, self.values, len(self.keys))

    @cached_property
    def interval_seconds(self) -> float:
        """The usual step between rows; 1 for a single row."""
        return _interval(self.times)

    @cached_property
    def columns(self) -> dict[SeriesKey, int]:
        """Position of each series."""
        return {key: column for column, key in enumerate(self.keys)}

    @cached_property
    def services(self) -> tuple[str, ...]:
        """Every service once, by name."""
        return tuple(sorted({key.service for key in self.keys}))

    def series(self, key: SeriesKey) -> Floats | None:
        """Return one column, or None when there is no such series."""
        column = self.columns.get(key)
        return None if column is None else self.values[:, column]

    @cached_property
    def by_role(self) -> dict[Role, dict[str, tuple[SeriesKey, ...]]]:
        """The series of each role by service; a latency as clients see it is not the service's own, so left out."""
        found: dict[Role, dict[str, list[SeriesKey]]] = {role: {} for role in Role}
        for key in sorted(self.keys):
            role = role_of(key.metric)
            if not (role is Role.LATENCY and is_client(key.metric)):
                found[role].setdefault(key.service, []).append(key)
        return {role: {name: tuple(keys) for name, keys in of.items()} for role, of in found.items()}


@dataclass(frozen=True, kw_only=True, eq=False)
class EdgeFrame:
    """Series of calls between services on one clock of their own; shaped as `MetricFrame`."""

    times: Floats
    keys: tuple[EdgeKey, ...]
    values: Floats

    def __post_init__(self) -> None:
        _check(self.times, self.values, len(self.keys))


@dataclass(frozen=True, kw_only=True, eq=False)
class LogCounts:
    """Log lines as numbers: for each line its time, its service and its template.

    `service_of` and `template_of` index `services` and `templates`. `quiet` marks lines of a period known to be
    normal, at whatever time it was; lines not marked are ordered by their time against the onset. All arrays have
    one entry per line.
    """

    times: Floats
    services: tuple[str, ...]
    service_of: Integers
    templates: tuple[str, ...]
    template_of: Integers
    quiet: Marks

    def __post_init__(self) -> None:
        sizes = {self.times.size, self.service_of.size, self.template_of.size, self.quiet.size}
        if len(sizes) > 1:
            raise ValueError(f"log lines need one time, service, template and mark each, got {sorted(sizes)}")


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Who calls whom. Edges run from the caller to the callee; both ends are nodes."""

    edges: frozenset[tuple[str, str]]
    nodes: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, edges: Iterable[tuple[str, str]], *, nodes: Iterable[str] = ()) -> "Graph":
        """Build a graph from pairs; further nodes may stand alone."""
        pairs = frozenset((caller, callee) for caller, callee in edges if caller != callee)
        return cls(edges=pairs, nodes=frozenset(nodes) | {name for pair in pairs for name in pair})

    @cached_property
    def callees(self) -> dict[str, tuple[str, ...]]:
        """For each caller whom it calls, by name."""
        return _grouped((caller, callee) for caller, callee in self.edges)

    @cached_property
    def callers(self) -> dict[str, tuple[str, ...]]:
        """For each callee who calls it, by name."""
        return _grouped((callee, caller) for caller, callee in self.edges)

    def reachable(self, service: str) -> frozenset[str]:
        """Return the service and everything it calls, directly or not."""
        seen: set[str] = set()
        ahead = [service]
        while ahead:
            name = ahead.pop()
            if name not in seen:
                seen.add(name)
                ahead.extend(self.callees.get(name, ()))
        return frozenset(seen)


@lru_cache(maxsize=4096)  # a frame repeats a few dozen metric names over all its services
def role_of(metric: str) -> Role:
    """Tell a metric's role by its name; OTHER when the name says nothing."""
    name = metric.lower()
    return next((role for role, pattern in _ROLES if pattern.search(name)), Role.OTHER)


def is_client(metric: str) -> bool:
    """Say whether a latency is what a service's own calls take, rather than what it takes to answer, by its name."""
    return bool(_CLIENT.search(metric.lower()))


def is_share(metric: str) -> bool:
    """Say whether a metric is a share of the requests rather than a count of them, by its name."""
    return bool(_SHARE.search(metric.lower()))


def best_latency(keys: Iterable[SeriesKey]) -> SeriesKey | None:
    """Choose the latency that adds up best along calls: a mean before a median before a tail."""
    return min(keys, key=lambda key: (latency_rank(key.metric), key.metric), default=None)


def latency_rank(metric: str) -> int:
    """Rank a latency for adding up along calls, 0 is best."""
    name = metric.lower()
    return next((rank for rank, part in enumerate(_LATENCY_CHOICE) if part in name), len(_LATENCY_CHOICE))


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for key, value in sorted(pairs):
        found.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in found.items()}


def _interval(times: Floats) -> float:
    return float(np.median(np.diff(times))) if times.size > 1 else 1.0


def _check(times: Floats, values: Floats, columns: int) -> None:
    if values.shape != (times.size, columns):
        raise ValueError(f"{times.size} times and {columns} series need values of that shape, got {values.shape}")
    if times.size > 1 and not (np.diff(times) > 0).all():
        raise ValueError("times must ascend")
