"""The undo list of a game day on disk: each line is there for good before what it speaks of is done.

One process at a time decides, by a lock on a file; whoever dies gives its locks back.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from stanch.gameday.chaos.model import Line, Story
from stanch.gameday.chaos.rules import pending, story_of

_LINES: Final = "journal.jsonl"
_TURN: Final = "turn.lock"
_PLAYER: Final = "player.lock"
_ABORT: Final = "abort"


class Journal:
    """The journal in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, line: Line) -> None:
        """Append a line and wait until it is on the disk."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / _LINES
        is_new = not path.exists()
        with path.open("a+b") as file:
            # What a crash cut off is ended first, so that it spoils no line but its own.
            cut_off = file.seek(0, os.SEEK_END) and not path.read_bytes().endswith(b"\n")
            file.write((b"\n" if cut_off else b"") + msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(self.folder)

    def story(self) -> Story:
        """Return what the journal adds up to. A last line that was cut off by a crash was never acted on."""
        try:
            raw = (self.folder / _LINES).read_bytes()
        except FileNotFoundError:
            return Story()
        whole = raw[: raw.rfind(b"\n") + 1].splitlines()
        return story_of(msgspec.json.decode(line, type=Line) for line in whole if _is_json(line))

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Decide and act alone while the block lasts; others wait."""
        with self._locked(_TURN, fcntl.LOCK_EX):
            yield

    @contextmanager
    def playing(self) -> Iterator[None]:
        """Say that somebody plays while the block lasts."""
        with self._locked(_PLAYER, fcntl.LOCK_EX):
            yield

    def is_played(self) -> bool:
        """Tell whether a process plays it now."""
        try:
            with self._locked(_PLAYER, fcntl.LOCK_EX | fcntl.LOCK_NB):
                return False
        except BlockingIOError:
            return True

    def ask_abort(self) -> None:
        """Ask whoever plays to stop."""
        (self.folder / _ABORT).touch()

    def is_abort_asked(self) -> bool:
        """Tell whether somebody asked to stop."""
        return (self.folder / _ABORT).exists()

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / name).open("a") as file:
            fcntl.flock(file, how)
            yield


def journals(folder: Path) -> list[Journal]:
    """Return the journals below `folder`, oldest first."""
    return [Journal(path.parent) for path in sorted(folder.glob(f"*/{_LINES}"))]


def unfinished(folder: Path) -> list[Journal]:
    """Return those that something is to be taken back of, or that nobody closed, oldest first."""
    return [one for one in journals(folder) if pending(story := one.story()) or not story.closed]


def _is_json(line: bytes) -> bool:
    # A line that a crash cut off, and that the next one then ended, says nothing.
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
