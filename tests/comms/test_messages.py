"""Messages: what each audience is told at each step, read and agreed on."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.comms.messages import Audience, Composed, compose
from stanch.incidents import events as ev
from stanch.incidents.model import Impact
from stanch.incidents.state import IncidentState
from tests.incidents.lives import DECLARED, IMPACT, NOW, Log, whole_life

URL = "https://stanch.example/i/7"
HOSTILE = "checkout \x1b[31mdown\x1b[0m @here <!channel> [click](javascript:alert(1)) \u202eevil\u202c"


def at_step(purpose: str) -> IncidentState:
    """Return the incident as it stands when a message of this purpose goes out."""
    events = whole_life().events
    ends = {
        "declaration": "incident.impact_measured",
        "update": "mitigation.proposed",
        "mitigation": "action.effect_checked",
        "all_clear": "verification.passed",
        "initial": "incident.impact_measured",
        "resolution": "postmortem.scheduled",
    }
    log = whole_life()
    last = max(event.seq for event in events if event.kind == ends.get(purpose, "postmortem.scheduled"))
    log.events = log.events[:last]
    if purpose == "reopened":
        log.tell(ev.Reopened(reason="errors are back"))
    if purpose == "dismissed":
        log = Log().tell(ev.Dismissed(reason="a load test"))
    return log.state


def message(purpose: str, audience: str, *, state: IncidentState | None = None, note: str = "") -> Composed:
    """Return a message about the incident of the tests."""
    shown = state or at_step(purpose)
    return compose(
        shown,
        purpose=purpose,
        audience=audience,
        now=NOW + timedelta(minutes=5),
        url=URL,
        next_update_at=NOW + timedelta(minutes=15) if shown.is_open else None,
        note=note,
    )


PURPOSES = ("declaration", "initial", "update", "mitigation", "all_clear", "resolution", "reopened", "dismissed")
TOLD = [
    (purpose, audience.value)
    for purpose in PURPOSES
    for audience in Audience
    if (purpose == "declaration") <= (audience is Audience.RESPONDERS)
    if (purpose == "initial") <= (audience is not Audience.RESPONDERS)
]


@pytest.mark.parametrize(("purpose", "audience"), TOLD)
def test_what_is_said(purpose: str, audience: str, golden: Callable[[str, str], None]) -> None:
    """Every purpose for every audience, as plain text."""
    golden(f"{purpose}.{audience}.txt", message(purpose, audience, note="said by alice").text + "\n")


@pytest.mark.parametrize("audience", [one.value for one in Audience])
def test_what_is_said_in_markdown(audience: str, golden: Callable[[str, str], None]) -> None:
    """The same with markup."""
    golden(f"update.{audience}.md", message("update", audience).markdown)


INSIDE = ("TypeError", "payments", "rollback", "v3.2.1", "stanch.example", "alice", "said by", "normal", "critical")


@pytest.mark.parametrize("word", INSIDE)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_public_is_told_nothing_of_the_inside(purpose: str, word: str) -> None:
    """What broke inside, who works on it and what was done to it is nobody's business outside."""
    told = message(purpose, "public", note="said by alice")

    assert word not in told.subject + told.text + told.markdown


@pytest.mark.parametrize("audience", [one.value for one in Audience])
def test_text_from_outside_obeys_nobody(audience: str) -> None:
    """Control codes, reversed text and mentions in a title are shown as signs or left out."""
    state = Log(replace(DECLARED, title=HOSTILE, services=(HOSTILE,))).state
    told = message("declaration", audience, state=state)

    assert not any(sign in told.text + told.markdown for sign in ("\x1b", "\u202e", "\u202c"))


def test_a_title_is_no_markup() -> None:
    """A link in a title is text."""
    state = Log(replace(DECLARED, title="[click](javascript:alert(1))")).state

    assert "[click](javascript" not in message("declaration", "responders", state=state).markdown


def impact_line(impact: Impact) -> str:
    """Return the line that tells the impact, an empty text where there is none."""
    told = message("update", "responders", state=Log().tell(ev.ImpactMeasured(impact=impact)).state)
    return next((line for line in told.text.splitlines() if line.startswith("Impact:")), "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "45 % of requests fail (normal 0.2 %)"),
        ({"error_ratio": 0.0, "normal_error_ratio": 0.0}, ""),
        ({"error_ratio": 0.003}, ""),
        ({"error_ratio": 0.0, "latency_p95_ms": 4200.0}, "slow: p95 4,200 ms (normal 100 ms)"),
        ({"error_ratio": 0.0, "latency_p95_ms": 120.0}, ""),
        ({"error_ratio": None, "latency_p95_ms": None}, ""),
    ],
)
def test_only_an_impact_is_told_as_one(changes: dict[str, float | None], words: str) -> None:
    """Figures that are normal are no impact, whatever else is wrong."""
    line = impact_line(replace(IMPACT, **changes))  # type: ignore[arg-type]  # fields of Impact by name

    assert words == line.partition(":")[2].strip()


def test_the_last_message_says_that_it_is_the_last() -> None:
    """Nobody waits for more."""
    assert "This was the last message." in message("resolution", "public").text


def test_an_open_incident_promises_the_next_message() -> None:
    """Every message says when the next one comes."""
    assert "Next update: by 14:45 UTC" in message("update", "public").text
