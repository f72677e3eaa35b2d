"""Who may write to a SQLite database at this moment, and for how long that has been one and the same process.

SQLite has no server that could be asked. But its locks are locks of the kernel on certain bytes of its files, and
Linux lists those with who holds them in `/proc/locks` (proc_locks(5)):

- with a write-ahead log, byte 120 of `name-shm` (https://www.sqlite.org/walformat.html, "WAL Locks");
- with a rollback journal, RESERVED, byte 1,073,741,825 of the file itself (https://www.sqlite.org/lockingv3.html, and
  the numbers in https://www.sqlite.org/src/file/src/os.h), and the bytes after it where it is held exclusively.

Who waits is not listed: SQLite asks again and again instead of waiting in the kernel. The files are never opened:
closing one would drop every lock that this very process has on it (the same page, "How To Corrupt").
"""

import re
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from stanch.integrations.sqlite.processes import PROC, Process, has_open, opened_by, process
from stanch.kernel.errors import Refused, Unavailable

LOOK_S: Final = 1.0
"""A lock is held, and not only taken in passing, when nobody else had it for this long and nothing was committed."""

_POLL_S: Final = 0.1
_READINGS: Final = 5
_PAUSE_S: Final = 0.005
_WAL_WRITE: Final = 120
_RESERVED: Final = 0x40000001
_LOCK: Final = re.compile(r"\d+: +POSIX +\S+ +WRITE +(\d+) +([0-9a-f]+):([0-9a-f]+):(\d+) +(\d+) +(\d+|EOF)")


@dataclass(frozen=True, kw_only=True)
class Holding:
    """One process holds the write lock: for at least `held_s`, and nothing was committed for `quiet_s`.

    `stamp` says between which commits; it changes with the next. Nobody of the `others`, who have the database open as
    well, can write meanwhile; where none has, they are those who last had: who cannot write may crash of it, and is
    started again.
    """

    holder: Process
    held_s: float
    quiet_s: float
    stamp: str
    others: tuple[Process, ...]


class Watched:
    """One database file. Remembers since when a lock has been seen: the kernel does not tell since when it is held."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._guard = threading.Lock()
        self._seen: tuple[Process, str, float] | None = None
        self._others: tuple[Process, ...] = ()

    def look(self) -> Holding | None:
        """Return who holds the write lock; None when nobody does for a second on end.

        Takes up to a second where somebody does. A process that lets go without a commit and takes it again in between
        counts as one that held on. Raises `Unavailable` where that cannot be seen, `Refused` for a folder.
        """
        with self._guard:
            began = time.monotonic()
            while True:
                now, seen = time.monotonic(), self._glance()
                if seen is None:
                    self._seen = None
                    return None
                if self._seen is None or self._seen[:2] != seen:
                    if now - began > LOOK_S:
                        return None
                    self._seen = (*seen, now)
                    self._others = ()
                holder, stamp, since = self._seen
                if now - since >= LOOK_S:
                    break
                time.sleep(_POLL_S)
            quiet_s = max(0.0, time.time() - max(one.stat().st_mtime for one in self._files()))
            self._others = tuple(one for one in self.opened() if one.pid != holder.pid) or self._others
            return Holding(holder=holder, held_s=now - since, quiet_s=quiet_s, stamp=stamp, others=self._others)

    def opened(self) -> tuple[Process, ...]:
        """Return who has the database open. Raises as `look` does."""
        self._files()
        return tuple(one for pid in sorted(opened_by(self.path)) if (one := process(pid)) is not None)

    def _glance(self) -> tuple[Process, str] | None:
        """Return who holds the lock at this moment, and what the files say of the last commit."""
        stamp = " ".join(f"{one.stat().st_ino}/{one.stat().st_size}/{one.stat().st_mtime_ns}" for one in self._files())
        pid = self._locked_by()
        holder = process(pid) if pid is not None else None
        return (holder, stamp) if holder is not None else None

    def _locked_by(self) -> int | None:
        """Return who has the lock; nobody has only when several readings of the list say so.

        The kernel hands the list out a page at a time and lets go of it in between: where locks come and go meanwhile,
        lines of others are left out.
        """
        for again in range(_READINGS):
            if again:
                time.sleep(_PAUSE_S)
            if (pid := self._listed()) is not None:
                return pid
        return None

    def _listed(self) -> int | None:
        try:
            lines = (PROC / "locks").read_text(encoding="ascii", errors="replace").splitlines()
        except FileNotFoundError:
            raise Unavailable("who holds a SQLite database is told by Linux alone", retry=False) from None
        except PermissionError as error:
            raise Refused(f"/proc/locks may not be read: {error.strerror}", reason="denied") from error
        bytes_of = {self.path: _RESERVED, self.path.with_name(f"{self.path.name}-shm"): _WAL_WRITE}
        inodes = {file.stat().st_ino: (file, byte) for file, byte in bytes_of.items() if file.exists()}
        for line in lines:
            found = _LOCK.match(line)
            if found is None or (place := inodes.get(int(found[4]))) is None:
                continue
            file, byte = place
            reaches = found[6] == "EOF" or int(found[6]) >= byte
            # Another disk may have a file of the same number, and some file systems tell another device here.
            if int(found[5]) <= byte + 1 and reaches and int(found[1]) and has_open(int(found[1]), file):
                return int(found[1])
        return None

    def _files(self) -> list[Path]:
        if self.path.is_dir():
            raise Refused(f"{self.path} is a folder", reason="not_a_database")
        if not self.path.exists():
            raise Unavailable(f"there is no database {self.path}", retry=True)
        log = self.path.with_name(f"{self.path.name}-wal")
        return [self.path, *([log] if log.exists() else [])]


@cache
def watched(path: str) -> Watched:
    """Return the one watch of a file in this process: what one looker has seen counts for the next."""
    return Watched(Path(path))
