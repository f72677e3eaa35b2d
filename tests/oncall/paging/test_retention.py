"""How long pages are kept: until they are over and old, never while their incident is open."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from stanch.catalog.oncall import OnCall
from stanch.operations.oncall.paged import pages_between
from stanch.operations.oncall.retention import forget_old
from stanch.store import deliveries
from tests.oncall.paging.exchange import START, Exchange, catalog_of

DAYS = 30


@pytest.fixture
def exchange(database_url: str) -> Iterator[Exchange]:
    """Give an exchange that keeps pages for thirty days."""
    made = Exchange(database_url, catalog=catalog_of(oncall=OnCall(keep_days=DAYS)))
    yield made
    made.close()


def forget(exchange: Exchange, *, limit: int = 100) -> int:
    """Delete what is old, and return how many pages that were."""
    with exchange.world.store.writing() as tx:
        return forget_old(tx, exchange.world, limit=limit)


def kept(exchange: Exchange, number: int) -> tuple[int, int, int]:
    """Return how many rows, deliveries and events of a page there are."""
    with exchange.world.store.reading() as view:
        found = deliveries.newest_below(view.connection, prefix=f"page{number}/", limit=99)
        attempts = sum(len(deliveries.attempts_of(view.connection, one.id)) for one in found)
        events = list(view.events(stream=f"page/{number}"))
    return sum(page.number == number for page in exchange.pages()), len(found) + attempts, len(events)


def test_a_page_about_nothing_goes_with_its_log(exchange: Exchange) -> None:
    """A test page is gone after its time: its row, its notices, their attempts and its events."""
    exchange.call("page.test", person="alice")
    exchange.settle()
    exchange.call("oncall.acknowledge", page=1)
    before = kept(exchange, 1)
    exchange.clock.advance(timedelta(days=DAYS, seconds=1))

    assert (True, 1, (0, 0, 0)) == (all(before), forget(exchange), kept(exchange, 1))


def test_a_page_of_an_incident_stays_in_its_log(exchange: Exchange) -> None:
    """What happened in an incident is not forgotten: the events stay when the page goes."""
    number = exchange.declare()
    exchange.call("incident.acknowledge", incident=number)
    exchange.call("incident.resolve", incident=number, force_reason="a test")
    exchange.settle()
    events = kept(exchange, 1)[2]
    exchange.clock.advance(timedelta(days=DAYS, seconds=1))

    assert (1, (0, 0, events)) == (forget(exchange), kept(exchange, 1))


def test_a_page_of_an_open_incident_stays(exchange: Exchange) -> None:
    """While the incident is open its pages stay, however old."""
    number = exchange.declare()
    exchange.call("incident.acknowledge", incident=number)
    exchange.clock.advance(timedelta(days=10 * DAYS))

    assert (0, 1) == (forget(exchange), len(exchange.pages()))


def test_a_page_that_is_young_stays(exchange: Exchange) -> None:
    """One that is not old enough stays."""
    exchange.call("page.test", person="alice")
    exchange.settle()
    exchange.call("oncall.acknowledge", page=1)
    exchange.clock.advance(timedelta(days=DAYS) - timedelta(seconds=1))

    assert 0 == forget(exchange)


def test_old_pages_go_some_at_a_time(exchange: Exchange) -> None:
    """No more go at once than are asked for, the oldest first."""
    for _ in range(3):
        exchange.call("page.test", person="alice")
        exchange.settle()
    for number in (1, 2, 3):
        exchange.call("oncall.acknowledge", page=number)
    exchange.clock.advance(timedelta(days=DAYS, seconds=1))

    assert (2, [3], 1, 0) == (
        forget(exchange, limit=2),
        [page.number for page in exchange.pages()],
        forget(exchange, limit=2),
        forget(exchange, limit=2),
    )


def test_the_load_reads_the_pages_of_its_time_alone(exchange: Exchange) -> None:
    """Pages before and after the time that is asked for are not read."""
    for _ in range(3):
        exchange.call("oncall.page", targets=["person:alice"], title="help")
        exchange.settle()
        exchange.clock.advance(timedelta(days=1))
    with exchange.world.store.reading() as view:
        start, end = START + timedelta(hours=12), START + timedelta(hours=36)
        found = pages_between(view.connection, start=start, end=end)

    assert [2] == [page.number for page in found]
