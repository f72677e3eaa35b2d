"""Who is on call when: rotations, restrictions, layers, overrides, people who are away."""

from datetime import timedelta

import pytest

from stanch.oncall.model import Absence, Facts, Override, Shift
from stanch.oncall.roster import gaps, next_on_call, on_call, shifts
from tests.oncall.rota import rota, told, utc

WEEKLY = '{name = "week", people = ["alice", "bob"], start = "2026-01-05"}'


def override(person: str, start: str, end: str, *, instead_of: str = "") -> Override:
    """Return an override of the schedule."""
    return Override(id="1", schedule="shop", person=person, start=utc(start), end=utc(end), instead_of=instead_of)


def test_weekly() -> None:
    """A weekly rotation hands over at 09:00 on the weekday of its start."""
    expected = ["alice 01-05 09:00 - 01-12 09:00", "bob 01-12 09:00 - 01-19 09:00", "alice 01-19 09:00 - 01-20 00:00"]

    assert expected == told(rota(WEEKLY), "2026-01-01T00:00", "2026-01-20T00:00")


def test_weekly_on_another_day() -> None:
    """A hand-over day that is not that of the start makes the first turn shorter."""
    layer = '{people = ["alice", "bob"], start = "2026-01-07T12:00", hand_over = "10:00", hand_over_day = "mon"}'
    expected = ["alice 01-07 12:00 - 01-12 10:00", "bob 01-12 10:00 - 01-19 10:00"]

    assert expected == told(rota(layer), "2026-01-01T00:00", "2026-01-19T10:00")


def test_first_turn_from_before_hand_over() -> None:
    """A layer that starts before hand-over on its first day gives that time to the first person."""
    layer = '{people = ["alice", "bob"], rotation = "daily", start = "2026-01-05T00:00", hand_over = "09:00"}'
    expected = ["alice 01-05 00:00 - 01-06 09:00", "bob 01-06 09:00 - 01-07 00:00"]

    assert expected == told(rota(layer), "2026-01-01T00:00", "2026-01-07T00:00")


def test_monthly_at_its_end() -> None:
    """A monthly rotation from the 31st hands over on the last day of shorter months, and on the 31st again."""
    layer = '{people = ["alice", "bob"], rotation = "monthly", start = "2026-01-31"}'
    expected = [
        "alice 01-31 09:00 - 02-28 09:00",
        "bob 02-28 09:00 - 03-31 09:00",
        "alice 03-31 09:00 - 04-30 09:00",
    ]

    assert expected == told(rota(layer), "2026-01-01T00:00", "2026-04-30T09:00")


def test_custom_length_is_exact() -> None:
    """Turns of a length that does not divide a day last exactly that long, also over a change of clocks."""
    layer = '{people = ["alice", "bob", "carol"], rotation = "custom", length_s = "7h", start = "2026-03-28"}'
    found = shifts(
        rota(layer, zone="Europe/Berlin"), "shop", start=utc("2026-03-28T08:00"), end=utc("2026-03-30T02:00")
    )

    assert [timedelta(hours=7)] * 6 == [one.length for one in found]


@pytest.mark.parametrize(
    ("night", "hours"),
    [
        ("2026-03-28", 11),  # clocks go from 02:00 to 03:00
        ("2026-10-24", 13),  # clocks go from 03:00 to 02:00
        ("2026-06-01", 12),
    ],
)
def test_twelve_hours_over_a_clock_change(night: str, hours: int) -> None:
    """A shift from 21:00 to 09:00 is as long as that night really is."""
    layer = f'{{people = ["alice", "bob"], rotation = "hourly", length = 12, start = "{night}T09:00"}}'
    found = shifts(
        rota(layer, zone="Europe/Berlin"),
        "shop",
        start=utc(f"{night}T00:00"),
        end=utc(f"{night}T00:00") + timedelta(hours=40),
    )

    assert timedelta(hours=hours) == found[1].length


def test_skipped_hand_over() -> None:
    """A hand-over at a time that the clock skips is at the moment of the skip."""
    layer = '{people = ["alice", "bob"], rotation = "daily", start = "2026-03-28T02:30"}'

    assert ["alice 03-28 01:30 - 03-29 01:00", "bob 03-29 01:00 - 03-30 00:30"] == told(
        rota(layer, zone="Europe/Berlin"), "2026-03-27T00:00", "2026-03-30T00:30"
    )


def test_follow_the_sun() -> None:
    """A restriction in the zone of the person holds by the clock on their wall."""
    window = 'restrictions = [{days = ["weekday"], start = "09:00", end = "17:00", zone = "person"}]'
    layers = ", ".join(
        f'{{name = "{who}", people = ["{who}"], start = "2026-01-01", {window}}}' for who in ("alice", "bob", "carol")
    )
    expected = ["alice 01-06 08:00 - 01-06 14:00", "bob 01-06 14:00 - 01-06 22:00", "carol 01-07 00:00 - 01-07 08:00"]

    assert expected == told(rota(layers), "2026-01-06T08:00", "2026-01-07T08:00")


def test_restriction_over_days() -> None:
    """A window from Friday evening to Monday morning is one piece."""
    layer = (
        '{people = ["alice"], start = "2026-01-01", restrictions = '
        '[{days = ["fri"], start = "17:00", end = "09:00", end_day = "mon"}]}'
    )

    assert ["alice 01-09 17:00 - 01-12 09:00"] == told(rota(layer), "2026-01-06T00:00", "2026-01-14T00:00")


def test_later_layers_win() -> None:
    """A later layer holds where it covers; the earlier one has the rest."""
    layers = WEEKLY + (
        ', {name = "night", people = ["carol"], start = "2026-01-05", '
        'restrictions = [{start = "20:00", end = "06:00"}]}'
    )
    expected = ["alice 01-06 06:00 - 01-06 20:00", "carol 01-06 20:00 - 01-07 06:00", "alice 01-07 06:00 - 01-07 12:00"]

    assert expected == told(rota(layers), "2026-01-06T06:00", "2026-01-07T12:00")


def test_override() -> None:
    """An override holds for its time; a later one wins over it."""
    facts = Facts(
        overrides=(
            Override(id="1", schedule="shop", person="bob", start=utc("2026-01-06T00:00"), end=utc("2026-01-08T00:00")),
            Override(
                id="2", schedule="shop", person="carol", start=utc("2026-01-07T00:00"), end=utc("2026-01-07T12:00")
            ),
        )
    )
    expected = [
        "alice 01-05 09:00 - 01-06 00:00",
        "bob 01-06 00:00 - 01-07 00:00",
        "carol 01-07 00:00 - 01-07 12:00",
        "bob 01-07 12:00 - 01-08 00:00",
        "alice 01-08 00:00 - 01-09 00:00",
    ]

    assert expected == told(rota(WEEKLY), "2026-01-05T09:00", "2026-01-09T00:00", facts=facts)


def test_override_of_one_person() -> None:
    """An override instead of somebody changes nothing where somebody else is on."""
    facts = Facts(overrides=(override("carol", "2026-01-11T00:00", "2026-01-14T00:00", instead_of="alice"),))

    assert ["carol 01-11 00:00 - 01-12 09:00", "bob 01-12 09:00 - 01-14 00:00"] == told(
        rota(WEEKLY), "2026-01-11T00:00", "2026-01-14T00:00", facts=facts
    )


def test_configured_override_covers_a_gap() -> None:
    """An override in the file holds where no layer does."""
    more = 'overrides = [{person = "carol", start = "2026-01-04T09:00", end = "2026-01-05T09:00"}]'

    assert ["carol 01-04 09:00 - 01-05 09:00", "alice 01-05 09:00 - 01-06 00:00"] == told(
        rota(WEEKLY, more=more), "2026-01-01T00:00", "2026-01-06T00:00"
    )


def test_away() -> None:
    """Who is away is covered by the next one in the rotation who is not."""
    facts = Facts(off=(Absence(person="alice", start=utc("2026-01-06T00:00"), end=utc("2026-01-07T00:00")),))
    expected = ["alice 01-05 09:00 - 01-06 00:00", "bob 01-06 00:00 - 01-07 00:00", "alice 01-07 00:00 - 01-08 00:00"]

    assert expected == told(rota(WEEKLY), "2026-01-05T00:00", "2026-01-08T00:00", facts=facts)


def test_everybody_away() -> None:
    """Where everybody of the rotation is away, nobody is on call."""
    absences = tuple(
        Absence(person=who, start=utc("2026-01-06T00:00"), end=utc("2026-01-07T00:00")) for who in ("alice", "bob")
    )
    found = gaps(
        rota(WEEKLY), "shop", start=utc("2026-01-05T09:00"), end=utc("2026-01-09T00:00"), facts=Facts(off=absences)
    )

    assert [(utc("2026-01-06T00:00"), utc("2026-01-07T00:00"))] == [(one.start, one.end) for one in found]


def test_calendar_layer() -> None:
    """A layer with a calendar takes its shifts from the events; of two at once the first goes on."""
    entries = (
        Shift(person="bob", layer="", start=utc("2026-01-05T00:00"), end=utc("2026-01-06T00:00")),
        Shift(person="carol", layer="", start=utc("2026-01-05T12:00"), end=utc("2026-01-07T00:00")),
    )
    facts = Facts(entries={"rota.ics": entries})

    assert ["bob 01-05 00:00 - 01-06 00:00", "carol 01-06 00:00 - 01-07 00:00"] == told(
        rota('{calendar = "rota.ics"}'), "2026-01-01T00:00", "2026-02-01T00:00", facts=facts
    )


def test_holidays() -> None:
    """A layer for public holidays holds on them only."""
    layer = '{people = ["alice"], start = "2026-01-01", restrictions = [{days = ["holiday"]}]}'
    facts = Facts(holidays={"FI": frozenset({utc("2026-01-06T00:00").date()})})

    assert ["alice 01-06 00:00 - 01-07 00:00"] == told(
        rota(layer, more='holidays = "FI"'), "2026-01-02T00:00", "2026-01-12T00:00", facts=facts
    )


def test_gap_on_purpose() -> None:
    """A gap on purpose is none."""
    window = '{days = ["weekday"], start = "08:00", end = "18:00"}'
    layer = f'{{people = ["alice"], start = "2026-01-01", restrictions = [{window}]}}'
    more = 'gaps_on_purpose = [{start = "18:00", end = "08:00"}, {days = ["sat"]}]'
    found = gaps(rota(layer, more=more), "shop", start=utc("2026-01-05T08:00"), end=utc("2026-01-12T08:00"))

    assert [(utc("2026-01-11T08:00"), utc("2026-01-11T18:00"))] == [(one.start, one.end) for one in found]


def test_on_call_has_its_own_ends() -> None:
    """Whoever is on call now is told with the whole shift, however long it is."""
    layer = '{people = ["alice", "bob"], length = 9, start = "2026-01-05"}'
    found = on_call(rota(layer), "shop", at=utc("2026-02-01T00:00"))

    assert found is not None
    assert (utc("2026-01-05T09:00"), utc("2026-03-09T09:00")) == (found.start, found.end)


def test_next_on_call() -> None:
    """The next one is the first who is somebody else, with the whole shift."""
    found = next_on_call(rota(WEEKLY), "shop", at=utc("2026-01-06T00:00"))

    assert found is not None
    assert ("bob", utc("2026-01-12T09:00"), utc("2026-01-19T09:00")) == (found.person, found.start, found.end)
