"""Every tracker against its far end: a ticket is made, found again, read, changed, followed, and tells no secret."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from stanch.ports.ticketing import Draft, Failure, NotTaken, Part, Said, TicketState
from tests.integrations.trackers.far import FARS, START, TOKEN, Far, far_end
from tests.support.farend import Reply

DRAFT = Draft(
    mark="stanch-shop-inc-42-3",
    said=Said(title="Test guest checkout", owner="octo-bob", due_on=date(2026, 12, 1)),
    about="Action item 3 of INC-42: Checkout fails",
    url="http://stanch.example/i/42",
    facts=(("Owner", "Bob"), ("Priority", "high")),
)
BEFORE = START - timedelta(minutes=5)


@pytest.fixture(params=sorted(FARS))
def far(request: pytest.FixtureRequest) -> Iterator[Far]:
    """Give a far end of each kind."""
    with far_end(request.param) as found:
        yield found


def test_a_ticket_says_what_the_item_says(far: Far) -> None:
    """Title, owner, day; and what is sent is what the far end takes."""
    made = far.tracker().create(DRAFT)

    assert (DRAFT.said, ("Test guest checkout", "octo-bob", "2026-12-01", "open"), []) == (
        made.said,
        far.shown(),
        far.wrong,
    )


def test_what_is_read_is_what_was_made(far: Far) -> None:
    """By its reference and by its address."""
    tracker = far.tracker()
    made = tracker.create(DRAFT)

    assert [made, made] == [tracker.read(made.reference), tracker.read(made.url)]


def test_a_ticket_is_found_again_by_its_mark(far: Far) -> None:
    """And none is found for another item whose mark begins alike."""
    tracker = far.tracker()
    made = tracker.create(DRAFT)
    marks = (DRAFT.mark, f"{DRAFT.mark}0", DRAFT.mark[:-1])

    assert [made, None, None] == [tracker.find(one, since=BEFORE, now=START) for one in marks]


@pytest.mark.parametrize("late", [True, False])
def test_a_strangers_ticket_with_a_copied_mark_is_not_ours(far: Far, late: bool) -> None:
    """Whether it was opened after ours, or before it and edited."""
    tracker = far.tracker()
    made = tracker.create(DRAFT)
    far.plant(DRAFT.mark, by="mallory", late=late)

    assert made == tracker.find(DRAFT.mark, since=BEFORE, now=START)


def test_a_strangers_ticket_alone_is_none_of_ours(far: Far) -> None:
    """Though it has the mark that is looked for."""
    far.plant(DRAFT.mark, by="mallory")

    assert None is far.tracker().find(DRAFT.mark, since=BEFORE, now=START)


def test_an_answer_that_was_lost_leaves_it_unknown_whether_the_ticket_is_there(far: Far) -> None:
    """It is, and is found."""
    far.loses = 1
    with pytest.raises(NotTaken) as caught:
        far.tracker().create(DRAFT)

    assert (Failure.UNKNOWN, True) == (
        caught.value.failure,
        far.tracker().find(DRAFT.mark, since=BEFORE, now=START) is not None,
    )


@pytest.mark.parametrize(
    ("said", "parts", "shown"),
    [
        (
            replace(DRAFT.said, title="Test it well"),
            {Part.TITLE},
            ("Test it well", "octo-bob", "2026-12-01", "open"),
        ),
        (replace(DRAFT.said, owner=""), {Part.OWNER}, ("Test guest checkout", "", "2026-12-01", "open")),
        (
            replace(DRAFT.said, due_on=None),
            {Part.DUE},
            ("Test guest checkout", "octo-bob", "", "open"),
        ),
        (
            replace(DRAFT.said, due_on=date(2027, 1, 5)),
            {Part.DUE},
            ("Test guest checkout", "octo-bob", "2027-01-05", "open"),
        ),
        (
            replace(DRAFT.said, state=TicketState.DONE),
            {Part.STATE},
            ("Test guest checkout", "octo-bob", "2026-12-01", "done"),
        ),
        (
            replace(DRAFT.said, state=TicketState.DROPPED),
            {Part.STATE},
            ("Test guest checkout", "octo-bob", "2026-12-01", "dropped"),
        ),
    ],
)
def test_a_ticket_follows(far: Far, said: Said, parts: set[Part], shown: tuple[str, str, str, str]) -> None:
    """Only the parts that are named; the same a second time."""
    tracker = far.tracker()
    made = tracker.create(DRAFT)
    draft = replace(DRAFT, said=said)
    after = tracker.update(made, draft, parts=frozenset(parts))
    again = tracker.update(after, draft, parts=frozenset(parts))

    assert (said, said, shown, []) == (after.said, again.said, far.shown(), far.wrong)


def test_a_closed_ticket_is_opened_again(far: Far) -> None:
    """Whoever closed it."""
    tracker = far.tracker()
    made = tracker.create(DRAFT)
    far.edit(1, by="octo-alice", state="dropped")
    after = tracker.update(tracker.read(made.reference), DRAFT, parts=frozenset({Part.STATE}))

    assert (TicketState.OPEN, "open") == (after.said.state, far.shown()[3])


def test_what_somebody_changed_there_is_read_with_who_and_when(far: Far) -> None:
    """Of an assignment, who did it and not who got it."""
    tracker = far.tracker()
    made = tracker.create(DRAFT)
    far.edit(1, by="octo-carol", title="Test it well", owner="octo-alice", state="done")
    after = tracker.read(made.reference)
    moves = tracker.moves(after)

    assert (
        Said(title="Test it well", owner="octo-alice", due_on=date(2026, 12, 1), state=TicketState.DONE),
        {(Part.TITLE, "octo-carol"), (Part.OWNER, "octo-carol"), (Part.STATE, "octo-carol")},
        True,
    ) == (after.said, {(one.part, one.by) for one in moves}, all(one.at > START for one in moves))


def test_what_changed_is_told_with_its_version(far: Far) -> None:
    """All of it, however many pages that is; a ticket has another version after every change."""
    tracker = far.tracker()
    made = [tracker.create(replace(DRAFT, mark=f"{DRAFT.mark}{number}")) for number in range(3)]
    far.edit(2, by="octo-carol", title="Test it well")
    found = {one.reference: one.version for one in tracker.touched(since=BEFORE, now=START)}

    assert [True, False, True] == [found[one.reference] == one.version for one in made]


def test_a_ticket_of_another_project_is_refused_without_asking(far: Far) -> None:
    """As is what names none at all."""
    for reference in ("OTHER-1", "other/repository#1", "https://evil.example/x/issues/1/../..", ""):
        with pytest.raises(NotTaken):
            far.tracker().read(reference)

    assert [] == far.site.asked


@pytest.mark.parametrize(
    ("reply", "failure", "after_s"),
    [
        (Reply(status=429, body="slow down", headers=(("Retry-After", "7"),)), Failure.THROTTLED, 7.0),
        (Reply(status=404, body='{"message": "Not Found"}'), Failure.REFUSED, None),
        (Reply(status=503, body="maintenance"), Failure.UNREACHABLE, None),
        (Reply(status=201, body="<html>a proxy</html>"), Failure.UNKNOWN, None),
    ],
)
def test_what_the_far_end_says_is_told_apart(far: Far, reply: Reply, failure: Failure, after_s: float | None) -> None:
    """What may stand there from what does not, and what helps from what does not."""
    far.answers = [reply]
    with pytest.raises(NotTaken) as caught:
        far.tracker().create(DRAFT)

    assert (failure, after_s) == (caught.value.failure, caught.value.retry_after_s)


def test_no_error_tells_the_token(far: Far) -> None:
    """Though the far end says it back."""
    with pytest.raises(NotTaken) as caught:
        far.tracker(secret=f"{TOKEN}x").read(f"{far.project}-1" if far.kind == "jira" else "#1")

    assert (Failure.CREDENTIALS, False) == (caught.value.failure, TOKEN in str(caught.value))


def test_without_a_token_nothing_is_asked(far: Far) -> None:
    """The error says what is missing."""
    with pytest.raises(NotTaken) as caught:
        far.tracker(secret="").create(DRAFT)

    assert (Failure.CREDENTIALS, []) == (caught.value.failure, far.site.asked)
