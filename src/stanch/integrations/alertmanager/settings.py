"""What stands below `webhook_configs` in an `alertmanager.yml`, checked key by key.

The keys are those of https://prometheus.io/docs/alerting/latest/configuration/#webhook_config. All scalars are text.
"""

import base64
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from stanch.kernel.duration import parse_duration
from stanch.kernel.errors import Invalid, Problem

_WEBHOOK: Final = ("url", "url_file", "http_config", "max_alerts", "timeout")
_HTTP: Final = (
    "authorization",
    "basic_auth",
    "bearer_token",
    "bearer_token_file",
    "follow_redirects",
    "enable_http2",
    "proxy_url",
    "tls_config",
    "http_headers",
)
_TLS: Final = ("ca_file", "cert_file", "key_file", "server_name", "insecure_skip_verify", "min_version")
_BASIC: Final = ("username", "username_file", "password", "password_file")
_AUTHORIZATION: Final = ("type", "credentials", "credentials_file")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One webhook, ready to be used. Files are read when they are needed, so that what is in them may change."""

    url: str = field(repr=False)
    url_file: str = ""
    max_alerts: int = 0
    timeout_s: float = 0.0
    proxy_url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    authorization: Mapping[str, str] = field(default_factory=dict, repr=False)
    basic: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: Mapping[str, str] = field(default_factory=dict)

    def target(self) -> str:
        """Return the URL to post to. Raises `OSError` when its file cannot be read."""
        return self.url or Path(self.url_file).read_text(encoding="utf-8").strip()

    def sent_headers(self) -> dict[str, str]:
        """Return the headers to send besides those of every post. Raises `OSError` as `target` does."""
        sent = dict(self.headers)
        if self.basic:
            name = self.basic.get("username") or _from_file(self.basic.get("username_file", ""))
            secret = self.basic.get("password") or _from_file(self.basic.get("password_file", ""))
            sent["Authorization"] = "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
        if self.authorization:
            value = self.authorization.get("credentials") or _from_file(self.authorization.get("credentials_file", ""))
            sent["Authorization"] = f"{self.authorization.get('type', 'Bearer')} {value}"
        return sent

    def tls_context(self) -> ssl.SSLContext:
        """Return how the far end is recognised. Raises `OSError` when a file cannot be read."""
        context = ssl.create_default_context(cafile=self.tls.get("ca_file") or None)
        if self.tls.get("insecure_skip_verify", "").lower() in ("true", "yes", "on"):
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if self.tls.get("cert_file"):
            context.load_cert_chain(self.tls["cert_file"], self.tls.get("key_file") or None)
        return context


def check_webhook(settings: Mapping[str, object]) -> None:
    """Raise `Invalid` with everything that is wrong with the settings of a webhook."""
    read_webhook(settings)


def read_webhook(settings: Mapping[str, object]) -> Settings:
    """Return the settings of a webhook. Raises `Invalid` with one problem per mistake."""
    problems: list[Problem] = []
    _unknown(settings, _WEBHOOK, "", problems)
    url, url_file = _text(settings, "url"), _text(settings, "url_file")
    if bool(url) == bool(url_file):
        problems.append(Problem(field="url", message="give either url or url_file"))
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        problems.append(Problem(field="url", message="must begin with http:// or https:// and name a host"))
    max_alerts = _text(settings, "max_alerts") or "0"
    if not max_alerts.isdecimal():
        problems.append(Problem(field="max_alerts", message="must be a whole number"))
    timeout_s = 0.0
    try:
        if _text(settings, "timeout") not in ("", "0"):
            timeout_s = parse_duration(_text(settings, "timeout")).total_seconds()
    except Invalid as error:
        problems.append(Problem(field="timeout", message=error.problems[0].message))
    http = _table(settings, "http_config")
    _unknown(http, _HTTP, "http_config.", problems)
    for name, known in (("tls_config", _TLS), ("basic_auth", _BASIC), ("authorization", _AUTHORIZATION)):
        _unknown(_table(http, name), known, f"http_config.{name}.", problems)
    headers = _headers(http, problems)
    if problems:
        raise Invalid("", problems=problems)
    authorization = _table(http, "authorization")
    if not authorization and (http.get("bearer_token") or http.get("bearer_token_file")):
        authorization = {"credentials": http.get("bearer_token"), "credentials_file": http.get("bearer_token_file")}
    return Settings(
        url=url,
        url_file=url_file,
        max_alerts=int(max_alerts),
        timeout_s=timeout_s,
        proxy_url=_text(http, "proxy_url"),
        headers=headers,
        authorization=_texts(authorization),
        basic=_texts(_table(http, "basic_auth")),
        tls=_texts(_table(http, "tls_config")),
    )


def _headers(http: Mapping[str, object], problems: list[Problem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, given in _table(http, "http_headers").items():
        values = given.get("values") if isinstance(given, dict) else None
        if not isinstance(values, list) or len(values) != 1 or not _HEADER.fullmatch(name):
            problems.append(
                Problem(field=f"http_config.http_headers.{name}", message="must be a header with one of `values`")
            )
            continue
        found[name] = str(values[0])
    return found


def _unknown(given: Mapping[str, object], known: tuple[str, ...], at: str, problems: list[Problem]) -> None:
    problems += [
        Problem(field=f"{at}{name}", message="is not a key that a webhook has here")
        for name in given
        if name not in known
    ]


def _text(given: Mapping[str, object], name: str) -> str:
    value = given.get(name)
    return value if isinstance(value, str) else ""


def _table(given: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = given.get(name)
    return value if isinstance(value, dict) else {}


def _texts(given: Mapping[str, object]) -> dict[str, str]:
    return {name: value for name, value in given.items() if isinstance(value, str) and value}


def _from_file(path: str) -> str:
    return Path(path).read_text(encoding="utf-8").strip() if path else ""
