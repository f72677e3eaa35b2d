"""The TCP probe: is a connection accepted, and, where that is asked for, does what comes back look right."""

import re
import socket
import time
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.ports.checks import TcpCheck
from stanch.ports.sampler import Look, Sample

TIMEOUT_S: Final = 3.0
LARGEST_ANSWER: Final = 65_536
_LONGEST_SHOWN: Final = 120


class TcpSampler:
    """Connects to `host:port`. Says whether the service is `up`."""

    def __init__(self, settings: TcpCheck | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._settings = settings or TcpCheck()
        self._timeout_s = timeout_s

    @property
    def kind(self) -> str:
        """Return `tcp`."""
        return "tcp"

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Connect once. What stands in the way is told in `trouble`."""
        began = time.perf_counter()
        wrong = self._try(target)
        took_ms = (time.perf_counter() - began) * 1000
        up = Sample(service=service, metric="up", value=0.0 if wrong else 1.0, at=now, note=wrong)
        took = Sample(service=service, metric="probe_latency_ms", value=took_ms, at=now)
        return Look(samples=(up, took), trouble=wrong)

    def _try(self, target: str) -> str:
        place = urlsplit(f"//{target}")
        give_up_at = time.monotonic() + self._timeout_s
        try:
            with socket.create_connection((place.hostname or "", place.port or 0), timeout=self._timeout_s) as wire:
                if self._settings.send:
                    wire.sendall(self._settings.send.encode())
                return self._expected(wire, target, give_up_at) if self._settings.expect else ""
        except TimeoutError:
            return f"{target} did not answer within {self._timeout_s:g} s"
        except OSError as error:
            return f"{target} cannot be reached: {error.strerror or error}"

    def _expected(self, wire: socket.socket, target: str, give_up_at: float) -> str:
        """Read until what came matches, at most 64 KiB and as long as there is time."""
        pattern, read = re.compile(self._settings.expect), b""
        while len(read) < LARGEST_ANSWER and (left_s := give_up_at - time.monotonic()) > 0:
            wire.settimeout(left_s)
            try:
                piece = wire.recv(LARGEST_ANSWER)
            except TimeoutError:
                break
            read += piece
            if pattern.search(read.decode("utf-8", "replace")):
                return ""
            if not piece:
                break
        said = redact(" ".join(read[:LARGEST_ANSWER].decode("utf-8", "replace").split()))[:_LONGEST_SHOWN]
        return f"{target} said {said!r}, which does not match {self._settings.expect!r}"
