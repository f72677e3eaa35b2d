"""Stored series as signals: what the metrics and the calls collectors share."""

from collections.abc import Sequence
from dataclasses import dataclass

from stanch.alerts.normal import baseline_before
from stanch.alerts.samples.tables import find_labels
from stanch.alerts.series import failed_since, read_series
from stanch.catalog.model import Catalog
from stanch.diagnose.measure import Track, measure
from stanch.ports.evidence import Question, Signal
from stanch.store import Connection


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One series with what it says; `signal` is None when it has no sample since the onset."""

    track: Track
    signal: Signal | None


def measured(
    connection: Connection, question: Question, *, service: str, metrics: Sequence[str], baseline_s: float
) -> list[Measured]:
    """Return every stored series of a service among `metrics`, in the order of `metrics`."""
    found = []
    for metric in metrics:
        for labels in find_labels(connection, service=service, metric=metric, start=question.start, end=question.end):
            series = read_series(
                connection, service=service, metric=metric, labels=labels, start=question.start, end=question.end
            )
            track = Track(service=service, metric=metric, labels=labels, times=series.times, values=series.values)
            normal = baseline_before(
                connection, service=service, metric=metric, onset=question.onset, window_s=baseline_s, labels=labels
            )
            signal = measure(track, onset=question.onset, now=question.end, baseline=normal)
            found.append(Measured(track=track, signal=signal))
    return found


def requests_since(connection: Connection, question: Question, service: str) -> tuple[int, int]:
    """Return how many requests of a service failed since the onset, and how many there were."""
    return failed_since(connection, services=(service,), since=question.onset, now=question.end)


def source_of(catalog: Catalog, service: str) -> tuple[str, str]:
    """Return where the metrics of a service come from and the command that reads them again; empty when unknown."""
    known = catalog.services.get(service)
    target = next((check.target for check in known.checks if check.sampler == "openmetrics"), "") if known else ""
    return (target, f"curl -sS {target}") if target else ("own checks", "")
