"""Adds a page up to the few totals that are compared between two looks: requests, failures, buckets of durations.

Sums instead of single series make the cursor small (a page of 10,000 series becomes some 30 numbers).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Final

from stanch.integrations.openmetrics import conventions
from stanch.integrations.openmetrics.kinds import Tally
from stanch.integrations.openmetrics.page import Point

MOST_TARGETS: Final = 50
MOST_BUCKETS: Final = 200
_PARTS: Final = ("counter", "histogram", "client_counter", "client_histogram")


@dataclass(frozen=True, kw_only=True)
class Calls:
    """Requests to one place since the process began; `failed` is None where nothing tells how they ended.

    `buckets` maps an upper bound in milliseconds to the count at or below it.
    """

    requests: float | None = None
    failed: float | None = None
    buckets: Mapping[float, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What one page says. `clients` are by target; `families` are the names that were taken for each part."""

    calls: Calls = Calls()
    clients: Mapping[str, Calls] = field(default_factory=dict)
    families: Mapping[str, str] = field(default_factory=dict)
    saturation: Mapping[str, float] = field(default_factory=dict)
    memory_bytes: float | None = None
    started_at: float | None = None
    version: str = ""
    series: int = 0

    @property
    def says_something(self) -> bool:
        """Tell whether anything on the page was understood."""
        return bool(
            self.families or self.saturation or self.version or self.memory_bytes is not None or self.started_at
        )


def totals_of(points: Iterable[Point], *, families: Mapping[str, str], tally: Tally | None = None) -> Totals:
    """Add a page up. `families` are those of the look before: a choice between several is kept while it can be.

    `tally` takes the requests that the process answered by their labels, where given.
    """
    gathered = _Gathered(tally)
    for point in points:
        gathered.take(point)
    chosen = {
        part: name
        for part, found in gathered.parts().items()
        if (name := _chosen(found, before=families.get(part, "")))
    }
    return Totals(
        calls=gathered.calls(chosen.get("counter", ""), chosen.get("histogram", "")),
        clients=gathered.clients(chosen.get("client_counter", ""), chosen.get("client_histogram", "")),
        families=chosen,
        saturation=gathered.saturation(),
        memory_bytes=gathered.memory_bytes,
        started_at=gathered.started_at,
        version=gathered.version,
        series=gathered.series,
    )


@dataclass
class _Tally:
    """Counts of one family towards one place while a page is read."""

    requests: float = 0.0
    failed: float = 0.0
    knows_status: bool = False
    buckets: dict[float, float] = field(default_factory=dict)


class _Gathered:
    """What has been read of a page so far."""

    def __init__(self, tally: Tally | None = None) -> None:
        self.series = 0
        self._tally = tally
        self.version = ""
        self.memory_bytes: float | None = None
        self.started_at: float | None = None
        self._memory_limit: float | None = None
        self._used: dict[tuple[str, str], float] = {}
        self._limits: dict[tuple[str, str], float] = {}
        self._counters: dict[str, dict[str, _Tally]] = {}
        self._histograms: dict[str, dict[str, _Tally]] = {}

    def take(self, point: Point) -> None:
        """Count one series in."""
        self.series += 1
        name, labels, value = point.name, point.labels, point.value
        if not isfinite(value):
            return
        duration = conventions.duration_of(name)
        if conventions.is_counter(name):
            self._count(self._counters, name, labels, value)
        elif duration is not None:
            family, part, unit_ms = duration
            if part == "count":
                self._count(self._counters, family, labels, value)
            else:
                self._bucket(family, labels, value, unit_ms)
        else:
            self._gauge(name, labels, value)

    def parts(self) -> dict[str, dict[str, float]]:
        """Return the families found for each part, with their counts."""
        found: dict[str, dict[str, float]] = {
            "counter": {},
            "histogram": {},
            "client_counter": {},
            "client_histogram": {},
        }
        for part, families in (("counter", self._counters), ("histogram", self._histograms)):
            for family, tallies in families.items():
                ours = [tally for target, tally in tallies.items() if not target]
                # Without a status nothing can be said of failures, so such a counter is the last choice.
                for prefix, group in (("", ours), ("client_", [tally for target, tally in tallies.items() if target])):
                    if group:
                        weight = sum(tally.requests for tally in group)
                        known = any(tally.knows_status for tally in group) or part == "histogram"
                        found[prefix + part][family] = weight if known else -1.0
        return found

    def calls(self, counter: str, histogram: str) -> Calls:
        """Return the calls that the process answered."""
        return self._calls("", counter, histogram)

    def clients(self, counter: str, histogram: str) -> dict[str, Calls]:
        """Return the calls that the process made, by target, the busiest 50."""
        counted = self._counters.get(counter, {})
        targets = {target for target in (*counted, *self._histograms.get(histogram, {})) if target}
        busiest = sorted(targets, key=lambda target: (-counted.get(target, _Tally()).requests, target))
        return {target: self._calls(target, counter, histogram) for target in busiest[:MOST_TARGETS]}

    def saturation(self) -> dict[str, float]:
        """Return how full each resource is, 0..1 as a rule; of several with one name the fullest."""
        found: dict[str, float] = {}
        for (stem, where), used in self._used.items():
            limit = self._limits.get((stem, where))
            if limit is not None and limit > 0 and used >= 0:
                resource = conventions.resource_of(stem)
                found[resource] = max(found.get(resource, 0.0), used / limit)
        if self.memory_bytes is not None and self._memory_limit:
            found["memory"] = self.memory_bytes / self._memory_limit
        return found

    def _calls(self, target: str, counter: str, histogram: str) -> Calls:
        counted = self._counters.get(counter, {}).get(target)
        timed = self._histograms.get(histogram, {}).get(target)
        return Calls(
            requests=counted.requests if counted else None,
            failed=counted.failed if counted and counted.knows_status else None,
            buckets=dict(timed.buckets) if timed and len(timed.buckets) <= MOST_BUCKETS else {},
        )

    def _count(
        self, families: dict[str, dict[str, _Tally]], family: str, labels: Mapping[str, str], value: float
    ) -> None:
        if conventions.is_own_traffic(labels) or value < 0:
            return
        place = _place(family, labels)
        if self._tally is not None and not place:
            self._tally.take(family, labels, value)
        tally = families.setdefault(family, {}).setdefault(place, _Tally())
        status = conventions.status_of(labels)
        tally.requests += value
        if status is not None:
            tally.knows_status = True
            tally.failed += value if conventions.is_failure(status) else 0.0

    def _bucket(self, family: str, labels: Mapping[str, str], value: float, unit_ms: float) -> None:
        if conventions.is_own_traffic(labels) or value < 0:
            return
        try:
            bound = float(labels["le"]) * unit_ms
        except (KeyError, ValueError):
            return
        tally = self._histograms.setdefault(family, {}).setdefault(_place(family, labels), _Tally())
        tally.buckets[bound] = tally.buckets.get(bound, 0.0) + value
        if bound == inf:
            tally.requests += value

    def _gauge(self, name: str, labels: Mapping[str, str], value: float) -> None:
        where = "\x00".join(f"{key}={labels[key]}" for key in sorted(labels))
        if name == conventions.PROCESS_START:
            self.started_at = max(self.started_at or 0.0, value)
        elif name == conventions.RESIDENT_MEMORY:
            self.memory_bytes = max(self.memory_bytes or 0.0, value)
        elif name in conventions.MEMORY_LIMITS:
            # A container without a limit reports one far beyond any machine.
            self._memory_limit = value if 0 < value < 2**50 else None
        elif conventions.is_build_info(name):
            self.version = self.version or next(
                (labels[label] for label in conventions.VERSION_LABELS if labels.get(label)), ""
            )
        elif stem := conventions.used_stem(name):
            self._used[stem, where] = value
        elif stem := conventions.limit_stem(name):
            self._limits[stem, where] = value


def _place(family: str, labels: Mapping[str, str]) -> str:
    """Return where a call went, empty for one that the process answered itself."""
    if not conventions.is_client(family, labels):
        return ""
    return conventions.target_of(labels) or "unknown"


def _chosen(found: Mapping[str, float], *, before: str) -> str:
    """Return the family to take: the one taken before, else the usual names, else the busiest; empty for none."""
    if before in found:
        return before
    ranks = {name: rank for rank, name in enumerate(conventions.PREFERRED)}
    return min(found, key=lambda name: (found[name] < 0, ranks.get(name, len(ranks)), -found[name], name), default="")
