"""What alerts: those of the services in question that fire, or did within the window."""

from typing import Final

from stanch.alerts.model import Alert
from stanch.alerts.tables import find_alerts
from stanch.diagnose.wording import clock
from stanch.kernel.event import JSON
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question

_SHOWN: Final = 20


class AlertsCollector:
    """Reads the stored alerts."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def name(self) -> str:
        """Return `alerts`."""
        return "alerts"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits: the database is our own."""
        return 5.0

    def collect(self, question: Question) -> list[Finding]:
        """Return one finding with the alerts of these services, first to start first."""
        with self._world.store.reading() as view:
            alerts = find_alerts(view.connection, since=question.start)
        own = sorted(
            (alert for alert in alerts if alert.service in question.services),
            key=lambda alert: (alert.starts_at, alert.id),
        )
        rows: list[JSON] = [_row(alert) for alert in own[:_SHOWN]]
        return [
            Finding(
                id="all",
                collector=self.name,
                source="own alerts",
                command="stanch incident",
                status=FindingStatus.OK if own else FindingStatus.NO_DATA,
                summary=_summary(own),
                start=question.start,
                end=question.end,
                services=tuple(dict.fromkeys(alert.service for alert in own)),
                data={"alerts": rows} if rows else {},
            )
        ]


def _row(alert: Alert) -> JSON:
    return {
        "id": alert.id,
        "service": alert.service,
        "metric": alert.metric.value,
        "starts_at": alert.starts_at.isoformat(),
        "summary": alert.summary,
        "firing": alert.is_firing,
    }


def _summary(own: list[Alert]) -> str:
    if not own:
        return "No alert of these services within the window"
    firing = [alert for alert in own if alert.is_firing]
    began = f"the first to start, at {clock(own[0].starts_at)}: {own[0].summary}"
    return f"{len(firing)} of {len(own)} alerts still fire; {began}"
