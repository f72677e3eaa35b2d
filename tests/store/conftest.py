"""A store on each database, with a clock that is moved by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from stanch.kernel.clock import ManualClock
from stanch.store import Store

START = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at half past midnight on the day clocks change in Europe."""
    return ManualClock(START)


@pytest.fixture
def store(database_url: str, clock: ManualClock) -> Iterator[Store]:
    """Give a store with nothing in it."""
    opened = Store.open(database_url, clock=clock)
    yield opened
    opened.close()
