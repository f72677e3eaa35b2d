"""Processes by their ids, told apart from others that got the same id later."""

import os
import subprocess
from pathlib import Path

from stanch.kernel.errors import Refused


def pid_in(path: str) -> int | None:
    """Return the process id in the first line of a file, None where there is no such file or process."""
    try:
        words = Path(path).read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return None
    if not words or not words[0].isascii() or not words[0].isdigit():
        return None
    pid = int(words[0])
    return pid if pid > 1 and started(pid) else None


def started(pid: int) -> str:
    """Return what tells this process from a later one of the same id: when it was started; empty when it is gone."""
    if Path("/proc/self/stat").exists():
        try:
            # The name in brackets may hold blanks; field 22 is the start in clock ticks, see proc(5).
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    asked = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def check_not_own(pid: int) -> None:
    """Raise `Refused` for this process and those it lives by."""
    if pid in (os.getpid(), os.getppid(), os.getsid(0)):
        raise Refused(f"process {pid} is the one that plays the game day", reason="own_process")
