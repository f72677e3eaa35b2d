"""What wakes people elsewhere: PagerDuty, Opsgenie and Pushover, in the keys of an `alertmanager.yml`.

PagerDuty and Opsgenie know a group by a key, so that telling them twice shows it once; Pushover knows none.
"""

from typing import Final

from stanch.integrations.alertmanager.facts import alerts_page, text_of_notice, title_of
from stanch.integrations.alertmanager.http import Sent, is_true
from stanch.integrations.alertmanager.posting import Kind, as_json, filled, key_of_group
from stanch.integrations.alertmanager.shape import Given, Shape, default_text, shortened
from stanch.ports.notifier import Notice

_PAGERDUTY: Final = Shape(
    secrets=("routing_key",),
    texts=(
        "client", "client_url", "description", "severity", "source", "class", "component", "group", "details", "images",
        "links",
    ),
    plain=("url",),
    urls=("url",),
    refused=dict.fromkeys(
        ("service_key", "service_key_file"),
        "is of PagerDuty's Events API v1, which is not spoken here; give routing_key of an Events API v2 integration",
    ),
)  # fmt: skip
_PAGERDUTY_URL: Final = "https://events.pagerduty.com/v2/enqueue"


def _pagerduty(given: Given, notice: Notice) -> Sent:
    """Return an event of https://developer.pagerduty.com/docs/send-alert-event; the same group has the same key."""
    event: dict[str, object] = {
        "routing_key": given.secret("routing_key"),
        "event_action": "trigger" if notice.is_firing else "resolve",
        "dedup_key": key_of_group(notice),
    }
    if notice.is_firing:
        severity = given.text("severity", notice, "error")
        payload = filled(
            summary=shortened(given.text("description", notice, title_of(notice)), 1024),
            source=given.text("source", notice) or given.text("client", notice, "Stanch"),
            severity=severity if severity in ("critical", "error", "warning", "info") else "error",
            timestamp=min(one.starts_at for one in notice.alerts).isoformat() if notice.alerts else "",
            component=given.text("component", notice),
            group=given.text("group", notice),
            custom_details={"alerts": default_text(notice, 100_000), **given.pairs("details", notice)},
        )
        event["payload"] = payload | filled(**{"class": given.text("class", notice)})
        event |= filled(
            client=given.text("client", notice, "Stanch"),
            client_url=given.text("client_url", notice, alerts_page(notice)),
            images=given.nested("images", notice),
            links=given.nested("links", notice),
        )
    return as_json(given.plain("url", _PAGERDUTY_URL), event)


_OPSGENIE: Final = Shape(
    secrets=("api_key",),
    texts=(
        "message", "description", "source", "details", "responders", "tags", "note", "priority", "entity", "actions",
    ),
    plain=("api_url", "update_alerts"),
    urls=("api_url",),
)  # fmt: skip


def _opsgenie(given: Given, notice: Notice) -> Sent:
    """Return an alert, or the end of one; the same group has the same alias."""
    base = given.plain("api_url", "https://api.opsgenie.com").rstrip("/")
    key, alias = f"GenieKey {given.secret('api_key')}", key_of_group(notice)
    source = given.text("source", notice, "Stanch")
    if not notice.is_firing:
        body = filled(source=source, note=given.text("note", notice))
        return as_json(f"{base}/v2/alerts/{alias}/close?identifierType=alias", body, Authorization=key)
    priority = given.text("priority", notice)
    body = filled(
        alias=alias,
        message=shortened(given.text("message", notice, title_of(notice)), 130),
        description=shortened(given.text("description", notice, text_of_notice(notice)), 15_000),
        source=source,
        details=given.pairs("details", notice),
        responders=given.nested("responders", notice),
        tags=[one for one in given.text("tags", notice).split(",") if one.strip()],
        note=given.text("note", notice),
        priority=priority if priority in ("P1", "P2", "P3", "P4", "P5") else "",
        entity=given.text("entity", notice),
        actions=[one for one in given.text("actions", notice).split(",") if one.strip()],
    )
    return as_json(f"{base}/v2/alerts", body, Authorization=key)


_PUSHOVER: Final = Shape(
    secrets=("user_key", "token"),
    texts=("title", "message", "url", "url_title", "priority"),
    plain=("device", "sound", "retry", "expire", "ttl", "html", "monospace", "api_url"),
    urls=("api_url",),
    lengths=("retry", "expire", "ttl"),
)


def _pushover(given: Given, notice: Notice) -> Sent:
    """Return a message of https://pushover.net/api; priority 2 is repeated until somebody answers it there."""
    priority = given.text("priority", notice, "2" if notice.is_firing else "0").strip()
    urgent = priority == "2"
    body = filled(
        token=given.secret("token"),
        user=given.secret("user_key"),
        title=shortened(given.text("title", notice, title_of(notice)), 250),
        message=shortened(given.text("message", notice, text_of_notice(notice)), 1024),
        url=shortened(given.text("url", notice, alerts_page(notice)), 512),
        url_title=shortened(given.text("url_title", notice), 100),
        device=given.plain("device"),
        sound=given.plain("sound"),
        priority=priority,
        retry=given.length_s("retry", 60) if urgent else None,
        expire=given.length_s("expire", 3600) if urgent else None,
        ttl=given.length_s("ttl", 0) or None,
        html="1" if is_true(given.plain("html")) else "",
        monospace="1" if is_true(given.plain("monospace")) else "",
    )
    return as_json(given.plain("api_url", "https://api.pushover.net/1/messages.json"), body)


PAGERS: Final = {
    "pagerduty": Kind(name="pagerduty", shape=_PAGERDUTY, make=_pagerduty),
    "opsgenie": Kind(name="opsgenie", shape=_OPSGENIE, make=_opsgenie),
    "pushover": Kind(name="pushover", shape=_PUSHOVER, make=_pushover),
}
