"""Understands what Datadog posts: transitions of monitors, by our template or the default body."""

import re
from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden, Invalid
from stanch.kernel.jsontext import JsonObject
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus, carries_token, message_of

_OVER: Final = "recovered"
_SEVERITY: Final = {"error": "critical", "warning": "warning", "success": "info", "info": "info"}
# `[P1] [Triggered on {host:ip-012345}] Host is Down`: what the default body tells stands in its title.
_TITLE: Final = re.compile(
    r"^(?:\[P\d\]\s*)?\[(?P<transition>[A-Za-z -]+?)(?: on \{(?P<scope>[^}]*)\})?\]\s*(?P<name>.*)$"
)


class Datadog:
    """The webhooks integration."""

    @property
    def name(self) -> str:
        """Return `datadog`."""
        return "datadog"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the token: this sender signs nothing, so it comes as `Authorization: Bearer` or `?token=`."""
        if not carries_token(request, secret):
            raise Forbidden("the token does not fit", reason="bad_token", hint="add ?token=... to the URL")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the alert of one monitor and scope. Variables that Datadog did not fill are left out."""
        message = message_of(request)
        title = _TITLE.match(_filled(message, "alert_title") or _filled(message, "title"))
        transition = _filled(message, "alert_transition") or (title["transition"] if title else "")
        name = title["name"] if title else _filled(message, "alert_title") or _filled(message, "title")
        if not name and not _filled(message, "alert_id"):
            # Nothing would ever end what has no name.
            raise Invalid("says which monitor it is: alert_title, title or alert_id", field="alert_title")
        scope = _filled(message, "alert_scope") or (title["scope"] or "" if title else "")
        labels = {
            "alertname": name or "DatadogMonitor",
            "monitor_id": _filled(message, "alert_id"),
            "scope": scope,
            "host": _filled(message, "hostname"),
            "cycle": _filled(message, "alert_cycle_key"),
        }
        annotations = {
            "summary": _filled(message, "alert_status") or name,
            "description": _filled(message, "event_msg") or _filled(message, "body"),
            "severity": _SEVERITY.get(_filled(message, "alert_type").lower(), ""),
            "priority": _filled(message, "alert_priority"),
            "tags": _filled(message, "tags"),
            "query": _filled(message, "alert_query"),
            "metric": _filled(message, "alert_metric"),
            "transition": transition,
        }
        over = transition.lower() == _OVER
        at = message.instant("date") or message.instant("last_updated")
        alert = AlertSignal(
            labels={key: text for key, text in labels.items() if text},
            annotations={key: text for key, text in annotations.items() if text},
            status=SignalStatus.RESOLVED if over else SignalStatus.FIRING,
            starts_at=None if over else at,
            ends_at=at if over else None,
            url=_filled(message, "link") or _filled(message, "url"),
        )
        return Parsed(alerts=(alert,))


def _filled(message: JsonObject, name: str) -> str:
    value = message.text(name).strip()
    return "" if value == "null" or value.startswith("$") else value
