"""Messages: owed once, to whom the catalog says, each with the promise of the next."""

from datetime import datetime, timedelta

from stanch.incidents.state import IncidentState
from stanch.operations import cases
from stanch.operations.announcing import announce
from tests.operations.desk import START, Desk


def purposes(state: IncidentState) -> list[str]:
    """Return the purpose of every message of an incident, in order."""
    return [message.purpose for message in state.messages.values()]


def test_a_declaration_is_told_to_every_audience(desk: Desk) -> None:
    """Each channel gets one message for each audience that it serves."""
    number = desk.declare()
    told = {(message.channel, message.audience) for message in desk.state(number).messages.values()}

    assert {("room", "responders"), ("status", "stakeholders"), ("status", "public")} == told


def test_what_is_owed_is_delivered(desk: Desk) -> None:
    """The engine hands over what the operation owed."""
    desk.declare()
    desk.work()

    assert (1, 2) == (len(desk.channels["room"].heard), len(desk.channels["status"].heard))


def test_how_a_delivery_ended_is_on_record(desk: Desk) -> None:
    """Every message says whether it arrived."""
    number = desk.declare()
    desk.work()

    assert ["sent"] * 3 == [end.state for end in desk.state(number).message_ends.values()]


def test_the_same_step_twice_owes_one_message(desk: Desk) -> None:
    """Announcing from the same state again is no new message: its id is made of what went before."""
    number = desk.declare()
    with desk.world.store.writing() as tx:
        state = cases.load(tx, number)
        twice = (
            announce(tx, desk.world, state, purpose="update"),
            announce(tx, desk.world, state, purpose="update"),
        )

    assert (3, 0) == twice


def test_updates_that_read_the_same_are_told_each(desk: Desk) -> None:
    """Two updates of one minute may have the same words; both are sent."""
    number = desk.declare()
    for _ in range(2):
        with desk.world.store.writing() as tx:
            announce(tx, desk.world, cases.load(tx, number), purpose="update")

    assert 6 == purposes(desk.state(number)).count("update")


def update_due(desk: Desk, number: int) -> datetime | None:
    """Return when the next update is promised for."""
    return desk.state(number).next_update_at


def test_the_next_update_is_promised(desk: Desk) -> None:
    """SEV2 is told of every 15 minutes."""
    number = desk.declare(severity="SEV2", reason="a test")

    assert START + timedelta(minutes=15) == update_due(desk, number)


def test_a_promised_update_goes_out(desk: Desk) -> None:
    """When the promise comes due, an update is sent by itself."""
    number = desk.declare(severity="SEV2", reason="a test")
    desk.pass_time(minutes=15)
    desk.work()

    assert 3 == purposes(desk.state(number)).count("update")


def test_an_update_moves_the_promise(desk: Desk) -> None:
    """Every update says when the next one comes."""
    number = desk.declare(severity="SEV2", reason="a test")
    desk.pass_time(minutes=15)
    desk.work()

    assert START + timedelta(minutes=30) == update_due(desk, number)


def test_a_promise_is_kept_again_and_again(desk: Desk) -> None:
    """An hour of SEV3 is two updates."""
    number = desk.declare(severity="SEV3", reason="a test")
    for _ in range(60):
        desk.pass_time(minutes=1)
        desk.work()

    assert 6 == purposes(desk.state(number)).count("update")


def test_nothing_is_promised_for_the_smallest(desk: Desk) -> None:
    """SEV4 is worked on in business hours, without updates."""
    number = desk.declare(severity="SEV4", reason="a test")

    assert update_due(desk, number) is None


def test_the_end_promises_nothing_more(desk: Desk) -> None:
    """The message of the end is the last one."""
    number = desk.declare(severity="SEV2", reason="a test")
    desk.ask("incident.resolve", incident=number, force_reason="a test")

    assert (update_due(desk, number), 3) == (None, purposes(desk.state(number)).count("resolution"))


def test_who_was_told_of_the_end_is_told_that_it_was_none(desk: Desk) -> None:
    """Taking an incident up again is said to everybody who heard that it was over."""
    number = desk.declare(severity="SEV2", reason="a test")
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    desk.ask("incident.reopen", incident=number, reason="errors are back")

    assert 3 == purposes(desk.state(number)).count("reopened")


def test_who_was_told_of_an_incident_is_told_that_it_was_none(desk: Desk) -> None:
    """Dismissing is said to everybody who heard of the declaration."""
    number = desk.declare()
    desk.ask("incident.dismiss", incident=number, reason="a load test")

    assert 3 == purposes(desk.state(number)).count("dismissed")


def test_the_public_hears_nothing_of_the_inside(desk: Desk) -> None:
    """A reason given among colleagues stays there."""
    number = desk.declare("the intern pulled the plug")
    desk.ask("incident.dismiss", incident=number, reason="the plug is back in")
    public = [one.text for one in desk.state(number).messages.values() if one.audience == "public"]

    assert not any("plug" in text for text in public)
