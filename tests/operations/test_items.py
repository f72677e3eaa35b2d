"""Action items at the desk: written down, changed, reminded of, done; what is overdue is told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from stanch.incidents import events as ev
from stanch.incidents.tables import IncidentProjector
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Invalid, NotFound, Refused
from stanch.operations.items import ItemView
from stanch.review.items.rules import next_reminder
from stanch.review.items.tables import ItemProjector, find_items
from stanch.store import Store
from tests.operations.desk import START, Desk


@pytest.fixture
def desk(database_url: str, clock: ManualClock) -> Iterator[Desk]:
    """Give a desk that keeps action items, once on each database."""
    store = Store.open(database_url, clock=clock, projectors=(IncidentProjector(), ItemProjector()))
    yield Desk.open(store, clock)
    store.close()


@pytest.fixture
def number(desk: Desk) -> int:
    """Give an incident that is over."""
    declared = desk.declare()
    desk.ask("incident.resolve", incident=declared, force_reason="a test")
    return declared


def ask(desk: Desk, name: str, **body: object) -> ItemView:
    """Ask an operation that answers with an item."""
    answer = desk.ask(name, **body)
    assert isinstance(answer, ItemView)
    return answer


def listed(desk: Desk, **body: object) -> list[ItemView]:
    """Return the items of a list."""
    answer = desk.ask("item.list", **body)
    assert isinstance(answer, tuple)
    return [one for one in answer if isinstance(one, ItemView)]


def test_items_are_numbered_and_those_that_are_due_come_first(desk: Desk, number: int) -> None:
    """What has no day comes last."""
    ask(desk, "item.add", incident=number, title="Write it down")
    ask(desk, "item.add", incident=number, title="Test guest checkout", owner="bob", due_on="2026-12-01")

    assert [(2, "bob", date(2026, 12, 1)), (1, "", None)] == [
        (one.number, one.owner, one.due_on) for one in listed(desk)
    ]


def test_a_change_says_what_is_different_and_leaves_the_rest(desk: Desk, number: int) -> None:
    """Only what is named changes; `none` takes the day away."""
    ask(desk, "item.add", incident=number, title="Test it", owner="bob", due_on="2026-12-01", priority="high")
    changed = ask(desk, "item.change", incident=number, number=1, owner="alice", due_on="none")

    assert ("Test it", "alice", None, "high") == (changed.title, changed.owner, changed.due_on, changed.priority)


def test_what_is_done_leaves_the_list_and_can_be_opened_again(desk: Desk, number: int) -> None:
    """The end and why stand on record."""
    ask(desk, "item.add", incident=number, title="Test it")
    ended = ask(desk, "item.done", incident=number, number=1, note="in v3.2.2")
    left = listed(desk, open_only=True)
    opened = ask(desk, "item.reopen", incident=number, number=1)

    assert ("done", "in v3.2.2", [], "open") == (ended.status, ended.note, left, opened.status)


def test_dropping_needs_a_reason_and_an_end_is_one(desk: Desk, number: int) -> None:
    """What nobody will do says why; what is done is not dropped afterwards."""
    ask(desk, "item.add", incident=number, title="Test it")
    with pytest.raises(Invalid):
        ask(desk, "item.drop", incident=number, number=1)
    ask(desk, "item.done", incident=number, number=1)
    with pytest.raises(Refused):
        ask(desk, "item.drop", incident=number, number=1, note="too late")


@pytest.mark.parametrize("body", [{"title": " "}, {"title": "x" * 501}, {"title": "x", "owner": "nobody-known"}])
def test_bad_input_is_refused(desk: Desk, number: int, body: dict[str, str]) -> None:
    """A title of bounded length, an owner whom the catalog knows."""
    with pytest.raises(Invalid):
        ask(desk, "item.add", incident=number, **body)


def test_an_item_that_is_not_there_is_not_found(desk: Desk, number: int) -> None:
    """The hint says where the list is."""
    with pytest.raises(NotFound):
        ask(desk, "item.done", incident=number, number=9)


def test_people_are_reminded_before_on_the_day_and_weekly_until_it_is_done(desk: Desk, number: int) -> None:
    """Three days before, on the day, and after a week; when it is done nobody is reminded."""
    ask(desk, "item.add", incident=number, title="Test it", owner="bob", due_on="2026-12-01")
    reminded = []
    for _ in range(25):
        desk.pass_time(days=1)
        desk.work()
        reminded.append(desk.kinds(number).count("item.reminded"))
    ask(desk, "item.done", incident=number, number=1)
    desk.pass_time(days=30)
    desk.work()

    assert ([7, 10, 17, 24], 4) == (
        [day for day, (was, is_) in enumerate(zip([0, *reminded], reminded, strict=False), start=1) if is_ > was],
        desk.kinds(number).count("item.reminded"),
    )


def test_what_is_overdue_stands_on_the_overview(desk: Desk, number: int) -> None:
    """With how many there are and who has them."""
    ask(desk, "item.add", incident=number, title="Test it", owner="bob", due_on="2026-11-22")
    desk.pass_time(days=3)
    (late,) = listed(desk, overdue=True)
    overview = desk.ask("incident.overview")

    assert (2, "1 action item is overdue (bob): stanch item list --overdue") == (
        late.overdue_days,
        overview.notices[0],  # type: ignore[attr-defined]
    )


def test_the_post_mortem_lists_the_items_as_they_stand(desk: Desk, number: int) -> None:
    """What was written down takes the place of what the log suggests; what is done is ticked."""
    ask(desk, "item.add", incident=number, title="Test guest checkout", owner="bob", due_on="2026-12-01")
    ask(desk, "item.done", incident=number, number=1)
    text = desk.ask("postmortem.draft", incident=number).markdown  # type: ignore[attr-defined]

    assert "- [x] Test guest checkout (owner: bob, due 2026-12-01, to prevent)" in text.replace("\\", "")


def test_the_list_is_made_again_from_the_log(desk: Desk, number: int) -> None:
    """The table is a projection."""
    ask(desk, "item.add", incident=number, title="Test it", owner="bob")
    ask(desk, "item.done", incident=number, number=1)
    with desk.world.store.reading() as view:
        before = find_items(view.connection)
    desk.world.store.rebuild()
    with desk.world.store.reading() as view:
        assert before == find_items(view.connection)


def test_a_reminder_comes_at_nine_where_the_installation_is() -> None:
    """Summer time or not, the morning is the morning."""
    zone = ZoneInfo("Europe/Helsinki")
    at = next_reminder(date(2027, 4, 1), now=START, zone=zone)

    assert (9, timedelta(hours=3)) == (at.astimezone(zone).hour, at.utcoffset())


def test_an_item_that_has_been_late_for_years_is_found_at_once() -> None:
    """The next reminder is within a week, however long ago it was due."""
    at = next_reminder(date(1990, 1, 1), now=START, zone=ZoneInfo("UTC"))

    assert timedelta(0) < at - START <= timedelta(days=8)


def test_linked_items_show_where_they_are_tracked(desk: Desk, number: int) -> None:
    """The counterpart in a tracker stands beside the item."""
    ask(desk, "item.add", incident=number, title="Test it")
    linked = ev.ItemLinked(number=1, tracker="github", reference="shop#41", url="https://git.example/shop/41")
    desk.tell(number, linked, stream=ev.items_stream(number))
    (one,) = listed(desk, incident=number)

    assert replace(one, tracker="github", reference="shop#41") == one


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_at_the_end_of_the_calendar_is_none(desk: Desk, number: int, day: str) -> None:
    """There is no day before it, or after it, on which somebody could be reminded."""
    ask(desk, "item.add", incident=number, title="Test it")
    for operation, more in (("item.add", {"title": "Test it"}), ("item.change", {"number": 1})):
        with pytest.raises(Invalid, match="out of range"):
            ask(desk, operation, incident=number, due_on=day, **more)
