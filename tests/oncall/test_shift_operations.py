"""Operations on who is on call, on both databases."""

from collections.abc import Iterator
from typing import cast

import pytest

from stanch.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from stanch.operations.oncall.changing import OverrideView, TimeOffView
from stanch.operations.oncall.swapping import SwapView
from stanch.operations.oncall.views import Calendar, Handover, OnCallAnswer
from tests.oncall.rota import utc
from tests.oncall.shift_desk import BOB, CAROL, ShiftDesk, shift_desk


@pytest.fixture
def desk(database_url: str) -> Iterator[ShiftDesk]:
    """Give a desk, once on each database."""
    with shift_desk(database_url) as opened:
        yield opened


def on_now(desk: ShiftDesk) -> dict[str, str]:
    """Return who is on call by schedule."""
    answer = cast("OnCallAnswer", desk.ask("oncall.now"))
    return {card.schedule: card.now.person if card.now else "" for card in answer.schedules}


def overridden(desk: ShiftDesk, person: str) -> OverrideView:
    """Return the override that puts a person on call until six."""
    return cast("OverrideView", desk.ask("oncall.override", schedule="shop", person=person, end="2026-11-21T18:00:00Z"))


def swap_of(desk: ShiftDesk) -> SwapView:
    """Return the swap that alice offers bob: tonight for the Tuesday after."""
    given = {"give_start": "2026-11-21T18:00:00Z", "give_end": "2026-11-22T06:00:00Z"}
    taken = {"take_start": "2026-11-24T18:00:00Z", "take_end": "2026-11-25T06:00:00Z"}
    return cast("SwapView", desk.ask("swap.propose", schedule="shop", taker="bob", **given, **taken))


def test_now(desk: ShiftDesk) -> None:
    """Every schedule says who is on."""
    assert {"shop": "alice", "backup": "bob"} == on_now(desk)


def test_levels_of_a_service(desk: ShiftDesk) -> None:
    """A service says who is paged, level by level, then the last resort."""
    answer = cast("OnCallAnswer", desk.ask("oncall.now", service="checkout"))
    (service,) = answer.services

    assert ([("alice",), ("bob",)], ("alice", "bob")) == ([one.people for one in service.levels], service.fallback)


def test_level_after_a_hand_over(desk: ShiftDesk) -> None:
    """A level that is reached after a hand-over means whoever is on then."""
    answer = cast("OnCallAnswer", desk.ask("oncall.at", at="2026-11-23T08:58:00Z", service="checkout"))

    assert [("alice",), ("carol",)] == [one.people for one in answer.services[0].levels]


def test_a_service_without_policy(desk: ShiftDesk) -> None:
    """A service about which nobody is paged says why."""
    answer = cast("OnCallAnswer", desk.ask("oncall.now", service="search"))

    assert "there is no escalation policy for it" == answer.services[0].reason


def test_next(desk: ShiftDesk) -> None:
    """The next changes are listed soonest first."""
    found = cast("tuple[Handover, ...]", desk.ask("oncall.next", schedule="shop", count=2))

    assert [(utc("2026-11-23T09:00"), "alice"), (utc("2026-11-30T09:00"), "bob")] == [
        (one.at, one.before) for one in found
    ]


def test_next_of_a_person(desk: ShiftDesk) -> None:
    """The changes of one person are where they begin or end."""
    found = cast("tuple[Handover, ...]", desk.ask("oncall.next", schedule="shop", person="carol", count=2))

    assert [utc("2026-11-30T09:00"), utc("2026-12-07T09:00")] == [one.at for one in found]


def test_override(desk: ShiftDesk) -> None:
    """An override holds from now on."""
    desk.ask("oncall.override", schedule="shop", person="carol", end="2026-11-21T18:00:00Z")

    assert "carol" == on_now(desk)["shop"]


def test_override_ends(desk: ShiftDesk) -> None:
    """After its end whoever has the turn is on again."""
    desk.ask("oncall.override", schedule="shop", person="carol", end="2026-11-21T18:00:00Z")
    desk.clock.set(utc("2026-11-21T18:00"))

    assert "alice" == on_now(desk)["shop"]


def test_override_taken_back(desk: ShiftDesk) -> None:
    """An override that is taken back does not hold; a second time is a conflict."""
    made = cast(
        "OverrideView", desk.ask("oncall.override", schedule="shop", person="carol", end="2026-11-21T18:00:00Z")
    )
    desk.ask("oncall.override_cancel", id=made.id)

    assert "alice" == on_now(desk)["shop"]
    with pytest.raises(Conflict):
        desk.ask("oncall.override_cancel", id=made.id)


def test_override_that_breaks_a_rule(desk: ShiftDesk) -> None:
    """An override that makes somebody back up themselves says so, and holds all the same."""
    made = overridden(desk, "bob")

    assert [("both", "bob", utc("2026-11-21T14:30"), utc("2026-11-21T18:00"))] == [
        (one.rule, one.person, one.start, one.end) for one in made.broken
    ]


@pytest.mark.parametrize(
    "body",
    [
        {"schedule": "shop", "person": "mallory", "end": "2026-11-21T18:00:00Z"},
        {"schedule": "shop", "person": "bob", "end": "2026-11-21T14:00:00Z"},
        {"schedule": "shop", "person": "bob", "start": "2026-11-22T00:00:00Z", "end": "2026-11-21T18:00:00Z"},
        {"schedule": "shop", "person": "bob", "end": "2028-11-21T18:00:00Z"},
    ],
)
def test_wrong_overrides(desk: ShiftDesk, body: dict[str, object]) -> None:
    """Nobody known, what is over, what ends before it begins and what never ends are refused."""
    with pytest.raises(Invalid):
        desk.ask("oncall.override", **body)


def test_no_such_schedule(desk: ShiftDesk) -> None:
    """A schedule that does not exist is said."""
    with pytest.raises(NotFound):
        desk.ask("oncall.override", schedule="shob", person="bob", end="2026-11-21T18:00:00Z")


def test_a_swap_changes_nothing_until_accepted(desk: ShiftDesk) -> None:
    """An offer alone changes nothing."""
    swap_of(desk)
    desk.clock.set(utc("2026-11-21T20:00"))

    assert "alice" == on_now(desk)["shop"]


def test_accepted_swap(desk: ShiftDesk) -> None:
    """An accepted swap changes both shifts."""
    desk.ask("swap.accept", id=swap_of(desk).id, by=BOB)
    desk.clock.set(utc("2026-11-21T20:00"))
    tonight = on_now(desk)["shop"]
    desk.clock.set(utc("2026-11-24T20:00"))

    assert ("bob", "alice") == (tonight, on_now(desk)["shop"])


def test_only_the_other_accepts(desk: ShiftDesk) -> None:
    """Nobody but the one who takes may accept."""
    swap = swap_of(desk)
    with pytest.raises(Forbidden):
        desk.ask("swap.accept", id=swap.id, by=CAROL)


def test_a_swap_is_decided_once(desk: ShiftDesk) -> None:
    """A swap that was declined cannot be accepted."""
    swap = swap_of(desk)
    desk.ask("swap.decline", id=swap.id, by=BOB)
    with pytest.raises(Conflict):
        desk.ask("swap.accept", id=swap.id, by=BOB)


def test_withdrawn(desk: ShiftDesk) -> None:
    """Whoever offers may withdraw."""
    withdrawn = cast("SwapView", desk.ask("swap.decline", id=swap_of(desk).id))

    assert "withdrawn" == withdrawn.state


def test_a_swap_of_what_one_does_not_have(desk: ShiftDesk) -> None:
    """One can give only shifts that one has."""
    with pytest.raises(Refused):
        desk.ask(
            "swap.propose",
            by=CAROL,
            schedule="shop",
            taker="bob",
            give_start="2026-11-21T18:00:00Z",
            give_end="2026-11-22T06:00:00Z",
        )


def test_time_off(desk: ShiftDesk) -> None:
    """Who is away is covered by the next one in the rotation."""
    desk.ask("oncall.timeoff", start="2026-11-21T00:00:00Z", end="2026-11-23T00:00:00Z", what="wedding")

    assert "bob" == on_now(desk)["shop"]


def test_time_off_taken_back(desk: ShiftDesk) -> None:
    """Time off that is taken back does not count."""
    made = cast("TimeOffView", desk.ask("oncall.timeoff", start="2026-11-21T00:00:00Z", end="2026-11-23T00:00:00Z"))
    desk.ask("oncall.timeoff_cancel", id=made.id)

    assert ("alice", ()) == (on_now(desk)["shop"], desk.ask("oncall.away"))


def test_calendar(desk: ShiftDesk) -> None:
    """A calendar holds the shifts, with the override's id, and what is broken ahead."""
    made = cast(
        "OverrideView", desk.ask("oncall.override", schedule="shop", person="carol", end="2026-11-21T18:00:00Z")
    )
    found = cast("Calendar", desk.ask("oncall.calendar", schedule="shop", end="2026-11-23T09:00:00Z"))

    assert [("carol", made.id), ("alice", "")] == [(one.person, one.override) for one in found.turns]
