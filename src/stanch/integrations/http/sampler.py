"""The HTTP probe: one request as a client would send it, and whether the answer is as it must be."""

import os
import ssl
from datetime import datetime
from typing import Final

from stanch.integrations.http.asking import Answer, ask, open_client
from stanch.integrations.http.assertions import broken
from stanch.integrations.http.filling import Filling, NotSet
from stanch.integrations.http.trust import Trust
from stanch.kernel.event import JSON
from stanch.ports.checks import HttpCheck
from stanch.ports.sampler import Look, Sample

TIMEOUT_S: Final = 3.0
"""A health end point that takes longer is of no use to those who wait for it."""


class HttpSampler:
    """Asks an end point whether it is well. Safe to use from several threads.

    Without settings it says whether the service is `up`: 2xx and 3xx are. With settings it is a `check`.
    """

    def __init__(self, settings: HttpCheck | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._trust = Trust(settings.ca_file if settings else "")

    @property
    def kind(self) -> str:
        """Return `http`."""
        return "http"

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Ask `target` once. What is not as it must be is told in `trouble`, or in the note of the check."""
        wanted = self._settings or HttpCheck()
        filling = Filling(os.environ)
        try:
            answer = self._ask(target, wanted, filling)
        except (NotSet, OSError, ssl.SSLError) as error:
            return Look(trouble=f"{target} cannot be asked: {error}")
        wrong = filling.clean(broken(wanted, answer))
        if wrong and not answer.trouble:
            wrong = f"{target} {wrong}" if wrong.startswith("answered") else f"{target}: {wrong}"
        took = Sample(service=service, metric="probe_latency_ms", value=answer.took_ms, at=now)
        if self._settings is None:
            up = Sample(service=service, metric="up", value=0.0 if wrong else 1.0, at=now, note=wrong)
            return Look(samples=(up, took), trouble=wrong)
        check = Sample(service=service, metric="check", value=0.0 if wrong else 1.0, at=now, note=wrong)
        took = Sample(service=service, metric="check_latency_ms", value=answer.took_ms, at=now)
        return Look(samples=(check, took))

    def _ask(self, target: str, wanted: HttpCheck, filling: Filling) -> Answer:
        # A new connection each time, as a new client would need one.
        with open_client(trust=self._trust.context()) as client:
            return ask(
                client,
                method=wanted.method,
                url=target,
                headers=filling.fill_all(wanted.headers),
                body=filling.fill(wanted.body),
                form=filling.fill_all(wanted.form),
                follow=wanted.follow,
                timeout_s=self._timeout_s,
            )
