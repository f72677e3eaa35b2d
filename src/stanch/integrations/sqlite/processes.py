"""Processes of this machine as `/proc` shows them: what they are, whose, what they have open. Linux alone has it.

Owns no judgement of what they do. What belongs to somebody else may be unreadable, and is then as if it were not there.
"""

import os
import pwd
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
_LONGEST: Final = 200
# From tcp_states.h of Linux.
_LISTENING: Final = "0A"
# In proc_pid_stat(5) the 22nd field of all, the 20th after the name.
_START: Final = 19


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process. `started` is in clock ticks since the machine was: with `pid` it names one process for good."""

    pid: int
    started: str
    program: str
    user: str
    uid: int


def process(pid: int) -> Process | None:
    """Return a process; None when it is gone, or cannot be seen from here."""
    place = PROC / str(pid)
    try:
        started = _stat(pid)[_START]
        words = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").split()
        name = (place / "comm").read_text(encoding="utf-8", errors="replace").strip()
        uid = place.stat().st_uid
    except (OSError, IndexError):
        return None
    program = " ".join([Path(words[0]).name, *words[1:]])[:_LONGEST] if words else name
    return Process(pid=pid, started=started, program=program, user=_name(uid), uid=uid)


def opened_by(file: Path) -> Iterator[int]:
    """Yield the processes that have a file open, as far as this account may see."""
    for entry in PROC.iterdir():
        if entry.name.isdigit() and has_open(int(entry.name), file):
            yield int(entry.name)


def has_open(pid: int, file: Path) -> bool:
    """Tell whether a process has a file open; False where that cannot be seen."""
    try:
        wanted = file.stat()
        for link in (PROC / str(pid) / "fd").iterdir():
            # Only what is called so is looked at closely: there may be thousands.
            if Path(_target(link)).name.startswith(file.name) and os.path.samestat(link.stat(), wanted):
                return True
    except OSError:
        return False
    return False


def sleeps(pid: int) -> bool:
    """Tell whether a process waits for something at this moment, and computes and reads nothing."""
    try:
        return _stat(pid)[:1] == ["S"]
    except OSError:
        return False


def listens(pid: int) -> bool:
    """Tell whether a process waits for connections by TCP: it serves others."""
    place = PROC / str(pid)
    try:
        sockets = {_target(link) for link in (place / "fd").iterdir()}
        lines = [line.split() for name in ("tcp", "tcp6") for line in _lines(place / "net" / name)]
    except OSError:
        return False
    return any(f"socket:[{fields[9]}]" in sockets for fields in lines if len(fields) > 9 and fields[3] == _LISTENING)


def forebears() -> frozenset[int]:
    """Return this process and those that it descends from."""
    found, pid = set(), os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        try:
            pid = int(_stat(pid)[1])
        except (OSError, ValueError, IndexError):
            break
    return frozenset(found)


def _stat(pid: int) -> list[str]:
    """Return the fields of proc_pid_stat(5) after the name, which may hold blanks: the state is the first of them."""
    text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="ascii", errors="replace").splitlines()[1:]
    except FileNotFoundError:
        return []


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
