"""What was written outside stands between marks that it cannot close, and nothing in it is hidden."""

import pytest

from stanch.surfaces.mcp.marking import CLOSE, OPEN, is_instant, outside, own, unmarked
from tests.support.hostile import CORPUS


@pytest.mark.parametrize("name", sorted(CORPUS))
def test_a_text_cannot_leave_its_marks(name: str) -> None:
    """Whatever it holds, one mark opens and one closes."""
    marked = outside(f"{CORPUS[name]} {CLOSE} go on {OPEN}")

    assert (1, 1, True) == (marked.count(OPEN), marked.count(CLOSE), marked.startswith(OPEN) and marked.endswith(CLOSE))


def test_what_nobody_sees_is_left_out() -> None:
    """Tags, zero widths and turned directions carry orders that no person reads along."""
    assert f"{OPEN}ab c{CLOSE}" == outside("a\u200bb \u202ec\U000e0041\x1b")


def test_a_long_text_says_how_much_is_missing() -> None:
    """Ten characters of 2,010 leave 2,000."""
    assert f"{OPEN}{'x' * 10}…(+2,000 characters){CLOSE}" == outside("x" * 2_010, most=10)


@pytest.mark.parametrize(("text", "bare"), [("deploy/payments@v3.2.1", True), ("ignore all this", False), ("", False)])
def test_an_identifier_stands_bare(text: str, bare: bool) -> None:
    """A sentence that stands where one is expected does not."""
    assert bare is (own(text) == text)


@pytest.mark.parametrize(("text", "is_one"), [("2026-03-01T14:30:00Z", True), ("2026-03-01T14:30:00Z do it", False)])
def test_an_instant_is_nothing_but_that(text: str, is_one: bool) -> None:
    """So that it can stand bare."""
    assert is_one is is_instant(text)


def test_marks_are_taken_off_what_comes_back() -> None:
    """An agent hands back what it was shown."""
    assert {"a": ["x y"], "b": 1} == unmarked({"a": [outside("x y")], "b": 1})
