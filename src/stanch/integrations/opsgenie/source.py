"""Understands the alert API v2, so that a sender changes only the host, and outgoing webhooks."""

import hmac
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from stanch.kernel.errors import Forbidden, Invalid
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus, carries_token

_PATH: Final = "/v2/alerts"
_PRIORITY: Final = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info", "P5": "info"}
_OVER: Final = frozenset({"close", "delete"})
_ACTIONS: Final = frozenset({"close", "acknowledge", "unacknowledge", "notes", "snooze"})
_LONGEST_MESSAGE: Final = 130
_LONGEST_ALIAS: Final = 512


class Opsgenie:
    """`POST /v2/alerts`, its actions, and outgoing webhooks."""

    @property
    def name(self) -> str:
        """Return `opsgenie`."""
        return "opsgenie"

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the paths of the real service."""
        return (_PATH, f"{_PATH}/{{identifier}}/{{action}}")

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the key: `Authorization: GenieKey ...`, or a token for webhooks, which are not signed."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        fits = scheme.lower() == "geniekey" and hmac.compare_digest(key.strip().encode(), secret.encode())
        if not fits and not carries_token(request, secret):
            raise Forbidden("the key is not known here", reason="bad_key", hint="send Authorization: GenieKey ...")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return the alert; the answer holds a `requestId`, as clients expect."""
        if _PATH in request.path and not request.path.endswith(_PATH):
            return _acted(request)
        message = read_object(request.body)
        if "action" in message and "alert" in message:
            return _hook(message)
        text = message.needed("message")
        if len(text) > _LONGEST_MESSAGE:
            raise Invalid(f"has at most {_LONGEST_MESSAGE} characters", field="message")
        alias = message.text("alias") or text
        if len(alias) > _LONGEST_ALIAS:
            raise Invalid(f"has at most {_LONGEST_ALIAS} characters", field="alias")
        priority = message.text("priority", "P3")
        if priority not in _PRIORITY:
            raise Invalid(f"is none of {', '.join(_PRIORITY)}", field="priority")
        annotations = {
            "summary": text,
            "description": message.text("description"),
            "severity": _PRIORITY[priority],
            "priority": priority,
            "entity": message.text("entity"),
            "source": message.text("source"),
            "tags": ", ".join(message.words("tags")),
        }
        annotations |= {f"detail_{name}": value for name, value in message.texts("details").items()}
        alert = _alert(alias, SignalStatus.FIRING, annotations)
        return Parsed(alerts=(alert,), reply=_reply(alias))


def _alert(alias: str, status: SignalStatus, annotations: dict[str, str]) -> AlertSignal:
    return AlertSignal(
        labels={"alertname": "OpsgenieAlert", "alias": alias},
        annotations={name: text for name, text in annotations.items() if text},
        status=status,
    )


def _acted(request: Inbound) -> Parsed:
    identifier, _, action = request.path.partition(f"{_PATH}/")[2].partition("/")
    if not identifier or action not in _ACTIONS:
        raise Invalid(f"is none of {', '.join(sorted(_ACTIONS))}", field="action")
    alias = unquote(identifier)
    if action == "close":
        return Parsed(alerts=(_alert(alias, SignalStatus.RESOLVED, {}),), reply=_reply(alias))
    if action == "acknowledge":
        return Parsed(alerts=(_alert(alias, SignalStatus.ACKNOWLEDGED, {}),), reply=_reply(alias))
    return Parsed(reply=_reply(alias), remark=f"{action} changes no alert")


def _hook(message: JsonObject) -> Parsed:
    alert, action = message.object("alert"), message.needed("action").lower()
    alias = alert.text("alias") or alert.needed("alertId")
    if action in _OVER:
        status = SignalStatus.RESOLVED
    elif action == "acknowledge":
        status = SignalStatus.ACKNOWLEDGED
    elif action in ("create", "unacknowledge", "escalate"):
        status = SignalStatus.FIRING
    else:
        return Parsed(remark=f"{action} changes no alert")
    priority = alert.text("priority")
    priority = f"P{priority}" if priority.isdigit() else priority
    annotations = {
        "summary": alert.text("message"),
        "entity": alert.text("entity"),
        "source": alert.text("source"),
        "priority": priority,
        "severity": _PRIORITY.get(priority, ""),
        "tags": ", ".join(alert.words("tags")),
    }
    return Parsed(alerts=(_alert(alias, status, annotations),))


def _reply(alias: str) -> dict[str, object]:
    return {"result": "Request will be processed", "took": 0.0, "requestId": alias}
