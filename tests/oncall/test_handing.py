"""Handoffs and the checklist, on both databases."""

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import pytest

from stanch.catalog.model import ChannelSpec
from stanch.kernel.codec import to_data
from stanch.kernel.errors import Conflict, Forbidden, Refused
from stanch.oncall.handing.model import Handoff
from stanch.operations.oncall.handing import ChecklistView
from stanch.operations.oncall.loading import LoadReport
from stanch.operations.oncall.replaying import History
from stanch.operations.oncall.replays import replay
from tests.oncall.rota import catalog_of, utc
from tests.oncall.shift_desk import BOB, SHOP, ShiftDesk, shift_desk


@pytest.fixture
def desk(database_url: str) -> Iterator[ShiftDesk]:
    """Give a desk with a channel for responders, once on each database."""
    with shift_desk(database_url) as opened:
        channel = ChannelSpec(name="room", kind="file", target="room")
        catalog = replace(opened.world.catalog, channels={"room": channel})
        opened.world = replace(opened.world, catalog=catalog)
        yield opened


def drafted(desk: ShiftDesk) -> Handoff:
    """Return the handoff of the schedule, drafted now."""
    return cast("Handoff", desk.ask("handoff.draft", schedule="shop"))


def test_draft(desk: ShiftDesk) -> None:
    """A draft is from whoever is on to whoever is next, at the hand-over."""
    found = drafted(desk)

    assert ("alice", "bob", utc("2026-11-23T09:00"), 1) == (found.giver, found.taker, found.at, found.revision)


def test_draft_names_open_incidents(desk: ShiftDesk) -> None:
    """An open incident stands in the draft with what is still to do."""
    desk.ask("incident.declare", title="Checkout fails", services=["checkout"])
    text = drafted(desk).text

    assert "Checkout fails" in text.split("## Open incidents")[1].split("## Incidents")[0]
    assert "To do: nobody has taken it on" in text


def test_draft_again(desk: ShiftDesk) -> None:
    """An unedited draft is brought up to date and stays the same handoff."""
    first = drafted(desk)
    desk.ask("incident.declare", title="Checkout fails", services=["checkout"])
    second = drafted(desk)

    assert (first.id, 2, True) == (second.id, second.revision, "Checkout fails" in second.text)


def test_edited_is_not_overwritten(desk: ShiftDesk) -> None:
    """What somebody has edited is not drafted over."""
    desk.ask("handoff.edit", id=drafted(desk).id, text="mine", revision=1)
    with pytest.raises(Conflict):
        drafted(desk)


def test_two_editors(desk: ShiftDesk) -> None:
    """Of two who edit the same revision the second is told."""
    id_ = drafted(desk).id
    desk.ask("handoff.edit", id=id_, text="mine", revision=1)
    with pytest.raises(Conflict):
        desk.ask("handoff.edit", id=id_, text="theirs", revision=1, by=BOB)


def test_only_the_next_accepts(desk: ShiftDesk) -> None:
    """Whoever goes cannot accept for whoever comes."""
    with pytest.raises(Forbidden):
        desk.ask("handoff.accept", id=drafted(desk).id)


def test_accepted(desk: ShiftDesk) -> None:
    """An accepted handoff says who accepted it when, and is not edited any more."""
    id_ = drafted(desk).id
    accepted = cast("Handoff", desk.ask("handoff.accept", id=id_, by=BOB))

    assert ("accepted", "bob", desk.clock.now()) == (accepted.state, accepted.accepted_by, accepted.accepted_at)
    with pytest.raises(Refused):
        desk.ask("handoff.edit", id=id_, text="late", revision=accepted.revision)


def test_sent_once_for_a_revision(desk: ShiftDesk) -> None:
    """A revision that is sent twice owes one message."""
    id_ = drafted(desk).id
    desk.ask("handoff.send", id=id_)
    sent = cast("Handoff", desk.ask("handoff.send", id=id_))

    assert ("room",) == sent.sent_to


def test_checklist(desk: ShiftDesk) -> None:
    """An item that is done is done before that shift; it can be taken back."""
    done = cast("ChecklistView", desk.ask("oncall.check", schedule="shop", item="charged", by=BOB))
    undone = cast("ChecklistView", desk.ask("oncall.check", schedule="shop", item="charged", done=False, by=BOB))

    assert (utc("2026-11-23T09:00"), ["charged"], []) == (
        done.shift,
        [one.item for one in done.items if one.done_by],
        [one.item for one in undone.items if one.done_by],
    )


def test_load_of_a_week(desk: ShiftDesk) -> None:
    """The report adds up to the hours of the week."""
    report = cast(
        "LoadReport",
        desk.ask("oncall.load", schedule="shop", start="2026-11-02T09:00:00Z", end="2026-11-09T09:00:00Z"),
    )

    assert 168.0 == sum(one.all_hours for one in report.rows)


def test_replay(desk: ShiftDesk) -> None:
    """An incident of the past is paged by the other configuration at that very time."""
    desk.ask("incident.declare", title="Checkout fails", services=["checkout"])
    past = desk.ask("oncall.history", end="2026-11-22T00:00:00Z")
    other = catalog_of(SHOP.replace('["alice", "bob", "carol"]', '["carol", "alice", "bob"]'))
    (found,) = replay(to_data(cast("History", past)), other, calendars_for=lambda catalog: None)

    assert ("alice, then bob", "carol, then bob", True) == (found.before, found.after, found.is_changed)
