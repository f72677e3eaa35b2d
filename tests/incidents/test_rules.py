"""What may happen to an incident: pure decisions, with the reason of every refusal."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.incidents import events as ev
from stanch.incidents import rules
from stanch.incidents.model import BY_HAND, Role, Severity, SeverityRuling, Status
from stanch.kernel.actor import Actor, ActorKind
from stanch.kernel.errors import Invalid, Refused
from tests.incidents.lives import ALICE, CAUSE, DECLARED, NOW, Log, whole_life

AGENT = Actor(kind=ActorKind.AGENT, id="agent:triage")
FORCED = rules.Resolution(force_reason="a test")


def ruling(severity: Severity) -> SeverityRuling:
    """Return a ruling of the rules."""
    return SeverityRuling(severity=severity, rule="a-rule", reason="figures")


def test_the_first_to_acknowledge_is_commander() -> None:
    """Whoever takes it on leads until somebody else does."""
    assert (ev.Acknowledged(), ev.RoleAssigned(role=Role.COMMANDER, person="alice")) == rules.acknowledge(
        Log().state, actor=ALICE
    )


def test_who_leads_already_goes_on_leading() -> None:
    """An acknowledgement takes no role away."""
    state = Log().tell(ev.RoleAssigned(role=Role.COMMANDER, person="bob")).state

    assert (ev.Acknowledged(),) == rules.acknowledge(state, actor=ALICE)


def test_an_agent_leads_nobody() -> None:
    """An agent may take it on, and is not its commander."""
    assert (ev.Acknowledged(),) == rules.acknowledge(Log().state, actor=AGENT)


def test_the_rules_go_up_by_themselves() -> None:
    """New figures make it worse: the severity follows."""
    (event,) = rules.rule_again(Log().state, ruling(Severity.SEV1))

    assert (Severity.SEV1, Severity.SEV2, False) == (event.ruling.severity, event.previous, event.overridden)  # type: ignore[union-attr]


@pytest.mark.parametrize("severity", [Severity.SEV2, Severity.SEV3, Severity.SEV4])
def test_the_rules_do_not_go_down_by_themselves(severity: Severity) -> None:
    """A moment of calm makes nothing smaller; a person may."""
    assert () == rules.rule_again(Log().state, ruling(severity))


def test_the_rules_do_not_go_against_a_person() -> None:
    """What a person has set stands."""
    log = Log()
    log.tell(*rules.override_severity(log.state, Severity.SEV4, reason="only the test shop"))

    assert () == rules.rule_again(log.state, ruling(Severity.SEV1))


def test_the_rules_do_not_go_against_the_declaration_by_hand() -> None:
    """A severity that a person gave when declaring is a person's too."""
    by_hand = replace(DECLARED, ruling=SeverityRuling(severity=Severity.SEV4, rule=BY_HAND, reason="a test"))

    assert () == rules.rule_again(Log(by_hand).state, ruling(Severity.SEV1))


def test_the_same_override_twice_is_once() -> None:
    """Saying the same again changes nothing."""
    log = Log()
    log.tell(*rules.override_severity(log.state, Severity.SEV2, reason="sure"))

    assert () == rules.override_severity(log.state, Severity.SEV2, reason="very sure")


def test_the_unwatched_is_not_verified() -> None:
    """Nothing was watched: the reason says so."""
    assert "the recovery has not been watched yet" == rules.why_not_verified(Log().state, now=NOW)


def test_how_long_it_held_is_said() -> None:
    """Whoever waits is told how long it has been."""
    state = Log().tell(ev.VerificationStarted(window_s=900, checks=())).state
    reason = rules.why_not_verified(state, now=NOW + timedelta(seconds=60))

    assert "every check must hold for 900 s without a break; so far 60 s" == reason


def test_a_relapse_starts_the_wait_again() -> None:
    """What held before the relapse counts for nothing."""
    log = Log().tell(ev.VerificationStarted(window_s=900, checks=()))
    log.tell(ev.VerificationRelapsed(check="checkout", summary="9 %"), after_s=100)
    log.tell(ev.VerificationStarted(window_s=900, checks=()))
    reason = rules.why_not_verified(log.state, now=log.now + timedelta(seconds=30))

    assert reason.endswith("so far 30 s")


def test_what_does_not_hold_is_not_said_to_hold() -> None:
    """While a check fails, no time counts as held."""
    log = Log().tell(ev.VerificationStarted(window_s=900, checks=()))
    log.tell(ev.VerificationRelapsed(check="checkout", summary="9 %"), after_s=100)
    reason = rules.why_not_verified(log.state, now=log.now + timedelta(seconds=30))

    assert reason.endswith("one does not hold now")


def test_who_waits_for_nothing_is_told_so() -> None:
    """Where nothing is watched, the hint says when it would be, and what to do else."""
    with pytest.raises(Refused) as refusal:
        rules.resolve(Log().state, rules.Resolution(), now=NOW, actor=ALICE)

    assert refusal.value.hint.startswith("it is watched once a mitigation is done")


def test_the_verified_needs_no_force() -> None:
    """A reason to force is not kept where nothing was forced."""
    log = Log().tell(ev.VerificationStarted(window_s=900, checks=()), ev.VerificationPassed(window_s=900, summary=""))
    events = rules.resolve(log.state, FORCED, now=log.now, actor=ALICE)
    resolved = next(event for event in events if isinstance(event, ev.Resolved))

    assert (False, "") == (resolved.forced, resolved.reason)


def resolved_from(log: Log, resolution: rules.Resolution = FORCED) -> ev.Resolved:
    """Return the resolution of the incident as it stands."""
    events = rules.resolve(log.state, resolution, now=log.now, actor=ALICE)
    return next(event for event in events if isinstance(event, ev.Resolved))


def test_the_cause_is_the_leading_hypothesis() -> None:
    """Nobody has to type what the log knows."""
    log = Log().tell(ev.HypothesesRanked(round=1, hypotheses=(CAUSE,), known=True, verdict=""))

    assert "Bad deploy: payments v3.2.1" == resolved_from(log).cause


def test_a_guess_is_no_cause() -> None:
    """Below the floor the cause is not known, and that is what is written."""
    log = Log().tell(ev.HypothesesRanked(round=1, hypotheses=(CAUSE,), known=False, verdict=""))

    assert "not known" == resolved_from(log).cause


def test_a_persons_words_go_first() -> None:
    """What a person says about the cause is the cause."""
    said = rules.Resolution(force_reason="a test", cause="the cable", mitigation="plugged in")

    assert ("the cable", "plugged in") == (resolved_from(Log(), said).cause, resolved_from(Log(), said).mitigation)


def test_what_helped_is_the_mitigation() -> None:
    """A plan that was checked and helped is what ended it."""
    log = whole_life()
    log.tell(ev.Reopened(reason="a test"))

    assert "Roll payments back to v3.2.0" == resolved_from(log).mitigation


def test_the_duration_counts_from_the_start() -> None:
    """It lasted from when it began, and not from when it was noticed."""
    log = Log()
    log.now += timedelta(minutes=8)

    assert 600.0 == resolved_from(log).duration_s


def test_alerts_end_with_the_incident() -> None:
    """What still fires is told to be over with it."""
    alert = ev.AlertAttached(alert="a1", summary="", reading=None, starts_at=NOW)
    events = rules.resolve(Log().tell(alert).state, FORCED, now=NOW, actor=ALICE)

    assert ["a1"] == [event.alert for event in events if isinstance(event, ev.AlertEnded)]


def test_the_postmortem_is_due_two_days_later() -> None:
    """48 hours after the end."""
    events = rules.resolve(Log().state, FORCED, now=NOW, actor=ALICE)
    (due,) = (event.due_at for event in events if isinstance(event, ev.PostmortemScheduled))

    assert NOW + timedelta(hours=48) == due


def test_the_same_status_is_no_news() -> None:
    """Setting what is so already writes nothing."""
    state = Log().tell(ev.StatusChanged(status=Status.INVESTIGATING, reason="")).state

    assert () == rules.change_status(state, Status.INVESTIGATING, reason="")


def test_a_note_is_trimmed() -> None:
    """Blanks around a note are no part of it."""
    assert ev.NoteAdded(text="pool looks full", pinned=True) == rules.note("  pool looks full\n", pinned=True)


def test_what_is_over_takes_over_no_alerts() -> None:
    """A merge into an incident that has ended brings it the note alone."""
    alert = ev.AlertAttached(alert="a1", summary="", reading=None, starts_at=NOW)
    ended = replace(Log().state, status=Status.RESOLVED)

    assert (ev.NoteAdded(text=f"INC-7 is part of this: {DECLARED.title}"),) == rules.take_over(
        Log().tell(alert).state, ended
    )


def test_only_a_person_forces() -> None:
    """The refusal has a reason of its own."""
    with pytest.raises(Refused) as refusal:
        rules.resolve(Log().state, FORCED, now=NOW, actor=AGENT)

    assert "force_needs_a_person" == refusal.value.reason


@pytest.mark.parametrize("reason", ["", "  "])
def test_dismissing_has_a_reason(reason: str) -> None:
    """An empty reason is none."""
    with pytest.raises(Invalid):
        rules.dismiss(Log().state, reason=reason)
