"""The webhook notifier: one POST per notification, in the format of version 4.

The format is that of https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. The id of the notice
goes along as `Idempotency-Key`, for receivers that want to recognise a repetition.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec

from stanch.integrations.alertmanager.http import Sent, post, said
from stanch.integrations.alertmanager.settings import read_webhook
from stanch.ports.notifier import Notice, NoticeAlert

_NEVER: Final = "0001-01-01T00:00:00Z"


class WebhookNotifier:
    """Posts notices to one URL, which may hold a secret and is never shown in an error."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._settings = read_webhook(settings)
        self._client = self._settings.http.client(plain=self._settings.url.startswith("http:"))

    def notify(self, notice: Notice) -> str:
        """Post `notice`. 5xx is tried again; any other refusal, a redirect too, is final for this flush."""
        settings = self._settings

        def sent() -> Sent:
            content = encoded(notice, max_alerts=settings.max_alerts)
            return Sent(url=settings.target(), content=content, headers={"Idempotency-Key": notice.id})

        seconds = min(notice.seconds, settings.timeout_s or notice.seconds)
        return said(post(self._client, settings.http, sent, name="the webhook", seconds=seconds, busy_is_no=True))

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._client.close()


def encoded(notice: Notice, *, max_alerts: int = 0) -> bytes:
    """Return the body of the POST; `max_alerts` leaves the rest out and says how many that are, 0 for all."""
    alerts = notice.alerts[:max_alerts] if max_alerts else notice.alerts
    body = {
        "receiver": notice.receiver,
        "status": "firing" if notice.is_firing else "resolved",
        "alerts": [_alert(one) for one in alerts],
        "groupLabels": notice.group_labels,
        "commonLabels": common([one.labels for one in notice.alerts]),
        "commonAnnotations": common([one.annotations for one in notice.alerts]),
        "externalURL": notice.external_url,
        "version": "4",
        "groupKey": notice.group_key,
        "truncatedAlerts": len(notice.alerts) - len(alerts),
    }
    return msgspec.json.encode(body)


def _alert(alert: NoticeAlert) -> dict[str, object]:
    return {
        "status": "firing" if alert.ends_at is None else "resolved",
        "labels": alert.labels,
        "annotations": alert.annotations,
        "startsAt": _instant(alert.starts_at),
        "endsAt": _NEVER if alert.ends_at is None else _instant(alert.ends_at),
        "generatorURL": alert.generator_url,
        "fingerprint": alert.fingerprint,
    }


def _instant(instant: datetime) -> str:
    # Not `strftime`, which leaves out the zeros of years before 1000.
    return instant.isoformat().replace("+00:00", "Z")


def common(many: list[Mapping[str, str]]) -> dict[str, str]:
    """Return what all of `many` have alike."""
    if not many:
        return {}
    common = dict(many[0])
    for one in many[1:]:
        common = {name: value for name, value in common.items() if one.get(name) == value}
        if not common:
            break
    return common
