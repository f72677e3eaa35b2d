"""The rules of a roster, each with the exact interval in which it does not hold."""

import pytest

from stanch.catalog.model import Catalog
from stanch.oncall.rules import Rule, breaks
from tests.oncall.rota import catalog_of, rota, utc

WINDOW = ("2026-01-05T00:00", "2026-02-28T00:00")


def broken(catalog: Catalog, start: str = WINDOW[0], end: str = WINDOW[1]) -> list[tuple[Rule, str, str, str]]:
    """Return the breaks as rule, person, start and end (UTC)."""
    return [
        (one.rule, one.person, f"{one.start:%Y-%m-%dT%H:%M}", f"{one.end:%Y-%m-%dT%H:%M}")
        for one in breaks(catalog, start=utc(start), end=utc(end))
    ]


def test_a_good_schedule() -> None:
    """Two people who take turns of a week break nothing."""
    assert [] == broken(rota('{people = ["alice", "bob"], start = "2026-01-05T00:00"}'))


def test_gap() -> None:
    """A layer that ends leaves a gap from its end."""
    layer = '{people = ["alice", "bob"], start = "2026-01-05T00:00", end = "2026-02-20T09:00"}'

    assert [(Rule.GAP, "", "2026-02-20T09:00", "2026-02-28T00:00")] == broken(rota(layer))


def test_gap_is_told_with_its_interval() -> None:
    """The sentence has the ends by the clock of the schedule, and the real length."""
    layer = '{people = ["alice", "bob"], start = "2026-01-05T00:00", end = "2026-02-27T09:00"}'
    found = breaks(rota(layer, zone="Europe/Helsinki"), start=utc(WINDOW[0]), end=utc(WINDOW[1]))
    expected = "shop: nobody is on call from 2026-02-27 09:00 to 2026-02-28 02:00 Europe/Helsinki (17h)"

    assert [expected] == [one.message for one in found]


def test_before_it_is_in_force() -> None:
    """Before its first layer begins a schedule has no gap."""
    assert [] == broken(rota('{people = ["alice", "bob"], start = "2026-02-05"}'))


def test_one_person_alone() -> None:
    """Who is alone in a rotation is on for too long in a row."""
    (found,) = breaks(
        rota('{people = ["alice"], start = "2026-01-05T00:00"}'), start=utc(WINDOW[0]), end=utc(WINDOW[1])
    )

    assert (Rule.DAYS_IN_A_ROW, "alice", utc("2026-01-05T00:00")) == (found.rule, found.person, found.start)


def test_a_week_with_a_change_of_clocks() -> None:
    """A week in which the clocks go back lasts 169 hours and is seven days."""
    layer = '{people = ["alice", "bob"], start = "2026-10-19T09:00"}'

    assert [] == broken(rota(layer, zone="Europe/Berlin"), "2026-10-20T00:00", "2026-11-20T00:00")


def test_working_hours_on_every_day() -> None:
    """Eight hours on each of eight days are eight days in a row; a free weekend ends a row."""
    window = 'restrictions = [{{days = [{}], start = "09:00", end = "17:00"}}]'
    layer = '{{people = ["alice"], start = "2026-01-05", {}}}'
    every = rota(layer.format(window.format("")), more='gaps_on_purpose = [{start = "17:00", end = "09:00"}]')
    week = rota(
        layer.format(window.format('"weekday"')),
        more='gaps_on_purpose = [{start = "17:00", end = "09:00"}, {days = ["sat", "sun"]}]',
    )

    assert ([Rule.DAYS_IN_A_ROW], []) == ([one[0] for one in broken(every)], [one[0] for one in broken(week)])


def test_rest() -> None:
    """Less rest than is needed is told with the rest that there is."""
    layer = '{people = ["alice", "bob"], rotation = "hourly", length = 6, start = "2026-01-05T00:00"}'
    catalog = rota(layer, more="max_days = 0")
    found = broken(catalog, "2026-01-05T00:00", "2026-01-05T13:00")

    assert (Rule.REST, "alice", "2026-01-05T06:00", "2026-01-05T12:00") == found[0]


@pytest.mark.parametrize(("hours", "expected"), [(6, 0), (6.5, 2)])
def test_rest_of_exactly_what_is_needed(hours: float, expected: int) -> None:
    """Rest of exactly the length that is needed is enough."""
    layer = '{people = ["alice", "bob"], rotation = "hourly", length = 6, start = "2026-01-05T00:00"}'
    catalog = rota(layer, more=f"max_days = 0\nrest_hours = {hours}")

    assert expected == len(broken(catalog, "2026-01-05T00:00", "2026-01-05T13:00"))


def test_relief_within_a_turn() -> None:
    """Who is relieved for an hour in the middle of a turn is not between shifts."""
    layers = '{people = ["alice", "bob"], start = "2026-01-05T00:00"}'
    more = 'overrides = [{person = "carol", start = "2026-01-07T09:00", end = "2026-01-07T10:00"}]'

    assert [] == broken(rota(layers, more=more))


def test_both() -> None:
    """Nobody is primary and secondary at the same time."""
    text = """
    [oncall.schedules.shop]
    secondary = "second"
    layers = [{people = ["alice", "bob"], start = "2026-01-05T00:00"}]
    [oncall.schedules.second]
    [[oncall.schedules.second.layers]]
    people = ["bob", "alice"]
    start = "2026-01-06T00:00"
    """
    expected = [
        (Rule.BOTH, "bob", "2026-01-12T00:00", "2026-01-13T00:00"),
        (Rule.BOTH, "alice", "2026-01-19T00:00", "2026-01-20T00:00"),
    ]

    assert expected == broken(catalog_of(text), "2026-01-05T00:00", "2026-01-22T00:00")


def test_no_rule() -> None:
    """Both limits of a person can be switched off."""
    catalog = rota('{people = ["alice"], start = "2026-01-05T00:00"}', more="max_days = 0\nrest_hours = 0")

    assert [] == broken(catalog)
