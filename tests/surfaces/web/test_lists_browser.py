"""The lists in a real browser: filters without reloads, several alerts picked, a silence with its preview, a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.surfaces.web.story import Story
from tests.surfaces.web.test_browser import CONTRAST
from tests.surfaces.web.test_browser import page as page  # the same fixture
from tests.surfaces.web.test_lists import send

pytestmark = pytest.mark.browser

PAGES = (
    "/alerts",
    "/alerts?state=all&severity=critical",
    "/alerts/x1",
    "/groups",
    "/silences",
    "/silences/new?alert=x1",
    "/maintenance",
    "/sources",
    "/agents",
    "/reports",
    "/report",
    "/services",
    "/s/payments",
    "/changes?since=30d",
)


@pytest.fixture
def told(story: Story) -> Iterator[Story]:
    """Give a story in which three alerts fire and one incident is open."""
    story.declare()
    long = "a-very-long-name-of-a-host-that-nobody-would-choose.eu-central-1.compute.internal.example.com"
    send(story, "DiskFull", service="payments", severity="critical", summary="nearly full", labels={"host": long})
    send(story, "HighLatency", service="checkout", labels={"host": "web1"})
    send(story, "BackupFailed", labels={"host": "db2"})
    yield story


def mark(page: Page) -> None:
    """Leave something behind that a reload would take away."""
    page.evaluate("window.notReloaded = true")


def is_marked(page: Page) -> bool:
    """Tell whether the page was not loaded again since."""
    return bool(page.evaluate("window.notReloaded === true"))


def test_filters_work_without_a_reload(page: Page, url: str, told: Story) -> None:
    """Typing narrows the list, the address says so, and going back widens it again."""
    page.goto(f"{url}/alerts")
    expect(page.locator(".alert-row")).to_have_count(3)
    mark(page)
    page.get_by_label("Severity").select_option("critical")
    expect(page.locator(".alert-row")).to_have_count(1)
    page.get_by_role("link", name="All", exact=True).click()
    expect(page).to_have_url(f"{url}/alerts?state=all&severity=critical")
    page.get_by_role("link", name="all filters off").click()
    expect(page.locator(".alert-row")).to_have_count(3)

    assert is_marked(page)


def test_going_back_shows_what_was_shown(page: Page, url: str, told: Story) -> None:
    """The browser's own button works, and the fields follow."""
    page.goto(f"{url}/alerts?text=web1")
    page.get_by_role("link", name="Kept quiet", exact=True).click()
    expect(page.locator(".alert-row")).to_have_count(0)
    page.go_back()
    expect(page.locator(".alert-row")).to_have_count(1)

    expect(page.locator("#search")).to_have_value("web1")


def test_a_new_alert_appears(page: Page, url: str, told: Story) -> None:
    """A list that is open shows what comes in, without being touched."""
    page.goto(f"{url}/alerts")
    expect(page.locator(".alert-row")).to_have_count(3)
    send(told, "QueueIsLong")

    expect(page.locator(".alert-row").first).to_contain_text("QueueIsLong")


def test_several_alerts_are_silenced_from_the_keyboard(page: Page, url: str, told: Story) -> None:
    """j, x, j, x picks two; the draft shows both, and the silence keeps them quiet."""
    page.goto(f"{url}/alerts")
    expect(page.locator(".alert-row")).to_have_count(3)
    page.keyboard.type("jxjx")
    expect(page.locator("#picked-count")).to_have_text("2 picked")
    page.get_by_role("button", name="Silence the picked…").click()
    expect(page.locator("#part-preview .alert-row")).to_have_count(2)
    page.get_by_label("Why").fill("rebuilding")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page).to_have_url(f"{url}/silences")
    page.goto(f"{url}/alerts?state=suppressed")

    expect(page.locator(".alert-row")).to_have_count(2)


def test_what_is_picked_stays_picked(page: Page, url: str, told: Story) -> None:
    """A new alert above does not move or take away the choice."""
    page.goto(f"{url}/alerts")
    page.get_by_label("Pick HighLatency").check()
    send(told, "QueueIsLong")
    expect(page.locator(".alert-row")).to_have_count(4)

    expect(page.get_by_label("Pick HighLatency")).to_be_checked()


def test_the_preview_follows_the_matchers(page: Page, url: str, told: Story) -> None:
    """What a silence would keep quiet stands there while it is written, and so does what is wrong with it."""
    page.goto(f"{url}/silences/new")
    expect(page.locator("#line")).to_have_text("live")
    page.get_by_label("Keep quiet what matches").fill('host=~"web.*"')
    expect(page.locator("#part-preview .alert-row")).to_have_count(1)
    page.get_by_label("Keep quiet what matches").fill('host=~"(web"')

    expect(page.locator("#part-preview .form-error")).to_contain_text("is no regular expression")


def test_a_silence_ends_with_a_button(page: Page, url: str, told: Story) -> None:
    """The list follows."""
    page.goto(f"{url}/silences/new?matchers=host%3D%22web1%22&comment=x")
    page.get_by_role("button", name="Silence", exact=True).click()
    expect(page.locator(".alert-row")).to_have_count(1)
    page.get_by_role("button", name="End now").click()

    expect(page.get_by_text("No silence holds.")).to_be_visible()


def test_maintenance_is_planned_with_its_preview(page: Page, url: str, told: Story) -> None:
    """Several services, what the window would have covered, and the window in the list."""
    page.goto(f"{url}/maintenance")
    page.get_by_label("Name").fill("db-upgrade")
    page.get_by_label("Payments").check()
    page.get_by_label("Checkout").check()
    expect(page.locator("#part-preview")).to_contain_text("covers")
    page.get_by_role("button", name="Put the window").click()

    expect(page.locator("#window-db-upgrade")).to_contain_text("payments")


def test_keys_go_to_pages(page: Page, url: str, told: Story) -> None:
    """g and a letter goes where the bar leads."""
    page.goto(f"{url}/alerts")
    page.keyboard.type("gs")

    expect(page).to_have_url(f"{url}/silences")


@pytest.mark.parametrize("width", [360, 390, 768])
def test_no_list_scrolls_sideways(page: Page, url: str, told: Story, width: int) -> None:
    """Nothing is wider than the screen, down to 360 px."""
    page.set_viewport_size({"width": width, "height": 844})
    wide = []
    for path in PAGES:
        page.goto(f"{url}{path}")
        if page.evaluate("document.documentElement.scrollWidth - innerWidth") > 0:
            wide.append(path)

    assert [] == wide


@pytest.mark.parametrize("path", PAGES)
def test_every_field_has_a_name(page: Page, url: str, told: Story, path: str) -> None:
    """Nobody has to guess what a field is for; links and buttons say something, and ids are given once."""
    page.goto(f"{url}{path}")
    nameless = page.evaluate(
        """[
          ...[...document.querySelectorAll('input:not([type=hidden]), textarea, select')]
            .filter((one) => !one.labels.length && !one.ariaLabel),
          ...[...document.querySelectorAll('a, button')].filter((one) => !one.textContent.trim() && !one.ariaLabel),
          ...[...document.querySelectorAll('[id]')]
            .filter((one) => document.querySelectorAll('#' + CSS.escape(one.id)).length > 1),
        ].map((one) => one.outerHTML.slice(0, 120))"""
    )

    assert [] == nameless


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_of_a_list_stands_out(page: Page, url: str, told: Story, theme: str) -> None:
    """Text has a contrast of at least 4.5:1 in both themes (WCAG 2.2, 1.4.3)."""
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    weak = []
    for path in PAGES:
        page.goto(f"{url}{path}")
        weak += [(path, found) for found in page.evaluate(CONTRAST)]

    assert [] == weak


def test_what_is_touched_in_a_list_is_large_enough(page: Page, url: str, told: Story) -> None:
    """With touch, buttons, tabs and the places to pick an alert are at least 44 px high."""
    session = page.context.new_cdp_session(page)
    session.send("Emulation.setEmulatedMedia", {"features": [{"name": "pointer", "value": "coarse"}]})
    session.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{url}/alerts")
    small = page.evaluate(
        "[...document.querySelectorAll('button, .button, .tabs a, .places a, .pick')]"
        ".filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)"
        ".map((one) => one.outerHTML.slice(0, 100))"
    )

    assert [] == small
