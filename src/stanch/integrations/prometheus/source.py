"""The query port on Prometheus: range queries of the stable HTTP API, `/api/v1/query_range`.

Which metrics there are is asked once a look; a query whose metric is not there costs nothing. `{window}` in a query is
the length rates are taken over, `{metric}` each name that its `needs` fits.
"""

import base64
import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

import msgspec

from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.ports.fetch import Fetch
from stanch.ports.query import Ask, ConfiguredSource, Line, Reply, SystemSpec

_MOST_BYTES: Final = 4 * 1024 * 1024
_MOST_LINES: Final = 60
_POINTS: Final = 240
"""Points of a series at most: a chart has 120, and a shape shows in as many."""
_LEAST_STEP_S: Final = 5.0
_LEAST_WINDOW_S: Final = 60.0
"""Four scrapes of the usual 15 s; a rate over fewer than two is empty."""
_MOST_METRICS: Final = 5
_NAMES_S: Final = 3.0


class PrometheusSource(ConfiguredSource):
    """A Prometheus, or anything that speaks its API (Thanos, Mimir, VictoriaMetrics)."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch) -> None:
        super().__init__(spec)
        self._fetch = fetch

    @property
    def system(self) -> str:
        """Return `prometheus`."""
        return "prometheus"

    @property
    def where(self) -> str:
        """Return its URL."""
        return self._spec.url.rstrip("/")

    @property
    def settings(self) -> Mapping[str, str]:
        """Return nothing: the window and the metric are filled in by each question."""
        return {}

    @property
    def side_by_side(self) -> int:
        """Return 6: far below the 20 queries at a time that a Prometheus takes as shipped."""
        return 6

    @contextmanager
    def open(self) -> Iterator["_Session"]:
        """Ask which metrics there are, and give what asks for them."""
        yield _Session(self._spec, self._fetch, url=self.where)


class _Session:
    """One look."""

    def __init__(self, spec: SystemSpec, fetch: Fetch, *, url: str) -> None:
        self._fetch = fetch
        self._url = url
        self._headers = _headers(spec)
        names = self._get("/api/v1/label/__name__/values", {}, timeout_s=min(_NAMES_S, spec.timeout_s))
        if not isinstance(names, list):
            raise Unavailable("the list of metrics is not Prometheus's", retry=False)
        self._names = tuple(name for name in names if isinstance(name, str))

    def ask(self, ask: Ask) -> Reply:
        """Run one range query, or one for each metric that its `needs` fits. Raises `NotFound` when none does."""
        fits = re.compile(ask.needs) if ask.needs else None
        metrics = [name for name in self._names if fits.fullmatch(name)] if fits else []
        if fits and not metrics:
            raise NotFound(f"there is no metric like {ask.needs}")
        step_s = max(_LEAST_STEP_S, (ask.end - ask.start).total_seconds() / _POINTS)
        window_s = max(_LEAST_WINDOW_S, 2 * step_s)
        texts = [
            ask.text.replace("{window}", f"{window_s:.0f}s").replace("{metric}", metric)
            for metric in (metrics[:_MOST_METRICS] if "{metric}" in ask.text else [""])
        ]
        lines: list[Line] = []
        command = ""
        for text in texts:
            query = {
                "query": " ".join(text.split()),
                "start": f"{ask.start.timestamp():.3f}",
                "end": f"{ask.end.timestamp():.3f}",
                "step": f"{step_s:.0f}",
            }
            command = command or _command(self._url, query)
            found = self._get("/api/v1/query_range", query, timeout_s=ask.timeout_s)
            lines += _lines(found)
        return Reply(command=command, lines=tuple(lines[:_MOST_LINES]), cut=len(lines) > _MOST_LINES)

    def _get(self, path: str, query: Mapping[str, str], *, timeout_s: float) -> JSON:
        url = f"{self._url}{path}" + (f"?{urlencode(query)}" if query else "")
        got = self._fetch(url, headers=self._headers, timeout_s=timeout_s, most_bytes=_MOST_BYTES)
        if got.cut:
            raise Unavailable(f"the answer is longer than {_MOST_BYTES:,} bytes", retry=False)
        if got.status in (401, 403):
            raise Refused(f"it answered {got.status}: check `user` and `secret_env`", reason="denied")
        try:
            answer = msgspec.json.decode(got.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Unavailable(f"it answered {got.status} with something that is not JSON", retry=True) from None
        if not isinstance(answer, dict) or answer.get("status") != "success":
            said = answer.get("error") if isinstance(answer, dict) else None
            raise Unavailable(f"it answered {got.status}: {redact(str(said or 'no success'))[:200]}", retry=True)
        data: JSON = answer.get("data")
        return data


def _command(url: str, query: Mapping[str, str]) -> str:
    start, end = (datetime.fromtimestamp(float(query[key]), UTC) for key in ("start", "end"))
    told = f"--start={start:%Y-%m-%dT%H:%M:%SZ} --end={end:%Y-%m-%dT%H:%M:%SZ} --step={query['step']}s"
    return f"promtool query range {told} {shlex.quote(url)} {shlex.quote(query['query'])}"


def _headers(spec: SystemSpec) -> dict[str, str]:
    if not spec.secret:
        return {}
    if spec.user:
        pair = base64.b64encode(f"{spec.user}:{spec.secret}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {"Authorization": f"Bearer {spec.secret}"}


def _lines(data: JSON) -> list[Line]:
    """Return the series of a matrix, without samples that are no numbers. Raises `Unavailable` for anything else."""
    found = data.get("result") if isinstance(data, dict) else None
    if not isinstance(found, list) or not isinstance(data, dict) or data.get("resultType") != "matrix":
        raise Unavailable("the answer holds no series", retry=False)
    lines = []
    for one in found:
        labels, values = (one.get("metric"), one.get("values")) if isinstance(one, dict) else (None, None)
        if not isinstance(labels, dict) or not isinstance(values, list):
            raise Unavailable("a series of the answer has no values", retry=False)
        times, numbers = [], []
        for pair in values:
            at, number = (
                (_number(pair[0]), _number(pair[1])) if isinstance(pair, list) and len(pair) == 2 else (None, None)
            )
            if at is not None and number is not None:
                times.append(at)
                numbers.append(number)
        if numbers:
            kept = {str(name): str(value) for name, value in labels.items()}
            lines.append(Line(labels=kept, times=tuple(times), values=tuple(numbers)))
    return lines


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if number == number and abs(number) != float("inf") else None
