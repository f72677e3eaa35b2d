"""Operations on an incident: each does what it says, and refuses with a reason."""

from datetime import timedelta

import pytest

from stanch.incidents.model import Role, Severity
from stanch.kernel.errors import Invalid, Refused
from stanch.operations.views import TimelineEntry
from tests.operations.desk import BOB, PLAN, START, Desk


def test_a_title_is_one_line(desk: Desk) -> None:
    """Lists, subjects and headings show it as one; what was typed below it would break them."""
    card = desk.view("incident.declare", title="Checkout\n  fails", services=["checkout"]).card

    assert "Checkout fails" == card.title


def reason_of(refusal: pytest.ExceptionInfo[Refused]) -> str:
    """Return the stable code of a refusal."""
    return refusal.value.reason


def test_a_declaration_is_an_open_incident(desk: Desk) -> None:
    """What is declared is open, detected, and has the first number."""
    card = desk.view("incident.declare", title="Checkout fails", services=["checkout"]).card

    assert ("INC-1", "detected", True) == (card.key, card.status, card.is_open)


def test_numbers_have_no_gaps(desk: Desk) -> None:
    """A declaration that is refused takes no number."""
    desk.declare()
    with pytest.raises(Invalid):
        desk.declare(services=["nowhere"])

    assert 2 == desk.declare()


def test_all_problems_of_a_declaration_are_told_at_once(desk: Desk) -> None:
    """Whoever is in a hurry is not sent back twice."""
    with pytest.raises(Invalid) as refusal:
        desk.ask("incident.declare", title=" ", services=["nowhere", "checkout"], severity="SEV1")

    assert ["title", "services", "reason"] == [problem.field for problem in refusal.value.problems]


def test_an_unknown_service_is_named(desk: Desk) -> None:
    """The message says which name is not in the catalog."""
    with pytest.raises(Invalid, match="'nowhere'"):
        desk.declare(services=["checkout", "nowhere"])


def test_nothing_starts_in_the_future(desk: Desk) -> None:
    """A start after now is a slip."""
    with pytest.raises(Invalid, match="future"):
        desk.declare(started_at="2026-11-21T14:31:00Z")


def test_an_instant_says_its_offset(desk: Desk) -> None:
    """A time without an offset could be any."""
    with pytest.raises(Invalid, match="offset"):
        desk.declare(started_at="2026-11-21T14:00:00")


def test_instants_are_kept_in_utc(desk: Desk) -> None:
    """15:00 at +02:00 is 13:00 UTC."""
    number = desk.declare(started_at="2026-11-21T15:00:00+02:00")

    assert START - timedelta(minutes=90) == desk.state(number).started_at


def test_the_rule_that_decides_is_shown(desk: Desk) -> None:
    """A security breach is SEV1 by a rule of that name."""
    severity = desk.view("incident.declare", title="Keys leaked", services=["search"], security=True).severity

    assert ("SEV1", "security-breach", False) == (severity.label, severity.rule, severity.overridden)


def test_a_severity_given_at_the_declaration_stands(desk: Desk) -> None:
    """The rules do not raise what a person has decided."""
    number = desk.declare(severity="SEV4", reason="a partner's test")
    desk.alert("checkout")

    assert Severity.SEV4 is desk.state(number).ruling.severity


def test_no_step_is_told_twice(desk: Desk) -> None:
    """The next test stands once, with its command; and so does the plan."""
    guessed, known = desk.declare(), desk.declare()
    desk.diagnose(guessed, score=0.3)
    desk.diagnose(known)
    cards = {one: desk.view("incident.show", incident=one).card.recommended for one in (guessed, known)}

    assert {
        guessed: (f"Compare the failing code with the release before: stanch hypothesis test INC-{guessed}",),
        known: (f"Roll payments back to v3.2.0: stanch approve INC-{known} {PLAN}",),
    } == cards


def test_whoever_acknowledges_first_leads(desk: Desk) -> None:
    """The first to take it on is its commander."""
    number = desk.declare()
    desk.ask("incident.acknowledge", incident=number)

    assert "alice" == desk.state(number).roles[Role.COMMANDER]


def test_a_second_acknowledgement_changes_nothing(desk: Desk) -> None:
    """Two people at once: the first one's stands, the second is no error."""
    number = desk.declare()
    desk.ask("incident.acknowledge", incident=number)
    before = desk.kinds(number)
    desk.ask("incident.acknowledge", incident=number, by=BOB)

    assert before == desk.kinds(number)


def test_acknowledged_by_hand_is_acknowledged(desk: Desk) -> None:
    """Setting the status to acknowledged stops the clock as an acknowledgement does."""
    number = desk.declare()
    desk.ask("incident.status", incident=number, status="acknowledged")

    assert START == desk.state(number).acknowledged_at


def test_a_status_moves_on_by_hand(desk: Desk) -> None:
    """Investigating is what a person may say."""
    number = desk.declare()

    assert "investigating" == desk.view("incident.status", incident=number, status="investigating").card.status


def test_an_unknown_status_names_the_words(desk: Desk) -> None:
    """The message lists what can be said."""
    number = desk.declare()
    with pytest.raises(Invalid, match="investigating, identified, mitigating"):
        desk.ask("incident.status", incident=number, status="confused")


@pytest.mark.parametrize("status", ["resolved", "dismissed", "merged", "closed"])
def test_an_end_has_its_own_operation(desk: Desk, status: str) -> None:
    """The end of an incident is not set by hand: resolving and dismissing have rules of their own."""
    number = desk.declare()
    with pytest.raises(Refused) as refusal:
        desk.ask("incident.status", incident=number, status=status)

    assert "own_operation" == reason_of(refusal)


def test_a_role_is_given(desk: Desk) -> None:
    """A role belongs to one person."""
    number = desk.declare()
    desk.ask("incident.assign", incident=number, role="communications-lead", person="bob")

    assert {Role.COMMUNICATIONS_LEAD: "bob"} == desk.state(number).roles


def test_a_role_is_given_by_name(desk: Desk) -> None:
    """People are known by what they are called as well as by their id."""
    number = desk.declare()
    desk.ask("incident.assign", incident=number, role="scribe", person="Bob")

    assert {Role.SCRIBE: "bob"} == desk.state(number).roles


def test_a_role_is_not_given_to_nobody(desk: Desk) -> None:
    """A name that is not in the catalog is refused with those that are."""
    number = desk.declare()
    with pytest.raises(Invalid, match="alice, bob"):
        desk.ask("incident.assign", incident=number, role="scribe", person="bbo")


def test_a_role_is_taken_back(desk: Desk) -> None:
    """An empty person frees the role."""
    number = desk.declare()
    desk.ask("incident.assign", incident=number, role="scribe", person="bob")
    desk.ask("incident.assign", incident=number, role="scribe", person="")

    assert {} == desk.state(number).roles


def test_an_unknown_role_names_the_words(desk: Desk) -> None:
    """The message lists the roles there are."""
    number = desk.declare()
    with pytest.raises(Invalid, match="commander, technical_lead, communications_lead, scribe, responder"):
        desk.ask("incident.assign", incident=number, role="hero", person="bob")


def test_a_severity_is_set_with_a_reason(desk: Desk) -> None:
    """The override is on record, and says so."""
    number = desk.declare()
    severity = desk.view("incident.severity", incident=number, severity="P0", reason="payments lost").severity

    assert ("SEV1", "payments lost", True) == (severity.label, severity.reason, severity.overridden)


def test_a_severity_without_a_reason_is_refused(desk: Desk) -> None:
    """Nobody overrules the rules without saying why."""
    number = desk.declare()
    with pytest.raises(Invalid, match="say why"):
        desk.ask("incident.severity", incident=number, severity="SEV1", reason=" ")


def test_an_unknown_severity_names_the_words(desk: Desk) -> None:
    """The hint lists what can be said."""
    number = desk.declare()
    with pytest.raises(Invalid) as refusal:
        desk.ask("incident.severity", incident=number, severity="SEV9", reason="x")

    assert "say SEV1 to SEV4, P0 to P3, or critical, high, medium, low" == refusal.value.hint


def entries(desk: Desk, number: int) -> tuple[TimelineEntry, ...]:
    """Return an incident's time line."""
    found = desk.ask("incident.timeline", incident=number)
    assert isinstance(found, tuple)
    return found


def test_a_late_note_sorts_to_when_it_happened(desk: Desk) -> None:
    """What is learnt later stands where it belongs, and says that it was recorded later."""
    number = desk.declare(started_at="2026-11-21T14:00:00Z")
    desk.ask("incident.note", incident=number, text="deploy of payments", at="2026-11-21T13:55:00Z")
    first = entries(desk, number)[0]

    assert ("deploy of payments", True) == (first.text, first.late)


def test_a_note_of_now_is_not_late(desk: Desk) -> None:
    """A note without a time is of now, and stands last."""
    number = desk.declare()
    desk.ask("incident.note", incident=number, text="pool looks full")
    last = entries(desk, number)[-1]

    assert ("pool looks full", False) == (last.text, last.late)


def test_a_note_is_not_from_the_future(desk: Desk) -> None:
    """Nothing has happened yet that will happen."""
    number = desk.declare()
    with pytest.raises(Invalid, match="future"):
        desk.ask("incident.note", incident=number, text="x", at="2026-11-21T15:00:00Z")


@pytest.mark.parametrize("text", ["", "   \n", "x" * 20_001])
def test_a_note_has_a_text_of_bounded_length(desk: Desk, text: str) -> None:
    """Empty and endless notes are refused."""
    number = desk.declare()
    with pytest.raises(Invalid):
        desk.ask("incident.note", incident=number, text=text)


def test_a_note_goes_into_an_ended_incident_too(desk: Desk) -> None:
    """What is learnt after the end belongs into the log."""
    number = desk.declare()
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    desk.ask("incident.note", incident=number, text="it was the cable")

    assert "incident.note_added" == desk.kinds(number)[-1]


def test_an_entry_has_a_permalink(desk: Desk) -> None:
    """The link of an entry holds its number in the log."""
    number = desk.declare()
    entry = entries(desk, number)[0]

    assert f"http://stanch.example/i/{number}#e-{entry.seq}" == entry.url
