"""How often a score is right, on synthetic incidents with a known truth."""

import pytest

from bench.scenarios import NONE, Judged, run, summary, table

COUNT = 250


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    """Rank the causes of some incidents."""
    return run(COUNT, seed=7)


def test_what_is_called_known_is_right(judged: list[Judged]) -> None:
    """Of the causes that are called known at least eight in ten are right."""
    assert summary(judged)["known_right"] >= 0.8


def test_a_score_of_eight_tenths_is_right_eight_times_in_ten(judged: list[Judged]) -> None:
    """No bucket above 0.7 is right less often than its scores say, allowing two in ten for the small number."""
    assert [] == [row for row in table(judged) if row["from"] >= 0.7 and row["right"] < row["score"] - 0.2]


def test_where_there_is_nothing_to_find_it_says_so(judged: list[Judged]) -> None:
    """Three times in four or more "not known yet" is the answer where the cause leaves no trace."""
    nothing = [one for one in judged if one.truth == NONE]

    assert sum(not one.known for one in nothing) >= 0.75 * len(nothing)


def test_the_same_seed_draws_the_same() -> None:
    """A figure can be had again."""
    assert run(20, seed=3) == run(20, seed=3)
