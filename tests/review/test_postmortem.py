"""The post-mortem as it is drafted: figures from the log, every statement linked to the event it rests on."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.incidents import events as ev
from stanch.incidents.model import Impact
from stanch.review.postmortem import draft
from tests.incidents.lives import ALICE, DECLARED, IMPACT, NOW, PLAN, PROPOSED, RANKED, RESTART, Log, whole_life

URL = "https://stanch.example"
LINK = re.compile(r"\[e-(\d+)\]\(<https://stanch\.example/i/7#e-(\d+)>\)")
# What is said without an event: that something is for people to write, and how the document itself stands.
UNLINKED = (
    "**Origin:**",
    "To be written by those who were there",
    "Nothing in the log says so",
    "Not measured",
    "**Note:**",
)


def written(log: Log) -> str:
    """Return the draft of a log."""
    return draft(log.state, log.events, url=URL, now=log.now)


def statements(text: str) -> list[str]:
    """Return every line that states something."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#") and not any(one in line for one in UNLINKED)]


LIVES = {
    "whole": whole_life,
    "bare": Log,
    "forced": lambda: Log().tell(
        ev.Resolved(cause="not known", mitigation="none recorded", duration_s=60, forced=True)
    ),
    "said": lambda: whole_life().tell(ev.Resolved(cause="the cable", mitigation="plugged in", duration_s=60)),
    "no cause": lambda: whole_life().tell(
        ev.HypothesesRanked(round=2, hypotheses=(), known=False, verdict="not known yet")
    ),
}


def test_the_draft_of_a_whole_life(golden: Callable[[str, str], None]) -> None:
    """The document as a whole is read and agreed on."""
    golden("whole_life.md", written(whole_life()))


@pytest.mark.parametrize("life", LIVES)
def test_every_statement_is_linked(life: str) -> None:
    """Nothing is claimed that the log does not show."""
    assert [] == [line for line in statements(written(LIVES[life]())) if not LINK.search(line)]


@pytest.mark.parametrize("life", LIVES)
def test_every_link_leads_to_an_event_that_is_there(life: str) -> None:
    """The number that is shown is the number that is linked, and an event has it."""
    log = LIVES[life]()
    numbers = {event.seq for event in log.events}
    links = LINK.findall(written(log))

    assert (True, []) == (
        bool(links),
        [found for found in links if found[0] != found[1] or int(found[1]) not in numbers],
    )


def linked(text: str, words: str) -> int:
    """Return the event that the line with `words` is linked to."""
    line = next(line for line in text.splitlines() if words in line)
    found = LINK.search(line)
    assert found is not None
    return int(found[2])


def test_the_worst_figure_is_linked_to_where_it_was_measured() -> None:
    """A figure rests on the measurement that says it, and not on the last one."""
    log = Log()
    for ratio in (0.1, 0.6, 0.2):
        log.tell(ev.ImpactMeasured(impact=replace(IMPACT, error_ratio=ratio)), after_s=60)

    assert 3 == linked(written(log), "Error rate at worst: 60 %")


def test_what_helped_is_linked_to_its_own_check() -> None:
    """Two plans ran: each is judged by its own check."""
    log = Log().tell(PROPOSED)
    for plan, verdict in ((RESTART, "no_effect"), (PLAN, "helped"), (RESTART, "no_effect")):
        log.tell(ev.EffectChecked(plan=plan.id, verdict=verdict, summary="seen"), after_s=10)

    assert 4 == linked(written(log), "Roll payments back to v3.2.0 helped")


def test_the_duration_is_from_the_start_to_the_end() -> None:
    """From 14:28:00 to 14:48:47 it lasted 20 minutes and 47 seconds."""
    assert "20m 47s (14:28:00 - 14:48:47 UTC)" in written(whole_life()).replace("\\", "")


def test_a_duration_over_midnight_says_the_day() -> None:
    """An end on another day is no end before the start."""
    log = Log().tell(ev.Resolved(cause="x", mitigation="y", duration_s=1), by=ALICE, after_s=43_200)

    assert "12h 2m (14:28:00 - 2026-11-22 02:30:00 UTC)" in written(log).replace("\\", "")


def test_what_is_open_has_lasted_so_far() -> None:
    """A draft before the end says that it is not over."""
    assert "2m so far (since 14:28:00 UTC)" in written(Log()).replace("\\", "")


def test_entries_of_another_day_say_so() -> None:
    """A time line over midnight stays in order for its reader too."""
    log = Log().tell(ev.Reopened(reason="back"), by=ALICE, after_s=43_200)

    assert "2026-11-22 02:30:00 Reopened" in written(log).replace("\\", "")


def test_a_late_entry_stands_where_it_happened() -> None:
    """What was learnt afterwards is told in its place."""
    log = Log().tell(ev.NoteAdded(text="deploy"), by=ALICE, after_s=600, at=NOW - timedelta(minutes=10))
    text = written(log)

    assert text.index("14:20:00 Note") < text.index("14:30:00 SEV2 declared")


def test_a_guess_is_no_root_cause() -> None:
    """Below the floor the document says that the cause is not known."""
    section = written(LIVES["no cause"]()).partition("## Root cause")[2].partition("## ")[0]

    assert "What was collected did not tell it." in section


def test_a_guess_does_not_deny_what_a_person_said() -> None:
    """Who knows the cause is not answered that it is not known."""
    log = whole_life().tell(ev.Resolved(cause="the cable", mitigation="plugged in", duration_s=60))
    log.tell(replace(RANKED, known=False, verdict="Not known yet; the best guess is another."))
    section = written(log).partition("## Root cause")[2].partition("## ")[0]

    assert (True, False) == ("did not tell it; its best guess was, at" in section, "Not known yet" in section)


def test_a_note_is_told_with_its_words() -> None:
    """What people wrote down is the part of the log that nothing else in the document says."""
    log = Log().tell(ev.NoteAdded(text="The queue\nwas full | see <b>board</b>"), by=ALICE)

    assert r"Note: The queue was full \| see \<b>board\</b> (Alice via web)" in written(log)


def test_a_long_note_is_told_by_its_beginning() -> None:
    """At most 600 characters of it; the link leads to the rest."""
    log = Log().tell(ev.NoteAdded(text="x" * 5_000), by=ALICE)

    assert f"Note: {'x' * 599}… (Alice via web)" in written(log)


def test_what_nobody_measured_has_no_figures() -> None:
    """An impact without any look is no 0 failed requests."""
    section = written(Log().tell(ev.ImpactMeasured(impact=Impact(at=NOW, formula="a sum"))))

    assert "- Not measured." in section.partition("## Impact")[2].splitlines()


def test_a_sentence_ends_once() -> None:
    """A cause that was written with its full stop gets no second one."""
    log = Log().tell(ev.Resolved(cause="The cable.", mitigation="plugged in", duration_s=60))

    assert "Cause: The cable. Mitigation: plugged in. [e-" in written(log)


def test_what_a_person_says_of_the_cause_stands_first() -> None:
    """Whoever ended it may know more than the log."""
    section = written(LIVES["said"]()).partition("## Root cause")[2].strip()

    assert section.startswith("As said at the end: the cable. [e-20]")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("own check", "Detected by Stanch's own checks 2m after the start"),
        ("grafana", "Told by an alert from grafana 2m after the start"),
        ("", "Told by an alert 2m after the start"),
    ],
)
def test_who_saw_it_first_is_named(source: str, words: str) -> None:
    """Another sender's alert is not praised as an own check."""
    alert = ev.AlertAttached(alert="a1", summary="", reading=None, starts_at=NOW, source=source)

    assert f"- {words}" in written(whole_life().tell(alert))


def test_a_missed_target_went_poorly() -> None:
    """What the log says went wrong is written down without being asked for."""
    log = Log().tell(ev.TargetMissed(target="acknowledge", due_at=NOW))

    assert "The response target “acknowledge” was missed" in written(log)


def test_a_forced_end_went_poorly() -> None:
    """Who resolved without verification reads it again."""
    log = Log().tell(ev.Resolved(cause="x", mitigation="y", duration_s=1, forced=True, reason="tired"))

    assert "Resolved without verification: tired" in written(log)


def test_users_are_not_invented() -> None:
    """Where nothing counts users, the document says so."""
    assert "Users affected: not known" in written(whole_life()).replace("\\", "")


def test_users_are_counted_where_something_counts_them() -> None:
    """A figure that is there is told."""
    counted: Impact = replace(IMPACT, users=312)

    assert "Users affected: 312" in written(Log().tell(ev.ImpactMeasured(impact=counted)))


def test_a_drill_says_that_it_was_one() -> None:
    """Nobody takes an exercise for the real thing."""
    assert "This was a drill" in written(Log(replace(DECLARED, drill=True)))


def test_a_title_from_outside_is_no_markup() -> None:
    """A title that looks like a heading or a link stays text."""
    text = written(Log(replace(DECLARED, title="# pwned [x](javascript:alert(1))")))

    assert ("\n# pwned" in text, "[x](javascript" in text) == (False, False)
