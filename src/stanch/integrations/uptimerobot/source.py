"""Understands what UptimeRobot sends: keys of a template, as JSON, as a form or in the query."""

from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden, Invalid
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus, carries_token, message_of

_DOWN, _UP, _EXPIRY = "1", "2", "3"
# Keys of the template as they are written in the wild: `monitor_url`, `monitorURL` ...
_KEYS: Final = {
    "id": ("monitorid", "id"),
    "name": ("monitorfriendlyname", "name", "friendlyname"),
    "url": ("monitorurl", "url"),
    "type": ("alerttype", "type"),
    "type_name": ("alerttypefriendlyname",),
    "details": ("alertdetails", "details"),
}


class UptimeRobot:
    """Webhook alert contacts with any template."""

    @property
    def name(self) -> str:
        """Return `uptimerobot`."""
        return "uptimerobot"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the token: this sender signs nothing, so it comes as `Authorization: Bearer` or `?token=`."""
        if not carries_token(request, secret):
            raise Forbidden("the token does not fit", reason="bad_token", hint="add ?token=... to the URL")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the alert of one monitor. Raises `Invalid` when the type of alert is none of 1, 2 and 3."""
        given = _fields(request)
        kind = given["type"]
        if kind not in (_DOWN, _UP, _EXPIRY):
            raise Invalid("must be 1 (down), 2 (up) or 3 (certificate expires)", field="alert_type")
        name = given["name"] or given["url"]
        if not name:
            raise Invalid("is missing", field="monitor_friendly_name")
        labels = {"alertname": "CertificateExpires" if kind == _EXPIRY else "UptimeRobotMonitor", "monitor": name}
        if given["id"]:
            labels["monitor_id"] = given["id"]
        annotations = {"summary": f"{name} is {given['type_name'] or ('up' if kind == _UP else 'down')}"}
        if given["details"]:
            annotations["description"] = given["details"]
        alert = AlertSignal(
            labels=labels,
            annotations=annotations,
            status=SignalStatus.RESOLVED if kind == _UP else SignalStatus.FIRING,
            url=given["url"],
        )
        return Parsed(alerts=(alert,))


def _fields(request: Inbound) -> dict[str, str]:
    message = message_of(request)
    # Only what is known is read: a template may hold anything besides.
    wanted = {key for keys in _KEYS.values() for key in keys}
    given = {name: message.text(name) for name in message.data if _plain(name) in wanted}
    plain = {_plain(name): _value(value) for name, value in given.items()}
    return {name: next((plain[key] for key in keys if plain.get(key)), "") for name, keys in _KEYS.items()}


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def _value(text: str) -> str:
    # A variable that the sender does not know stays as it was written, `*name*`.
    return "" if len(text) > 2 and text.startswith("*") and text.endswith("*") else text.strip()
