"""Matching, expecting, linting and the shelf of runbooks."""

from pathlib import Path

import pytest

from stanch.kernel.errors import NotFound
from stanch.mitigate.runbooks.expecting import holds, read_expectation
from stanch.mitigate.runbooks.linting import lint
from stanch.mitigate.runbooks.markdown import read_runbook
from stanch.mitigate.runbooks.matching import Seen, match_runbooks
from stanch.mitigate.runbooks.model import Runbook
from stanch.mitigate.runbooks.shelf import read_shelf

DISK = Runbook(id="disk", title="Disk full", alerts=("*FilesystemAlmostFull",), words=("no space left on device",))
POOL = Runbook(id="pool", title="Connections exhausted", kinds=("connection_leak",), words=("too many clients",))
OTHER = Runbook(id="search", title="Search is down", services=("search",), alerts=("*",))
SHELF = (DISK, POOL, OTHER)


def best(seen: Seen) -> str:
    """Return the id of the best match, empty without one."""
    found = match_runbooks(SHELF, seen)
    return found[0].runbook if found else ""


@pytest.mark.parametrize(
    ("seen", "runbook"),
    [
        (Seen(alerts=("NodeFilesystemAlmostFull",)), "disk"),
        (Seen(kinds={"connection_leak": 0.8}), "pool"),
        (Seen(text="OSError: No space left on device"), "disk"),
        (Seen(text="FATAL: sorry, too many clients already"), "pool"),
        (Seen(services=("search",), alerts=("Anything",)), "search"),
        (Seen(text="TypeError in payments"), ""),
        (Seen(), ""),
    ],
)
def test_what_fits_comes_first(seen: Seen, runbook: str) -> None:
    """By the alert, by the kind of cause, by the words of the symptoms; nothing where nothing fits."""
    assert runbook == best(seen)


def test_what_is_written_for_other_services_does_not_fit() -> None:
    """However well its alert fits."""
    assert "search" not in {match.runbook for match in match_runbooks(SHELF, Seen(services=("a",), alerts=("X",)))}


def test_a_match_says_why() -> None:
    """Nobody follows a runbook that came from nowhere."""
    (match,) = match_runbooks(SHELF, Seen(kinds={"connection_leak": 0.8}))

    assert ("is for connection leak, which stands at 80 %",) == match.reasons


@pytest.mark.parametrize(
    ("words", "answer", "values", "outcome"),
    [
        ("below 100", "", (99.0,), True),
        ("below 100", "", (99.0, 100.0), False),
        ("at most 80 %", "used: 80", (), True),
        ("above 0", "no number", (), None),
        ("empty", "", (), True),
        ("empty", "a row", (), False),
        ("no rows", "", (1.0,), False),
        ('contains "ok"', "status: OK", (), True),
        ("is 0", "", (0.0,), True),
        (">= 1,000", "1,000", (), True),
    ],
)
def test_expectations(words: str, answer: str, values: tuple[float, ...], outcome: bool | None) -> None:
    """They are judged on every figure; without any, nothing is said."""
    expectation = read_expectation(words)

    assert expectation is not None and outcome is holds(expectation, answer, values)


def test_shipped_runbooks_have_nothing_to_complain_about() -> None:
    """Each block of theirs can be run, and none changes anything where one only looks."""
    shelf = read_shelf(None)
    wrong = [(id, one) for id, runbook in shelf.runbooks.items() for one in lint(runbook) if not one.advice]

    assert [] == wrong


def test_a_check_that_changes_something_is_told() -> None:
    """It would not run by itself, which its writer may not know."""
    runbook = read_runbook("# T\n## Symptoms\n## Checks\n```sh\nsystemctl restart x\n```\n## Fix\n## Verify\n", id="a")

    assert ["changes something under 'Checks': a check runs by itself, this one will ask"] == [
        complaint.message for complaint in lint(runbook)
    ]


def test_a_runbook_of_the_house_takes_the_place_of_a_shipped_one(tmp_path: Path) -> None:
    """The name decides."""
    (tmp_path / "postgresql-connections.md").write_text("# Ours\n")

    assert "Ours" == read_shelf(tmp_path).get("postgresql-connections").title


def test_one_bad_file_takes_nothing_from_the_others(tmp_path: Path) -> None:
    """It is told, and the rest is there."""
    (tmp_path / "bad.md").write_text("---\nkinds: [a\n---\n")
    (tmp_path / "good.md").write_text("# Good\n")
    shelf = read_shelf(tmp_path)

    assert ("Good", ["bad"]) == (shelf.get("good").title, [problem.field for problem in shelf.problems])


def test_a_runbook_that_is_not_there() -> None:
    """The error says where to look."""
    with pytest.raises(NotFound, match="'nope'"):
        read_shelf(None).get("nope")
