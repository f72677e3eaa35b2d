"""What Stanch's own checks measured, before the onset and since: one finding per service."""

from typing import Final

from stanch.diagnose.logdigest import who_signal
from stanch.diagnose.measure import points
from stanch.diagnose.slices import Row, breadth_of
from stanch.diagnose.wording import clock, compared
from stanch.engine.collectors.series import Measured, measured, requests_since, source_of
from stanch.kernel.event import JSON
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal
from stanch.ports.sampler import TellingSampler
from stanch.store import Connection

_METRICS: Final = (
    "up",
    "error_ratio",
    "latency_p95_ms",
    "request_rate",
    "saturation",
    "memory_bytes",
    "restarts",
)
_MOST_SERIES: Final = 40
"""Series of one service in a finding: at 3 KiB a chart 12 are shown, the others are signals only."""
_MOST_CHARTS: Final = 12


class MetricsCollector:
    """Reads the stored samples of the services in question."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def name(self) -> str:
        """Return `metrics`."""
        return "metrics"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits: the database is our own."""
        return 8.0

    def collect(self, question: Question) -> list[Finding]:
        """Return one finding per service that is not somebody else's."""
        catalog = self._world.catalog
        ours = [
            name for name in question.services if name not in catalog.services or not catalog.services[name].external
        ]
        with self._world.store.reading() as view:
            return [self._of_service(view.connection, question, service) for service in ours]

    def _of_service(self, connection: Connection, question: Question, service: str) -> Finding:
        baseline_s = self._world.catalog.timing.baseline_s
        found = measured(connection, question, service=service, metrics=_METRICS, baseline_s=baseline_s)[:_MOST_SERIES]
        told = [each for each in found if each.signal is not None]
        source, command = source_of(self._world.catalog, service)
        failed, total = requests_since(connection, question, service)
        who = self._who(question, service)
        charts: list[JSON] = [points(each.track) for each in _raised_first(told)[:_MOST_CHARTS]]
        return Finding(
            id=service,
            collector=self.name,
            source=source,
            command=command,
            status=FindingStatus.OK if told else FindingStatus.NO_DATA,
            summary=_summary(service, told, failed=failed, total=total, question=question)
            + "".join(f"; {one.text}" for one in who if one.text),
            start=question.start,
            end=question.end,
            services=(service,),
            signals=(*(each.signal for each in told if each.signal is not None), *who),
            data={"series": charts, "failed": failed, "requests": total} if told else {},
        )

    def _who(self, question: Question, service: str) -> tuple[Signal, ...]:
        """Return what the failures since the onset share by the labels of the service's own metrics, if anything."""
        known = self._world.catalog.services.get(service)
        rows: list[Row] = []
        for check in known.checks if known is not None else ():
            sampler = self._world.samplers.get(check.reader)
            if isinstance(sampler, TellingSampler):
                kinds = sampler.kinds_since(check.target, question.onset)
                rows += [Row(labels=one.labels, requests=one.requests, failed=one.failed) for one in kinds]
        found = breadth_of(rows)
        return (who_signal(service, found),) if found.failed else ()


def _moving(signal: Signal) -> str:
    """Say how a level moves, where it is one: checks passed and restarts are not."""
    told = signal.trend not in ("", "unknown", "steady") and signal.name not in ("up", "restarts")
    return f", {signal.trend}" if told else ""


def _raised_first(found: list[Measured]) -> list[Measured]:
    return sorted(found, key=lambda each: not (each.signal is not None and each.signal.data.get("raised")))


def _summary(service: str, told: list[Measured], *, failed: int, total: int, question: Question) -> str:
    if not told:
        return f"{service}: no check has measured anything since {clock(question.onset)}"
    signals = [each.signal for each in told if each.signal is not None]
    raised = [signal for signal in signals if signal.data.get("raised")]
    counted = f"; {failed:,} of {total:,} requests failed since {clock(question.onset)}" if failed else ""
    if not raised:
        calm = next((signal for signal in signals if signal.name in ("error_ratio", "latency_p95_ms")), signals[0])
        return f"{service}: nothing out of the ordinary ({compared(calm)}){counted}"
    parts = [compared(signal) + _moving(signal) for signal in raised[:4]]
    return f"{service}: {'; '.join(parts)}{counted}"
