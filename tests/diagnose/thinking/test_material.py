"""What a model is given to read."""

from dataclasses import replace
from datetime import timedelta

from stanch.diagnose.thinking.material import Material, material_of
from stanch.incidents import events as ev
from stanch.ports.evidence import Finding, FindingStatus
from tests.incidents.lives import NOW, Log, whole_life

FINDING = Finding(
    id="f1-logs-1",
    collector="logs",
    source="log",
    command="grep",
    status=FindingStatus.OK,
    summary="45 % PoolTimeout",
    start=NOW - timedelta(minutes=5),
    end=NOW,
)


def material(*records: ev.IncidentEvent, most: int = 24_000) -> Material:
    """Return the material of an incident with these events."""
    log = Log().tell(ev.InvestigationStarted(round=1, collectors=(), start=NOW, end=NOW), *records)
    return material_of(log.state, log.events, most=most)


def test_what_can_be_cited_stands_in_it() -> None:
    """Every word that is accepted as a citation is one that the model was shown."""
    log = whole_life()
    found = material_of(log.state, log.events, most=24_000)

    assert [] == [cite for cite in found.sources if f'"cite":"{cite}"' not in found.text]


def test_the_same_log_makes_the_same_material() -> None:
    """So that its digest says whether a question was asked before."""
    log = whole_life()

    assert material_of(log.state, log.events, most=9_000) == material_of(log.state, log.events, most=9_000)


def test_findings_of_older_rounds_are_left_out() -> None:
    """The newest round looked at the same."""
    older = ev.FindingRecorded(round=0, finding=replace(FINDING, id="f0-logs-1"))
    found = material(older, ev.FindingRecorded(round=1, finding=FINDING))

    assert (True, False) == ("f1-logs-1" in found.sources, "f0-logs-1" in found.sources)


def test_it_is_no_longer_than_allowed() -> None:
    """What has no room is counted; findings come before entries."""
    notes = [ev.NoteAdded(text=f"note {number} " + "x" * 500) for number in range(50)]
    found = material(ev.FindingRecorded(round=1, finding=FINDING), *notes, most=4_000)

    assert (True, True, True) == (len(found.text) < 4_200, found.left_out > 40, "f1-logs-1" in found.sources)


def test_one_text_is_cut() -> None:
    """So that one log line cannot fill the question."""
    found = material(ev.NoteAdded(text="y" * 100_000))

    assert (True, True) == (len(found.text) < 3_000, "characters)" in found.text)


def test_a_secret_across_the_cut_leaves_no_half() -> None:
    """Secrets are taken out before a text is cut."""
    found = material(ev.NoteAdded(text="z" * 560 + " password=abcdefghijklmnopqrstuvwxyz0123456789ABCDEF"))

    assert "abcdefghijk" not in found.text


def test_what_a_model_said_is_no_material() -> None:
    """Else each answer would make the next question another one, and a guess its own evidence."""
    added = ev.HypothesisAdded(hypothesis="own/1", title="the moon", reason="because", cites=())

    assert "the moon" not in material(added).text
