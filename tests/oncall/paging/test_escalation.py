"""Escalation as a story on the moved clock, on both databases: who is paged when, and when that stops."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from stanch.oncall.escalation.model import NoticeState, PageStatus
from tests.oncall.paging.exchange import Exchange


@pytest.fixture
def exchange(database_url: str) -> Iterator[Exchange]:
    """Give an exchange with alice, then bob, carol as the last resort."""
    made = Exchange(database_url)
    yield made
    made.close()


def test_the_first_level_is_paged_at_once(exchange: Exchange) -> None:
    """A declared incident pages the first level and nobody else."""
    exchange.declare()

    assert exchange.people == ["alice"]


def test_nobody_answers_at_any_level(exchange: Exchange) -> None:
    """Every level is gone through as often as the policy says, then the last resort is paged again and again."""
    exchange.declare()
    exchange.after(300 * 4 + 901)

    assert exchange.people == ["alice", "bob", "alice", "bob", "carol", "carol"]


def test_that_nobody_answered_is_on_record(exchange: Exchange) -> None:
    """Falling back to the last resort is an event of its own, once."""
    exchange.declare()
    exchange.after(300 * 4 + 901)

    assert exchange.kinds().count("page.nobody_answered") == 1


@pytest.mark.parametrize("after_s", [0, 1, 299, 300, 301, 600, 900, 1200, 1500, 2100])
def test_no_page_follows_an_acknowledgement(exchange: Exchange, after_s: int) -> None:
    """Whenever it comes, an acknowledgement is the end of paging while somebody acts on it."""
    exchange.declare()
    exchange.after(after_s)
    before = list(exchange.people)
    exchange.call("incident.acknowledge", incident=1)
    exchange.after(1700)

    assert before == exchange.people


def test_an_acknowledgement_before_the_first_page(exchange: Exchange) -> None:
    """Who takes an incident on before anybody could be paged keeps everybody asleep."""
    exchange.call("incident.declare", by="dora", title="it fails", services=["checkout"])
    exchange.call("incident.acknowledge", incident=1)
    exchange.after(1700, step_s=60)

    assert [] == exchange.took


def test_an_acknowledgement_goes_stale(exchange: Exchange) -> None:
    """When nobody has acted for as long as the policy says, paging starts over at the first level."""
    exchange.declare()
    exchange.call("incident.acknowledge", by="alice", incident=1)
    exchange.after(1801)

    assert ["alice", "alice"] == exchange.people


def test_an_act_keeps_an_acknowledgement_fresh(exchange: Exchange) -> None:
    """A note half-way moves the moment at which the acknowledgement goes stale."""
    exchange.declare()
    exchange.call("incident.acknowledge", incident=1)
    exchange.after(1000)
    exchange.call("incident.note", incident=1, text="looking at the pool")
    exchange.after(1700)

    assert ["alice"] == exchange.people


def test_a_clock_set_forward_skips_no_wait(exchange: Exchange) -> None:
    """When the clock jumps by hours, the next level is paged once and has its whole time to answer."""
    exchange.declare()
    exchange.clock.advance(timedelta(hours=5))
    exchange.settle()

    assert ["alice", "bob"] == exchange.people


def test_a_clock_set_back_prolongs_no_wait(exchange: Exchange) -> None:
    """When the clock is set back, the next level still comes after its wait and nobody is paged twice before."""
    exchange.declare()
    exchange.clock.advance(timedelta(hours=-2))
    exchange.settle()
    exchange.after(301)

    assert ["alice", "bob"] == exchange.people


def test_the_end_of_the_incident_ends_paging(exchange: Exchange) -> None:
    """A dismissed incident pages nobody any more."""
    exchange.declare()
    exchange.call("incident.dismiss", incident=1, reason="a planned test")
    exchange.after(3600, step_s=60)

    assert ["alice"] == exchange.people
    assert exchange.page().status is PageStatus.ENDED


def test_the_ledger_says_handed_over(exchange: Exchange) -> None:
    """What a provider took is handed over, and not said to be delivered."""
    exchange.declare()

    assert [NoticeState.HANDED_OVER] == exchange.states()
