"""The actuator that sends one HTTP request: a feature flag's API, a rate limit, a deployment service."""

import os
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import httpx2

from stanch.kernel.redaction import redact
from stanch.ports.actuator import Step, StepResult

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_LARGEST: Final = 64 * 1024
_LONGEST_ANSWER: Final = 2_000
_KEYS: Final = frozenset({"method", "url", "body", "type", "token_env", "scheme", "dry_run", "undo"})


class HttpActuator:
    """Sends what the plan says; the token comes from the environment at that moment and is shown nowhere.

    A step's data: `url`; `method` (POST), `body`, `type` (`application/json`), `token_env`, the variable with the token
    for the Authorization header, and `scheme`, the word before it (`Bearer`).
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
        parts = urlsplit(told.get("url", ""))
        if parts.scheme not in ("http", "https") or not parts.hostname:
            found.append("the URL must begin with http:// or https://")
        if parts.username or parts.password:
            found.append("the URL holds a password: name a variable with token_env instead")
        if told.get("method", "POST").upper() not in _METHODS:
            found.append(f"the method must be one of {', '.join(_METHODS)}")
        if len(told.get("body", "")) > _LARGEST:
            found.append(f"the body has more than {_LARGEST // 1024} KiB")
        variable = told.get("token_env", "")
        if variable and not os.environ.get(variable):
            found.append(f"the environment variable {variable} is not set")
        return tuple(found)

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Send the request once and follow no redirect; with `dry_run`, only say what would be sent."""
        began = time.monotonic()
        told = _texts(step)
        method, url, body = told.get("method", "POST").upper(), told.get("url", ""), told.get("body", "")
        lines = [f"{method} {redact(url)}", *(redact(line) for line in body.splitlines())]
        code = 0
        if step.data.get("dry_run") is True:
            lines.append("nothing was sent: this was a try")
        else:
            code, answer = _send(method, url, body, told, timeout_s=step.timeout_s)
            lines.append(answer)
        for line in lines:
            emit(line)
        return StepResult(code=code, output="\n".join(lines), took_s=time.monotonic() - began)


def _send(method: str, url: str, body: str, told: dict[str, str], *, timeout_s: float) -> tuple[int, str]:
    headers = {"User-Agent": "stanch"}
    if body:
        headers["Content-Type"] = told.get("type", "application/json")
    if token := os.environ.get(told.get("token_env", "") or "\0"):
        headers["Authorization"] = f"{told.get('scheme', 'Bearer')} {token}".strip()
    try:
        with httpx2.Client(timeout=timeout_s, trust_env=False, follow_redirects=False) as client:
            answer = client.request(method, url, content=body.encode() if body else None, headers=headers)
    except httpx2.HTTPError as error:
        # It may have arrived; the next look at the effect tells.
        return 1, f"no answer: {type(error).__name__}; whether it arrived is not known"
    said = redact(answer.text[:_LONGEST_ANSWER]).strip()
    return (0 if answer.is_success else 1), f"{answer.status_code} {said}".strip()


def _texts(step: Step) -> dict[str, str]:
    return {name: value for name, value in step.data.items() if isinstance(value, str)}
