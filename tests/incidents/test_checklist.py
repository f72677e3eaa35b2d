"""The checklist ticks itself from what has happened."""

from dataclasses import replace

import pytest

from stanch.incidents import events as ev
from stanch.incidents.checklist import checklist
from stanch.incidents.model import Impact, Role, Severity, SeverityRuling
from stanch.incidents.state import IncidentState
from stanch.ports.evidence import FindingStatus
from tests.incidents.lives import ALICE, DECLARED, IMPACT, NOW, PLAN, PROPOSED, RANKED, Log, finding, whole_life

NOTHING_CHANGED = ev.ChangesRanked(round=1, changes=(), none_explains=True, verdict="nothing")


def done(state: IncidentState) -> set[str]:
    """Return what is ticked."""
    return {item.text for item in checklist(state) if item.done}


def sent(purpose: str) -> tuple[ev.IncidentEvent, ...]:
    """Return the events of a message that has arrived."""
    owed = ev.MessageOwed(delivery=f"d/{purpose}", channel="room", audience="responders", purpose=purpose, text="")
    return owed, ev.MessageEnded(delivery=f"d/{purpose}", state="sent", attempts=1)


def test_at_first_only_the_severity_is_assessed() -> None:
    """Everything else waits for somebody or something."""
    assert {"Severity assessed"} == done(Log().state)


@pytest.mark.parametrize(
    ("records", "text"),
    [
        ((ev.Acknowledged(),), "Acknowledged"),
        ((ev.RoleAssigned(role=Role.COMMANDER, person="alice"),), "Incident commander assigned"),
        ((ev.RoleAssigned(role=Role.COMMUNICATIONS_LEAD, person="bob"),), "Communications lead assigned"),
        (sent("declaration"), "Responders told"),
        ((ev.ImpactMeasured(impact=IMPACT),), "Impact measured"),
        ((finding("f1-git-1"), NOTHING_CHANGED), "What changed is known"),
        ((RANKED,), "Cause identified"),
        (
            (PROPOSED, ev.RunStarted(plan=PLAN.id, node="n1"), ev.RunFinished(plan=PLAN.id, code=0, took_s=1)),
            "Mitigation carried out",
        ),
        (
            (ev.VerificationStarted(window_s=9, checks=()), ev.VerificationPassed(window_s=9, summary="")),
            "Recovery verified",
        ),
        (sent("resolution"), "Resolution told"),
        ((ev.PostmortemDrafted(revision=1, markdown="#"),), "Post-mortem drafted"),
        (
            (ev.PostmortemDrafted(revision=1, markdown="#"), ev.PostmortemPublished(revision=1)),
            "Post-mortem published",
        ),
    ],
)
def test_what_happens_ticks_its_line(records: tuple[ev.IncidentEvent, ...], text: str) -> None:
    """Nobody ticks a box: the log does."""
    assert text in done(Log().tell(*records, by=ALICE).state) - done(Log().state)


@pytest.mark.parametrize(
    ("records", "text"),
    [
        (sent("declaration")[:1], "Responders told"),
        (
            (sent("declaration")[0], ev.MessageEnded(delivery="d/declaration", state="failed", attempts=5)),
            "Responders told",
        ),
        ((finding("f1-git-1", status=FindingStatus.FAILED), NOTHING_CHANGED), "What changed is known"),
        ((replace(RANKED, known=False),), "Cause identified"),
        (
            (PROPOSED, ev.RunStarted(plan=PLAN.id, node="n1"), ev.RunFinished(plan=PLAN.id, code=1, took_s=1)),
            "Mitigation carried out",
        ),
        (
            (
                ev.VerificationStarted(window_s=9, checks=()),
                ev.VerificationPassed(window_s=9, summary=""),
                ev.VerificationRelapsed(check="checkout", summary="9 %"),
            ),
            "Recovery verified",
        ),
        (
            (ev.RoleAssigned(role=Role.COMMANDER, person="a"), ev.RoleAssigned(role=Role.COMMANDER, person="")),
            "Incident commander assigned",
        ),
    ],
)
def test_half_a_step_ticks_nothing(records: tuple[ev.IncidentEvent, ...], text: str) -> None:
    """A message on its way, a look that failed, a guess and a relapse are not done."""
    assert text not in done(Log().tell(*records).state)


def test_small_incidents_need_nobody_for_communication() -> None:
    """A communications lead is asked for from SEV2 on."""
    small = replace(DECLARED, ruling=SeverityRuling(severity=Severity.SEV3, rule="partial", reason=""))

    assert "Communications lead assigned" not in {item.text for item in checklist(Log(small).state)}


def test_every_line_says_how() -> None:
    """Whoever reads what is missing reads how to do it."""
    assert all(item.how for item in checklist(whole_life().state))


def test_the_lines_are_in_the_order_of_work() -> None:
    """Triage first, learning last."""
    phases = list(dict.fromkeys(item.phase for item in checklist(Log().state)))

    assert ["triage", "investigation", "mitigation", "recovery", "learning"] == phases


def test_a_whole_life_leaves_the_writing() -> None:
    """After the end what is missing is what people have to do."""
    life = whole_life()
    missing = {item.text for item in checklist(life.state) if not item.done and item.phase == "learning"}

    assert ({"Post-mortem drafted", "Post-mortem published"}, True) == (missing, life.state.declared_at == NOW)


def test_an_impact_without_a_figure_is_not_measured() -> None:
    """That somebody looked and saw nothing ticks no line."""
    assert "Impact measured" not in done(Log().tell(ev.ImpactMeasured(impact=Impact(at=NOW))).state)
