"""A desk on each database."""

from collections.abc import Iterator

import pytest

from stanch.incidents.tables import IncidentProjector
from stanch.kernel.clock import ManualClock
from stanch.store import Store
from tests.operations.desk import START, Desk


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at half past two in the afternoon."""
    return ManualClock(START)


@pytest.fixture
def desk(database_url: str, clock: ManualClock) -> Iterator[Desk]:
    """Give a desk with nothing on it, once on each database."""
    store = Store.open(database_url, clock=clock, projectors=(IncidentProjector(),))
    yield Desk.open(store, clock)
    store.close()
