"""How calls to dependencies went, as the callers measured it: one finding per caller and target."""

from typing import Final

from stanch.diagnose.measure import points
from stanch.diagnose.wording import clock, compared
from stanch.engine.collectors.series import Measured, measured, source_of
from stanch.kernel.event import JSON
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question
from stanch.store import Connection

_METRICS: Final = ("dependency_error_ratio", "dependency_latency_p95_ms")
_MOST_TARGETS: Final = 20


class CallsCollector:
    """Reads the stored samples of calls from the services in question to what they depend on."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def name(self) -> str:
        """Return `calls`."""
        return "calls"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits: the database is our own."""
        return 8.0

    def collect(self, question: Question) -> list[Finding]:
        """Return one finding per caller and target that was measured; empty when no caller measures its calls."""
        with self._world.store.reading() as view:
            return [
                finding
                for service in question.services
                for finding in self._of_service(view.connection, question, service)
            ]

    def _of_service(self, connection: Connection, question: Question, service: str) -> list[Finding]:
        baseline_s = self._world.catalog.timing.baseline_s
        by_target: dict[str, list[Measured]] = {}
        for each in measured(connection, question, service=service, metrics=_METRICS, baseline_s=baseline_s):
            target = each.track.labels.get("target", "")
            if target:
                by_target.setdefault(target, []).append(each)
        shown = sorted(by_target)[:_MOST_TARGETS]
        return [self._of_call(question, service, target, by_target[target]) for target in shown]

    def _of_call(self, question: Question, service: str, target: str, found: list[Measured]) -> Finding:
        source, command = source_of(self._world.catalog, service)
        signals = tuple(each.signal for each in found if each.signal is not None)
        charts: list[JSON] = [points(each.track) for each in found]
        if signals:
            raised = [signal for signal in signals if signal.data.get("raised")]
            said = "; ".join(compared(signal) for signal in raised or signals)
            since = next((signal.at for signal in raised if signal.at is not None), None)
            begun = f", since {clock(since)}" if since is not None else ""
            summary = (
                f"{service} calling {target}: {said}{begun}"
                if raised
                else f"{service} calling {target}: as ever ({said})"
            )
        else:
            summary = f"{service} calling {target}: no call since {clock(question.onset)}"
        return Finding(
            id=f"{service}/{target}",
            collector=self.name,
            source=source,
            command=f"{command} | grep client" if command else "",
            status=FindingStatus.OK if signals else FindingStatus.NO_DATA,
            summary=summary,
            start=question.start,
            end=question.end,
            services=(service, target),
            signals=signals,
            data={"series": charts},
        )
