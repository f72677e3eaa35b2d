"""Understands v3 webhooks: what happens to incidents in an account is told as an alert here."""

import hashlib
import hmac
from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus

_STATUS: Final = {
    "incident.triggered": SignalStatus.FIRING,
    "incident.reopened": SignalStatus.FIRING,
    "incident.unacknowledged": SignalStatus.FIRING,
    "incident.escalated": SignalStatus.FIRING,
    "incident.priority_updated": SignalStatus.FIRING,
    "incident.acknowledged": SignalStatus.ACKNOWLEDGED,
    "incident.resolved": SignalStatus.RESOLVED,
}


class PagerDutyWebhooks:
    """Generic webhooks v3: one event per request, signed with any of the secrets that are being rotated."""

    @property
    def name(self) -> str:
        """Return `pagerduty`."""
        return "pagerduty"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check `X-PagerDuty-Signature`: any of its `v1=` values may fit."""
        expected = "v1=" + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
        given = request.headers.get("x-pagerduty-signature", "").split(",")
        if not any(hmac.compare_digest(expected.encode(), one.strip().encode()) for one in given):
            raise Forbidden("the signature does not fit", reason="bad_signature")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the alert that stands for the incident; events about anything else are taken and remarked on."""
        event = read_object(request.body).object("event")
        kind = event.needed("event_type")
        delivery = request.headers.get("x-webhook-id", "") or event.text("id")
        status = _STATUS.get(kind)
        if status is None:
            return Parsed(delivery=delivery, remark=f"{kind} changes no alert")
        return Parsed(alerts=(_alert(event, status),), delivery=delivery)


def _alert(event: JsonObject, status: SignalStatus) -> AlertSignal:
    incident = event.object("data")
    labels = {"alertname": "PagerDutyIncident", "incident_id": incident.needed("id")}
    service = incident.object("service").text("summary")
    if service:
        labels["service"] = service
    annotations = {
        "summary": incident.text("title") or incident.text("summary"),
        "severity": incident.text("urgency"),
        "priority": incident.object("priority").text("summary"),
        "number": incident.text("number"),
    }
    resolved = status is SignalStatus.RESOLVED
    return AlertSignal(
        labels=labels,
        annotations={name: text for name, text in annotations.items() if text},
        status=status,
        starts_at=incident.instant("created_at"),
        ends_at=event.instant("occurred_at") if resolved else None,
        url=incident.text("html_url"),
    )
