"""A question at the terminal that may be answered elsewhere, on a real pipe."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import click
import pytest

from stanch.surfaces.cli.asking import ask_unless


@contextmanager
def typed(text: str, *, ends: bool = True) -> Iterator[TextIO]:
    """Give what a person has typed; with `ends=False` more may come."""
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    if ends:
        os.close(writing)
    with os.fdopen(reading) as answers:
        yield answers
    if not ends:
        os.close(writing)


@pytest.mark.parametrize(("line", "expected"), [("y\n", True), ("YES\n", True), ("\n", True), ("n\n", False)])
def test_an_answer_is_taken(line: str, expected: bool) -> None:
    """Yes is what Enter means; no is no."""
    with typed(line) as answers:
        assert expected is ask_unless("Approve?", is_settled=lambda: False, answers=answers)


def test_a_question_that_was_settled_elsewhere_is_dropped() -> None:
    """Nobody has to press a key for what was approved in the browser."""
    looks = iter([False, True])
    with typed("", ends=False) as answers:
        assert ask_unless("Approve?", is_settled=lambda: next(looks), answers=answers) is None


def test_any_other_word_asks_again(capsys: pytest.CaptureFixture[str]) -> None:
    """What is neither yes nor no approves nothing."""
    with typed("maybe\n", ends=False) as answers:
        looks = iter([False, True])
        ask_unless("Approve?", is_settled=lambda: next(looks), answers=answers)

    assert 2 == capsys.readouterr().out.count("Approve? [Y/n]: ")


def test_the_end_of_the_input_is_no_answer() -> None:
    """A terminal that has gone away approves nothing."""
    with typed("") as answers, pytest.raises(click.Abort):
        ask_unless("Approve?", is_settled=lambda: False, answers=answers)
