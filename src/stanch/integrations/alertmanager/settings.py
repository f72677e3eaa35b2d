"""What stands below `webhook_configs` in an `alertmanager.yml`, checked key by key.

The keys are those of https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. All scalars are text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from stanch.integrations.alertmanager.http import Http, read_http, text, unknown
from stanch.kernel.duration import parse_duration
from stanch.kernel.errors import Invalid, Problem

_WEBHOOK: Final = ("url", "url_file", "http_config", "max_alerts", "timeout")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One webhook, ready to be used."""

    url: str = field(repr=False)
    url_file: str = ""
    max_alerts: int = 0
    timeout_s: float = 0.0
    http: Http = field(default_factory=Http)

    def target(self) -> str:
        """Return the URL to post to. Raises `OSError` when its file cannot be read."""
        return self.url or Path(self.url_file).read_text(encoding="utf-8").strip()


def check_webhook(settings: Mapping[str, object]) -> None:
    """Raise `Invalid` with everything that is wrong with the settings of a webhook."""
    read_webhook(settings)


def read_webhook(settings: Mapping[str, object]) -> Settings:
    """Return the settings of a webhook. Raises `Invalid` with one problem per mistake."""
    problems: list[Problem] = []
    unknown(settings, _WEBHOOK, "", problems)
    url, url_file = text(settings, "url"), text(settings, "url_file")
    if bool(url) == bool(url_file):
        problems.append(Problem(field="url", message="give either url or url_file"))
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        problems.append(Problem(field="url", message="must begin with http:// or https:// and name a host"))
    max_alerts = text(settings, "max_alerts") or "0"
    if not max_alerts.isdecimal():
        problems.append(Problem(field="max_alerts", message="must be a whole number"))
    timeout_s = 0.0
    try:
        if text(settings, "timeout") not in ("", "0"):
            timeout_s = parse_duration(text(settings, "timeout")).total_seconds()
    except Invalid as error:
        problems.append(Problem(field="timeout", message=error.problems[0].message))
    http = read_http(settings, problems)
    if problems:
        raise Invalid("", problems=problems)
    return Settings(url=url, url_file=url_file, max_alerts=int(max_alerts), timeout_s=timeout_s, http=http)
