"""Understands what New Relic posts: the state of one issue."""

from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus, carries_token

_OVER: Final = frozenset({"CLOSED", "RESOLVED"})
_SEVERITY: Final = {"CRITICAL": "critical", "HIGH": "error", "MEDIUM": "warning", "LOW": "info"}


class NewRelic:
    """Workflow destinations (the shipped template) and notification channels."""

    @property
    def name(self) -> str:
        """Return `newrelic`."""
        return "newrelic"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the token: this sender signs nothing, so it comes as `Authorization: Bearer` or `?token=`."""
        if not carries_token(request, secret):
            raise Forbidden("the token does not fit", reason="bad_token", hint="add ?token=... to the URL")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the alert of one issue."""
        message = read_object(request.body)
        if "current_state" in message:
            return Parsed(alerts=(_channel(message),))
        state = message.needed("state").upper()
        entities = message.words("impactedEntities")
        labels = {"alertname": "NewRelicIssue", "issue_id": message.needed("id")}
        if len(entities) == 1:
            labels["entity"] = entities[0]
        annotations = {
            "summary": message.text("title"),
            "severity": _SEVERITY.get(message.text("priority").upper(), ""),
            "entities": ", ".join(entities),
            "policies": ", ".join(message.words("alertPolicyNames")),
            "conditions": ", ".join(message.words("alertConditionNames")),
        }
        return Parsed(alerts=(_alert(message, labels, annotations, state, message.text("issueUrl")),))


def _alert(
    message: JsonObject, labels: dict[str, str], annotations: dict[str, str], state: str, url: str
) -> AlertSignal:
    over = state in _OVER
    acknowledged = state == "ACKNOWLEDGED"
    return AlertSignal(
        labels=labels,
        annotations={name: text for name, text in annotations.items() if text},
        status=SignalStatus.RESOLVED if over else SignalStatus.ACKNOWLEDGED if acknowledged else SignalStatus.FIRING,
        starts_at=message.instant("createdAt"),
        ends_at=message.instant("updatedAt") if over else None,
        url=url,
    )


def _channel(message: JsonObject) -> AlertSignal:
    labels = {"alertname": "NewRelicIncident", "incident_id": message.needed("incident_id")}
    annotations = {
        "summary": message.text("condition_name") or message.text("details"),
        "description": message.text("details"),
        "severity": message.text("severity").lower(),
    }
    state = message.text("current_state").upper()
    return _alert(message, labels, annotations, state, message.text("incident_url"))
