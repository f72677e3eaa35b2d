"""The PromQL sampler: an instant query to a Prometheus, each series of its answer a sample.

The interface is https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries.
"""

import os
import re
import ssl
import time
from collections.abc import Iterable
from datetime import datetime
from math import isfinite
from typing import Final

import httpx2
import msgspec

from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.ports.checks import PromqlCheck
from stanch.ports.sampler import Look, Sample

TIMEOUT_S: Final = 5.0
LARGEST_ANSWER: Final = 4 * 1024 * 1024
MOST_SERIES: Final = 200
"""A query that answers with more should be narrowed or added up: each series is judged, and stored at every look."""

LONGEST_VALUE: Final = 200
_VARIABLE: Final = re.compile(r"\$\{env\.([A-Za-z_][A-Za-z0-9_]*)\}")


class _Series(msgspec.Struct, frozen=True):
    metric: dict[str, str] = {}
    value: tuple[float, str] = (0.0, "NaN")


class _Vector(msgspec.Struct, frozen=True, tag_field="resultType", tag="vector"):
    result: list[_Series] = []


class _Scalar(msgspec.Struct, frozen=True, tag_field="resultType", tag="scalar"):
    result: tuple[float, str] = (0.0, "NaN")


class _Matrix(msgspec.Struct, frozen=True, tag_field="resultType", tag="matrix"):
    pass


class _Text(msgspec.Struct, frozen=True, tag_field="resultType", tag="string"):
    pass


class _Answer(msgspec.Struct, frozen=True):
    status: str = ""
    data: _Vector | _Scalar | _Matrix | _Text | None = None
    error: str = ""


class CannotAsk(Exception):
    """There is no answer to judge; the message says why."""


class PromqlSampler:
    """Asks the Prometheus at a base URL. Safe to use from several threads."""

    def __init__(self, settings: PromqlCheck, *, timeout_s: float = TIMEOUT_S) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._trust: ssl.SSLContext | None = None

    @property
    def kind(self) -> str:
        """Return `promql`."""
        return "promql"

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Ask once, at Prometheus' own present. An empty answer is a good look without a sample."""
        try:
            series = self._series(self._ask(target))
        except CannotAsk as reason:
            return Look(trouble=f"{target}: {redact(str(reason))}")
        kept: dict[tuple[tuple[str, str], ...], float] = {}
        for one in series:
            value = float(one.value[1])
            if isfinite(value):
                labels = self._labels(one.metric)
                # Labels that are left out make one series of several: the worst of them is what is judged.
                kept[labels] = max(value, kept.get(labels, value))
        if len(kept) > MOST_SERIES:
            return Look(trouble=f"{target}: the query has {len(kept)} series in its answer, more than {MOST_SERIES}")
        return Look(
            samples=tuple(
                Sample(service=service, metric="rule", value=value, at=now, labels=labels)
                for labels, value in kept.items()
            )
        )

    def _labels(self, metric: dict[str, str]) -> tuple[tuple[str, str], ...]:
        names: Iterable[str] = self._settings.keep or sorted(metric)
        dropped = ("rule",) if self._settings.keep else ("rule", "__name__")
        return tuple((name, metric[name][:LONGEST_VALUE]) for name in names if name in metric and name not in dropped)

    def _series(self, body: bytes) -> list[_Series]:
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (msgspec.DecodeError, RecursionError):
            raise CannotAsk("the answer is not that of a Prometheus") from None
        if answer.status != "success":
            raise CannotAsk(answer.error[:300] or "the answer is not that of a Prometheus")
        match answer.data:
            case _Vector(result=result):
                return result
            case _Scalar(result=value):
                return [_Series(metric={}, value=value)]
        raise CannotAsk("the query must give an instant vector or a scalar")

    def _ask(self, target: str) -> bytes:
        give_up_at = time.monotonic() + self._timeout_s
        form = {"query": self._settings.query, "timeout": f"{self._timeout_s:g}s"}
        try:
            # Read once: the system's certificates take a while. Two threads that do it at once do no harm.
            self._trust = self._trust or ssl.create_default_context(cafile=self._settings.ca_file or None)
            with (
                httpx2.Client(timeout=self._timeout_s, trust_env=False, verify=self._trust) as client,
                client.stream(
                    "POST",
                    f"{target.rstrip('/')}/api/v1/query",
                    data=form,
                    headers={"Accept-Encoding": "identity", **self._headers()},
                ) as answer,
            ):
                body = b""
                for piece in answer.iter_raw():
                    body += piece
                    if len(body) > LARGEST_ANSWER:
                        raise CannotAsk(f"the answer is larger than {LARGEST_ANSWER // 2**20} MiB")
                    if time.monotonic() > give_up_at:
                        raise CannotAsk(f"no complete answer within {self._timeout_s:g} s")
                if answer.status_code not in (200, 400, 422, 503):
                    raise CannotAsk(f"answered {answer.status_code}")
                return body
        except httpx2.TimeoutException:
            raise CannotAsk(f"no answer within {self._timeout_s:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
            raise CannotAsk(f"it cannot be reached: {(str(error) or type(error).__name__)[:200]}") from error

    def _headers(self) -> dict[str, str]:
        return {name: _VARIABLE.sub(_from_environment, value) for name, value in self._settings.headers.items()}


def _from_environment(found: re.Match[str]) -> str:
    value = os.environ.get(found[1])
    if value is None:
        raise CannotAsk(f"the environment variable {found[1]} is not set on this machine")
    return value
