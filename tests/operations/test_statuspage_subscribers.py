"""Who is written to about the status page: asked first, told then, and forgotten at once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from stanch.comms.status.tables import find_subscribers
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Forbidden, Invalid, Refused
from stanch.operations.statuspage import subscribing
from stanch.operations.statuspage.telling import MAIL
from stanch.operations.statuspage.tokens import Purpose
from tests.operations.desk import Desk
from tests.operations.status import ADDRESS, configured, publish, status_desk, subscribe, subscribed, token_in


@pytest.fixture
def desk(database_url: str, clock: ManualClock, tmp_path: Path) -> Iterator[Desk]:
    """Give a desk with a status page, once on each database."""
    with status_desk(database_url, clock, tmp_path) as found:
        yield found


def test_nobody_is_written_to_before_they_confirm(desk: Desk) -> None:
    """The one mail is the question."""
    subscribe(desk)
    desk.declare()
    publish(desk)
    desk.work()

    assert ["Confirm: updates of Shop"] == [one.subject for one in desk.channels[MAIL].heard]


def test_who_confirmed_is_told_and_can_leave_at_once(desk: Desk) -> None:
    """The mail has the words of the page and a link that one press follows."""
    desk = subscribed(desk)
    desk.declare()
    publish(desk)
    desk.work()
    told = desk.channels[MAIL].heard[-1]

    assert ("[Shop] Investigating: Problems with Buying", ADDRESS, True) == (
        told.subject,
        told.to,
        told.leave.startswith("http://stanch.example/status/leave/l."),
    )


def test_opening_a_link_changes_nothing(desk: Desk) -> None:
    """Mail programs open links by themselves."""
    subscribe(desk)
    token = token_in(desk.channels[MAIL].heard[-1].text, "confirm")
    subscribing.standing(desk.world, token, Purpose.CONFIRM)

    assert subscribing.Standing.ASKED is subscribing.standing(desk.world, token, Purpose.CONFIRM)


def test_who_leaves_is_forgotten(desk: Desk) -> None:
    """Neither the table nor what was sent holds the address any more."""
    desk = subscribed(desk)
    desk.declare()
    publish(desk)
    desk.work()
    subscribing.leave(desk.world, token_in(desk.channels[MAIL].heard[-1].leave, "leave"))
    with desk.world.store.reading() as view:
        left = view.connection.exec_driver_sql("SELECT count(*) FROM deliveries WHERE id LIKE 'status/%%'").scalar_one()
        known = find_subscribers(view.connection)

    assert (0, []) == (left, known)


def test_a_token_is_good_for_one_thing(desk: Desk) -> None:
    """One that confirms does not leave, and one that was changed does nothing."""
    subscribe(desk)
    token = token_in(desk.channels[MAIL].heard[-1].text, "confirm")

    with pytest.raises(Forbidden):
        subscribing.leave(desk.world, token)
    with pytest.raises(Forbidden):
        subscribing.confirm(desk.world, token[:-1] + ("A" if token[-1] != "A" else "B"))


def test_a_question_grows_old(desk: Desk) -> None:
    """After two days the link is over, and the address is forgotten."""
    desk = configured(desk, folder="public")
    subscribe(desk)
    token = token_in(desk.channels[MAIL].heard[-1].text, "confirm")
    desk.declare()
    publish(desk)
    desk.pass_time(days=2, minutes=1)
    desk.work()

    with pytest.raises(Forbidden):
        subscribing.confirm(desk.world, token)
    with desk.world.store.reading() as view:
        assert [] == find_subscribers(view.connection)


def test_asking_again_fills_no_mailbox(desk: Desk) -> None:
    """Within an hour an address is asked once, however its letters are written."""
    subscribe(desk)
    subscribe(desk, ADDRESS.upper(), sender="s2")

    assert 1 == len(desk.channels[MAIL].heard)


def test_one_sender_may_not_ask_for_ever(desk: Desk) -> None:
    """The sixth request within ten minutes is refused, and one after them is not."""
    for number in range(5):
        subscribe(desk, f"u{number}@customers.example")
    with pytest.raises(Refused):
        subscribe(desk, "u6@customers.example")
    desk.pass_time(minutes=11)
    subscribe(desk, "u6@customers.example")

    assert 6 == len(desk.channels[MAIL].heard)


@pytest.mark.parametrize(
    "address", ["", "a", "a@b", "a b@c.example", "a@c.example\nBcc: x@y.example", "a@c.example,b@c.example"]
)
def test_what_is_no_address_is_refused(desk: Desk, address: str) -> None:
    """Nothing that could become a second recipient or a header gets through."""
    with pytest.raises(Invalid):
        subscribe(desk, address)


def test_the_list_shows_no_address(desk: Desk) -> None:
    """Neither the operation nor a record in a log names who subscribed."""
    desk = subscribed(desk)
    with desk.world.store.reading() as view:
        found = find_subscribers(view.connection)

    assert (False, False) == (ADDRESS in repr(desk.ask("statuspage.subscribers")), ADDRESS in repr(found))


def test_who_asks_to_be_forgotten_is(desk: Desk) -> None:
    """By the address that they name."""
    desk = subscribed(desk)
    desk.ask("statuspage.forget", address=ADDRESS)

    assert () == desk.ask("statuspage.subscribers")
