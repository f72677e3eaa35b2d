"""Understands what Sentry posts. What kind of message it is stands in a header and not in the body.

A much older plugin sends a flat body without header and signature. Releases and deploys come as tools send them to
Sentry's API: they change only the host.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Final

from stanch.integrations.sentry.issues import error_alert, issue_alert, metric_alert, plugin_alert
from stanch.integrations.sentry.releases import deploy_of, release_of
from stanch.integrations.sentry.seer import read_news
from stanch.kernel.errors import Forbidden
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.signals import Inbound, Parsed, SignalStatus, carries_token

_RELEASES: Final = "/api/0/organizations/{organization}/releases/"
_ISSUE: Final = {
    "created": SignalStatus.FIRING,
    "unresolved": SignalStatus.FIRING,
    "resolved": SignalStatus.RESOLVED,
    "archived": SignalStatus.RESOLVED,
    "ignored": SignalStatus.RESOLVED,
    "assigned": SignalStatus.ACKNOWLEDGED,
}
_OVER: Final = frozenset({"set_resolved", "set_resolved_by_age", "set_resolved_in_release", "set_ignored", "archived"})
_PARTS: Final = ("installation", "metric_alert", "event", "error", "issue")


class Sentry:
    """Webhooks of Sentry, and the calls by which pipelines tell it about releases."""

    @property
    def name(self) -> str:
        """Return `sentry`."""
        return "sentry"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the paths of the API that tell about releases and deploys."""
        return (_RELEASES, f"{_RELEASES}{{version}}/deploys/")

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the signature over the raw body; without one, the token that tools and the old plugin carry.

        The time stamp is not signed and proves nothing, so `Request-ID` is what keeps repetitions out.
        """
        given = request.headers.get("sentry-hook-signature") or request.headers.get("sentry-app-signature", "")
        expected = hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
        if given and hmac.compare_digest(expected.encode(), given.encode()):
            return
        if given or not carries_token(request, secret):
            raise Forbidden(
                "the signature does not fit",
                reason="bad_signature",
                hint="the secret is the integration's Client Secret",
            )

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the alert of an issue or of a metric; what changes no alert is taken and remarked on."""
        message = read_object(request.body) if request.body.strip() else JsonObject({})
        if "/releases/" in request.path:
            return _told(message, request, now=now)
        data, action = message.object("data"), message.text("action")
        kind = request.headers.get("sentry-hook-resource", "").lower() or _kind(message, data)
        return _parsed(kind, action, message, data, delivery=request.headers.get("request-id", ""))


def _told(message: JsonObject, request: Inbound, *, now: datetime) -> Parsed:
    change, reply = (
        deploy_of(message, request.path, now=now)
        if request.path.rstrip("/").endswith("/deploys")
        else release_of(message, now=now)
    )
    return Parsed(changes=(change,), reply=reply, status=201)


def _parsed(kind: str, action: str, message: JsonObject, data: JsonObject, *, delivery: str) -> Parsed:
    match kind:
        case "plugin":
            return Parsed(alerts=(plugin_alert(message),), delivery=delivery)
        case "event_alert":
            return Parsed(alerts=(error_alert(data.object("event"), data),), delivery=delivery)
        case "error":
            return Parsed(alerts=(error_alert(data.object("error"), data, severity="info"),), delivery=delivery)
        case "metric_alert":
            return Parsed(alerts=(metric_alert(data, action),), delivery=delivery)
        case "issue" if action in _ISSUE:
            return Parsed(alerts=(issue_alert(data, _ISSUE[action]),), delivery=delivery)
        case "activity_alert":
            over = data.object("activity").text("type") in _OVER
            status = SignalStatus.RESOLVED if over else SignalStatus.FIRING
            return Parsed(alerts=(issue_alert(data, status),), delivery=delivery)
        case "seer":
            news = read_news(action, data)
            return Parsed(delivery=delivery, remark=_seer(action, data), analyses=(news,) if news else ())
        case _:
            return Parsed(delivery=delivery, remark=f"{kind or 'a message'} {action}".strip() + " changes no alert")


def _kind(message: JsonObject, data: JsonObject) -> str:
    """Return the kind by what is in the body, for senders in between that dropped the header."""
    if "data" not in message:
        return "plugin" if "event" in message or "project_slug" in message else ""
    if "activity" in data:
        return "activity_alert"
    found = next((name for name in _PARTS if name in data), "")
    if not found and "run_id" in data:
        return "seer"
    return "event_alert" if found == "event" else found


def _seer(action: str, data: JsonObject) -> str:
    issue = data.text("group_id")
    said = data.object("root_cause").text("one_line_description") or data.object("solution").text("one_line_summary")
    words = action.replace("_", " ")
    return f"Seer on issue {issue}: {words}" + (f": {said}" if said else "")
