"""Understands what Pingdom posts: one state change of one check."""

from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus, carries_token

_UP: Final = frozenset({"UP", "SUCCESS"})


class Pingdom:
    """Webhooks of uptime and transaction checks."""

    @property
    def name(self) -> str:
        """Return `pingdom`."""
        return "pingdom"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the token: this sender signs nothing, so it comes as `Authorization: Bearer` or `?token=`."""
        if not carries_token(request, secret):
            raise Forbidden("the token does not fit", reason="bad_token", hint="add ?token=... to the URL")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return one alert per check, firing while it is down or failing."""
        message = read_object(request.body)
        state = message.needed("current_state").upper()
        changed_at = message.instant("state_changed_timestamp")
        over = state in _UP
        annotations = {
            "summary": f"{message.text('check_name')} is {state}",
            "description": message.text("long_description") or message.text("description"),
            "severity": message.text("importance_level").lower(),
            "probe": message.object("first_probe").text("location"),
        }
        alert = AlertSignal(
            labels={
                "alertname": "PingdomCheck",
                "check_id": message.needed("check_id"),
                "check": message.text("check_name"),
                "type": message.text("check_type"),
            },
            annotations={name: text for name, text in annotations.items() if text},
            status=SignalStatus.RESOLVED if over else SignalStatus.FIRING,
            starts_at=None if over else changed_at,
            ends_at=changed_at if over else None,
            url=_page(message),
        )
        return Parsed(alerts=(alert,))


def _page(message: JsonObject) -> str:
    parameters = message.object("check_params")
    return parameters.text("full_url") or parameters.text("url")
