"""Names made from titles."""

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.incidents.naming import channel_name, slug

DAY = date(2026, 11, 21)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Checkout 500 errors", "incident-2026-11-21-checkout-500-errors"),
        ("500 errors on /api/checkout", "incident-2026-11-21-500-errors-on-api-checkout"),
        ("Users can't log in!", "incident-2026-11-21-users-cant-log-in"),
        ("Größere Störung", "incident-2026-11-21-groessere-stoerung"),
        ("Błąd płatności", "incident-2026-11-21-blad-platnosci"),
        ("Ошибка оплаты", "incident-2026-11-21-oshibka-oplaty"),
        ("İSTANBUL ﬁle①", "incident-2026-11-21-istanbul-file1"),
        ("支払いエラー", "incident-2026-11-21"),
        ("", "incident-2026-11-21"),
        ("   ---   ", "incident-2026-11-21"),
        ("x" * 200, "incident-2026-11-21-" + "x" * 60),
        (
            "the checkout service answers with errors for every guest in the whole world",
            "incident-2026-11-21-the-checkout-service-answers-with-errors-for-every-guest-in",
        ),
    ],
)
def test_channel_names(title: str, expected: str) -> None:
    """A channel is named by the date and the words of the title."""
    assert expected == channel_name(DAY, title)


def test_a_taken_name_gets_a_number() -> None:
    """The second incident of a day with one title is told apart, within the length."""
    first = channel_name(DAY, "y" * 90)
    second = channel_name(DAY, "y" * 90, taken={first})

    assert ("incident-2026-11-21-" + "y" * 58 + "-2", 80) == (second, len(second))


@settings(deadline=None)
@given(st.dates(), st.text())
def test_every_title_gives_a_name_slack_takes(day: date, title: str) -> None:
    """Whatever the title, the name has 1 to 80 lower-case letters, digits and hyphens, and no hyphen at its end."""
    name = channel_name(day, title)

    assert re.fullmatch(r"incident-[0-9]{4}-[0-9]{2}-[0-9]{2}(-[a-z0-9]+)*", name) and len(name) <= 80


@settings(deadline=None)
@given(st.text(), st.integers(min_value=1, max_value=80))
def test_a_slug_is_its_own_slug(text: str, longest: int) -> None:
    """Making a slug of a slug changes nothing."""
    once = slug(text, longest=longest)

    assert (once, True) == (slug(once, longest=longest), len(once) <= longest)
