"""Understands Events API v2 and change events, so that a sender changes only the host it talks to."""

import hashlib
import hmac
from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden, Invalid, Problem
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus

_ACTIONS: Final = {
    "trigger": SignalStatus.FIRING,
    "acknowledge": SignalStatus.ACKNOWLEDGED,
    "resolve": SignalStatus.RESOLVED,
}
_SEVERITIES: Final = ("critical", "error", "warning", "info")
_CHANGE_PATH: Final = "/v2/change/enqueue"
_LARGEST: Final = 512 * 1024
_LONGEST_KEY: Final = 255
_LONGEST_SUMMARY: Final = 1024


class PagerDutyEvents:
    """`POST /v2/enqueue` and `POST /v2/change/enqueue`."""

    @property
    def name(self) -> str:
        """Return `pagerduty-events`."""
        return "pagerduty-events"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the paths of the real service."""
        return ("/v2/enqueue", _CHANGE_PATH)

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the routing key: it stands in the body and is the sender's credential."""
        given = read_object(request.body, largest=_LARGEST).text("routing_key")
        if not hmac.compare_digest(given.encode(), secret.encode()):
            raise Forbidden("the routing key is not known here", reason="bad_routing_key")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the alert or the change; the answer holds `dedup_key`, as clients demand."""
        message = read_object(request.body, largest=_LARGEST)
        if request.path.endswith("/change/enqueue"):
            return _change(message, request, now=now)
        action = message.text("event_action")
        if action not in _ACTIONS:
            raise Invalid(f"is none of {', '.join(_ACTIONS)}", field="event_action")
        key = message.text("dedup_key")
        if len(key) > _LONGEST_KEY:
            raise Invalid(f"has at most {_LONGEST_KEY} characters", field="dedup_key")
        if not key and action != "trigger":
            raise Invalid("is needed to acknowledge or resolve", field="dedup_key")
        # A trigger without a key is an alert of its own; the key is told in the answer.
        key = key or hashlib.sha256(request.body + now.isoformat().encode()).hexdigest()[:32]
        alert = _alert(message, _ACTIONS[action], key)
        reply = {"status": "success", "message": "Event processed", "dedup_key": key}
        return Parsed(alerts=(alert,), reply=reply, status=202)


def _alert(message: JsonObject, status: SignalStatus, key: str) -> AlertSignal:
    payload = message.object("payload")
    if status is SignalStatus.FIRING:
        _check(payload)
    labels = {"alertname": "PagerDutyEvent", "dedup_key": key}
    annotations = {name: payload.text(name) for name in ("summary", "source", "group", "class") if payload.text(name)}
    annotations |= {name: payload.text(name) for name in ("severity", "component") if payload.text(name)}
    details = payload.data.get("custom_details")
    if isinstance(details, dict):
        annotations |= {f"detail_{name}": _shown(value) for name, value in details.items()}
    elif details is not None:
        annotations["detail"] = _shown(details)
    links = [one.text("href") for one in message.objects("links") if one.text("href")]
    return AlertSignal(
        labels=labels,
        annotations=annotations,
        status=status,
        starts_at=payload.instant("timestamp") if status is SignalStatus.FIRING else None,
        url=message.text("client_url") or (links[0] if links else ""),
    )


def _check(payload: JsonObject) -> None:
    problems = [
        Problem(field=f"payload.{name}", message="is missing")
        for name in ("summary", "source", "severity")
        if not payload.text(name).strip()
    ]
    severity = payload.text("severity")
    if severity and severity not in _SEVERITIES:
        problems.append(Problem(field="payload.severity", message=f"is none of {', '.join(_SEVERITIES)}"))
    if len(payload.text("summary")) > _LONGEST_SUMMARY:
        problems.append(Problem(field="payload.summary", message=f"has at most {_LONGEST_SUMMARY} characters"))
    if problems:
        raise Invalid(problems=problems)


def _change(message: JsonObject, request: Inbound, *, now: datetime) -> Parsed:
    payload = message.object("payload")
    summary = payload.needed("summary")
    details = payload.object("custom_details")
    change = Change(
        id=f"pagerduty/{hashlib.sha256(request.body).hexdigest()[:24]}",
        at=payload.instant("timestamp") or now,
        kind=ChangeKind.DEPLOY,
        service=details.text("service") or payload.text("source"),
        title=summary,
        version=details.text("version"),
        commit=details.text("commit"),
        source="pagerduty-events",
        url=next((one.text("href") for one in message.objects("links") if one.text("href")), ""),
    )
    return Parsed(changes=(change,), reply={"status": "success", "message": "Change event processed"}, status=202)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else str(value)
