"""The pages of game days: what was played with its score, one in full, and what can be played."""

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import httpx2
import pytest

from stanch.app.world import PROJECTORS
from stanch.kernel.clock import ManualClock
from stanch.operations.all import all_operations
from stanch.store import Store
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.web import pages
from tests.operations.desk import START, Desk
from tests.operations.test_gamedays import TARGETS, asked, begun, ended
from tests.surfaces.serving import PATIENT_S, serving

SCENARIO = """
title = "Payments stop"
within_s = "5m"
[[steps]]
target = "payments"
do = "kill"
[expect]
detect_s = 120
"""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Give a desk with one declared target."""
    (tmp_path / "gamedays").mkdir()
    (tmp_path / "gamedays" / "targets.toml").write_text(TARGETS)
    clock = ManualClock(START)
    store = Store.open(str(tmp_path / "stanch.db"), clock=clock, projectors=PROJECTORS)
    found = Desk.open(store, clock)
    yield replace(found, world=replace(found.world, catalog=replace(found.world.catalog, root=str(tmp_path))))
    store.close()


@pytest.fixture
def client(desk: Desk) -> Iterator[httpx2.Client]:
    """Give a browser without a script, in which Alice has said who she is."""
    front = Front.of(desk.world, all_operations())
    app = application(front, routes=pages.routes(front), page_error=pages.page_error(front))
    with (
        serving(app, front) as url,
        httpx2.Client(
            base_url=url, cookies={"stanch_person": "alice"}, headers={"accept": "text/html"}, timeout=PATIENT_S
        ) as opened,
    ):
        yield opened


def text_of(response: httpx2.Response) -> str:
    """Return the words of a page, with runs of blanks as one."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def test_nothing_was_played_yet(client: httpx2.Client) -> None:
    """The page says how to try it."""
    assert "None was played yet." in text_of(client.get("/gamedays"))


def test_what_was_played_has_its_score(client: httpx2.Client, desk: Desk) -> None:
    """With who played it, and a link to its page."""
    number = begun(desk)
    going_on = text_of(client.get("/gamedays"))
    ended(desk, number)
    shown = client.get("/gamedays")

    assert (True, False, True, True) == (
        "going on" in going_on,
        "going on" in text_of(shown),
        re.search(r"\d+ of \d+ held", text_of(shown)) is not None,
        'href="/gamedays/1"' in shown.text,
    )


def test_one_shows_what_was_expected_beside_what_was_seen(client: httpx2.Client, desk: Desk) -> None:
    """And what was done."""
    view = ended(desk, begun(desk))
    shown = text_of(client.get("/gamedays/1"))

    assert (True, True, True) == (
        "Expected Result Took Allowed Seen" in shown,
        all(mark.words in shown for mark in view.marks),
        "kill payments : " in shown,
    )


def test_its_score_is_kept_by_a_button(client: httpx2.Client, desk: Desk) -> None:
    """What was missed is listed before; the button is gone after."""
    number = begun(desk)
    desk.pass_time(seconds=5)
    desk.declare(services=["payments"])
    ended(desk, number)
    desk.pass_time(minutes=30)
    before = client.get("/gamedays/1").text
    origin = {"origin": str(client.base_url).rstrip("/")}
    answer = client.post("/do/gameday/score", data={"gameday": "1", "back": "/gamedays/1"}, headers=origin)

    assert (True, 303, True, False) == (
        "Keep the score" in before,
        answer.status_code,
        asked(desk, "gameday.show", gameday=1).scored,
        "Keep the score" in client.get("/gamedays/1").text,
    )


def test_what_can_be_played_has_its_command(client: httpx2.Client, desk: Desk) -> None:
    """A scenario with all its targets; what lacks one says which. No button begins one."""
    folder = Path(desk.world.catalog.root) / "gamedays"
    (folder / "payments-stop.toml").write_text(SCENARIO)
    shown = client.get("/gamedays")

    assert (True, True, False) == (
        "stanch gameday run payments-stop" in text_of(shown),
        "that lack something" in text_of(shown),
        "/do/gameday/begin" in shown.text,
    )


@pytest.mark.parametrize("number", ["7", "0", "x", "1e3"])
def test_one_that_was_never_played_is_not_found(client: httpx2.Client, number: str) -> None:
    """Nor one by another name than its number."""
    assert 404 == client.get(f"/gamedays/{number}").status_code
