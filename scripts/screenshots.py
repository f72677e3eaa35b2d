"""Takes the pictures of docs/images during a real drill: the pages as they are when a person has to decide.

Usage: scripts/screenshots.py [FOLDER]. Needs the test tools (`make screenshots` sets them up); takes about a minute.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

from stanch.app.drill import run_drill
from stanch.gameday.client import Reply

CHROMIUM: Final = os.environ.get("STANCH_CHROMIUM", "/usr/bin/chromium")
PORT: Final = 8487
URL: Final = f"http://127.0.0.1:{PORT}"
DESK: Final = (1280, 900)
PHONE: Final = (360, 800)
# Long enough for the figures of the incident to fill the charts.
FILL_MS: Final = 6_000


class Camera:
    """Takes pictures of a running Stanch; `shoot` names the file, the page and how it is looked at."""

    def __init__(self, browser: Browser, folder: Path) -> None:
        self._browser = browser
        self._folder = folder

    def shoot(self, name: str, path: str, *, size: tuple[int, int] = DESK, theme: str = "light") -> None:
        """Take one picture of the top of a page."""
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if theme == "dark" else "light",
            locale="en-GB",
            timezone_id="UTC",
            device_scale_factor=2 if size == PHONE else 1,
        )
        context.add_cookies([{"name": "stanch_person", "value": "alice", "url": URL}])
        page = context.new_page()
        page.goto(URL + path)
        page.locator("#main").wait_for()
        if page.locator("#line").count():
            page.locator("#line[data-state=live]").wait_for()
        page.wait_for_timeout(400)
        page.screenshot(path=self._folder / f"{name}.png")
        context.close()
        say(f"{self._folder / name}.png")

    def wait(self, milliseconds: int) -> None:
        """Let time pass."""
        page = self._browser.new_page()
        page.wait_for_timeout(milliseconds)
        page.close()


def say(text: str) -> None:
    """Print a line of progress."""
    sys.stderr.write(text + "\n")


def main() -> None:
    """Run a drill, and take pictures when the plan waits for approval and when all is over."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stanch-pictures-")))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        stack.callback(browser.close)
        camera = Camera(browser, folder)
        run_drill(
            folder=data,
            fault="bad-deploy",
            decoy=False,
            baseline_s=45.0,
            port=PORT,
            stay=False,
            narrate=_narrator(camera),
            decide=_decider(camera),
        )


def _decider(camera: Camera) -> Callable[[str, Reply], bool]:
    def decide(title: str, plan: Reply) -> bool:
        camera.wait(FILL_MS)
        camera.shoot("overview", "/")
        camera.shoot("incident", "/i/1")
        camera.shoot("incident-dark", "/i/1", theme="dark")
        camera.shoot("incident-phone", "/i/1", size=PHONE, theme="dark")
        return True

    return decide


def _narrator(camera: Camera) -> Callable[[str], None]:
    def narrate(text: str) -> None:
        say(text)
        if text.startswith("Resolved"):
            camera.shoot("postmortem", "/postmortem/1")

    return narrate


if __name__ == "__main__":
    main()
