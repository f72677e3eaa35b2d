"""Incidents in a list, and what is wrong now: which come first, and what is said of them."""

import pytest

from stanch.incidents.model import Status
from stanch.kernel.errors import Invalid
from stanch.operations.views import IncidentCard, Overview
from tests.operations.desk import Desk


def test_open_incidents_are_listed_first_by_severity(desk: Desk) -> None:
    """The worst that is open comes first, what is over comes last."""
    for severity in ("SEV3", "SEV1", "SEV2"):
        desk.declare(severity=severity, reason="a test")
    desk.ask("incident.resolve", incident=2, force_reason="a test")
    cards = desk.ask("incident.list")
    assert isinstance(cards, tuple)

    assert [3, 1, 2] == [card.number for card in cards if isinstance(card, IncidentCard)]


def test_a_list_can_be_of_open_ones_only(desk: Desk) -> None:
    """What is over is left out when asked for."""
    desk.declare()
    desk.declare()
    desk.ask("incident.resolve", incident=1, force_reason="a test")
    cards = desk.ask("incident.list", open_only=True)
    assert isinstance(cards, tuple)

    assert [2] == [card.number for card in cards]


def overview(desk: Desk, **body: object) -> Overview:
    """Return what is wrong now."""
    found = desk.ask("incident.overview", **body)
    assert isinstance(found, Overview)
    return found


def test_the_overview_says_that_nothing_is_wrong(desk: Desk) -> None:
    """An empty overview is a sentence about what was seen, and not a blank page."""
    assert "No incident is open. None of the 5 services has been seen yet." == overview(desk).quiet


def test_the_overview_can_be_of_one_kind_of_trouble(desk: Desk) -> None:
    """Whoever asks for slowness is not shown errors."""
    desk.ask("incident.report", text="500 errors on /api/checkout since 14:10 UTC")
    desk.ask("incident.report", text="search is 10x slower than normal")

    assert [2] == [card.number for card in overview(desk, type="performance-degradation").incidents]


def test_an_unknown_kind_of_trouble_names_the_words(desk: Desk) -> None:
    """The message lists what can be asked for."""
    with pytest.raises(Invalid, match="error-spike, performance-degradation, outage"):
        overview(desk, type="weather")


def test_only_what_a_person_says_is_known_of_data_loss(desk: Desk) -> None:
    """What was said at the declaration survives the next measurement."""
    number = desk.declare(data_loss=True)
    desk.pass_time(minutes=2)
    desk.work()

    assert desk.state(number).impact.data_loss  # type: ignore[union-attr]


def test_a_status_is_one_of_the_words() -> None:
    """The open states are the ones in which somebody works on it."""
    assert {"resolved", "closed", "dismissed", "merged"} == {one.value for one in Status if not one.is_open}
