"""Customers' reports: kept, limited, and an alert when several agree; on both databases."""

from dataclasses import replace

import pytest

from stanch.catalog.inbox import ReportSpec
from stanch.kernel.errors import Invalid, Refused
from stanch.operations.board.views import AlertPage
from stanch.operations.reporting import take_report
from tests.operations.desk import Desk


def report(desk: Desk, *senders: str, service: str = "payments", text: str = "I cannot pay") -> list[bool]:
    """Send a report from each sender, and return whether each raised an alert."""
    return [take_report(desk.world, text=text, service=service, contact="", sender=sender).alert for sender in senders]


def alerts(desk: Desk) -> list[tuple[str, str, str]]:
    """Return source, service and state of the alerts there are."""
    page = desk.ask("alert.list")
    assert isinstance(page, AlertPage)
    return [(one.source, one.service, one.state.value) for one in page.alerts]


def set_up(desk: Desk, **spec: object) -> Desk:
    """Return the desk with another configuration of the form."""
    settings = replace(ReportSpec(), **spec)  # type: ignore[arg-type]  # the fields of a dataclass by name
    return replace(desk, world=replace(desk.world, catalog=replace(desk.world.catalog, report=settings)))


def test_a_report_is_kept_as_it_was_written(desk: Desk) -> None:
    """What a customer wrote is listed word for word."""
    report(desk, "a", text="It says “error 42”,\nagain and again")
    (found,) = desk.ask("report.list")  # type: ignore[misc]  # a tuple of reports

    assert "It says “error 42”,\nagain and again" == found.text


def test_several_reports_of_a_service_are_an_alert(desk: Desk) -> None:
    """The third within ten minutes raises an alert of the service."""
    raised = report(desk, "a", "b", "c")

    assert ([False, False, True], [("report", "payments", "firing")]) == (raised, alerts(desk))


def test_reports_of_several_services_do_not_add_up(desk: Desk) -> None:
    """Two of one and two of another are no alert."""
    raised = report(desk, "a", "b") + report(desk, "c", "d", service="search")

    assert ([False] * 4, []) == (raised, alerts(desk))


def test_reports_that_are_far_apart_do_not_add_up(desk: Desk) -> None:
    """What came longer ago than the window does not count."""
    report(desk, "a", "b")
    desk.pass_time(minutes=11)

    assert [False] == report(desk, "c")


def test_the_alert_ends_when_nobody_reports_any_more(desk: Desk) -> None:
    """A window after the last report the alert is over."""
    report(desk, "a", "b", "c")
    desk.pass_time(minutes=5)
    report(desk, "d")
    desk.pass_time(minutes=6)
    desk.work()
    still = alerts(desk)
    desk.pass_time(minutes=5)
    desk.work()

    assert ([("report", "payments", "firing")], [("report", "payments", "resolved")]) == (still, alerts(desk))


def test_one_sender_is_limited(desk: Desk) -> None:
    """The sixth report of one sender in ten minutes is refused, and nothing of it is kept."""
    report(desk, *["a"] * 5)
    with pytest.raises(Refused) as refused:
        report(desk, "a")

    assert "too_many" == refused.value.reason


def test_a_sender_may_report_again_later(desk: Desk) -> None:
    """The limit is of ten minutes."""
    report(desk, *["a"] * 5)
    desk.pass_time(minutes=11)

    assert [False] == report(desk, "a")


def test_all_senders_together_are_limited(desk: Desk) -> None:
    """A flood from everywhere ends at the overall limit."""
    small = set_up(desk, overall=3, count=100)
    report(small, "a", "b", "c")
    with pytest.raises(Refused):
        report(small, "d")


def test_the_form_can_be_switched_off(desk: Desk) -> None:
    """Then nothing is taken, wherever it comes from."""
    with pytest.raises(Refused) as refused:
        report(set_up(desk, enabled=False), "a")

    assert "switched_off" == refused.value.reason


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"text": "x"}, "text"),
        ({"text": "x" * 2001}, "text"),
        ({"text": "it fails", "contact": "x" * 201}, "contact"),
        ({"text": "it fails", "service": "nothing"}, "service"),
    ],
)
def test_a_wrong_report_is_told_so(desk: Desk, body: dict[str, str], field: str) -> None:
    """The field at fault is named."""
    with pytest.raises(Invalid) as raised:
        desk.ask("report.send", **body)  # type: ignore[arg-type]  # texts alone

    assert [field] == [problem.field for problem in raised.value.problems]


def test_a_secret_is_not_kept(desk: Desk) -> None:
    """What somebody pastes with a password in it is kept without."""
    report(desk, "a", text="my link is https://joe:hunter2@shop.example/ and it fails")
    (found,) = desk.ask("report.list")  # type: ignore[misc]  # a tuple of reports

    assert "hunter2" not in found.text
