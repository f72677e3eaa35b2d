"""Makes signals of spans: which steps of a service's requests take longer since the onset than before. Pure.

A row is one kind of step: `span.op`, `span.description` and `span.domain` with `count()`, `p95(span.duration)` and
`sum(span.duration)` in milliseconds (https://docs.sentry.io/concepts/search/searchable-properties/spans/). Traces are
sampled, so counts tell nothing about load.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject
from stanch.ports.evidence import Signal

KEYS: Final = ("span.op", "span.description", "span.domain")
COUNT: Final = "count()"
P95: Final = "p95(span.duration)"
SUM: Final = "sum(span.duration)"
FIELDS: Final = (*KEYS, COUNT, P95, SUM)
_FACTOR: Final = 1.5
_LEAST_MS: Final = 20.0
"""What the ranking of causes takes for slower, where nobody judged it: half as long again, and 20 ms."""
_LEAST_COUNT: Final = 5
"""A 95th percentile of fewer is the slowest one."""
_LONG_QUERY_MS: Final = 200.0
_ENTRIES: Final = ("http.server", "queue.process", "rpc.server")
_CALLS: Final = ("http.client", "rpc.client", "grpc.client", "http", "rpc", "grpc")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One kind of step: its 95th percentiles in ms, `normal_ms` None where it was not seen before, and all its time."""

    op: str
    description: str
    domain: str
    count: float
    p95_ms: float
    normal_ms: float | None
    total_ms: float

    @property
    def slower(self) -> bool:
        """Tell whether it takes longer than before."""
        if self.normal_ms is None or self.count < _LEAST_COUNT:
            return False
        return self.p95_ms >= _FACTOR * self.normal_ms and self.p95_ms - self.normal_ms >= _LEAST_MS

    @property
    def added_ms(self) -> float:
        """Return about how much time it takes beyond normal, over all its calls."""
        return self.count * max(0.0, self.p95_ms - (self.normal_ms or 0.0)) if self.slower else 0.0

    @property
    def words(self) -> str:
        """Return what it is called: `db SELECT * FROM cards`."""
        return f"{self.op} {self.description or self.domain}".strip()[:200]


def steps_of(since: Sequence[JsonObject], before: Sequence[JsonObject]) -> list[Step]:
    """Return the steps since the onset beside those before, what costs most time beyond normal first."""
    known = {_key(row): row.number(P95) for row in before if (row.number(COUNT) or 0.0) >= _LEAST_COUNT}
    found = [
        Step(
            op=row.text("span.op"),
            description=row.text("span.description"),
            domain=row.text("span.domain"),
            count=row.number(COUNT) or 0.0,
            p95_ms=row.number(P95) or 0.0,
            normal_ms=known.get(_key(row)),
            total_ms=row.number(SUM) or 0.0,
        )
        for row in since
    ]
    return sorted(found, key=lambda step: (-step.added_ms, -step.total_ms, step.words))


def signals_of(service: str, steps: Sequence[Step], *, known: Collection[str]) -> tuple[Signal, ...]:
    """Return how long requests, calls and queries take, each beside its normal; `known` are the services there are."""
    found: list[Signal] = []
    entry = _slowest([step for step in steps if step.op in _ENTRIES])
    if entry is not None:
        found.append(_latency("latency_p95_ms", service, entry))
    targets: dict[str, list[Step]] = {}
    for step in steps:
        if step.op in _CALLS and (target := target_of(step, known)):
            targets.setdefault(target, []).append(step)
    for target, own in targets.items():
        if (slowest := _slowest(own)) is not None:
            found.append(_latency("dependency_latency_p95_ms", service, slowest, target=target))
    queries = [step for step in steps if step.op.partition(".")[0] == "db" and step.p95_ms >= _LONG_QUERY_MS]
    if slower := [step for step in queries if step.slower]:
        text = f"{slower[0].words}: P95 {slower[0].p95_ms:,.0f} ms, normal {slower[0].normal_ms or 0:,.0f} ms"
        data: dict[str, JSON] = {"raised": True, "resource": "spans"}
        found.append(Signal(name="long_queries", service=service, value=len(slower), normal=0, text=text, data=data))
    return tuple(found)


def target_of(step: Step, known: Collection[str]) -> str:
    """Return the service that a call goes to: a known one by its host's name or the first part of it, else the host."""
    host = step.domain if "//" in step.domain else f"//{step.domain}"
    try:
        name = urlsplit(host).hostname or ""
    except ValueError:
        return ""
    return next((one for one in (name, name.partition(".")[0]) if one in known), name)


def row_of(step: Step) -> dict[str, JSON]:
    """Return a step as a row of a table."""
    return {
        "span": step.words,
        "p95_ms": round(step.p95_ms, 1),
        "normal_ms": round(step.normal_ms, 1) if step.normal_ms is not None else None,
        "count": round(step.count),
        "total_ms": round(step.total_ms),
    }


def _slowest(steps: Sequence[Step]) -> Step | None:
    """Return the step with most time beyond normal; where none is slower, the one with most time that has a normal."""
    judged = [step for step in steps if step.normal_ms is not None and step.count >= _LEAST_COUNT]
    return max(judged, key=lambda step: (step.added_ms, step.total_ms), default=None)


def _latency(name: str, service: str, step: Step, *, target: str = "") -> Signal:
    data: dict[str, JSON] = {"raised": step.slower}
    if target:
        data["target"] = target
    return Signal(
        name=name, service=service, value=step.p95_ms, normal=step.normal_ms, unit="ms", text=step.words, data=data
    )


def _key(row: JsonObject) -> tuple[str, ...]:
    return tuple(row.text(key) for key in KEYS)
