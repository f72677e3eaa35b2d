"""Reads a stretch of time out of log files, their rotated and compressed siblings included, within a budget of bytes.

Finds the place by halving, since logs are written in the order of time, so that a large file costs no more than the
stretch that is asked for.
"""

import bz2
import gzip
import lzma
import os
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Final, cast

from stanch.diagnose.logs.records import parse_line

MOST_BYTES: Final = 48 * 1024 * 1024
"""Read of one service at most: some 200,000 lines of JSON, three seconds of parsing."""
_PROBE: Final = 64 * 1024
_CLOSE_ENOUGH: Final = 256 * 1024
_SIBLINGS: Final = 4
_PIECE: Final = 1024 * 1024
_UNPACK: Final[Mapping[str, Callable[[Path], IO[bytes]]]] = {
    ".gz": lambda path: cast("IO[bytes]", gzip.open(path, "rb")),  # noqa: SIM115  (whoever calls it closes it)
    ".bz2": lambda path: cast("IO[bytes]", bz2.open(path, "rb")),  # noqa: SIM115
    ".xz": lambda path: cast("IO[bytes]", lzma.open(path, "rb")),  # noqa: SIM115
}
"""What log rotation packs with, as far as Python unpacks it by itself."""


@dataclass(kw_only=True)
class Budget:
    """How much may still be read, and until when (seconds of `time.monotonic`). `cut` says that it did not suffice."""

    bytes_left: int = MOST_BYTES
    until: float = float("inf")
    cut: bool = False
    unreadable: list[str] = field(default_factory=list)
    read: set[Path] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more may be read."""
        return self.bytes_left <= 0 or time.monotonic() > self.until


def log_files(patterns: Sequence[str], *, root: Path) -> list[Path]:
    """Return the files that glob patterns below `root` (or absolute ones) stand for, sorted, each once."""
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        base, rest = (Path(path.anchor), path.relative_to(path.anchor)) if path.is_absolute() else (root, path)
        try:
            matches = sorted(base.glob(str(rest)))
        except (OSError, ValueError):
            continue
        found.update(dict.fromkeys(match for match in matches if match.is_file()))
    return list(found)


def lines_since(path: Path, start: datetime, *, budget: Budget) -> Iterator[bytes]:
    """Yield the lines of a log from `start` on, those of its rotated siblings first; stops when the budget is over.

    A file that cannot be read is noted in the budget and left out.
    """
    for part in _parts(path, start):
        if part in budget.read:
            continue
        budget.read.add(part)
        try:
            yield from _packed(part, budget) if part.suffix in _UNPACK else _plain(part, start, budget)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            budget.unreadable.append(f"{part.name}: {error}")


def _parts(path: Path, start: datetime) -> list[Path]:
    """Return the file and its siblings (`name.1`, `name.2.gz`, `name-20260304`) that reach into the stretch."""
    try:
        siblings = [other for other in path.parent.glob(f"{_escaped(path.name)}[.-]*") if other.is_file()]
        recent = sorted((other.stat().st_mtime, other) for other in siblings)
    except OSError:
        recent = []
    reaching = [other for modified, other in recent if modified >= start.timestamp()]
    return [*reaching[-_SIBLINGS:], path]


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _plain(path: Path, start: datetime, budget: Budget) -> Iterator[bytes]:
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        begin = _offset_of(file, size, start)
        if size - begin > budget.bytes_left:
            # The newest part tells of the trouble; what lies before it is told to be missing.
            begin, budget.cut = size - budget.bytes_left, True
        file.seek(begin)
        if begin:
            file.readline(_PROBE)
        yield from _lines(file, budget, until=size)


def _packed(path: Path, budget: Budget) -> Iterator[bytes]:
    with _UNPACK[path.suffix](path) as file:
        yield from _lines(file, budget, until=None)


def _lines(file: IO[bytes], budget: Budget, *, until: int | None) -> Iterator[bytes]:
    """Yield lines in pieces of a megabyte, so that a line without an end costs no more than that."""
    rest = b""
    left = until - file.tell() if until is not None else None
    while not budget.is_over:
        piece = file.read(_PIECE if left is None else min(_PIECE, left))
        if not piece:
            break
        budget.bytes_left -= len(piece)
        left = None if left is None else left - len(piece)
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
        if len(rest) > _PIECE:
            rest = b""
    else:
        budget.cut = True
        return
    if rest:
        yield rest


def _offset_of(file: IO[bytes], size: int, start: datetime) -> int:
    """Return an offset before the first line at or after `start`, at most 256 KiB too early; 0 when in doubt."""
    low, high = 0, size
    while high - low > _CLOSE_ENOUGH:
        middle = (low + high) // 2
        at = _time_after(file, middle)
        if at is None or at >= start:
            high = middle
        else:
            low = middle
    return low


def _time_after(file: IO[bytes], offset: int) -> datetime | None:
    """Return the time of the first line after `offset` that has one, within 64 KiB."""
    file.seek(offset)
    for line in file.read(_PROBE).split(b"\n")[1:-1]:
        record = parse_line(line)
        if record is not None and record.at is not None:
            return record.at
    return None
