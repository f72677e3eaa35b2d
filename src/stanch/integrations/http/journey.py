"""The journey: several requests in order, as somebody who uses the service makes them, each with its assertions."""

import os
import ssl
import time
from datetime import datetime
from typing import Final
from urllib.parse import urljoin

import httpx2

from stanch.integrations.http.asking import Answer, ask, open_client
from stanch.integrations.http.assertions import broken, taken
from stanch.integrations.http.filling import Filling, NotSet
from stanch.integrations.http.trust import Trust
from stanch.kernel.event import JSON
from stanch.ports.checks import JourneyCheck, JourneyStep
from stanch.ports.sampler import Look, Sample

TIMEOUT_S: Final = 15.0
"""For all steps together; each may take what is left."""


class JourneySampler:
    """Goes a journey. The first step that fails ends it; cookies last from the first step to the last."""

    def __init__(self, settings: JourneyCheck, *, timeout_s: float = TIMEOUT_S) -> None:
        self._settings = settings
        self._timeout_s = timeout_s
        self._trust = Trust(settings.ca_file)

    @property
    def kind(self) -> str:
        """Return `journey`."""
        return "journey"

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Go the journey once. Every step that was gone gives its latency; the note says which failed, and why."""
        filling = Filling(os.environ)
        samples: list[Sample] = []
        wrong = ""
        give_up_at = time.monotonic() + self._timeout_s
        try:
            with open_client(trust=self._trust.context()) as client:
                for number, step in enumerate(self._settings.steps, start=1):
                    left_s = give_up_at - time.monotonic()
                    if left_s <= 0:
                        wrong = f"step {number} {step.name!r}: no time was left of {self._timeout_s:g} s"
                        break
                    answer = self._ask(client, target, step, filling, timeout_s=left_s)
                    labels = (("step", step.name),)
                    samples.append(
                        Sample(service=service, metric="check_step_ms", value=answer.took_ms, at=now, labels=labels)
                    )
                    if wrong := _after(step, answer, filling):
                        wrong = f"step {number} {step.name!r}: {wrong}"
                        break
        except (NotSet, OSError, ssl.SSLError) as error:
            return Look(trouble=f"the journey at {target} cannot be gone: {filling.clean(str(error))}")
        check = Sample(service=service, metric="check", value=0.0 if wrong else 1.0, at=now, note=filling.clean(wrong))
        took_ms = sum(one.value for one in samples)
        took = Sample(service=service, metric="check_latency_ms", value=took_ms, at=now)
        return Look(samples=(check, took, *samples))

    def _ask(
        self, client: httpx2.Client, target: str, step: JourneyStep, filling: Filling, *, timeout_s: float
    ) -> Answer:
        return ask(
            client,
            method=step.method,
            url=urljoin(target, filling.fill(step.url)),
            headers=filling.fill_all(step.headers),
            body=filling.fill(step.body),
            form=filling.fill_all(step.form),
            follow=step.follow,
            timeout_s=timeout_s,
        )


def _after(step: JourneyStep, answer: Answer, filling: Filling) -> str:
    """Save what the step says, and return what is wrong with the answer, empty when nothing is."""
    if wrong := broken(step, answer):
        return wrong
    for name, how in step.save.items():
        try:
            filling.save(name, taken(how, answer))
        except LookupError as missing:
            return f"{name} cannot be saved: {missing}"
    return ""
