"""What people are shown of the corpus: pages, terminal, messages, post-mortem. It is text there and nothing else."""

import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import httpx2
import pytest
from markdown_it import MarkdownIt
from starlette.routing import Route

from stanch.comms.messages import compose
from stanch.kernel.blockhtml import to_html
from stanch.operations import cases
from stanch.review.postmortem import draft
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.http import api
from stanch.surfaces.web import pages
from tests.safety.incident import Told
from tests.support.hostile import CORPUS, hidden_in, read_html
from tests.surfaces.cli.terminal import Terminal
from tests.surfaces.serving import serving
from tests.surfaces.web.story import OPERATIONS

NAMED = {"number": "1", "incident": "1", "service": "payments", "name": "payments", "id": "1", "key": "1"}
"""What stands for the parameters of addresses."""


@pytest.fixture(scope="module")
def browser_less(told: Told) -> Iterator[httpx2.Client]:
    """Give a client of the pages that show the incident."""
    front = Front.of(told.story.world, OPERATIONS)
    routes = [*api.routes(front), *pages.routes(front)]
    with (
        serving(application(front, routes=routes, page_error=pages.page_error(front)), front) as url,
        httpx2.Client(base_url=url, cookies={"stanch_person": "alice"}, headers={"accept": "text/html"}) as client,
    ):
        yield client


def test_no_page_does_what_it_says(browser_less: httpx2.Client, told: Told) -> None:
    """No element, attribute or address of a string from outside, no control code, on any page that there is."""
    found: dict[str, object] = {}
    looked = []
    for route in pages.routes(Front.of(told.story.world, OPERATIONS)):
        if not isinstance(route, Route) or "GET" not in (route.methods or ()):
            continue
        path = re.sub(r"\{(\w+)(?::\w+)?\}", lambda name: NAMED.get(name[1], "1"), route.path)
        answer = browser_less.get(path, follow_redirects=True)
        looked += [path] if answer.status_code == 200 else []
        if "html" not in answer.headers.get("content-type", ""):
            continue
        read = read_html(answer.text)
        if read.doing or hidden_in(answer.text) or answer.status_code >= 500:
            found[path] = (answer.status_code, read.doing[:3], hidden_in(answer.text))

    assert ({}, True) == (found, len(looked) > 15)


def test_the_page_shows_the_words(browser_less: httpx2.Client) -> None:
    """They are there as text, so the test above looks at something."""
    text = read_html(browser_less.get("/i/1").text).text

    assert (True, True) == (CORPUS["html-image"] in text, CORPUS["markdown-link"] in text)


@pytest.mark.parametrize("path", ["/i/{}", "/?q={}", "/{}"])
def test_an_address_is_not_shown_as_markup(browser_less: httpx2.Client, path: str) -> None:
    """Whatever stands in the address comes back as text, also on a page that says that there is no such thing."""
    found = []
    for text in CORPUS.values():
        answer = browser_less.get(path.format(quote(text[:500], safe="")))
        found += read_html(answer.text).doing
        found += sorted(hidden_in(answer.text))
        found += [str(answer.status_code)] if answer.status_code >= 500 else []

    assert [] == found


def test_a_form_takes_it_as_text(browser_less: httpx2.Client) -> None:
    """A note from a form comes back as what was typed, and no header is made of it."""
    found = []
    origin = {"origin": str(browser_less.base_url).rstrip("/")}
    for text in CORPUS.values():
        sent = {"incident": "1", "text": text}
        answer = browser_less.post("/do/incident/note", data=sent, headers=origin, follow_redirects=False)
        found += [text[:60]] if answer.status_code >= 500 or "x-evil" in answer.headers else []

    assert [] == found


@pytest.mark.parametrize(
    "command",
    [
        ("incident", "show", "INC-1"),
        ("timeline", "INC-1"),
        ("status",),
        ("change", "list"),
        ("plan", "list", "INC-1"),
        ("postmortem", "show", "INC-1"),
    ],
)
@pytest.mark.slow
def test_a_terminal_is_not_told_what_to_do(told: Told, command: tuple[str, ...]) -> None:
    """Nothing that is printed moves a cursor, sets a title, writes a clipboard or turns a line around."""
    terminal = Terminal(folder=told.folder, state=told.folder / "state", env={"STANCH_DATA": str(told.folder)})
    ran = terminal("--server", "none", *command)

    assert (True, set()) == (ran.code in (0, 5, 6, 8), hidden_in(ran.out + ran.err))


@pytest.mark.parametrize("audience", ["responders", "stakeholders", "public"])
def test_a_message_is_text(told: Told, audience: str) -> None:
    """As plain text, as Markdown and as HTML: nothing of it is obeyed, linked or run."""
    with told.story.store.reading() as view:
        state = cases.load(view, 1)
    found: list[str] = []
    for text in CORPUS.values():
        made = compose(
            state,
            purpose="update",
            audience=audience,
            now=told.story.clock.now(),
            url="http://stanch.example/i/1",
            next_update_at=None,
            note=text,
            public_note=text,
        )
        shown = (read_html(MarkdownIt("commonmark").render(made.markdown)), read_html(to_html(made.blocks)))
        found += [one for read in shown for one in read.doing]
        found += sorted(hidden_in(made.subject + made.text + made.markdown))

    assert [] == found


def test_a_post_mortem_is_text(told: Told) -> None:
    """Its Markdown, rendered by a parser that lets HTML through, holds no element of theirs."""
    with told.story.store.reading() as view:
        state, events = cases.load(view, 1), list(view.events(incident=1))
    text = draft(state, events, url="http://stanch.example/i/1", now=told.story.clock.now())
    read = read_html(MarkdownIt("commonmark").enable("table").render(text))

    assert ((), set(), True) == (read.doing, hidden_in(text), "javascript:alert" in unescape(read.text))
