"""How receivers are reached over HTTP: what stands below `http_config`, and one POST with what its answer means.

The keys are those of https://prometheus.io/docs/alerting/latest/configuration/#http_config. All scalars are text.
"""

import base64
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx2

from stanch import __version__
from stanch.kernel.errors import Problem, Unavailable
from stanch.ports.bounded import bounds

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
_LONGEST_ANSWER: Final = 200
_TRUE: Final = ("true", "yes", "on")


@dataclass(frozen=True, kw_only=True)
class Http:
    """A checked `http_config`. Files are read when they are needed, so that what is in them may change."""

    proxy_url: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    authorization: Mapping[str, str] = field(default_factory=dict, repr=False)
    basic: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: Mapping[str, str] = field(default_factory=dict)

    def sent_headers(self) -> dict[str, str]:
        """Return the headers to send besides those of every post. Raises `OSError` when a file cannot be read."""
        sent = dict(self.headers)
        if self.basic:
            name = self.basic.get("username") or from_file(self.basic.get("username_file", ""))
            secret = self.basic.get("password") or from_file(self.basic.get("password_file", ""))
            sent["Authorization"] = "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
        if self.authorization:
            value = self.authorization.get("credentials") or from_file(self.authorization.get("credentials_file", ""))
            sent["Authorization"] = f"{self.authorization.get('type', 'Bearer')} {value}"
        return sent

    def client(self, *, plain: bool) -> httpx2.Client:
        """Return a client; `plain` says that nothing but plain http is asked. Raises `OSError` as `tls_context`."""
        # Making a TLS context takes 20 ms and a megabyte; plain http, which is what most have inside, needs none.
        verify: ssl.SSLContext | bool = False if plain and not self.tls else tls_context(self.tls)
        return httpx2.Client(
            verify=verify, proxy=self.proxy_url or None, follow_redirects=False, trust_env=False, event_hooks=bounds()
        )


def tls_context(tls: Mapping[str, str]) -> ssl.SSLContext:
    """Return how the far end is recognised. Raises `OSError` when a file cannot be read."""
    context = ssl.create_default_context(cafile=tls.get("ca_file") or None)
    if tls.get("insecure_skip_verify", "").lower() in _TRUE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.get("cert_file"):
        context.load_cert_chain(tls["cert_file"], tls.get("key_file") or None)
    return context


def read_http(settings: Mapping[str, object], problems: list[Problem]) -> Http:
    """Return the `http_config` of `settings`, after noting what is wrong with it."""
    http = table(settings, "http_config")
    unknown(http, _HTTP, "http_config.", problems)
    for name, known in (("tls_config", _TLS), ("basic_auth", _BASIC), ("authorization", _AUTHORIZATION)):
        unknown(table(http, name), known, f"http_config.{name}.", problems)
    headers = _headers(http, problems)
    authorization = table(http, "authorization")
    if not authorization and (http.get("bearer_token") or http.get("bearer_token_file")):
        authorization = {"credentials": http.get("bearer_token"), "credentials_file": http.get("bearer_token_file")}
    return Http(
        proxy_url=text(http, "proxy_url"),
        headers=headers,
        authorization=texts(authorization),
        basic=texts(table(http, "basic_auth")),
        tls=texts(table(http, "tls_config")),
    )


def read_tls(settings: Mapping[str, object], problems: list[Problem]) -> Mapping[str, str]:
    """Return the `tls_config` of `settings`, after noting what is wrong with it."""
    unknown(table(settings, "tls_config"), _TLS, "tls_config.", problems)
    return texts(table(settings, "tls_config"))


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What is posted: where to, and the body."""

    url: str = field(repr=False)
    content: bytes
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def post(
    client: httpx2.Client, http: Http, make: Callable[[], Sent], *, name: str, seconds: float, busy_is_no: bool = False
) -> httpx2.Response:
    """Post what `make` returns as JSON; the answer is a success.

    `name` is the far end's in errors, in which its URL never stands. Raises `Unavailable`: 429 and 5xx are tried again,
    any other refusal, a redirect too, is final for this flush. With `busy_is_no` 429 is as well.
    """
    try:
        sent = make()
        answer = client.post(
            sent.url,
            content=sent.content,
            headers={**http.sent_headers(), **_HEADERS, **sent.headers},
            timeout=seconds,
        )
    except httpx2.HTTPError as error:
        raise Unavailable(f"{name} did not answer: {type(error).__name__}", retry=True) from error
    except OSError as error:
        raise Unavailable(f"cannot read {error.filename}: {error.strerror}", retry=False) from error
    except (httpx2.InvalidURL, ValueError) as error:
        raise Unavailable(f"{name}'s URL cannot be used: {type(error).__name__}", retry=False) from error
    if answer.is_success:
        return answer
    again = answer.status_code >= 500 or (answer.status_code == 429 and not busy_is_no)
    raise Unavailable(f"{name} answered {said(answer)}", retry=again)


_HEADERS: Final = {"Content-Type": "application/json", "User-Agent": f"Stanch/{__version__}"}


def said(answer: httpx2.Response) -> str:
    """Return an answer for the record: its status and how it begins."""
    return f"{answer.status_code} {answer.text[:_LONGEST_ANSWER]}".strip()


def _headers(http: Mapping[str, object], problems: list[Problem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, given in table(http, "http_headers").items():
        values = given.get("values") if isinstance(given, dict) else None
        if not isinstance(values, list) or len(values) != 1 or not _HEADER.fullmatch(name):
            problems.append(
                Problem(field=f"http_config.http_headers.{name}", message="must be a header with one of `values`")
            )
            continue
        found[name] = str(values[0])
    return found


def unknown(given: Mapping[str, object], known: tuple[str, ...], at: str, problems: list[Problem]) -> None:
    """Note every key of `given` that is not one of `known`."""
    problems += [
        Problem(field=f"{at}{name}", message=f"is not a key here; there are {', '.join(known)}")
        for name in given
        if name not in known
    ]


def text(given: Mapping[str, object], name: str) -> str:
    """Return the text at `name`, empty where there is none."""
    value = given.get(name)
    return value if isinstance(value, str) else ""


def table(given: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return the mapping at `name`, empty where there is none."""
    value = given.get(name)
    return value if isinstance(value, dict) else {}


def texts(given: Mapping[str, object]) -> dict[str, str]:
    """Return what in `given` is a text that is not empty."""
    return {name: value for name, value in given.items() if isinstance(value, str) and value}


def from_file(path: str) -> str:
    """Return the text in a file, without blanks at its ends. Raises `OSError`."""
    return Path(path).read_text(encoding="utf-8").strip() if path else ""


def is_true(value: str) -> bool:
    """Tell whether a text says yes."""
    return value.lower() in _TRUE
