"""How an incident ends and begins again: resolved, reopened, dismissed, merged; what is over is not worked on."""

import pytest

from stanch.kernel.errors import Invalid, NotFound, Refused
from tests.operations.desk import AGENT, Desk
from tests.operations.test_incident import entries, reason_of


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
