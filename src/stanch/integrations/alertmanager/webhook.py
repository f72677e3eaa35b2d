"""The webhook notifier: one POST per notification, in the format of version 4.

The format is that of https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. The id of the notice
goes along as `Idempotency-Key`, for receivers that want to recognise a repetition.
"""

import ssl
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import httpx2
import msgspec

from stanch import __version__
from stanch.integrations.alertmanager.settings import Settings, read_webhook
from stanch.kernel.errors import Unavailable
from stanch.ports.notifier import Notice, NoticeAlert

_LONGEST_ANSWER: Final = 200
_NEVER: Final = "0001-01-01T00:00:00Z"


class WebhookNotifier:
    """Posts notices to one URL, which may hold a secret and is never shown in an error."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        self._settings = read_webhook(settings)
        self._client = _client(self._settings)

    def notify(self, notice: Notice) -> str:
        """Post `notice`. 5xx is tried again; any other refusal, a redirect too, is final for this flush."""
        settings = self._settings
        seconds = min(notice.seconds, settings.timeout_s or notice.seconds)
        try:
            answer = self._client.post(
                settings.target(),
                content=encoded(notice, max_alerts=settings.max_alerts),
                headers={**settings.sent_headers(), **_HEADERS, "Idempotency-Key": notice.id},
                timeout=seconds,
            )
        except httpx2.HTTPError as error:
            raise Unavailable(f"the webhook did not answer: {type(error).__name__}", retry=True) from error
        except OSError as error:
            raise Unavailable(f"cannot read {error.filename}: {error.strerror}", retry=False) from error
        except (httpx2.InvalidURL, ValueError) as error:
            raise Unavailable(f"the webhook's URL cannot be used: {type(error).__name__}", retry=False) from error
        said = f"{answer.status_code} {answer.text[:_LONGEST_ANSWER]}".strip()
        if answer.is_success:
            return said
        raise Unavailable(f"the webhook answered {said}", retry=answer.status_code >= 500)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._client.close()


_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": f"Stanch/{__version__}"}


def _client(settings: Settings) -> httpx2.Client:
    # Making a TLS context takes 20 ms and a megabyte; plain http, which is what most have inside, needs none.
    verify: ssl.SSLContext | bool = False
    if settings.tls or not settings.url.startswith("http:"):
        verify = settings.tls_context()
    return httpx2.Client(verify=verify, proxy=settings.proxy_url or None, follow_redirects=False, trust_env=False)


def encoded(notice: Notice, *, max_alerts: int = 0) -> bytes:
    """Return the body of the POST; `max_alerts` leaves the rest out and says how many that are, 0 for all."""
    alerts = notice.alerts[:max_alerts] if max_alerts else notice.alerts
    body = {
        "receiver": notice.receiver,
        "status": "firing" if notice.is_firing else "resolved",
        "alerts": [_alert(one) for one in alerts],
        "groupLabels": notice.group_labels,
        "commonLabels": _common([one.labels for one in notice.alerts]),
        "commonAnnotations": _common([one.annotations for one in notice.alerts]),
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


def _common(many: list[Mapping[str, str]]) -> dict[str, str]:
    """Return what all of them have alike."""
    if not many:
        return {}
    common = dict(many[0])
    for one in many[1:]:
        common = {name: value for name, value in common.items() if one.get(name) == value}
        if not common:
            break
    return common
