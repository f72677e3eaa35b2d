"""Fixtures that drive a real Chromium. A page that logs an error or asks a foreign host fails its test."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.support.needs import lacking

EXECUTABLE: Final = Path(os.environ.get("STANCH_CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Containers often give /dev/shm 64 MB, too little for a page.
    "--disable-dev-shm-usage",
)
_OURS: Final = {"127.0.0.1", "localhost", "", None}


# Not for the whole session: while Playwright's synchronous interface is open, its event loop runs in this thread, and
# no other module's test could call `asyncio.run`.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a running Chromium."""
    if not EXECUTABLE.exists():
        lacking(f"{EXECUTABLE} is not installed; `make setup-test` installs it on Debian as root")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(EXECUTABLE), args=list(ARGUMENTS))
        yield running
        running.close()


@pytest.fixture
def chromium(browser: Browser) -> Iterator[Page]:
    """Give an empty page of 1280 x 800; errors on its console fail the test when it ends."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", timezone_id="UTC")
    page = context.new_page()
    complaints: list[str] = []
    watch(page, complaints)
    yield page
    context.close()

    assert [] == complaints


def watch(page: Page, complaints: list[str]) -> None:
    """Add to `complaints` every console error, uncaught exception and request to a foreign host of `page`."""

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.append(f"console: {message.text}")

    def on_request(request: Request) -> None:
        if urlsplit(request.url).hostname not in _OURS:
            complaints.append(f"foreign host: {request.url}")

    page.on("console", on_console)
    page.on("request", on_request)
    page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
