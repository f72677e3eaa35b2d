"""The on-call pages without a script: everything can be read and done."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import cast

import httpx2
import pytest

from stanch.operations.oncall.swapping import SwapView
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.http import api, feeds
from stanch.surfaces.web import pages
from tests.oncall.rota import utc
from tests.oncall.shift_desk import ALICE, BOB, OPERATIONS, ShiftDesk, shift_desk
from tests.surfaces.serving import serving


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ShiftDesk]:
    """Give a desk."""
    with shift_desk(str(tmp_path / "stanch.db")) as opened:
        yield opened


@pytest.fixture
def client(desk: ShiftDesk) -> Iterator[httpx2.Client]:
    """Give a browser without a script, in which alice has said who she is."""
    front = Front.of(desk.world, OPERATIONS)
    routes = [*api.routes(front), *feeds.routes(front), *pages.routes(front)]
    app = application(front, routes=routes, page_error=pages.page_error(front), checks_itself=feeds.answers_itself)
    with (
        serving(app, front) as url,
        httpx2.Client(base_url=url, cookies={"stanch_person": "alice"}, headers={"accept": "text/html"}) as opened,
    ):
        yield opened


def text_of(response: httpx2.Response) -> str:
    """Return the words of a page, with runs of blanks as one."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def post(client: httpx2.Client, path: str, **fields: str) -> httpx2.Response:
    """Send a form as a browser without a script does."""
    return client.post(path, data=fields, headers={"origin": str(client.base_url).rstrip("/")})


def test_who_is_on(client: httpx2.Client) -> None:
    """The page says who is on, who backs them up and who is next."""
    shown = text_of(client.get("/oncall"))

    assert "shop checkout alice 2026-11-23 09:00:00 UTC bob bob 2026-11-23 09:00:00 UTC" in shown


def test_both_clocks(client: httpx2.Client) -> None:
    """A shift stands on the clock of the reader and on that of whoever has it."""
    shown = client.get("/oncall")

    assert 'datetime="2026-11-23T09:00:00' in shown.text
    assert "Mon 23 Nov 04:00 to Mon 30 Nov 04:00 America/New_York" in text_of(shown)


def test_override_for_four_hours(client: httpx2.Client, desk: ShiftDesk) -> None:
    """The button of a length puts the chosen person on from now for so long."""
    answer = post(client, "/do/oncall/override", schedule="shop", person="carol", why="", lasts="4h", back="/oncall")

    assert (303, "/oncall") == (answer.status_code, answer.headers["location"])
    assert "shop checkout carol override 2026-11-21 18:30:00 UTC" in text_of(client.get("/oncall"))


def test_override_until_hand_over(client: httpx2.Client, desk: ShiftDesk) -> None:
    """The other button puts them on until the shift would have ended."""
    end = re.search(r'name="end" value="([^"]+)"', client.get("/oncall").text)
    assert end is not None
    post(client, "/do/oncall/override", schedule="shop", person="carol", end=unescape(end[1]), back="/oncall")
    desk.clock.set(utc("2026-11-23T08:59"))

    assert "shop checkout carol" in text_of(client.get("/oncall"))


def test_broken_rule_is_a_warning(client: httpx2.Client) -> None:
    """A rule that is broken ahead stands on the page with its interval."""
    post(client, "/do/oncall/override", schedule="shop", person="bob", lasts="1h", back="/oncall")

    assert (
        "both: shop: bob is primary and secondary at the same time from 2026-11-21 14:30 to 15:30 UTC (1h)"
        in text_of(client.get("/oncall"))
    )


def test_swap_is_accepted_on_the_page(client: httpx2.Client, desk: ShiftDesk) -> None:
    """Whoever a swap is offered to finds it with a button that accepts it."""
    given = {"give_start": "2026-11-24T18:00:00Z", "give_end": "2026-11-25T06:00:00Z"}
    swap = cast("SwapView", desk.ask("swap.propose", by=BOB, schedule="shop", taker="alice", **given))
    shown = client.get("/oncall").text
    post(client, "/do/swap/accept", id=swap.id, back="/oncall")
    accepted = cast("tuple[SwapView, ...]", desk.ask("swap.list"))

    assert f'<input type="hidden" name="id" value="{swap.id}">' in shown
    assert ["accepted"] == [one.state for one in accepted]


def test_feed_from_the_page(client: httpx2.Client) -> None:
    """The address that the page makes is read without saying who one is."""
    post(client, "/do/feed/make", person="alice", back="/oncall")
    address = re.search(r"<code>http://stanch.example(/oncall/[^<]+\.ics)</code>", client.get("/oncall").text)
    assert address is not None
    with httpx2.Client(base_url=client.base_url, headers={"host": "calendar.example"}) as stranger:
        answer = stranger.get(address[1])

    assert (200, "text/calendar; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert answer.text.startswith("BEGIN:VCALENDAR\r\n")


def test_wrong_feed(client: httpx2.Client) -> None:
    """An address that was not given out is not found."""
    assert 404 == client.get(f"/oncall/{'x' * 43}.ics").status_code


def test_handoff(client: httpx2.Client, desk: ShiftDesk) -> None:
    """A handoff is drafted on the page, and shown as text that was rendered."""
    post(client, "/do/handoff/draft", schedule="shop", back="/oncall")
    link = re.search(r'href="(/oncall/handoff/[^"]+)"', client.get("/oncall").text)
    assert link is not None
    shown = client.get(link[1])

    assert "Handoff: shop, 2026-11-23 09:00 UTC" in text_of(shown)
    assert "<h2>Open incidents</h2>" in shown.text


def test_hostile_words(client: httpx2.Client, desk: ShiftDesk) -> None:
    """What somebody writes as a reason stays text."""
    desk.ask("oncall.override", by=ALICE, schedule="shop", person="carol", lasts="1h", why="<script>alert(1)</script>")

    assert "<script>alert(1)" not in client.get("/oncall").text


def test_a_shift_is_offered_without_a_script(client: httpx2.Client, desk: ShiftDesk) -> None:
    """The form beside a shift proposes to somebody else to take it; it waits for them."""
    page = client.get("/oncall").text
    form = page.split('action="/do/swap/propose"')[1].split("</form>")[0]
    given = dict(re.findall(r'name="(schedule|give_start|give_end)" value="([^"]+)"', form))
    taker = re.findall(r'<option value="([^"]+)"', form)[0]
    answer = post(
        client,
        "/do/swap/propose",
        **{name: unescape(text) for name, text in given.items()},
        taker=taker,
        back="/oncall",
    )
    swaps = cast("tuple[SwapView, ...]", desk.ask("swap.list", by=ALICE))

    assert (303, [("alice", taker, "proposed")]) == (
        answer.status_code,
        [(one.giver, one.taker, one.state) for one in swaps],
    )


def test_time_off_is_taken_without_a_script(client: httpx2.Client) -> None:
    """The form takes time off, which stands on the page then."""
    answer = post(
        client, "/do/oncall/timeoff", start="2026-12-21T08:00", end="2026-12-23T08:00", what="Lapland", back="/oncall"
    )

    assert (303, True) == (answer.status_code, "Lapland" in text_of(client.get("/oncall")))


def test_the_checklist_is_ticked_without_a_script(client: httpx2.Client) -> None:
    """What is to do before the next shift stands on the page, and is ticked there."""
    page = client.get("/oncall").text
    form = page.split('action="/do/oncall/check"')[1].split("</form>")[0]
    fields = dict(re.findall(r'name="(schedule|item|done)" value="([^"]+)"', form))
    answer = post(client, "/do/oncall/check", **fields, back="/oncall")

    assert (303, 1) == (answer.status_code, client.get("/oncall").text.count("Not after all"))


def test_the_load_is_a_page(client: httpx2.Client) -> None:
    """Hours and pages of each person stand on a page of their own."""
    shown = text_of(client.get("/oncall/load"))

    assert ("Load" in shown, "How unevenly" in shown or "Nobody was on call" in shown) == (True, True)


def test_who_is_on_at_a_chosen_time(client: httpx2.Client) -> None:
    """A week on it is who comes next; the field keeps what was asked."""
    shown = client.get("/oncall?at=2026-11-24T12:00")

    assert "On call at 2026-11-24 12:00:00 UTC" in text_of(shown)
    assert "shop bob 2026-11-30 09:00:00 UTC" in text_of(shown)
    assert 'type="datetime-local" required value="2026-11-24T12:00"' in shown.text


def test_without_a_chosen_time_there_is_no_answer_for_one(client: httpx2.Client) -> None:
    """The page is as it was."""
    assert "On call at" not in text_of(client.get("/oncall"))


def test_a_time_that_is_none_is_told(client: httpx2.Client) -> None:
    """With what is wrong, and no defect."""
    answer = client.get("/oncall?at=noon")

    assert (400, True) == (answer.status_code, "at" in text_of(answer))


def test_what_comes_next(client: httpx2.Client) -> None:
    """Hand-overs in order, with who hands over."""
    shown = text_of(client.get("/oncall"))

    assert "What comes next 2026-11-23 09:00:00 UTC shop : alice to bob" in shown


def test_overrides_are_listed_and_taken_back(client: httpx2.Client, desk: ShiftDesk) -> None:
    """Who, when, why and by whom; one button ends it."""
    made = {"schedule": "shop", "person": "carol", "lasts": "4h", "why": "dentist"}
    post(client, "/do/oncall/override", **made, back="/oncall")
    listed = client.get("/oncall")
    found = re.search(r'id="overrides".*?name="id" value="([^"]+)"', listed.text, re.DOTALL)
    assert found is not None
    post(client, "/do/oncall/override_cancel", id=found[1], back="/oncall")

    assert (
        True,
        False,
    ) == (
        "carol on shop , 2026-11-21 14:30:00 UTC to 2026-11-21 18:30:00 UTC : dentist" in text_of(listed),
        'id="overrides"' in client.get("/oncall").text,
    )


def test_the_past_says_whom_an_incident_paged_and_would_page(client: httpx2.Client, desk: ShiftDesk) -> None:
    """Incidents of the last thirty days, newest first, each with a link."""
    desk.ask("incident.declare", title="Checkout fails", services=["checkout"])
    desk.clock.set(utc("2026-11-21T15:00"))
    shown = client.get("/oncall/history")

    assert (True, True) == ("INC-1" in text_of(shown), 'href="/i/1"' in shown.text)


def test_a_past_without_incidents_says_so(client: httpx2.Client) -> None:
    """Of the days that were asked for."""
    shown = text_of(client.get("/oncall/history?start=2026-10-01T00:00&end=2026-10-02T00:00"))

    assert "2026-10-01 00:00:00 UTC to 2026-10-02 00:00:00 UTC No incident was declared in that time." in shown
