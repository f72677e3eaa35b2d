"""Post-mortems at the desk: drafted at the end, edited on top of what one has read, published as they stand."""

import pytest

from stanch.kernel.errors import Conflict, Invalid, NotFound, Refused
from stanch.operations.postmortem import Postmortem
from tests.operations.desk import BOB, Desk


@pytest.fixture
def number(desk: Desk) -> int:
    """Give an incident that is over."""
    declared = desk.declare()
    desk.ask("incident.resolve", incident=declared, force_reason="a test")
    return declared


def ask(desk: Desk, name: str, **body: object) -> Postmortem:
    """Ask an operation that answers with a post-mortem."""
    answer = desk.ask(name, **body)
    assert isinstance(answer, Postmortem)
    return answer


def test_it_is_there_when_the_incident_ends(desk: Desk, number: int) -> None:
    """The first revision is drafted from the log."""
    found = ask(desk, "postmortem.show", incident=number)

    assert (1, False, True) == (found.revision, found.published, found.markdown.startswith("# Post-mortem INC-1"))


def test_before_the_end_there_is_none(desk: Desk) -> None:
    """The hint says how to have one earlier."""
    declared = desk.declare()
    with pytest.raises(NotFound) as refusal:
        ask(desk, "postmortem.show", incident=declared)

    assert "stanch postmortem draft INC-1" in refusal.value.hint


def test_an_edit_is_a_new_revision(desk: Desk, number: int) -> None:
    """Nothing is overwritten: every revision stays in the log."""
    edited = ask(desk, "postmortem.edit", incident=number, revision=1, markdown="# What happened")

    assert (2, "# What happened") == (edited.revision, edited.markdown)


def test_an_edit_on_an_old_revision_is_a_conflict(desk: Desk, number: int) -> None:
    """Whoever was slower reads what the other wrote first."""
    ask(desk, "postmortem.edit", incident=number, revision=1, markdown="# Alice's")
    with pytest.raises(Conflict) as refusal:
        ask(desk, "postmortem.edit", incident=number, revision=1, markdown="# Bob's", by=BOB)

    assert "stale_revision" == refusal.value.reason


@pytest.mark.parametrize("text", ["", " \n", "x" * 500_001])
def test_a_text_of_bounded_length_is_needed(desk: Desk, number: int, text: str) -> None:
    """Empty and endless texts are refused."""
    with pytest.raises(Invalid):
        ask(desk, "postmortem.edit", incident=number, revision=1, markdown=text)


def test_a_revision_is_published(desk: Desk, number: int) -> None:
    """What is published is the newest, and says so."""
    assert ask(desk, "postmortem.publish", incident=number, revision=1).published


def test_publishing_twice_is_once(desk: Desk, number: int) -> None:
    """Two people who publish the same revision publish it once."""
    ask(desk, "postmortem.publish", incident=number, revision=1)
    ask(desk, "postmortem.publish", incident=number, revision=1, by=BOB)

    assert 1 == desk.kinds(number).count("postmortem.published")


def test_what_nobody_has_read_is_not_published(desk: Desk, number: int) -> None:
    """A revision that came after the one that was read is refused."""
    ask(desk, "postmortem.edit", incident=number, revision=1, markdown="# What happened")
    with pytest.raises(Refused) as refusal:
        ask(desk, "postmortem.publish", incident=number, revision=1)

    assert "stale_revision" == refusal.value.reason


def test_an_edit_after_publishing_waits_to_be_published(desk: Desk, number: int) -> None:
    """A new revision is not public by itself."""
    ask(desk, "postmortem.publish", incident=number, revision=1)

    assert not ask(desk, "postmortem.edit", incident=number, revision=1, markdown="# More").published


def test_after_the_end_the_next_step_is_the_postmortem(desk: Desk, number: int) -> None:
    """What remains to be done is to read and publish."""
    step = desk.view("incident.show", incident=number).next_step

    assert "postmortem.publish" == step.operation  # type: ignore[union-attr]


def test_once_published_nothing_is_left_to_do(desk: Desk, number: int) -> None:
    """The end of the story has no next step."""
    ask(desk, "postmortem.publish", incident=number, revision=1)

    assert desk.view("incident.show", incident=number).next_step is None
