"""The kinds of trouble one can look for: errors, slowness, an outage. Pure.

What is measured and what is reported have finer words; this says under which of the three they are found.
"""

from enum import StrEnum
from typing import Final

from stanch.incidents.state import IncidentState


class Trouble(StrEnum):
    """A kind of trouble, as people ask for it."""

    ERROR_SPIKE = "error-spike"
    PERFORMANCE_DEGRADATION = "performance-degradation"
    OUTAGE = "outage"


# By what a report says (`symptoms.SymptomKind`) and by what an alert measures (`alerts.model.Metric`).
_KINDS: Final = {
    "error_spike": Trouble.ERROR_SPIKE,
    "auth": Trouble.ERROR_SPIKE,
    "data": Trouble.ERROR_SPIKE,
    "error_ratio": Trouble.ERROR_SPIKE,
    "error_records": Trouble.ERROR_SPIKE,
    "dependency_error_ratio": Trouble.ERROR_SPIKE,
    "latency": Trouble.PERFORMANCE_DEGRADATION,
    "resource": Trouble.PERFORMANCE_DEGRADATION,
    "latency_p95_ms": Trouble.PERFORMANCE_DEGRADATION,
    "dependency_latency_p95_ms": Trouble.PERFORMANCE_DEGRADATION,
    "saturation": Trouble.PERFORMANCE_DEGRADATION,
    "memory_bytes": Trouble.PERFORMANCE_DEGRADATION,
    "outage": Trouble.OUTAGE,
    "up": Trouble.OUTAGE,
    "restarts": Trouble.OUTAGE,
    "check": Trouble.OUTAGE,
    "rule": Trouble.PERFORMANCE_DEGRADATION,
}


def troubles_of(state: IncidentState) -> frozenset[Trouble]:
    """Return what kinds of trouble an incident is; may be empty, where nobody said and nothing measured it."""
    readings = [one.alert.reading for one in state.alerts.values()]
    words = [state.symptom, *(reading.metric for reading in readings if reading)]
    return frozenset(_KINDS[word] for word in words if word in _KINDS)
