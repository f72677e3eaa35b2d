"""A served desk and a client of it."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from stanch.store import Store
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.asgi.trust import Trust
from stanch.surfaces.http import api
from tests.surfaces.http import desk
from tests.surfaces.serving import PATIENT_S, serving


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give an empty store."""
    opened = Store.open(tmp_path / "stanch.db")
    yield opened
    opened.close()


@pytest.fixture
def front(store: Store) -> Front:
    """Give the front of a world with the desk's operations."""
    return Front.of(desk.world(store), desk.operations())


@pytest.fixture
def url(front: Front) -> Iterator[str]:
    """Give the address where the desk is served."""
    app = application(front, routes=api.routes(front), trust=Trust(hosts=frozenset({"stanch.example"}), token="let-me"))
    with serving(app, front) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[httpx2.Client]:
    """Give a client that acts for alice."""
    with httpx2.Client(base_url=url, headers={"stanch-actor": "alice"}, timeout=PATIENT_S) as opened:
        yield opened
