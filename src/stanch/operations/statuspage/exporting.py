"""The page as files: what is served, and the static copy, which outlives an outage of Stanch and of its machine.

Each file is written beside the old one and takes its place in one step, those that the first page leads to before it:
whoever reads meanwhile sees the old page or the new one, whole.
"""

import contextlib
import json
import os
import tempfile
import threading
from importlib import resources
from pathlib import Path
from typing import Final

from stanch.comms.status import feeds, v2
from stanch.comms.status.html import STYLE, copied, first_page, history_page, incident_page
from stanch.comms.status.model import Page
from stanch.kernel.errors import Unavailable
from stanch.operations.statuspage.showing import public_page
from stanch.operations.world import World

MARK: Final = ".stanch-status"
"""The list of the files that were written, so that none of anybody else's is ever taken away."""

_FIRST: Final = "index.html"
_ONE_AT_A_TIME: Final = threading.Lock()


def style() -> str:
    """Return the style sheet."""
    return (resources.files("stanch.comms.status") / STYLE).read_text(encoding="utf-8")


def api_text(data: object) -> str:
    """Return a document of the API as text."""
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def files_of(page: Page, *, subscribe: str) -> dict[str, str]:
    """Return the static copy: text by path, the first page last."""
    found = {STYLE: style()}
    for path, data in v2.documents(page).items():
        found[f"api/v2/{path}"] = api_text(data)
    found["feed.atom"] = feeds.atom(page)
    found["feed.rss"] = feeds.rss(page)
    for one in page.incidents:
        found[f"incidents/{one.number}.html"] = incident_page(page, copied(depth=1, subscribe=subscribe), one)
    found["history.html"] = history_page(page, copied(depth=0, subscribe=subscribe))
    found[_FIRST] = first_page(page, copied(depth=0, subscribe=subscribe))
    return found


def export(world: World) -> tuple[Path, int]:
    """Write the static copy; return its folder and how many files it has. Raises `Unavailable` when it can not."""
    folder = folder_of(world)
    spec = world.catalog.status
    subscribe = f"{world.url}/status#subscribe" if spec.mail or spec.webhooks else ""
    # One after the other, each with what it read: an older page must not take a newer one's place.
    with _ONE_AT_A_TIME:
        with world.store.reading() as view:
            page = public_page(view, world)
        files = files_of(page, subscribe=subscribe)
        try:
            _write_all(folder, files)
        except OSError as error:
            raise Unavailable(f"cannot write the status page to {folder}: {error.strerror}", retry=True) from error
    return folder, len(files)


def folder_of(world: World) -> Path:
    """Return where the static copy is written."""
    return Path(world.catalog.root) / world.catalog.status.folder


def _write_all(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    mark = folder / MARK
    before = set(mark.read_text(encoding="utf-8").splitlines()) if mark.exists() else set()
    _write(mark, "\n".join(sorted({*before, *files})) + "\n")
    for path, text in files.items():
        _write(folder / path, text)
    for path in sorted(before - files.keys()):
        if ".." not in Path(path).parts and not Path(path).is_absolute():
            (folder / path).unlink(missing_ok=True)
    _write(mark, "\n".join(sorted(files)) + "\n")


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        # A web server of another user reads them.
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
