"""A change source over one deploy log file."""

import os
from datetime import datetime
from pathlib import Path
from typing import Final

from stanch.integrations.deploylog.line import read_line
from stanch.kernel.errors import Unavailable
from stanch.ports.changes import Change

_MOST_BYTES: Final = 4 * 1024 * 1024
"""Newest part of the file that is read: at 200 bytes a line some 20,000 changes, years of most pipelines."""


class DeployLog:
    """Reads the changes that a pipeline appends to a file. `service` stands for lines that name none."""

    def __init__(self, path: Path, *, service: str = "") -> None:
        self.path = path
        self._service = service
        self._seen: tuple[int, int] | None = None
        self._changes: tuple[Change, ...] = ()
        self.skipped = 0
        """Lines that could not be read when the file was last read."""

    @property
    def name(self) -> str:
        """Return `deploylog`."""
        return "deploylog"

    @property
    def command(self) -> str:
        """Return the command that shows what this source reads."""
        return f"tail -n 20 {self.path}"

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return the changes in [start, end), oldest first. Raises `Unavailable` when the file cannot be read."""
        wanted = frozenset(services)
        return [
            change
            for change in self._read()
            if start <= change.at < end and (not wanted or not change.service or change.service in wanted)
        ]

    def _read(self) -> tuple[Change, ...]:
        try:
            with self.path.open("rb") as file:
                state = os.fstat(file.fileno())
                seen = (state.st_size, state.st_mtime_ns)
                if seen == self._seen:
                    return self._changes
                cut = state.st_size > _MOST_BYTES
                if cut:
                    file.seek(-_MOST_BYTES, os.SEEK_END)
                lines = file.read(_MOST_BYTES).splitlines()
        except OSError as error:
            hint = "check `deploy_log` of the service"
            raise Unavailable(
                f"cannot read the deploy log {self.path}: {error.strerror}", retry=True, hint=hint
            ) from error
        # The first line of a cut piece is most likely half of one.
        kept = [line for line in (lines[1:] if cut else lines) if line.strip()]
        read = [read_line(line, service=self._service) for line in kept]
        self.skipped = sum(change is None for change in read)
        found = {change.id: change for change in read if change is not None}
        self._changes = tuple(sorted(found.values(), key=lambda change: (change.at, change.id)))
        self._seen = seen
        return self._changes
