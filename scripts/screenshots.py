"""Takes the pictures of docs/images during a real drill: the pages as they are when a person has to decide.

Usage: scripts/screenshots.py [FOLDER]. Needs the test tools (`make screenshots` sets them up); takes about a minute.
"""

import base64
import os
import struct
import sys
import tempfile
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from stanch.app.drill import run_drill

CHROMIUM: Final = os.environ.get("STANCH_CHROMIUM", "/usr/bin/chromium")
PORT: Final = 8487
URL: Final = f"http://127.0.0.1:{PORT}"
DESK: Final = (1280, 900)
PHONE: Final = (360, 800)
# Long enough for the figures of the incident to fill the charts.
FILL_MS: Final = 6_000
_READ: Final = """async (picture) => {
  const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
  const image = await createImageBitmap(new Blob([bytes], {type: "image/png"}));
  const canvas = new OffscreenCanvas(image.width, image.height);
  const brush = canvas.getContext("2d");
  brush.drawImage(image, 0, 0);
  const pixels = brush.getImageData(0, 0, image.width, image.height).data;
  let text = "";
  for (let at = 0; at < pixels.length; at += 32768) text += String.fromCharCode(...pixels.subarray(at, at + 32768));
  return [image.width, image.height, btoa(text)];
}"""


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
        picture = page.screenshot()
        (self._folder / f"{name}.png").write_bytes(indexed(*_pixels(page, picture)))
        context.close()
        say(f"{self._folder / name}.png")

    def wait(self, milliseconds: int) -> None:
        """Let time pass."""
        page = self._browser.new_page()
        page.wait_for_timeout(milliseconds)
        page.close()


def _pixels(page: Page, picture: bytes) -> tuple[int, int, bytes]:
    """Return width, height and the red, green, blue and alpha of every pixel; the browser reads its own picture."""
    width, height, encoded = page.evaluate(_READ, base64.b64encode(picture).decode())
    return int(width), int(height), base64.b64decode(encoded)


def indexed(width: int, height: int, pixels: bytes) -> bytes:
    """Return a PNG with a palette of the 256 commonest colours, others by the nearest: a third of the size.

    Chunks and their order: https://www.w3.org/TR/png-3/
    """
    colours = np.frombuffer(pixels, dtype=np.uint8).reshape(-1, 4)[:, :3].astype(np.int32)
    packed = (colours[:, 0] << 16) | (colours[:, 1] << 8) | colours[:, 2]
    each, place, count = np.unique(packed, return_inverse=True, return_counts=True)
    split = np.stack([each >> 16, each >> 8 & 255, each & 255], axis=1)
    palette = split[np.argsort(-count, kind="stable")[:256]]
    nearest = np.array([np.abs(palette - one).sum(axis=1).argmin() for one in split], dtype=np.uint8)
    rows = np.zeros((height, width + 1), dtype=np.uint8)
    rows[:, 1:] = nearest[place].reshape(height, width)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = {
        b"IHDR": header,
        b"PLTE": palette.astype(np.uint8).tobytes(),
        b"IDAT": zlib.compress(rows.tobytes(), 9),
        b"IEND": b"",
    }
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in parts.items())


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


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
            automatic=False,
            baseline_s=45.0,
            port=PORT,
            stay=False,
            narrate=_narrator(camera),
            decide=_decider(camera),
        )


def _decider(camera: Camera) -> Callable[[str, Callable[[], bool]], bool]:
    def decide(title: str, decided: Callable[[], bool]) -> bool:
        camera.wait(FILL_MS)
        camera.shoot("overview", "/")
        camera.shoot("incident", "/i/1")
        camera.shoot("incident-dark", "/i/1", theme="dark")
        camera.shoot("incident-phone", "/i/1", size=PHONE, theme="dark")
        camera.shoot("alerts", "/alerts?state=all")
        camera.shoot("alerts-phone", "/alerts?state=all", size=PHONE, theme="dark")
        return True

    return decide


def _narrator(camera: Camera) -> Callable[[str], None]:
    def narrate(text: str) -> None:
        say(text)
        if text.startswith("Resolved"):
            camera.shoot("postmortem", "/postmortem/1")
            camera.shoot("prevention", "/i/1#prevent")
            camera.shoot("figures", "/figures?drills=1")
            camera.shoot("status", "/status/internal")

    return narrate


if __name__ == "__main__":
    main()
