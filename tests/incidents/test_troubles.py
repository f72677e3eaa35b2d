"""Kinds of trouble: what measures and reports say, under the three words one asks with."""

from dataclasses import replace

import pytest

from stanch.alerts.model import Metric
from stanch.incidents import events as ev
from stanch.incidents.model import Reading
from stanch.incidents.symptoms import SymptomKind
from stanch.incidents.troubles import Trouble, troubles_of
from tests.incidents.lives import DECLARED, NOW, Log

# What says nothing about a kind of trouble: figures that only go beside others.
_NO_TROUBLE = {"request_rate", "requests", "failed_requests", "probe_latency_ms", "build_info", "blind"}


@pytest.mark.parametrize("symptom", [kind.value for kind in SymptomKind if kind is not SymptomKind.UNKNOWN])
def test_every_symptom_of_a_report_has_a_kind(symptom: str) -> None:
    """Whatever a report says, it is found under one of the words."""
    assert 1 == len(troubles_of(Log(replace(DECLARED, symptom=symptom)).state))


@pytest.mark.parametrize("metric", sorted({metric.value for metric in Metric} - _NO_TROUBLE))
def test_every_metric_that_raises_an_alert_has_a_kind(metric: str) -> None:
    """Whatever raised the alert, the incident is found under one of the words."""
    reading = Reading(metric=metric, service="checkout", value=1.0)
    state = Log(DECLARED).tell(ev.AlertAttached(alert="a", summary="", reading=reading, starts_at=NOW)).state

    assert 1 == len(troubles_of(state))


def test_an_incident_may_be_of_two_kinds() -> None:
    """Slow and failing is both."""
    reading = Reading(metric="error_ratio", service="checkout", value=0.4)
    log = Log(replace(DECLARED, symptom="latency"))
    log.tell(ev.AlertAttached(alert="a", summary="", reading=reading, starts_at=NOW))

    assert {Trouble.PERFORMANCE_DEGRADATION, Trouble.ERROR_SPIKE} == troubles_of(log.state)


def test_what_nobody_could_read_is_of_no_kind() -> None:
    """An unread report is no kind of trouble, and is left out where one asks for a kind."""
    assert frozenset() == troubles_of(Log(replace(DECLARED, symptom="unknown")).state)
