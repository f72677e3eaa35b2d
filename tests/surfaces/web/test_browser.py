"""The pages in a real browser: they follow what happens, keep what the reader is doing, and act."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.http import api
from stanch.surfaces.web import pages
from tests.surfaces.serving import serving
from tests.surfaces.web.story import ALICE, HOSTILE, OPERATIONS, Story

pytestmark = pytest.mark.browser


@contextmanager
def patience() -> Iterator[None]:
    """Let what is expected of a page take as long as Playwright lets an action take, and not five seconds."""
    expect.set_options(timeout=30_000)
    try:
        yield
    finally:
        expect.set_options(timeout=5_000)


@pytest.fixture
def page(chromium: Page, url: str) -> Iterator[Page]:
    """Give a page on which Alice has said who she is."""
    chromium.context.add_cookies([{"name": "stanch_person", "value": "alice", "url": url}])
    with patience():
        yield chromium
    # Before the server goes: a page that loses it complains on its console.
    chromium.goto("about:blank")


@pytest.fixture
def unwatched(browser: Browser, url: str) -> Iterator[Page]:
    """Give such a page whose console may hold errors: a browser logs every answer that is no success as one."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="UTC")
    context.add_cookies([{"name": "stanch_person", "value": "alice", "url": url}])
    with patience():
        yield context.new_page()
    context.close()


def test_an_incident_appears_on_the_overview(page: Page, url: str, story: Story) -> None:
    """An overview that is open shows a new incident without being touched, and says so in its title."""
    page.goto(url)
    expect(page.locator("#line")).to_have_text("live")
    story.declare()

    expect(page.locator("article.incident")).to_contain_text("SEV2")
    expect(page).to_have_title(re.compile("^SEV2"))


def test_the_incident_page_follows_the_run(page: Page, url: str, story: Story) -> None:
    """Output, status and time line move on while the page is open."""
    story.declare()
    story.investigate()
    page.goto(f"{url}/i/1")
    expect(page.locator("#line")).to_have_text("live")
    story.approve()
    story.run()

    expect(page.locator(".output")).to_contain_text("payments v3.2.0 is up")
    expect(page.locator(".head")).to_contain_text("monitoring")
    expect(page.locator("#entries li").last).to_contain_text("Recovery is watched")


def test_what_is_being_typed_survives(page: Page, url: str, story: Story) -> None:
    """New entries and swapped parts leave focus, text, caret and opened details alone."""
    story.declare()
    story.investigate()
    page.goto(f"{url}/i/1")
    page.locator("#others > summary").click()
    page.locator("#force > summary").click()
    page.locator("#force-reason").fill("half a rea")
    page.locator("#force-reason").press("ArrowLeft")
    story.approve()
    story.run()
    expect(page.locator("#entries li").last).to_contain_text("Recovery is watched")
    page.keyboard.type("X")

    assert ("half a reXa", True) == (
        page.locator("#force-reason").input_value(),
        page.locator("#others").evaluate("one => one.open"),
    )


def test_new_entries_do_not_pull_the_reader_away(page: Page, url: str, story: Story) -> None:
    """A reader who has scrolled up stays there; a pill counts what is new and leads to it."""
    story.declare()
    for number in range(30):
        story.say(ev.NoteAdded(text=f"note {number}"), actor=ALICE)
    page.goto(f"{url}/i/1")
    page.locator("#entries").evaluate("one => { one.scrollTop = 0; }")
    story.say(ev.NoteAdded(text="one more"), actor=ALICE)
    expect(page.locator("#pill")).to_have_text("1 new entry ↓")
    stayed = page.locator("#entries").evaluate("one => one.scrollTop")
    page.locator("#pill").click()

    expect(page.locator("#entries li").last).to_be_in_viewport()
    assert 0 == stayed


@pytest.mark.parametrize(
    ("query", "shown"), [("", 5), ("?show=people", 2), ("?show=all", 9), ("?show=people#e-1", 3), ("?show=nonsense", 5)]
)
def test_the_time_line_is_filtered_by_the_address(page: Page, url: str, story: Story, query: str, shown: int) -> None:
    """The filter stands in the URL, and a permalink shows its entry under every filter."""
    story.declare()
    story.say(ev.NoteAdded(text="looking"), actor=ALICE)
    story.say(ev.Acknowledged(), ev.StatusChanged(status=Status.INVESTIGATING, reason="a look"))
    page.goto(f"{url}/i/1{query}")

    expect(page.locator("#entries > li:visible")).to_have_count(shown)


def test_acknowledging_takes_one_click(page: Page, url: str, story: Story) -> None:
    """The one primary button acts, and the page shows the new state."""
    story.declare()
    page.goto(f"{url}/i/1")
    page.locator(".head button.primary").click()

    expect(page.locator(".head")).to_contain_text("acknowledged")
    expect(page.locator(".rail")).to_contain_text("Taken on Alice Adams", use_inner_text=True)


def test_a_plan_is_approved_with_a_word_for_its_target(page: Page, url: str, story: Story) -> None:
    """Nothing is approved before the box that names the target is ticked."""
    story.declare()
    story.investigate()
    page.goto(f"{url}/i/1")
    page.locator(".approve button.primary").click()
    before = page.locator("#plan .status").first.inner_text()
    page.get_by_label("Run 1 command on payments now").first.check()
    page.locator(".approve button.primary").click()

    expect(page.locator("#plan .status").first).to_have_text("approved, about to run")
    assert "waits for approval" == before


def test_a_dry_run_shows_what_it_would_do(page: Page, url: str, story: Story) -> None:
    """The dry run's output stands beside the plan."""
    story.declare()
    story.investigate()
    page.goto(f"{url}/i/1")
    page.get_by_role("button", name="Dry run").first.click()

    expect(page.locator("#plan")).to_contain_text("would run shopctl rollback payments --to v3.2.0 --dry-run")


def test_a_refusal_is_said_where_one_clicked(unwatched: Page, url: str, story: Story) -> None:
    """Resolving too early shows the reason in the form, and opens the way to force it."""
    story.declare()
    unwatched.goto(f"{url}/i/1")
    unwatched.locator("#resolve button").first.click()

    expect(unwatched.locator("#resolve .form-error")).to_contain_text("verified")
    expect(unwatched.locator("#force-reason")).to_be_visible()


def test_a_note_is_sent_from_the_keyboard(page: Page, url: str, story: Story) -> None:
    """`n` leads to the note, Ctrl+Enter sends it, and what it says stays text."""
    story.declare()
    page.goto(f"{url}/i/1")
    page.keyboard.press("n")
    page.keyboard.type("pool is full")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#entries li").last).to_contain_text("pool is full")
    expect(page.locator("#note-text")).to_have_value("")


def test_hostile_text_runs_nothing(page: Page, url: str, story: Story) -> None:
    """Markup in titles and notes is text, at first and when it comes in live."""
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    story.declare(title=HOSTILE)
    page.goto(f"{url}/i/1")
    expect(page.locator("#line")).to_have_text("live")
    story.say(ev.NoteAdded(text=HOSTILE), actor=ALICE)
    expect(page.locator("#entries li").last).to_contain_text("<script>")

    assert 0 == page.locator("body script, #entries img, .head img").count()


def test_the_line_says_when_it_is_down_and_comes_back(unwatched: Page, story: Story) -> None:
    """While the server is away the page says since when; what was missed comes with the next line."""
    story.declare()
    front = Front.of(story.world, OPERATIONS)
    routes = [*api.routes(front), *pages.routes(front)]
    with serving(application(front, routes=routes), front) as url:
        unwatched.goto(f"{url}/i/1")
        expect(unwatched.locator("#line")).to_have_text("live")
    expect(unwatched.locator("#line")).to_contain_text("reconnecting, last update")
    story.say(ev.StatusChanged(status=Status.INVESTIGATING, reason="a look"))
    again = Front.of(story.world, OPERATIONS)
    routes = [*api.routes(again), *pages.routes(again)]
    with serving(application(again, routes=routes), again, port=urlsplit(url).port or 0):
        # The page asks again after up to 18 s when the server was away for long.
        expect(unwatched.locator("#line")).to_have_text("live", timeout=60_000)
        expect(unwatched.locator("#entries li").last).to_contain_text("Status: investigating")


def test_times_follow_the_reader(page: Page, url: str, story: Story) -> None:
    """A time is in the reader's zone; one key shows UTC, and copying gives UTC always."""
    story.declare()
    page.goto(f"{url}/i/1")
    shown = page.locator("#now time").first
    title = shown.get_attribute("title") or ""
    page.keyboard.press("u")

    expect(page.locator("#zone")).to_have_text("UTC")
    assert title.startswith("2026-03-01 14:30:42 UTC")


def test_keys_move_and_help(page: Page, url: str, story: Story) -> None:
    """`j` steps through the time line, `?` opens the sheet, Esc closes it, `g i` leads to the overview."""
    story.declare()
    page.goto(f"{url}/i/1")
    page.keyboard.press("j")
    focused = page.evaluate("document.activeElement.id")
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("i")

    expect(page).to_have_url(f"{url}/")
    assert "e-1" == focused


def test_the_palette_finds_what_the_page_offers(page: Page, url: str, story: Story) -> None:
    """Ctrl+K, a few letters and Enter lead to a button; it is not pressed."""
    story.declare()
    story.investigate()
    page.goto(f"{url}/i/1")
    page.keyboard.press("Control+k")
    page.keyboard.type("dry run")
    page.keyboard.press("Enter")

    assert ("Dry run", False) == (
        page.evaluate("document.activeElement.textContent.trim()"),
        page.locator("#palette").is_visible(),
    )


def test_keys_are_off_where_one_writes(page: Page, url: str, story: Story) -> None:
    """Letters typed into a field are text."""
    story.declare()
    page.goto(f"{url}/i/1")
    page.locator("#note-text").fill("")
    page.locator("#note-text").press_sequentially("jgi?u")

    assert "jgi?u" == page.locator("#note-text").input_value()


def test_a_draft_outlives_the_page(page: Page, url: str, story: Story) -> None:
    """What was being written is there again after a reload."""
    story.declare()
    page.goto(f"{url}/i/1")
    page.locator("#note-text").press_sequentially("not sent")
    page.reload()

    expect(page.locator("#note-text")).to_have_value("not sent")


def test_every_place_is_in_sight_and_no_word_is_broken(page: Page, url: str, story: Story) -> None:
    """On a laptop the bar hides none of its pages, and marks, head lines and versions stand on one line each."""
    story.declare()
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(url)
    hidden = page.locator(".places").evaluate("bar => bar.scrollWidth - bar.clientWidth")
    broken = page.locator(".drill, thead th, td.version, td .state").evaluate_all(
        "all => all.filter(one => { const range = document.createRange(); range.selectNodeContents(one);"
        " return new Set([...range.getClientRects()].map(box => Math.round(box.top / 8))).size > 1 })"
        ".map(one => one.textContent.trim()).filter(text => !text.includes(' '))"
    )

    assert (0, []) == (hidden, broken)


@pytest.mark.parametrize("path", ["/", "/i/1", "/figures?drills=1"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_is_wider_than_its_window(page: Page, url: str, story: Story, path: str, width: int) -> None:
    """Nothing scrolls sideways, down to 360 px."""
    story.declare(title="Checkout " + "x" * 300)
    story.investigate()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(url + path)

    assert 0 >= page.evaluate("document.documentElement.scrollWidth - innerWidth")


CONTRAST = """() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = (c) => (c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => .2126 * linear(r / 255) + .7152 * linear(g / 255) + .0722 * linear(b / 255);
  const ground = (el) => {
    for (let one = el; one; one = one.parentElement) {
      const [r, g, b, a = 1] = parse(getComputedStyle(one).backgroundColor);
      if (a === 1) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const el of document.querySelectorAll("body *")) {
    const words = [...el.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!words || el.closest("svg,.sr,.permalink") || !el.checkVisibility({ opacityProperty: true })) continue;
    const [a, b] = [light(parse(getComputedStyle(el).color)), light(ground(el))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) found.push(`${el.className} ${ratio.toFixed(2)} ${el.textContent.trim().slice(0, 30)}`);
  }
  return found;
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/i/1"])
def test_every_text_stands_out_from_its_ground(page: Page, url: str, story: Story, path: str, theme: str) -> None:
    """Text has a contrast of at least 4.5:1 in both themes (WCAG 2.2, 1.4.3)."""
    story.declare()
    story.investigate()
    story.approve()
    story.run()
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page.goto(url + path)

    assert [] == page.evaluate(CONTRAST)


def test_buttons_are_large_enough_for_a_thumb(page: Page, url: str, story: Story) -> None:
    """With touch, every button is at least 44 px high."""
    story.declare()
    story.investigate()
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setEmulatedMedia", {"features": [{"name": "pointer", "value": "coarse"}]})
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{url}/i/1")
    heights = page.evaluate(
        "[...document.querySelectorAll('button, .button')].filter((one) => one.checkVisibility())"
        ".map((one) => one.getBoundingClientRect().height)"
    )

    assert [] == [height for height in heights if height < 44]


def test_every_field_has_a_name(page: Page, url: str, story: Story) -> None:
    """What can be filled in or pressed says what it is to those who do not see it."""
    story.declare()
    story.investigate()
    page.goto(f"{url}/i/1")
    nameless = page.evaluate(
        "[...document.querySelectorAll('input:not([type=hidden]), textarea, select')]"
        ".filter((one) => !one.labels.length && !one.ariaLabel).map((one) => one.outerHTML)"
    )

    assert [] == nameless


def written(story: Story, *, revision: int, markdown: str) -> None:
    """Put a revision of the post-mortem on record."""
    record = ev.PostmortemDrafted(revision=revision, markdown=markdown)
    story.say(record, actor=ALICE, stream=ev.postmortem_stream(1))


def test_what_was_typed_on_an_older_revision_is_shown(unwatched: Page, url: str, story: Story) -> None:
    """Somebody else's text took its place: one's own stands beside it until it is forgotten."""
    story.declare()
    written(story, revision=1, markdown="# Drafted")
    unwatched.goto(f"{url}/postmortem/1")
    unwatched.locator("#edit > summary").click()
    unwatched.locator("#edit-text").fill("# Mine")
    written(story, revision=2, markdown="# Theirs")
    unwatched.get_by_text("Save as revision 2").click()
    expect(unwatched.locator("#edit .form-error")).to_contain_text("revision 2 was written since")
    unwatched.reload()
    older = unwatched.locator("#edit details textarea")
    seen = unwatched.locator("#edit-text").input_value(), older.input_value()
    unwatched.locator("#edit > summary").click()
    unwatched.locator("#edit details > summary").click()
    unwatched.get_by_text("Forget it").click()
    unwatched.reload()

    assert (("# Theirs", "# Mine"), 0) == (seen, older.count())


def test_return_in_a_remark_does_not_agree(page: Page, url: str, story: Story) -> None:
    """Who writes what is missing and presses Return asks for a change."""
    story.declare()
    written(story, revision=1, markdown="# Drafted")
    page.goto(f"{url}/postmortem/1")
    page.locator("#review > summary").click()
    page.locator("#review [name=note]").fill("the impact is missing")
    page.locator("#review [name=note]").press("Enter")

    expect(page.locator("#review")).to_contain_text("wants a change: the impact is missing")


def test_the_style_of_a_page_leaves_the_head_alone(page: Page, url: str, story: Story) -> None:
    """The bar at the top is as high on the page of figures as on any other."""
    story.declare()
    heights = []
    for path in ("/items", "/figures"):
        page.goto(url + path)
        heights.append(page.locator("header.bar").bounding_box())

    assert heights[0] == heights[1]
