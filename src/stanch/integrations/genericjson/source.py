"""Understands any JSON by a mapping of dotted paths, such as `alert.name` or `items.0.state`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden, Invalid
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject, read_json
from stanch.ports.signals import AlertSignal, Inbound, Parsed, SignalStatus, carries_token

_MOST: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class FieldMapping:
    """Where things stand; all are dotted paths, empty where the sender does not say.

    `items` is the list of alerts in a message. `resolved` are the values of `status` that mean the end, in lower case;
    without `status` everything fires. `labels` tell alerts apart, by their name here.
    """

    items: str = ""
    title: str = "title"
    status: str = ""
    resolved: tuple[str, ...] = ("resolved", "ok", "closed", "up", "recovered")
    severity: str = ""
    service: str = ""
    summary: str = ""
    url: str = ""
    started_at: str = ""
    id: str = ""
    labels: dict[str, str] = field(default_factory=dict)


class GenericJson:
    """A sender without an integration of its own, with a token."""

    def __init__(self, mapping: FieldMapping | None = None, *, name: str = "json") -> None:
        self._mapping = mapping or FieldMapping()
        self._name = name

    @property
    def name(self) -> str:
        """Return the name it is configured by; `json` for the one with the shipped mapping."""
        return self._name

    @property
    def paths(self) -> tuple[str, ...]:
        """Return no further paths."""
        return ()

    def verify(self, request: Inbound, *, secret: str, now: datetime) -> None:
        """Check the token: `Authorization: Bearer` or `?token=`."""
        if not carries_token(request, secret):
            raise Forbidden("the token does not fit", reason="bad_token", hint="add ?token=... to the URL")

    def parse(self, request: Inbound, *, now: datetime) -> Parsed:
        """Return one alert per item. Raises `Invalid` naming the path that leads to nothing."""
        body = read_json(request.body)
        alerts = tuple(self._alert(one, at) for one, at in self._items(body))
        return Parsed(alerts=alerts, remark="" if alerts else "no alerts are in it: the list is empty")

    def _items(self, body: JSON) -> Iterator[tuple[JSON, str]]:
        path = self._mapping.items
        found = _at(body, path) if path else body
        if not isinstance(found, list):
            if path:
                raise Invalid("must be a list", field=path)
            yield found, ""
            return
        if len(found) > _MOST:
            raise Invalid(f"has at most {_MOST:,} items", field=path or "body")
        for number, one in enumerate(found):
            yield one, f"{path}.{number}".lstrip(".")

    def _alert(self, item: JSON, at: str) -> AlertSignal:
        mapping = self._mapping
        title = _text(item, mapping.title, at)
        if not title.strip():
            raise Invalid("is missing", field=_joined(at, mapping.title))
        labels = {name: _text(item, path, at) for name, path in mapping.labels.items()}
        id = _text(item, mapping.id, at)
        labels |= {"alertname": title, "id": id} if id else {"alertname": title}
        annotations = {
            "summary": _text(item, mapping.summary, at) or title,
            "severity": _text(item, mapping.severity, at).lower(),
            "service": _text(item, mapping.service, at),
        }
        over = bool(mapping.status) and _text(item, mapping.status, at).lower() in mapping.resolved
        return AlertSignal(
            labels={name: text for name, text in labels.items() if text},
            annotations={name: text for name, text in annotations.items() if text},
            status=SignalStatus.RESOLVED if over else SignalStatus.FIRING,
            starts_at=_instant(item, mapping.started_at, at),
            url=_text(item, mapping.url, at),
        )


def _at(value: JSON, path: str) -> JSON:
    """Return what stands at `path`, None for nothing. A number picks from a list."""
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and len(part) < 9 and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def _text(item: JSON, path: str, at: str) -> str:
    return JsonObject({"value": _at(item, path)}).text("value") if path and _plain(item, path, at) else ""


def _plain(item: JSON, path: str, at: str) -> bool:
    if isinstance(_at(item, path), dict | list):
        raise Invalid("must be a text or a number", field=_joined(at, path))
    return True


def _instant(item: JSON, path: str, at: str) -> datetime | None:
    if not path:
        return None
    try:
        return JsonObject({"value": _at(item, path)}).instant("value")
    except Invalid as error:
        raise Invalid(error.problems[0].message, field=_joined(at, path)) from None


def _joined(at: str, path: str) -> str:
    return f"{at}.{path}" if at else path
