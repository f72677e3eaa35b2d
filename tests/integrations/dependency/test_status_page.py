"""A status page of a third party, Statuspage v2: what it admits, and its open incidents in words."""

from datetime import UTC, datetime, timedelta

import pytest

from stanch.integrations.dependency import Dependencies, Target
from stanch.ports.evidence import Finding, Question
from tests.support.answering import answering

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
QUESTION = Question(incident=1, services=("payments",), start=NOW - timedelta(hours=1), end=NOW, onset=NOW)
INCIDENT = {
    "name": "Captures are slow",
    "status": "investigating",
    "impact": "major",
    "created_at": "2026-11-21T14:20:00.000Z",
    "components": [{"name": "Card API", "status": "partial_outage"}],
}


def look(indicator: str, unresolved: object) -> Finding:
    """Return the finding about a page with this indicator and these open incidents."""
    answers = {
        "/api/v2/status.json": {"status": {"indicator": indicator, "description": "Partial outage"}},
        "/api/v2/incidents/unresolved.json": unresolved,
    }
    with answering(answers) as heard:
        target = Target(name="acquirer", status_page=heard.url, used_by=("payments",))
        # As long as it takes: the threads that answer may have to wait for a core.
        (found,) = Dependencies((target,), look_s=20.0).collect(QUESTION)
    return found


def test_open_incidents_are_told() -> None:
    """The name, state and impact of what the third party admits, and on what, stand in the sentence."""
    found = look("major", {"incidents": [INCIDENT]})

    assert found.summary == (
        "The status page of acquirer says: Partial outage (major): Captures are slow (investigating, impact major,"
        " since 2026-11-21T14:20:00.000Z) on Card API"
    )


@pytest.mark.parametrize("unresolved", [None, [], {"incidents": "many"}, {"incidents": [7, {"name": None}]}])
def test_a_page_that_tells_no_more_is_enough(unresolved: object) -> None:
    """Without a readable list of incidents the indicator alone is the finding."""
    assert "The status page of acquirer says: Partial outage (major)" == look("major", unresolved).summary


def test_a_page_without_trouble_is_asked_once() -> None:
    """Where all is well the incidents are not asked for."""
    assert "Captures" not in look("none", {"incidents": [INCIDENT]}).summary
