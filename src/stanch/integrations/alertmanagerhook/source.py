"""Understands what an Alertmanager posts to a webhook receiver: every alert of a group, firing and resolved mixed."""

from datetime import datetime

from stanch.kernel.errors import Forbidden
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus, carries_token


class AlertmanagerHook:
    """Webhook version 4."""

    @property
    def name(self) -> str:
        """Return `alertmanager`."""
        return "alertmanager"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the token: this sender signs nothing, so it comes as `Authorization: Bearer` or `?token=`."""
        if not carries_token(request, secret):
            raise Forbidden("the token does not fit", reason="bad_token", hint="add ?token=... to the URL")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return one alert per entry: a group's own status says nothing about each of them."""
        message = read_object(request.body)
        alerts = tuple(_alert(one) for one in message.objects("alerts"))
        truncated = message.number("truncatedAlerts") or 0
        remark = "" if alerts else "no alerts are in it"
        if truncated:
            remark = f"{truncated:.0f} alerts were cut off by the sender's max_alerts"
        return Parsed(alerts=alerts, remark=remark)


def _alert(one: JsonObject) -> AlertSignal:
    labels = one.texts("labels")
    labels.setdefault("alertname", "Alertmanager")
    resolved = one.text("status").lower() == "resolved"
    return AlertSignal(
        labels=labels,
        annotations=one.texts("annotations"),
        status=SignalStatus.RESOLVED if resolved else SignalStatus.FIRING,
        starts_at=one.instant("startsAt"),
        ends_at=one.instant("endsAt") if resolved else None,
        url=one.text("generatorURL"),
    )
