"""A story and the pages that show it."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.http import api
from stanch.surfaces.web import pages
from tests.surfaces.serving import PATIENT_S, serving
from tests.surfaces.web.story import OPERATIONS, Story


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """Give a story that has not begun."""
    told = Story(str(tmp_path / "stanch.db"))
    told.calm()
    yield told
    told.store.close()


@pytest.fixture
def url(story: Story) -> Iterator[str]:
    """Give the address of the pages."""
    front = Front.of(story.world, OPERATIONS)
    routes = [*api.routes(front), *pages.routes(front)]
    with serving(application(front, routes=routes, page_error=pages.page_error(front)), front) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[httpx2.Client]:
    """Give a browser without a script, in which Alice has said who she is."""
    with httpx2.Client(
        base_url=url, cookies={"stanch_person": "alice"}, headers={"accept": "text/html"}, timeout=PATIENT_S
    ) as opened:
        yield opened
