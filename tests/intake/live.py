"""Runs cases in real time: a server on a port for each, what is posted over HTTP, what arrives at webhooks."""

import http.client
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from stanch.app.server import running
from stanch.catalog.model import Catalog
from tests.intake.hooks import Hooks
from tests.intake.story import Case, Post, Reload, Said, Silence, Step, Unsilence, faults

# How many servers run side by side, attempt by attempt. A server that is late beside others and the other tests
# is asked again with fewer; one that does the wrong thing does it alone as well.
_AT_ONCE = (8, 3, 1)


def run_live(cases: Sequence[Case], folder: Path) -> dict[str, list[str]]:
    """Run cases side by side and return what is wrong with each, by name: what was wrong in every attempt."""
    found: dict[str, list[str]] = {}
    left = sorted(cases, key=lambda case: case.end, reverse=True)
    for at_once in _AT_ONCE:
        for first in range(0, len(left), at_once):
            found |= _wave(left[first : first + at_once], folder / f"{at_once}")
        left = [case for case in left if found[case.name]]
    return found


@dataclass(frozen=True, kw_only=True)
class _Served:
    """What a case runs on: its hooks, its configuration, and where its server is."""

    hooks: Hooks
    config: Path
    url: str


def _wave(wave: Sequence[Case], folder: Path) -> dict[str, list[str]]:
    with ExitStack() as stack:
        # One after the other, and what is measured begins when all have started: each takes all there is of a core.
        served = [_serve(case, folder / case.name, stack) for case in wave]
        pool = stack.enter_context(ThreadPoolExecutor(len(wave)))
        # Apart by an odd time, so that not every first flush falls on the same moment.
        delays = [0.17 * number for number in range(len(wave))]
        return dict(zip((case.name for case in wave), pool.map(_run, wave, served, delays), strict=True))


def _serve(case: Case, folder: Path, stack: ExitStack) -> _Served:
    folder.mkdir(parents=True)
    config = folder / "alertmanager.yml"
    hooks = stack.enter_context(Hooks(case.hooks))
    config.write_text(hooks.filled(case.config))
    server = stack.enter_context(
        running(Catalog(root=str(folder)), folder=folder / "data", port=0, routing=str(config))
    )
    return _Served(hooks=hooks, config=config, url=server.url)


def _run(case: Case, served: _Served, delay: float) -> list[str]:
    hooks = served.hooks
    hooks.began = time.time() + delay
    api = Api(served.url)
    silences: dict[str, str] = {}
    for step in sorted(case.steps, key=lambda one: one.at):
        _sleep_until(hooks.began + step.at)
        _take(step, api, hooks, served.config, silences)
    _sleep_until(hooks.began + case.end + 0.2)
    return faults(case, hooks.arrived())


def _sleep_until(instant: float) -> None:
    time.sleep(max(0.0, instant - time.time()))


def _take(step: Step, api: "Api", hooks: Hooks, config: Path, silences: dict[str, str]) -> None:
    match step:
        case Post(alerts=alerts):
            api.post("/api/v2/alerts", [posted(one, hooks.began) for one in alerts])
        case Silence():
            answer = api.post("/api/v2/silences", silence_body(step, hooks.began))
            assert isinstance(answer, dict)
            silences[step.key] = answer["silenceID"]
        case Unsilence(key=key):
            api.ask("DELETE", f"/api/v2/silence/{silences[key]}")
        case Reload(config=changed):
            if changed:
                config.write_text(hooks.filled(changed))
            api.ask("POST", "/-/reload")


def posted(alert: Said, began: float) -> dict[str, object]:
    """Return an alert as JSON."""
    body: dict[str, object] = {"labels": dict(alert.labels), "annotations": dict(alert.annotations)}
    if alert.start is not None:
        body["startsAt"] = instant(began + alert.start)
    if alert.end is not None:
        body["endsAt"] = instant(began + alert.end)
    return body


def silence_body(step: Silence, began: float) -> dict[str, object]:
    """Return a silence as JSON."""
    matchers = []
    for text in step.matchers:
        name, _, value = text.partition("=")
        matchers.append({"name": name, "value": value.removeprefix("~"), "isRegex": value.startswith("~")})
    return {
        "matchers": matchers,
        "startsAt": instant(began + step.start),
        "endsAt": instant(began + step.end),
        "createdBy": "a test",
        "comment": "",
    }


def instant(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Api:
    """Asks a server over HTTP; fails on anything but 200 unless another status is expected."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)

    def post(self, path: str, body: object, *, status: int = 200) -> object:
        """Post JSON and return what is answered."""
        return self.ask("POST", path, json.dumps(body).encode(), status=status)

    def ask(self, method: str, path: str, body: bytes | None = None, *, status: int = 200) -> object:
        """Return the JSON that is answered, or the text where it is none, None for nothing."""
        got, raw = self.raw(method, path, body)
        assert got == status, f"{method} {path}: {got} {raw[:300]!r}"
        try:
            return json.loads(raw) if raw else None
        except ValueError:
            return raw.decode()

    def raw(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Return status and body of the answer."""
        assert self._parts.hostname is not None
        connection = http.client.HTTPConnection(self._parts.hostname, self._parts.port, timeout=30)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body is not None else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()
