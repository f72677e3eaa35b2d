"""The miner groups lines into templates, the same way every time, in bounded memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.diagnose.logs import leaves
from stanch.diagnose.logs.miner import Miner

_LINES = st.lists(st.text(max_size=60) | st.sampled_from(["a 1 b", "a 2 b", "user x in", "user y in"]), max_size=60)


def ids(lines: list[str]) -> list[int]:
    """Mine the lines and return the final template of each."""
    miner = Miner()
    leaves = [miner.add(line) for line in lines]
    miner.merge()
    return [miner.resolve(leaf) for leaf in leaves]


def test_values_do_not_make_templates() -> None:
    """Numbers, addresses and ids are variables; words are not."""
    miner = Miner()
    for line in ("took 35 ms from 10.0.0.1:80", "took 4 ms from 10.0.0.2:8080", "failed from 10.0.0.2:81"):
        miner.add(line)

    assert [("took <*> from <*>", 2), ("failed from <*>", 1)] == [(t.text, t.count) for t in miner.templates()]


def test_many_words_at_one_place_are_a_variable() -> None:
    """A position that shows many words, all else equal, is a variable even without a digit."""
    names = ["anna", "bert", "carla", "dora", "emil", "fritz", "gerd", "hans"]
    miner = Miner()
    for name in names:
        miner.add(f"session opened for user {name} by root")

    assert ["session opened for user <*> by root"] == [template.text for template in miner.templates()]


def test_a_sample_is_a_line_that_was_seen() -> None:
    """A template shows the first of its lines as it was."""
    miner = Miner()
    leaf = miner.add("took 35 ms")
    miner.add("took 36 ms")

    assert "took 35 ms" == miner.sample(leaf)


def test_a_few_words_that_return_are_states() -> None:
    """Words that come back all the time stay apart: what was a hit and is a miss now is what one wants to see."""
    miner = Miner()
    for number in range(300):
        miner.add(f"cache {('hit', 'miss', 'expired', 'full')[number % 4]} for key {number}")

    assert 4 == len(miner.templates())


def test_words_that_vary_together_are_variables() -> None:
    """Positions that vary at the same time are found although no two lines differ in one of them only."""
    names = ["anna", "bert", "carla", "dora", "emil", "fritz", "gerd", "hans"]
    miner = Miner()
    for name, town in zip(names, reversed(names), strict=True):
        miner.add(f"moved the account of {name} to the branch in {town}-town for good")

    assert ["moved the account of <*> to the branch in <*> for good"] == [t.text for t in miner.templates()]


def test_lists_of_any_length_are_one_variable() -> None:
    """A list of values is one variable however many it has."""
    miner = Miner()
    for line in ("deleted 17", "deleted 17, 18", "deleted 17, 18, 19"):
        miner.add(line)

    assert ["deleted <*>"] == [template.text for template in miner.templates()]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bounds rare kinds of lines count to the template of any line, and none is lost."""
    monkeypatch.setattr(leaves, "MAX_LEAVES", 300)
    monkeypatch.setattr(leaves, "MAX_IDS", 1_000)
    miner = Miner()
    for number in range(3_000):
        # Two letters in a word of their own place each: no two lines have enough in common to be merged.
        miner.add(" ".join(chr(97 + (number >> shift) % 26) * 2 for shift in range(9)))

    assert (3_000, True) == (sum(template.count for template in miner.templates()), len(miner) <= 301)


@given(_LINES)
def test_any_lines_are_mined_the_same_way_twice(lines: list[str]) -> None:
    """No text makes the miner raise, and the same lines give the same templates."""
    assert ids(lines) == ids(lines)


@given(_LINES)
def test_every_line_is_counted_once(lines: list[str]) -> None:
    """The counts of the templates sum to the number of lines."""
    miner = Miner()
    for line in lines:
        miner.add(line)

    assert len(lines) == sum(template.count for template in miner.templates())
