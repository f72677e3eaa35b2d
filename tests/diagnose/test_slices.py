"""What failures have in common."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.diagnose.slices import Breadth, RequestCounter, Row, breadth_of


def rows(*, failing: dict[str, str]) -> list[Row]:
    """Return 1,200 requests over two regions, two versions and three routes; those with all of `failing` fail."""
    found = []
    for region in ("eu", "us"):
        for version in ("3.2.0", "3.2.1"):
            for route in ("/cart", "/pay", "/home"):
                labels = {"region": region, "version": version, "route": route}
                fails = failing.items() <= labels.items()
                found.append(Row(labels=labels, requests=100, failed=90 if fails else 0))
    return found


@pytest.mark.parametrize(
    ("failing", "text"),
    [
        ({"version": "3.2.1"}, "all failures are version=3.2.1, which is 50 % of the requests"),
        (
            {"version": "3.2.1", "region": "eu"},
            "all failures are region=eu and version=3.2.1, which is 25 % of the requests",
        ),
        ({"route": "/pay"}, "all failures are route=/pay, which is 33 % of the requests"),
    ],
)
def test_what_failures_share_is_said(failing: dict[str, str], text: str) -> None:
    """One value, or several together, that hold all failures and only a part of the requests are named."""
    found = breadth_of(rows(failing=failing)).slice

    assert found is not None and text == found.text


def test_failures_everywhere_share_nothing() -> None:
    """Where every kind of request fails alike no value explains it."""
    assert breadth_of([Row(labels=row.labels, requests=100, failed=30) for row in rows(failing={})]).slice is None


def test_few_failures_are_not_explained() -> None:
    """Four failures have something in common by chance."""
    assert (
        breadth_of([Row(labels={"region": "eu"}, requests=50, failed=4), Row(labels={}, requests=50, failed=0)]).slice
        is None
    )


def test_versions_and_regions_with_failures_are_listed() -> None:
    """Only those in which something failed, the worst first."""
    found = breadth_of(rows(failing={"region": "us"}))

    assert (("us",), {"3.2.0", "3.2.1"}) == (found.regions, set(found.versions))


def counted(*, users: int) -> Breadth:
    """Feed an access log in which guests fail, this many of them."""
    counter = RequestCounter()
    for number in range(400):
        guest = number % 2 == 0
        counter.add(
            {
                "status": "500" if guest else "200",
                "user.kind": "guest" if guest else "customer",
                "user.id": f"u-{number % (2 * users)}",
                "request_id": f"r-{number}",
                "duration_ms": str(number % 7),
            }
        )
    assert users == counter.users
    return breadth_of(counter.rows())


@pytest.mark.parametrize("users", [1, 7, 100])
def test_users_are_counted_once(users: int) -> None:
    """Users with a failure are counted, and neither ids nor durations are taken for an explanation."""
    found = counted(users=users).slice

    assert found is not None and (("user.kind", "guest"),) == found.labels


def test_lines_that_tell_no_outcome_are_left_out() -> None:
    """A line without a status is no request."""
    counter = RequestCounter()
    counter.add({"region": "eu"})

    assert [] == counter.rows()


def test_memory_is_bounded() -> None:
    """Of very many requests every n-th is kept, and stands for n."""
    counter = RequestCounter()
    for number in range(50_000):
        counter.add({"status": "500" if number % 4 == 0 else "200", "n": str(number)})
    found = counter.rows()

    assert len(found) <= 20_000 and abs(sum(row.requests for row in found) - 50_000) < 10


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(12)), st.floats(min_value=0.1, max_value=1e4))
def test_order_and_scale_do_not_matter(order: list[int], factor: float) -> None:
    """Permuting the requests and counting them in thousands change nothing."""
    plain = rows(failing={"version": "3.2.1", "region": "eu"})
    mixed = [
        Row(labels=plain[place].labels, requests=plain[place].requests * factor, failed=plain[place].failed * factor)
        for place in order
    ]
    one, other = breadth_of(plain).slice, breadth_of(mixed).slice

    assert one is not None and (other is None or one.labels == other.labels)
