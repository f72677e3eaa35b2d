"""What both ways of reading an organization for people share, the API and the MCP server: the stretches that are looked
at, how rows of figures become services and steps, and that a look is kept for a while. Makes no call itself."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from stanch.integrations.sentry.api import project_of
from stanch.integrations.sentry.reading import figures_of
from stanch.integrations.sentry.spans import steps_of
from stanch.kernel.jsontext import JsonObject
from stanch.ports.query import SystemSpec
from stanch.ports.tracker import Figure, Period, ServiceFigures, Standing, TrackedRelease, TrackedStep

NO_TRACES: Final = "no traces are sent, so no error rate and no latency is known"
_NOW: Final = timedelta(minutes=15)
_RECENT: Final = timedelta(hours=2)
_NORMAL: Final = timedelta(hours=24)
"""What is normal: the day before the two hours in which errors are listed."""
_KEPT_S: Final = 30.0

Table = Mapping[str, JsonObject]
"""Rows of figures by their project."""


class Kept:
    """How everything stood, for half a minute: whoever asks within it is told the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: tuple[float, Standing] | None = None

    def get(self, look: Callable[[], Standing]) -> Standing:
        """Return what is known, or what `look` tells where that is too old; one looks while others wait."""
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] >= _KEPT_S:
                self._known = (time.monotonic(), look())
            return self._known[1]


def stretches(now: datetime) -> tuple[Period, Period, Period]:
    """Return the newest quarter of an hour, the hours in which errors are listed, and what those are compared with."""
    recent = Period(start=now - _RECENT, end=now)
    return (
        Period(start=now - _NOW, end=now),
        recent,
        Period(start=recent.start - _NORMAL, end=recent.start),
    )


def service_of(spec: SystemSpec, project: str) -> str:
    """Return the service of a project, empty where it is none of the configured ones; without those, its own name."""
    own = spec.services
    if not own:
        return project
    return next((service for service in own if project_of(spec, service) == project), "")


def services_of(
    spec: SystemSpec,
    served: Table,
    served_normal: Table,
    errors: Table,
    errors_normal: Table,
    *,
    now: Period,
    normal: Period,
) -> tuple[ServiceFigures, ...]:
    """Return the figures of the services that any of the tables tells of."""
    projects = {*served, *served_normal, *errors, *errors_normal}
    return tuple(
        figures_of(
            project,
            service,
            requests=served,
            requests_normal=served_normal,
            errors=errors,
            errors_normal=errors_normal,
            now=now,
            normal=normal,
        )
        for project in sorted(projects)
        if (service := service_of(spec, project))
    )


def tracked_steps(
    service: str, since: Sequence[JsonObject], before: Sequence[JsonObject], *, period: Period, normal: Period
) -> tuple[TrackedStep, ...]:
    """Return the steps of a service's requests, those that cost most time beyond normal first."""
    return tuple(
        TrackedStep(
            service=service,
            name=step.words,
            latency_p95=Figure(
                value=step.p95_ms, unit="ms", period=period, normal=step.normal_ms, normal_period=normal
            ),
            count=Figure(value=step.count, unit="spans", period=period),
            slower=step.slower,
        )
        for step in steps_of(since, before)
    )


def newest_first(releases: Sequence[TrackedRelease], *, period: Period) -> list[TrackedRelease]:
    """Return releases by when they went out, or were made; those of which neither is known as of the period's start."""
    return sorted(releases, key=lambda one: one.deployed_at or one.created_at or period.start, reverse=True)
