"""Post-mortems at the desk: drafted at the end, edited on top of what one has read, published as they stand."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from stanch.catalog.writeup import WriteUp
from stanch.incidents import events as ev
from stanch.incidents.model import Impact
from stanch.kernel.errors import Conflict, Invalid, NotFound, Refused
from stanch.operations.postmortem import Postmortem
from tests.operations.desk import AGENT, ALICE, BOB, START, Desk


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


def test_what_was_changed_is_shown_with_who_changed_it(desk: Desk, number: int) -> None:
    """Every revision has an author and can be compared with the one before."""
    text = ask(desk, "postmortem.show", incident=number).markdown
    ask(desk, "postmortem.edit", incident=number, revision=1, markdown=text + "\nOne more line.\n", by=BOB)
    newest, first = desk.ask("postmortem.history", incident=number)  # type: ignore[misc]  # a tuple of views
    difference = desk.ask("postmortem.compare", incident=number)

    assert (("Bob", 2, 0), "Stanch") == ((newest.author, newest.added, newest.removed), first.author)
    assert "+One more line." in difference.diff.splitlines()  # type: ignore[attr-defined]


def test_an_older_revision_can_be_read(desk: Desk, number: int) -> None:
    """What stood there before stays."""
    ask(desk, "postmortem.edit", incident=number, revision=1, markdown="# What happened")

    assert ask(desk, "postmortem.show", incident=number, revision=1).markdown.startswith("# Post-mortem INC-1")


def test_a_revision_that_is_not_there_is_not_found(desk: Desk, number: int) -> None:
    """The hint says which there are."""
    with pytest.raises(NotFound):
        ask(desk, "postmortem.show", incident=number, revision=7)


def test_wording_that_blames_is_found_with_the_names_of_those_who_took_part(desk: Desk, number: int) -> None:
    """Who is in the catalog or in the log is known by name; what is not saved yet can be checked too."""
    found = desk.ask("postmortem.lint", incident=number, markdown="Bob deleted the table.")

    assert ["blame"] == [one.kind for one in found]  # type: ignore[attr-defined]


def test_the_draft_itself_blames_nobody(desk: Desk, number: int) -> None:
    """What the product writes passes its own check."""
    assert () == desk.ask("postmortem.lint", incident=number)


def test_enough_people_must_agree_first(desk: Desk, number: int) -> None:
    """Where reviews are asked for, publishing waits for somebody else than the author; a new text is read again."""
    desk = replace(desk, world=replace(desk.world, catalog=replace(desk.world.catalog, postmortem=WriteUp(reviews=1))))
    ask(desk, "postmortem.edit", incident=number, revision=1, markdown="# What happened", by=BOB)
    with pytest.raises(Refused) as missing:
        ask(desk, "postmortem.publish", incident=number, revision=2)
    with pytest.raises(Refused) as own:
        ask(desk, "postmortem.review", incident=number, revision=2, agreed=True, by=BOB)
    ask(desk, "postmortem.review", incident=number, revision=2, agreed=True, by=ALICE)

    assert ("reviews_missing", "own_text", True) == (
        missing.value.reason,
        own.value.reason,
        ask(desk, "postmortem.publish", incident=number, revision=2).published,
    )


def test_who_wants_a_change_holds_up_the_text(desk: Desk, number: int) -> None:
    """Said once, it holds until they agree or another text is written."""
    ask(desk, "postmortem.review", incident=number, revision=1, agreed=False, note="the impact is missing", by=BOB)
    with pytest.raises(Refused) as refusal:
        ask(desk, "postmortem.publish", incident=number, revision=1)
    ask(desk, "postmortem.edit", incident=number, revision=1, markdown="# With the impact")

    assert ("changes_wanted", True) == (
        refusal.value.reason,
        ask(desk, "postmortem.publish", incident=number, revision=2).published,
    )


def test_an_agent_does_not_agree_for_people(desk: Desk, number: int) -> None:
    """A review is a person's word."""
    with pytest.raises(Refused) as refusal:
        ask(desk, "postmortem.review", incident=number, revision=1, agreed=True, by=AGENT)

    assert "not_a_person" == refusal.value.reason


def measured(desk: Desk, number: int, *ratios: float) -> None:
    """Measure the impact a few times."""
    with desk.world.store.writing() as tx:
        for count, ratio in enumerate(ratios):
            impact = Impact(at=START, error_ratio=ratio, normal_error_ratio=0.01, failed_requests=count * 10)
            tx.append(ev.incident_stream(number), [ev.new_event(ev.ImpactMeasured(impact=impact))], incident=number)


def test_what_was_measured_is_drawn_and_goes_into_every_file(desk: Desk) -> None:
    """The draft shows the charts, the HTML holds them, the JSON their figures."""
    number = desk.declare()
    measured(desk, number, 0.4, 0.5, 0.1)
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    drawn = desk.ask("postmortem.chart", incident=number, measure="error_ratio")
    html = desk.ask("postmortem.export", incident=number, format="html")
    facts = json.loads(desk.ask("postmortem.export", incident=number, format="json").text)  # type: ignore[attr-defined]

    assert "Error rate: 50 % at most, 10 % at the end, normal 1 %" in drawn.svg  # type: ignore[attr-defined]
    assert f"/postmortem/{number}/chart/error_ratio.svg" in ask(desk, "postmortem.show", incident=number).markdown
    assert 2 == html.text.count('src="data:image/svg+xml;base64,')  # type: ignore[attr-defined]
    assert [0.4, 0.5, 0.1] == [value for _, value in facts["charts"]["error_ratio"]]


def test_one_brings_ones_own_outline(desk: Desk, number: int, tmp_path: Path) -> None:
    """A template of the configuration is filled from the log, and its mistakes are named with their lines."""
    folder = tmp_path / "postmortem"
    folder.mkdir()
    (folder / "ours.md").write_text("# Ours: {{ key }}\n\n{{ summary }}\n\n{{ sumary }}\n")
    desk = replace(desk, world=replace(desk.world, catalog=replace(desk.world.catalog, root=str(tmp_path))))
    drafted = ask(desk, "postmortem.draft", incident=number, template="ours")
    listed = {one.name: one.problems for one in desk.ask("postmortem.templates")}  # type: ignore[attr-defined]

    assert drafted.markdown.startswith("# Ours: INC-1\n")
    assert (True, 1, 0) == (
        listed["ours"][0].startswith("line 5: 'sumary' is no section"),
        len(listed["ours"]),
        len(listed["brief"]),
    )


def test_an_outline_that_is_not_there_is_named(desk: Desk, number: int) -> None:
    """The answer lists those there are."""
    with pytest.raises(Invalid) as refusal:
        ask(desk, "postmortem.draft", incident=number, template="nowhere")

    assert "brief, questions, standard" in str(refusal.value)
