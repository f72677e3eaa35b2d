"""The health probe: one GET as a client would send it, and whether it was answered."""

import ssl
import time
from datetime import datetime
from typing import Final

import httpx2

from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.ports.sampler import Look, Sample

TIMEOUT_S: Final = 3.0
"""A health end point that takes longer is of no use to those who wait for it."""

LARGEST_BODY: Final = 65_536
LONGEST_EXCERPT: Final = 200


class HttpSampler:
    """Asks a health end point whether it is well. Safe to use from several threads."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        # A new connection each time, as a new client would need one; and no proxy between.
        self._client = httpx2.Client(
            timeout=timeout_s,
            limits=httpx2.Limits(max_keepalive_connections=0),
            trust_env=False,
            headers={"User-Agent": "stanch", "Accept-Encoding": "identity", "Connection": "close"},
        )

    @property
    def kind(self) -> str:
        """Return `http`."""
        return "http"

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Ask `target` once. 2xx and 3xx are up; anything else is `up` 0, and `trouble` says what it was."""
        started = time.perf_counter()
        trouble = self._ask(target)
        took_ms = (time.perf_counter() - started) * 1000
        up = Sample(service=service, metric="up", value=0.0 if trouble else 1.0, at=now)
        took = Sample(service=service, metric="probe_latency_ms", value=took_ms, at=now)
        return Look(samples=(up, took), trouble=trouble)

    def _ask(self, target: str) -> str:
        give_up_at = time.monotonic() + self._timeout_s
        try:
            with self._client.stream("GET", target, follow_redirects=False) as answer:
                body = b""
                for chunk in answer.iter_raw():
                    body += chunk
                    if time.monotonic() > give_up_at:
                        return f"{target} had not answered completely after {self._timeout_s:g} s"
                    if len(body) > LARGEST_BODY:
                        break
                if answer.status_code < 400:
                    return ""
                said = redact(" ".join(body.decode("utf-8", "replace").split()))[:LONGEST_EXCERPT]
                return f"{target} answered {answer.status_code}{': ' if said else ''}{said}"
        except httpx2.TimeoutException:
            return f"{target} did not answer within {self._timeout_s:g} s"
        except httpx2.ConnectError as error:
            return f"{target} cannot be reached: {_reason(error)}"
        except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError, UnicodeError) as error:
            return f"{target} could not be asked: {_reason(error)}"


def _reason(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:LONGEST_EXCERPT]
