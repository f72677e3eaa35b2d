"""What an incident costs and whom it meets."""

from datetime import UTC, datetime

import pytest

from stanch.alerts.series import ServiceReading
from stanch.catalog.links import complaint, fill_link
from stanch.catalog.model import Catalog, Service
from stanch.incidents.model import Impact
from stanch.operations.breadth import broadened, priced
from stanch.ports.evidence import Finding, FindingStatus, Signal

AT = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
SHOP = Catalog(
    revenue_per_hour=10_000,
    currency="EUR",
    services={
        "checkout": Service(name="checkout", weight=0.4, depends_on=("payments",)),
        "payments": Service(name="payments", weight=0.3),
    },
)
READINGS = {
    "checkout": ServiceReading(service="checkout", state="degraded", error_ratio=0.45, normal_error_ratio=0.01),
    "payments": ServiceReading(service="payments", state="degraded", error_ratio=0.46, normal_error_ratio=0.01),
}


def test_the_outermost_service_is_what_is_lost() -> None:
    """40 % of the business fails 44 % more often: 17.6 %, 1,760 EUR an hour; payments does not count a second time."""
    found = priced(Impact(at=AT), SHOP, READINGS, ("payments", "checkout"))

    assert (0.176, 1760) == (found.business_share, round(found.revenue_per_hour or 0))


def test_the_formula_is_shown() -> None:
    """Whoever reads the figure can compute it again."""
    found = priced(Impact(at=AT), SHOP, READINGS, ("payments", "checkout"))

    assert (
        "share of the business lost now = 40 % (checkout) x 44 % more errors = 17.6 %; "
        "x 10,000 EUR an hour = 1,760 EUR an hour"
    ) == found.revenue_formula


def test_nothing_measured_costs_nothing_known() -> None:
    """Without a reading no figure is made up."""
    assert priced(Impact(at=AT), SHOP, {}, ("payments",)).business_share is None


def finding(*signals: Signal, status: FindingStatus = FindingStatus.OK) -> Finding:
    """Return a finding with these signals."""
    return Finding(
        id="f1-logs-1",
        collector="logs",
        source="",
        command="",
        status=status,
        summary="",
        start=AT,
        end=AT,
        signals=signals,
    )


def shared(service: str, text: str, share: float) -> Signal:
    """Return what the failures of a service have in common."""
    return Signal(
        name="failure_slice",
        service=service,
        value=1.0,
        normal=share,
        text=text,
        data={"labels": {"version": "3.2.1"}, "versions": ["3.2.1"], "regions": ["eu"]},
    )


def test_the_narrowest_description_tells() -> None:
    """Of two services the one whose failures are a smaller part of its requests is quoted."""
    found = broadened(Impact(at=AT), [finding(shared("checkout", "wide", 0.5), shared("payments", "narrow", 0.2))])

    assert ("payments: narrow", {"version": "3.2.1"}, ("3.2.1",), ("eu",)) == (
        found.explained,
        found.labels,
        found.versions,
        found.regions,
    )


def test_users_are_those_of_the_service_that_met_most() -> None:
    """Users that fail within fail outside too, so they are not added up."""
    seen = [
        finding(*(Signal(name="users_affected", service=name, value=count) for name, count in (("a", 3), ("b", 7))))
    ]

    assert 7 == broadened(Impact(at=AT), seen).users


def test_what_could_not_be_read_tells_nothing() -> None:
    """A failed finding leaves the impact as it was."""
    assert Impact(at=AT, users=2) == broadened(
        Impact(at=AT, users=2), [finding(shared("a", "x", 0.1), status=FindingStatus.FAILED)]
    )


def test_a_link_is_filled_and_quoted() -> None:
    """A value stays within its place whatever it holds."""
    assert "https://g.example/d?v=a%26b%2F..&t=5" == fill_link(
        "https://g.example/d?v={service}&t={from_ms}", {"service": "a&b/..", "from_ms": "5"}
    )


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "https://{service}.example/", "https://g.example/{nothing}", "grafana"]
)
def test_a_link_that_is_no_address_is_refused(address: str) -> None:
    """Only http and https to a fixed host, with placeholders that there are."""
    assert complaint(address)
