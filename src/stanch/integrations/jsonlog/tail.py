"""Follows a file that others write, rotate and cut: whole lines since the last look, and where to go on.

A place in a file is its inode, its offset, and a hash of its first bytes: an inode is given again after a file is
gone, and `copytruncate` keeps it while the content starts anew.
"""

import hashlib
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 4 * 1024 * 1024
"""Read in one look: some 20,000 lines, a fifth of a second. The rest is read at the next."""

FIRST_BYTES: Final = 1024 * 1024
"""What is read of a file that is seen for the first time, from its end: what was known before it."""

MOST_BEHIND: Final = 64 * 1024 * 1024
"""A reader this far behind never catches up with what matters; it skips to the newest 4 MiB."""

HEAD_BYTES: Final = 256
MOST_SIBLINGS: Final = 200


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where reading goes on. `inside` says that this is the middle of a line that is too long to read."""

    inode: int
    offset: int
    head: str = ""
    head_bytes: int = 0
    inside: bool = False


@dataclass(frozen=True, kw_only=True)
class Tail:
    """What was read: whole lines, oldest first, where to go on, and how many bytes were left out."""

    lines: tuple[bytes, ...]
    place: Place
    skipped: int = 0


class CannotFollow(Exception):
    """The file cannot be read; the message says why."""


def follow(path: Path, place: Place | None, *, most: int = MOST_BYTES) -> Tail:
    """Return the lines added since `place`, at most `most` bytes. Raises `CannotFollow`.

    Without a place, or in a file that is behind by more than 64 MiB, the newest part is read and the cut line left out.
    """
    current = _opened(path)
    try:
        status = os.fstat(current)
        if place is None:
            start = max(0, status.st_size - min(FIRST_BYTES, most))
            return _read(current, Place(inode=status.st_ino, offset=start, inside=start > 0), most=most)
        if _is_at(current, status, place):
            return _read(current, place, most=most)
        earlier = Tail(lines=(), place=place)
        if status.st_ino != place.inode:
            earlier = _rest_of_rotated(path, place, most=most)
            if earlier.place.offset >= 0:
                return earlier
        left = max(0, most - sum(map(len, earlier.lines)))
        latest = _read(current, Place(inode=status.st_ino, offset=0), most=left)
        return Tail(lines=(*earlier.lines, *latest.lines), place=latest.place, skipped=earlier.skipped + latest.skipped)
    except OSError as error:
        raise CannotFollow(f"{path} cannot be read: {error.strerror or error}") from error
    finally:
        os.close(current)


_FINISHED: Final = -1


def _rest_of_rotated(path: Path, place: Place, *, most: int) -> Tail:
    """Read on in the file that was rotated away; its place has the offset -1 when it is read to its end."""
    for sibling in _siblings(path):
        try:
            if sibling.stat().st_ino != place.inode:
                continue
            old = _opened(sibling)
        except (OSError, CannotFollow):
            continue
        try:
            status = os.fstat(old)
            if not _is_at(old, status, place):
                continue
            tail = _read(old, place, most=most)
            if tail.place.offset >= status.st_size or not tail.lines:
                # Nobody writes there any more, so a last line without its end is whole.
                rest = b"" if tail.place.inside else os.pread(old, most, tail.place.offset).rstrip(b"\n")
                lines = (*tail.lines, rest) if rest else tail.lines
                return Tail(lines=lines, place=Place(inode=place.inode, offset=_FINISHED), skipped=tail.skipped)
            return tail
        finally:
            os.close(old)
    return Tail(lines=(), place=Place(inode=place.inode, offset=_FINISHED))


def _siblings(path: Path) -> Iterable[Path]:
    """Return the files beside `path` whose name begins alike, the newest first: `app.log.1`, `app.log-20260101`."""
    stem = path.name.removesuffix(path.suffix) or path.name
    found = []
    for number, other in enumerate(os.scandir(path.parent)):
        if number >= 10_000:
            break
        if other.name.startswith(stem) and other.name != path.name and other.is_file(follow_symlinks=False):
            found.append((other.stat().st_mtime, Path(other.path)))
    return [other for _, other in sorted(found, reverse=True)[:MOST_SIBLINGS]]


def _opened(path: Path) -> int:
    try:
        # Without O_NONBLOCK opening a pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise CannotFollow(f"{path} cannot be read: {error.strerror or error}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise CannotFollow(f"{path} is not a file")
    return descriptor


def _is_at(descriptor: int, status: os.stat_result, place: Place) -> bool:
    """Tell whether `place` is a place in this file as it is now."""
    if status.st_ino != place.inode or status.st_size < place.offset:
        return False
    return not place.head_bytes or _head(descriptor, place.head_bytes) == place.head


def _head(descriptor: int, size: int) -> str:
    return hashlib.blake2b(os.pread(descriptor, size, 0), digest_size=8).hexdigest()


def _read(descriptor: int, place: Place, *, most: int) -> Tail:
    status = os.fstat(descriptor)
    offset, inside, skipped = place.offset, place.inside, 0
    if status.st_size - offset > MOST_BEHIND:
        skipped = status.st_size - most - offset
        offset, inside = status.st_size - most, True
    data = os.pread(descriptor, most, offset) if most else b""
    begin = 0
    if inside:
        newline = data.find(b"\n")
        begin, inside = (newline + 1, False) if newline >= 0 else (len(data), True)
    end = data.rfind(b"\n") + 1
    if end <= begin:
        # No line ends here. If the budget is used up, the line is too long and its rest is left out as well.
        is_too_long = len(data) == most and most > 0
        end = len(data) if inside or is_too_long else begin
        inside = inside or is_too_long
        lines: tuple[bytes, ...] = ()
    else:
        lines = tuple(line for line in data[begin:end].split(b"\n") if line)
    head_bytes = min(HEAD_BYTES, status.st_size)
    place = Place(
        inode=status.st_ino,
        offset=offset + end,
        head=_head(descriptor, head_bytes),
        head_bytes=head_bytes,
        inside=inside,
    )
    return Tail(lines=lines, place=place, skipped=skipped)
