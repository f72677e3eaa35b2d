"""The file channel: one Markdown file per room, one section per message, each message once."""

import os
import threading
from pathlib import Path

from stanch.kernel.errors import Unavailable
from stanch.ports.channel import Message, Receipt


class FileChannel:
    """Appends messages to `<folder>/<room>.md` and forces them to disk."""

    def __init__(self, *, name: str, folder: Path) -> None:
        self._name = name
        self._folder = folder
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._name

    @property
    def idempotent(self) -> bool:
        """A message's id stands in the file, so it is written once."""
        return True

    def post(self, message: Message) -> Receipt:
        """Append `message` to its room, unless its id stands there already."""
        path = self._folder / f"{_safe(message.room)}.md"
        mark = f"<!-- {message.id.replace('--', '- -')} -->"
        try:
            with self._lock:
                self._folder.mkdir(parents=True, exist_ok=True)
                if path.exists() and mark in path.read_text(encoding="utf-8"):
                    return Receipt(reference=str(path), detail="was there already")
                with path.open("a", encoding="utf-8") as file:
                    file.write(f"{mark}\n{message.markdown.rstrip()}\n\n")
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            raise Unavailable(f"cannot write to {path}: {error.strerror}", retry=True) from error
        return Receipt(reference=str(path))


def _safe(room: str) -> str:
    kept = "".join(character if character.isalnum() or character in "-_" else "-" for character in room)
    return kept.strip("-") or "room"
