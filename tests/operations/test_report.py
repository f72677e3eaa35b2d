"""Reports in plain words: what was read is shown, what was not is said, the text is kept whole."""

from datetime import timedelta

import pytest

from stanch.kernel.errors import Invalid
from stanch.operations.views import IncidentView
from tests.operations.desk import START, Desk


def report(desk: Desk, text: str, **body: object) -> IncidentView:
    """Open an incident from `text`."""
    return desk.view("incident.report", text=text, **body)


def sentences(view: IncidentView, heading: str) -> list[str]:
    """Return what is said under a heading about how the text was read."""
    return [sentence for name, sentence in view.reading if name == heading]


def test_a_report_opens_an_incident(desk: Desk) -> None:
    """A sentence is enough."""
    assert "detected" == report(desk, "500 errors on /api/checkout since 14:10 UTC").card.status


def test_what_was_read_is_shown(desk: Desk) -> None:
    """Symptom, end point and start in full are shown as they were understood."""
    view = report(desk, "500 errors on /api/checkout since 14:10 UTC")

    assert {
        "Symptom": "error spike, HTTP 500",
        "Endpoint": "/api/checkout",
        "Start": '2026-11-21 14:10 UTC, from "since 14:10 UTC"',
    }.items() <= dict(view.reading).items()


def test_the_stated_start_is_the_start(desk: Desk) -> None:
    """The incident began when the report says."""
    report(desk, "500 errors on /api/checkout since 14:10 UTC")

    assert START - timedelta(minutes=20) == desk.state(1).started_at


def test_a_clock_time_is_in_the_callers_zone(desk: Desk) -> None:
    """15:10 in Berlin is 14:10 UTC in November."""
    report(desk, "500 errors on /api/checkout since 15:10", zone="Europe/Berlin")

    assert START - timedelta(minutes=20) == desk.state(1).started_at


def test_without_a_start_it_starts_now(desk: Desk) -> None:
    """Where the text says none, the report's own time is the best there is, and that is said."""
    view = report(desk, "500 errors on /api/checkout")

    assert (START, ["not stated"]) == (desk.state(1).started_at, sentences(view, "Start"))


def test_the_catalog_knows_who_serves_an_end_point(desk: Desk) -> None:
    """A path that a service declares leads to that service."""
    view = report(desk, "500 errors on /api/cart/7 since 14:10 UTC")

    assert (("gateway",), ["gateway, by the catalog's endpoints"]) == (
        view.card.services,
        sentences(view, "Serves it"),
    )


def test_a_service_that_is_named_is_the_one(desk: Desk) -> None:
    """A service named in the text goes before what serves the path."""
    assert ("payments",) == report(desk, "payments fails on /api/cart").card.services


def test_an_unreadable_text_is_kept_whole(desk: Desk) -> None:
    """What no rule understands is still an incident, with every letter of the text, and says so."""
    view = report(desk, "hjkl qwerty\nzxcv")

    assert ("hjkl qwerty\nzxcv", ["The text is kept whole, as it was written."]) == (view.text, sentences(view, "Kept"))


def test_what_was_not_read_is_said(desk: Desk) -> None:
    """Each thing that was not understood is a sentence."""
    assert [
        'No symptom was recognised: say for example "500 errors", "10x slower" or "down".',
        'No start was found: say for example "since 14:30 UTC" or "for 20 minutes".',
        "No known service is named.",
    ] == sentences(report(desk, "hjkl qwerty zxcv"), "Not read")


def test_a_report_of_failures_is_serious_until_measured(desk: Desk) -> None:
    """Where nothing is measured, the words decide, and the rule says so."""
    severity = report(desk, "search is down").severity

    assert ("SEV2", "reported-failure") == (severity.label, severity.rule)


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_report_is_refused(desk: Desk, text: str) -> None:
    """Nothing is opened for nothing."""
    with pytest.raises(Invalid, match="say what is wrong"):
        report(desk, text)


def test_an_unknown_zone_is_refused(desk: Desk) -> None:
    """A zone that there is not would move every time."""
    with pytest.raises(Invalid):
        report(desk, "search is down", zone="Mars/Olympus")


def test_the_collectors_go_out_at_once(desk: Desk) -> None:
    """Nobody has to ask for the first investigation."""
    report(desk, "search is down")
    desk.work()

    assert 1 == desk.state(1).round


def test_asking_again_sends_the_collectors_at_once(desk: Desk) -> None:
    """Whoever asks does not wait for the next round."""
    report(desk, "search is down")
    desk.work()
    desk.ask("investigate.run", incident=1)
    desk.work()

    assert 2 == desk.state(1).round


def test_the_next_commands_are_ready_to_run(desk: Desk) -> None:
    """Every command stands complete: nothing is left to be filled in."""
    view = report(desk, "search is 10x slower since 14:10 UTC")

    assert ["vmstat 1 5", "ps aux --sort=-%cpu | head -15"] == [one.command for one in view.commands[:2]]
