"""Makes alerts of Sentry's issues, events and metrics. An issue is one alert, whatever tells about it."""

import re
from collections.abc import Mapping
from typing import Final

from stanch.kernel.errors import Invalid
from stanch.kernel.jsontext import JsonObject
from stanch.ports.signals import AlertSignal, SignalStatus

_LEVELS: Final = {"fatal": "critical", "error": "error", "warning": "warning", "info": "info", "debug": "info"}
_PRIORITIES: Final = {"high": "error", "medium": "warning", "low": "info"}
_METRIC: Final = {"critical": "critical", "warning": "warning"}
# An event names its project by number, except in the address of the event.
_PROJECT_IN_URL: Final = re.compile(r"/projects/[^/]+/([^/]+)/")
_SHOWN_TAGS: Final = ("environment", "release", "transaction", "server_name", "url")


def issue_alert(data: JsonObject, status: SignalStatus) -> AlertSignal:
    """Return the alert of an `issue`."""
    issue = data.object("issue")
    level = issue.text("level")
    severity = "critical" if level == "fatal" else _PRIORITIES.get(issue.text("priority"), _LEVELS.get(level, ""))
    annotations = {
        "summary": issue.text("title"),
        "culprit": issue.text("culprit"),
        "severity": severity,
        "service": issue.object("project").text("slug"),
        "issue": issue.text("shortId"),
        "events": issue.text("count"),
        "users": issue.text("userCount"),
        "resolution": data.text("resolution_type"),
    }
    return _alert(
        {"alertname": "SentryIssue", "issue_id": issue.needed("id")},
        annotations,
        status=status,
        starts_at_of=(issue, "firstSeen"),
        url=issue.text("web_url") or issue.text("permalink"),
    )


def error_alert(event: JsonObject, data: JsonObject, *, severity: str = "") -> AlertSignal:
    """Return the alert of the issue that an event belongs to; `severity` overrides that of the event's level."""
    found = _PROJECT_IN_URL.search(event.text("url"))
    issue = event.text("issue_id") or event.needed("event_id")
    annotations = {
        "summary": event.text("title") or event.text("message"),
        "culprit": event.text("culprit"),
        "severity": severity or _LEVELS.get(event.text("level"), ""),
        "service": found[1] if found else "",
        "rule": data.text("triggered_rule"),
        "release": event.text("release"),
        "platform": event.text("platform"),
        **_tags(event),
    }
    return _alert(
        {"alertname": "SentryIssue", "issue_id": issue},
        annotations,
        starts_at_of=(event, "datetime"),
        url=event.text("web_url") or event.text("url"),
    )


def metric_alert(data: JsonObject, action: str) -> AlertSignal:
    """Return the alert of a metric: one per rule."""
    metric = data.object("metric_alert")
    rule = metric.object("alert_rule")
    if action not in (*_METRIC, "resolved"):
        raise Invalid("is none of critical, warning, resolved", field="action")
    over = action == "resolved"
    projects = metric.words("projects")
    annotations = {
        "summary": data.text("description_title") or metric.text("title"),
        # The sender writes a backslash and an n where a line ends.
        "description": data.text("description_text").replace("\\n", "\n"),
        "severity": _METRIC.get(action, ""),
        "service": projects[0] if len(projects) == 1 else "",
        "projects": ", ".join(projects),
        "rule": rule.text("name"),
        "query": " ".join(part for part in (rule.text("aggregate"), rule.text("query")) if part),
    }
    return _alert(
        {"alertname": "SentryMetricAlert", "rule_id": rule.text("id") or metric.needed("id")},
        annotations,
        status=SignalStatus.RESOLVED if over else SignalStatus.FIRING,
        starts_at_of=(metric, "date_started"),
        ends_at_of=(metric, "date_closed") if over else None,
        url=data.text("web_url"),
    )


def plugin_alert(message: JsonObject) -> AlertSignal:
    """Return the alert of the flat body that the old plugin sends."""
    event = message.object("event")
    annotations = {
        "summary": event.text("title") or message.text("message"),
        "description": message.text("message"),
        "culprit": message.text("culprit"),
        "severity": _LEVELS.get(message.text("level"), ""),
        "service": message.text("project_slug") or message.text("project"),
        "release": event.text("release"),
        **_tags(event),
    }
    return _alert(
        {"alertname": "SentryIssue", "issue_id": message.needed("id")},
        annotations,
        starts_at_of=(event, "timestamp"),
        url=message.text("url"),
    )


def _alert(
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    *,
    status: SignalStatus = SignalStatus.FIRING,
    starts_at_of: tuple[JsonObject, str],
    ends_at_of: tuple[JsonObject, str] | None = None,
    url: str,
) -> AlertSignal:
    started, start = starts_at_of
    return AlertSignal(
        labels=labels,
        annotations={name: text for name, text in annotations.items() if text},
        status=status,
        starts_at=started.instant(start),
        ends_at=ends_at_of[0].instant(ends_at_of[1]) if ends_at_of else None,
        url=url,
    )


def _tags(event: JsonObject) -> dict[str, str]:
    """Return the tags worth keeping: pairs of name and value."""
    pairs = event.data.get("tags")
    found = {}
    for pair in pairs if isinstance(pairs, list) else []:
        match pair:
            case [str(name), str(value)] if name in _SHOWN_TAGS:
                found[f"tag_{name}"] = value
    return found
