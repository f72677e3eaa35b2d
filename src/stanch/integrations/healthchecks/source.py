"""Understands what Healthchecks posts by its template: one check going down or coming up."""

from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus, carries_token, message_of

_OVER: Final = frozenset({"up", "new", "paused"})


class Healthchecks:
    """Webhooks with a body template that holds status, name and code or the check as JSON."""

    @property
    def name(self) -> str:
        """Return `healthchecks`."""
        return "healthchecks"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the token: this sender signs nothing, so it comes as `Authorization: Bearer` or `?token=`."""
        if not carries_token(request, secret):
            raise Forbidden("the token does not fit", reason="bad_token", hint="add ?token=... to the URL")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the alert of one check: a job that did not report in time, or failed."""
        message = message_of(request)
        check = message.object("check")
        status = (message.text("status") or check.needed("status")).lower()
        name = message.text("name") or check.text("name") or message.text("slug") or check.needed("slug")
        labels = {"alertname": "HealthcheckDown", "check": name}
        code = message.text("code") or check.text("uuid")
        if code:
            labels["check_id"] = code
        changed_at = message.instant("now")
        over = status in _OVER
        annotations = {
            "summary": f"{name} is {status}",
            "description": check.text("desc") or message.text("body"),
            "tags": message.text("tags") or check.text("tags"),
            "exit_status": message.text("exitstatus"),
        }
        alert = AlertSignal(
            labels=labels,
            annotations={key: text for key, text in annotations.items() if text},
            status=SignalStatus.RESOLVED if over else SignalStatus.FIRING,
            starts_at=None if over else changed_at,
            ends_at=changed_at if over else None,
        )
        return Parsed(alerts=(alert,))
