"""What alerts: those of the services in question that fire, or did within the window.

What checks and declared rules say is a signal for the ranking of causes: no other collector knows what is normal there.
"""

from typing import Final

from stanch.alerts.model import Alert, Metric
from stanch.alerts.tables import find_alerts
from stanch.diagnose.wording import clock
from stanch.kernel.event import JSON
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal

_SHOWN: Final = 20
_SIGNS: Final = {Metric.CHECK: ("check_failed", "probe"), Metric.RULE: ("rule_broken", "rule")}
"""Metrics whose alerts are signals: what they are called there, and the label with the name of the check or rule."""


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
                signals=tuple(signal for alert in own if (signal := _signal(alert)) is not None),
                data={"alerts": rows} if rows else {},
            )
        ]


def _signal(alert: Alert) -> Signal | None:
    """Return a check that fails or a rule that is broken as a signal; what is only worth knowing is none."""
    known = _SIGNS.get(alert.metric)
    if known is None or alert.is_warning or not alert.is_firing:
        return None
    name, label = known
    data: dict[str, JSON] = {"resource": alert.labels.get(label, ""), "raised": True}
    return Signal(
        name=name,
        service=alert.service,
        value=alert.value,
        normal=alert.normal,
        text=alert.summary,
        at=alert.starts_at,
        data=data,
    )


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
