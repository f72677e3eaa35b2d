"""A world with no integrations, on each database, with a clock that is moved by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from stanch.catalog.model import Catalog
from stanch.incidents.tables import IncidentProjector
from stanch.kernel.clock import ManualClock
from stanch.operations.world import World
from stanch.store import Store

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at three in the morning."""
    return ManualClock(START)


@pytest.fixture
def world(database_url: str, clock: ManualClock) -> Iterator[World]:
    """Give a world with an empty catalog."""
    store = Store.open(database_url, clock=clock, projectors=(IncidentProjector(),))
    yield World(store=store, clock=clock, catalog=Catalog(), node="n1")
    store.close()
