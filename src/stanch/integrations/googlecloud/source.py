"""Understands what Google Cloud Monitoring posts: one incident of one policy, versions 1.1 and 1.2."""

from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus, carries_token

_LABELS_FROM: Final = (
    "project_id",
    "instance_id",
    "zone",
    "cluster_name",
    "namespace_name",
    "pod_name",
    "service_name",
)


class GoogleCloud:
    """Webhook channels with a token in the URL or basic credentials."""

    @property
    def name(self) -> str:
        """Return `googlecloud`."""
        return "googlecloud"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the token: this sender signs nothing, so it comes as `Authorization: Bearer` or `?token=`."""
        if not carries_token(request, secret):
            raise Forbidden("the token does not fit", reason="bad_token", hint="add ?token=... to the URL")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the alert of one incident."""
        incident = read_object(request.body).object("incident")
        over = incident.needed("state").lower() == "closed"
        resource = incident.object("resource").texts("labels")
        labels = {"alertname": incident.text("condition_name") or _condition(incident) or "GoogleCloudIncident"}
        labels["incident_id"] = incident.needed("incident_id")
        labels["policy"] = incident.text("policy_name")
        labels |= {name: resource[name] for name in _LABELS_FROM if resource.get(name)}
        labels |= {f"policy_{name}": text for name, text in incident.texts("policy_user_labels").items()}
        annotations = {
            "summary": incident.text("summary"),
            "description": incident.object("documentation").text("content"),
            "severity": incident.text("severity").lower(),
            "resource": incident.text("resource_name"),
            "value": incident.text("observed_value"),
            "threshold": incident.text("threshold_value"),
        }
        alert = AlertSignal(
            labels={name: text for name, text in labels.items() if text},
            annotations={name: text for name, text in annotations.items() if text},
            status=SignalStatus.RESOLVED if over else SignalStatus.FIRING,
            starts_at=incident.instant("started_at"),
            ends_at=incident.instant("ended_at") if over else None,
            url=incident.text("url"),
        )
        return Parsed(alerts=(alert,))


def _condition(incident: JsonObject) -> str:
    return incident.object("condition").text("displayName")
