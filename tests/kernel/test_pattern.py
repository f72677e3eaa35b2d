"""Expressions take time in proportion to the text, and say what is wrong with them."""

import pytest

from stanch.kernel.pattern import pattern


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ["(a+)+b", "(a|aa)+b", "(.*a){20}b", ".*a.*b.*c.*d"])
def test_no_expression_goes_back(text: str) -> None:
    """Where others would try for years, the answer is no."""
    assert not pattern(text).fits("a" * 60_000)


def test_the_whole_text_fits_or_does_not() -> None:
    """A matcher is about the whole value."""
    one = pattern("a.c")

    assert (True, False, True) == (one.fits("abc"), one.fits("abcd"), one.is_in("xabc"))


def test_groups_are_found_by_name_and_place() -> None:
    """What found nothing is left out."""
    found = pattern(r"(?P<host>\S+) is (?P<state>down|up)(?P<more>!)?").find("dépôt is down")

    assert found is not None
    assert ({"host": "dépôt", "state": "down"}, "dépôt") == (found.named, found.first)


def test_nothing_found_is_none() -> None:
    """There is no match to ask."""
    assert pattern("a").find("b") is None


def test_without_a_group_everything_that_was_found_is_the_first() -> None:
    """So one may leave the brackets out."""
    found = pattern(r"v\d+").find("now v12")

    assert found is not None and "v12" == found.first


def test_case_may_be_ignored() -> None:
    """Where the configuration says so."""
    assert (True, False) == (pattern("error", ignore_case=True).is_in("ERROR"), pattern("error").is_in("ERROR"))


@pytest.mark.parametrize("text", ["(a", "[", "(?=a)", r"(a)\1", "a{5000}"])
def test_what_is_no_expression_says_why(text: str) -> None:
    """What this engine does not know is told as well."""
    with pytest.raises(ValueError, match=r"\w"):
        pattern(text)


def test_a_text_that_is_no_text_stops_nothing() -> None:
    """A lone surrogate is a question mark."""
    assert pattern("a.c").fits("a\ud800c")
