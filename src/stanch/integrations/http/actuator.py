"""The actuator that sends one HTTP request: a rate limit, a circuit breaker, a deployment service.

With a check it reads before and afterwards: what is there now is shown with the plan, and a request that was answered
and changed nothing is no success.
"""

import functools
import json
import os
import re
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final
from urllib.parse import unquote, urlsplit

import httpx2

from stanch.kernel.blocks import clean
from stanch.kernel.errors import Unavailable
from stanch.kernel.redaction import redact
from stanch.ports.actuator import Outlook, Say, Step, StepResult, carried_out

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_LARGEST: Final = 64 * 1024
_MOST_READ: Final = 1024 * 1024
_LONGEST_ANSWER: Final = 2_000
_LONGEST_VALUE: Final = 200
_POLL_S: Final = 0.2
_CHECK: Final = ("check_url", "check_path", "check_is", "check_within_s")
_KEYS: Final = frozenset({"method", "url", "body", "type", "token_env", "scheme", "dry_run", "undo", *_CHECK})
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,40}")
_TYPE: Final = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}(?:; ?[\w.+=-]{1,80})?", re.ASCII)
_SECONDS: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3})?")


class HttpActuator:
    """Sends what the plan says; the token comes from the environment at that moment and is shown nowhere.

    A step's data: `url`; `method` (POST), `body`, `type` (`application/json`), `token_env`, the variable with the token
    for the Authorization header, and `scheme`, the word before it (`Bearer`). `check_url` is read back: what stands at
    `check_path` in its JSON (all of the body without one) must be `check_is` within `check_within_s` (5).
    """

    @property
    def name(self) -> str:
        """Return `http`."""
        return "http"

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return why it cannot be sent: no URL of http or https, an unknown method or setting, no token."""
        told = _texts(step)
        known = ", ".join(sorted(_KEYS - {"dry_run", "undo"}))
        found = [f"{name!r} is no setting: there are {known}" for name in sorted(step.data.keys() - _KEYS)]
        found += _url_problems("URL", told.get("url", ""))
        if "check_url" in told:
            found += _url_problems("check_url", told["check_url"])
        if bool(told.get("check_url")) != ("check_is" in told):
            found.append("a check needs both check_url and check_is")
        if told.get("method", "POST").upper() not in _METHODS:
            found.append(f"the method must be one of {', '.join(_METHODS)}")
        if len(told.get("body", "")) > _LARGEST:
            found.append(f"the body has more than {_LARGEST // 1024} KiB")
        # They go into headers: a line break would make another one.
        for name, pattern in (("scheme", _WORD), ("type", _TYPE), ("check_within_s", _SECONDS)):
            if told.get(name) and not pattern.fullmatch(told[name]):
                found.append(f"{name} cannot be {told[name][:60]!r}")
        variable = told.get("token_env", "")
        if variable and not os.environ.get(variable):
            found.append(f"the environment variable {variable} is not set")
        return tuple(found)

    def look(self, step: Step) -> Outlook:
        """Return what the check reads now; without a check, only what would be sent."""
        if found := self.problems(step):
            return Outlook(step=step, refusal="; ".join(found))
        told = _texts(step)
        sent = _shown_request(told)
        if not told.get("check_url"):
            return Outlook(step=step, preview=tuple(sent))
        now = _read(told, timeout_s=step.timeout_s)
        shown = redact(told["check_url"])
        refusal = f"{shown} says {_short(now)} already" if now == told["check_is"] else ""
        return Outlook(
            step=step,
            fingerprint=sha256(now.encode()).hexdigest()[:16],
            preview=(f"{shown} says {_short(now)}; afterwards it should say {_short(told['check_is'])}", *sent),
            refusal=refusal,
        )

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Send the request once, follow no redirect, and read back; with `dry_run`, only say what would be sent."""
        return carried_out(lambda say: _run(self.problems(step), step, say), emit=emit, shown=str)


def _run(problems: Sequence[str], step: Step, say: Say) -> int:
    told = _texts(step)
    for line in problems or _shown_request(told):
        say(line)
    if problems:
        return 1
    if step.data.get("dry_run") is True:
        say("nothing was sent: this was a try")
        return 0
    code, answer = _send(told, timeout_s=step.timeout_s)
    say(answer)
    if told.get("check_url"):
        # Also where no answer came: the request may have arrived, and the check tells.
        code, seen = _read_back(told, timeout_s=step.timeout_s)
        say(seen)
    return code


def _url_problems(name: str, url: str) -> list[str]:
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return [f"the {name} cannot be read"]
    found = [] if known else [f"the {name} must begin with http:// or https://"]
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        found.append(f"the {name} holds a space or a control character")
    if ".." in unquote(parts.path).split("/"):
        found.append(f"the path of the {name} climbs up")
    if parts.username or parts.password:
        found.append(f"the {name} holds a password: name a variable with token_env instead")
    return found


def _shown_request(told: dict[str, str]) -> list[str]:
    lines = redact(told.get("body", "")).splitlines()
    return [f"{told.get('method', 'POST').upper()} {redact(told.get('url', ''))}", *lines]


def _send(told: dict[str, str], *, timeout_s: float) -> tuple[int, str]:
    body = told.get("body", "")
    headers = {"Content-Type": told.get("type", "application/json")} if body else {}
    method = told.get("method", "POST").upper()
    try:
        status, text = _ask(told, method, told.get("url", ""), body=body, headers=headers, timeout_s=timeout_s)
    except Unavailable as error:
        # It may have arrived; the next look at the effect tells.
        return 1, f"no answer: {error.message}; whether it arrived is not known"
    said = " ".join(_hidden(text, told)[:_LONGEST_ANSWER].split())
    return (0 if 200 <= status < 300 else 1), f"{status} {said}".strip()


def _read_back(told: dict[str, str], *, timeout_s: float) -> tuple[int, str]:
    deadline = time.monotonic() + float(told.get("check_within_s") or 5)
    pause = threading.Event()
    while True:
        try:
            now = _read(told, timeout_s=timeout_s)
        except Unavailable as error:
            said = error.message
        else:
            said = f"{redact(told['check_url'])} says {_short(now)}, read back"
            if now == told["check_is"]:
                return 0, said
        if time.monotonic() > deadline:
            return 1, f"{said}; it should be {_short(told['check_is'])}"
        pause.wait(_POLL_S)


def _read(told: dict[str, str], *, timeout_s: float) -> str:
    """Return what stands at the place of the check, as text: of JSON a text as it is, anything else as JSON."""
    status, text = _ask(told, "GET", told["check_url"], body="", headers={}, timeout_s=timeout_s)
    if not 200 <= status < 300:
        raise Unavailable(f"{redact(told['check_url'])} answers {status}", retry=status >= 500)
    if not told.get("check_path"):
        return text.strip()
    try:
        here: object = json.loads(text)
    except ValueError:
        raise Unavailable(f"{redact(told['check_url'])} does not answer JSON", retry=False) from None
    for name in told["check_path"].split("."):
        if isinstance(here, dict) and name in here:
            here = here[name]
        elif isinstance(here, list) and name.isdecimal() and int(name) < len(here):
            here = here[int(name)]
        else:
            raise Unavailable(f"the answer of {redact(told['check_url'])} has no {told['check_path']}", retry=False)
    return here if isinstance(here, str) else json.dumps(here)


def _ask(
    told: dict[str, str], method: str, url: str, *, body: str, headers: dict[str, str], timeout_s: float
) -> tuple[int, str]:
    given = {"User-Agent": "stanch", "Accept-Encoding": "identity", **headers}
    if token := os.environ.get(told.get("token_env", "") or "\0"):
        given["Authorization"] = f"{told.get('scheme', 'Bearer')} {token}".strip()
    read, began = bytearray(), time.monotonic()
    try:
        with (
            httpx2.Client(timeout=timeout_s, trust_env=False, verify=_trusted(url)) as client,
            client.stream(method, url, content=body.encode() if body else None, headers=given) as answer,
        ):
            for piece in answer.iter_raw():
                read += piece
                if len(read) > _MOST_READ or time.monotonic() - began > timeout_s:
                    break
            return answer.status_code, clean(bytes(read[:_MOST_READ]).decode(errors="replace"))
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError, ValueError) as error:
        raise Unavailable(type(error).__name__, retry=True) from None


def _trusted(url: str) -> ssl.SSLContext | bool:
    return _certificates() if url.lower().startswith("https:") else False


@functools.cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def _hidden(text: str, told: dict[str, str]) -> str:
    token = os.environ.get(told.get("token_env", "") or "\0")
    return redact(text.replace(token, "[redacted:token]") if token else text)


def _short(value: str) -> str:
    return redact(" ".join(value.split()))[:_LONGEST_VALUE]


def _texts(step: Step) -> dict[str, str]:
    return {name: value for name, value in step.data.items() if isinstance(value, str)}
