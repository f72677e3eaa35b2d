"""The file pager: one line of JSON per page, each page once. For drills and for trying paging out."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from stanch.kernel.codec import to_data
from stanch.ports.pager import Failure, NotTaken, Page, PagerSettings, Receipt

KINDS: Final = frozenset({"file"})


class FilePager:
    """Appends pages to the file that is the method's address and forces them to disk."""

    def __init__(self, settings: PagerSettings) -> None:
        self._name = settings.name
        self._root = Path(settings.root)
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._name

    @property
    def kinds(self) -> frozenset[str]:
        """Files only."""
        return KINDS

    @property
    def idempotent(self) -> bool:
        """A page's id stands in its line, so it is written once."""
        return True

    def page(self, page: Page) -> Receipt:
        """Append `page` unless its id stands there already."""
        path = self._root / page.address
        mark = f'{{"id": {json.dumps(page.id)},'
        line = json.dumps({"id": page.id, "written_at": datetime.now(UTC).isoformat(), **to_data(page)})
        try:
            with self._lock:
                path.parent.mkdir(parents=True, exist_ok=True)
                if path.exists() and any(known.startswith(mark) for known in path.read_text("utf-8").splitlines()):
                    return Receipt(reference=str(path), detail="was there already")
                with path.open("a", encoding="utf-8") as file:
                    file.write(f"{line}\n")
                    file.flush()
                    os.fsync(file.fileno())
        except OSError as error:
            raise NotTaken(f"cannot write to {path}: {error.strerror}", failure=Failure.UNREACHABLE) from error
        return Receipt(reference=str(path))

    def close(self) -> None:
        """Hold nothing."""
