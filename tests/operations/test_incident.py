"""Operations on an incident: each does what it says, and refuses with a reason."""

from datetime import timedelta

import pytest

from stanch.incidents.model import Role, Severity, Status
from stanch.kernel.errors import Invalid, NotFound, Refused
from stanch.operations.views import IncidentCard, Overview, TimelineEntry
from tests.operations.desk import AGENT, BOB, START, Desk


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


def test_resolving_is_refused_until_verified(desk: Desk) -> None:
    """An incident does not end on somebody's hope."""
    number = desk.declare()
    with pytest.raises(Refused) as refusal:
        desk.ask("incident.resolve", incident=number)

    assert "not_verified" == reason_of(refusal)


def test_a_verified_incident_is_resolved(desk: Desk) -> None:
    """Once every figure has held for the window, it may end."""
    number = desk.declare()
    desk.verify(number)

    assert "resolved" == desk.view("incident.resolve", incident=number).card.status


def test_a_forced_end_keeps_its_reason(desk: Desk) -> None:
    """Whoever resolves the unverified says why, and that stays."""
    number = desk.declare()

    assert "false alarm" == desk.view("incident.resolve", incident=number, force_reason="false alarm").forced


def test_an_agent_forces_nothing(desk: Desk) -> None:
    """Only a person resolves what is not verified."""
    number = desk.declare()
    with pytest.raises(Refused) as refusal:
        desk.ask("incident.resolve", incident=number, force_reason="it looks fine", by=AGENT)

    assert "force_needs_a_person" == reason_of(refusal)


def test_an_end_comes_once(desk: Desk) -> None:
    """What is resolved cannot be resolved again."""
    number = desk.declare()
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    with pytest.raises(Refused) as refusal:
        desk.ask("incident.resolve", incident=number, force_reason="a test")

    assert "not_open" == reason_of(refusal)


def test_the_end_drafts_the_postmortem(desk: Desk) -> None:
    """The write-up is there the moment the incident ends."""
    number = desk.declare()
    desk.ask("incident.resolve", incident=number, force_reason="a test")

    assert 1 == desk.view("incident.show", incident=number).postmortem.revision  # type: ignore[union-attr]


def test_the_end_stops_every_clock(desk: Desk) -> None:
    """Nothing comes due for an incident that is over."""
    number = desk.declare()
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    desk.work()
    before = desk.kinds(number)
    desk.pass_time(days=2)
    desk.work()

    assert before == desk.kinds(number)


def test_an_ended_incident_is_reopened(desk: Desk) -> None:
    """It was not over: it is open again and being investigated."""
    number = desk.declare()
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    card = desk.view("incident.reopen", incident=number, reason="errors are back").card

    assert ("investigating", True, None) == (card.status, card.is_open, card.resolved_at)


def test_a_reopened_incident_must_be_verified_anew(desk: Desk) -> None:
    """What held before the relapse counts for nothing."""
    number = desk.declare()
    desk.verify(number)
    desk.ask("incident.resolve", incident=number)
    desk.ask("incident.reopen", incident=number, reason="errors are back")
    with pytest.raises(Refused) as refusal:
        desk.ask("incident.resolve", incident=number)

    assert "not_verified" == reason_of(refusal)


def test_an_open_incident_is_not_reopened(desk: Desk) -> None:
    """Only what has ended can be taken up again."""
    number = desk.declare()
    with pytest.raises(Refused) as refusal:
        desk.ask("incident.reopen", incident=number, reason="x")

    assert "already_open" == reason_of(refusal)


def test_reopening_needs_a_reason(desk: Desk) -> None:
    """Nobody takes an incident up again without saying why."""
    number = desk.declare()
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    with pytest.raises(Invalid, match="say why"):
        desk.ask("incident.reopen", incident=number, reason="")


def test_an_incident_is_dismissed(desk: Desk) -> None:
    """A planned load test is no incident."""
    number = desk.declare()

    assert "dismissed" == desk.view("incident.dismiss", incident=number, reason="a load test").card.status


def test_dismissing_needs_a_reason(desk: Desk) -> None:
    """Nobody makes an incident go away without saying why."""
    number = desk.declare()
    with pytest.raises(Invalid, match="say why"):
        desk.ask("incident.dismiss", incident=number, reason="")


def test_an_incident_is_merged_into_another(desk: Desk) -> None:
    """Its place is in the other one from then on."""
    first, second = desk.declare(), desk.declare("The same again")

    assert "merged" == desk.view("incident.dismiss", incident=second, reason="same", merged_into=first).card.status


def test_the_other_incident_knows_what_was_merged_into_it(desk: Desk) -> None:
    """The log of the one that stands says which one is part of it."""
    first, second = desk.declare(), desk.declare("The same again")
    desk.ask("incident.dismiss", incident=second, reason="same", merged_into=first)

    assert "INC-2 is part of this: The same again" == entries(desk, first)[-1].text


def test_alerts_move_with_a_merge(desk: Desk) -> None:
    """An alert that is still firing belongs to the incident that stands."""
    alert = desk.alert("search")
    second = desk.declare()
    desk.ask("incident.dismiss", incident=1, reason="same", merged_into=second)

    assert {alert.id} == set(desk.state(second).alerts)


def test_an_incident_is_no_part_of_itself(desk: Desk) -> None:
    """Merging into itself is a slip."""
    number = desk.declare()
    with pytest.raises(Invalid, match="itself"):
        desk.ask("incident.dismiss", incident=number, reason="x", merged_into=number)


def test_nothing_is_merged_into_what_is_not_there(desk: Desk) -> None:
    """The other incident must exist."""
    number = desk.declare()
    with pytest.raises(NotFound):
        desk.ask("incident.dismiss", incident=number, reason="x", merged_into=99)


def test_nothing_is_merged_into_what_was_dismissed(desk: Desk) -> None:
    """An incident that was none holds no other."""
    first, second = desk.declare(), desk.declare()
    desk.ask("incident.dismiss", incident=first, reason="a load test")
    with pytest.raises(Refused) as refusal:
        desk.ask("incident.dismiss", incident=second, reason="same", merged_into=first)

    assert "not_open" == reason_of(refusal)


@pytest.mark.parametrize(
    "name", ["incident.show", "incident.timeline", "incident.series", "incident.acknowledge", "investigate.run"]
)
def test_an_incident_that_is_not_there_is_named(desk: Desk, name: str) -> None:
    """The message says which incident there is not."""
    with pytest.raises(NotFound, match="INC-99"):
        desk.ask(name, incident=99)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("incident.acknowledge", {}),
        ("incident.assign", {"role": "scribe", "person": "bob"}),
        ("incident.severity", {"severity": "SEV1", "reason": "x"}),
        ("incident.status", {"status": "investigating"}),
        ("incident.dismiss", {"reason": "x"}),
        ("investigate.run", {}),
    ],
)
def test_what_is_over_is_not_worked_on(desk: Desk, name: str, body: dict[str, str]) -> None:
    """After the end an incident is read and written up, and nothing else."""
    number = desk.declare()
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    with pytest.raises(Refused) as refusal:
        desk.ask(name, incident=number, **body)

    assert "not_open" == reason_of(refusal)


def test_open_incidents_are_listed_first_by_severity(desk: Desk) -> None:
    """The worst that is open comes first, what is over comes last."""
    for severity in ("SEV3", "SEV1", "SEV2"):
        desk.declare(severity=severity, reason="a test")
    desk.ask("incident.resolve", incident=2, force_reason="a test")
    cards = desk.ask("incident.list")
    assert isinstance(cards, tuple)

    assert [3, 1, 2] == [card.number for card in cards if isinstance(card, IncidentCard)]


def test_a_list_can_be_of_open_ones_only(desk: Desk) -> None:
    """What is over is left out when asked for."""
    desk.declare()
    desk.declare()
    desk.ask("incident.resolve", incident=1, force_reason="a test")
    cards = desk.ask("incident.list", open_only=True)
    assert isinstance(cards, tuple)

    assert [2] == [card.number for card in cards]


def overview(desk: Desk, **body: object) -> Overview:
    """Return what is wrong now."""
    found = desk.ask("incident.overview", **body)
    assert isinstance(found, Overview)
    return found


def test_the_overview_says_that_nothing_is_wrong(desk: Desk) -> None:
    """An empty overview is a sentence about what was seen, and not a blank page."""
    assert "No incident is open. None of the 5 services has been seen yet." == overview(desk).quiet


def test_the_overview_can_be_of_one_kind_of_trouble(desk: Desk) -> None:
    """Whoever asks for slowness is not shown errors."""
    desk.ask("incident.report", text="500 errors on /api/checkout since 14:10 UTC")
    desk.ask("incident.report", text="search is 10x slower than normal")

    assert [2] == [card.number for card in overview(desk, type="performance-degradation").incidents]


def test_an_unknown_kind_of_trouble_names_the_words(desk: Desk) -> None:
    """The message lists what can be asked for."""
    with pytest.raises(Invalid, match="error-spike, performance-degradation, outage"):
        overview(desk, type="weather")


def test_only_what_a_person_says_is_known_of_data_loss(desk: Desk) -> None:
    """What was said at the declaration survives the next measurement."""
    number = desk.declare(data_loss=True)
    desk.pass_time(minutes=2)
    desk.work()

    assert desk.state(number).impact.data_loss  # type: ignore[union-attr]


def test_a_status_is_one_of_the_words() -> None:
    """The open states are the ones in which somebody works on it."""
    assert {"resolved", "closed", "dismissed", "merged"} == {one.value for one in Status if not one.is_open}
