"""The miner groups lines into templates, the same way every time, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

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

    assert [(t.text, t.count) for t in miner.templates()] == [("took <*> ms from <*>", 2), ("failed from <*>", 1)]


def test_many_words_at_one_place_are_a_variable() -> None:
    """A position that shows many words, all else equal, is a variable even without a digit."""
    names = ["anna", "bert", "carla", "dora", "emil", "fritz", "gerd", "hans"]
    miner = Miner()
    for name in names:
        miner.add(f"session opened for user {name} by root")

    assert [template.text for template in miner.templates()] == ["session opened for user <*> by root"]


def test_a_sample_is_a_line_that_was_seen() -> None:
    """A template shows the first of its lines as it was."""
    miner = Miner()
    leaf = miner.add("took 35 ms")
    miner.add("took 36 ms")

    assert miner.sample(leaf) == "took 35 ms"


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
