"""Understands what Grafana posts. Unified alerting speaks Alertmanager's webhook form with fields of its own."""

import hashlib
import hmac
from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus

_SIGNATURE: Final = "x-grafana-alerting-signature"
# Links worth keeping, by the name they have as an annotation here.
_LINKS: Final = {"silenceURL": "silence_url", "dashboardURL": "dashboard_url", "panelURL": "panel_url"}
_LEGACY_ENDED: Final = frozenset({"ok", "paused", "pending"})


class Grafana:
    """Grafana's webhooks, both generations."""

    @property
    def name(self) -> str:
        """Return `grafana`."""
        return "grafana"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths: a contact point has a URL of its own."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the signature over the body, with the time stamp before it where that header is configured."""
        given = request.headers.get(_SIGNATURE, "")
        stamp = request.headers.get("x-grafana-alerting-timestamp", "")
        signed = f"{stamp}:".encode() + request.body if stamp else request.body
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise Forbidden(
                "the signature does not fit", reason="bad_signature", hint=f"set the secret for {_SIGNATURE}"
            )

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return one alert per entry of `alerts`, or the one a dashboard alert tells."""
        message = read_object(request.body)
        if "ruleId" in message or "evalMatches" in message:
            return Parsed(alerts=(_legacy(message),))
        base = message.text("externalURL")
        alerts = tuple(_unified(one, base) for one in message.objects("alerts"))
        return Parsed(alerts=alerts, remark="" if alerts else "the message holds no alerts")


def _unified(one: JsonObject, base: str) -> AlertSignal:
    labels = one.texts("labels")
    # What could not be evaluated stands under a name of its own; the rule's name is in `rulename`.
    labels.setdefault("alertname", labels.get("rulename", "") or "Grafana")
    annotations = one.texts("annotations")
    annotations |= {name: one.text(key) for key, name in _LINKS.items() if one.text(key)}
    values = one.text("valueString")
    if values:
        annotations["values"] = values
    url = one.text("generatorURL")
    if url.startswith(("?", "/")):
        url = base.rstrip("/") + "/" + url.lstrip("/") if base else ""
    resolved = one.text("status").lower() == "resolved"
    return AlertSignal(
        labels=labels,
        annotations=annotations,
        status=SignalStatus.RESOLVED if resolved else SignalStatus.FIRING,
        starts_at=one.instant("startsAt"),
        ends_at=one.instant("endsAt") if resolved else None,
        url=url,
    )


def _legacy(message: JsonObject) -> AlertSignal:
    state = message.text("state").lower()
    matches = "; ".join(f"{one.text('metric')} = {one.text('value')}" for one in message.objects("evalMatches"))
    annotations = {"summary": message.text("title"), "description": message.text("message"), "values": matches}
    labels = {"alertname": message.text("ruleName") or message.needed("title"), **message.texts("tags")}
    if "ruleId" in message:
        labels["rule_id"] = message.text("ruleId")
    if state == "no_data":
        annotations["state"] = "no data"
    return AlertSignal(
        labels=labels,
        annotations={name: text for name, text in annotations.items() if text},
        status=SignalStatus.RESOLVED if state in _LEGACY_ENDED else SignalStatus.FIRING,
        url=message.text("ruleUrl"),
    )
