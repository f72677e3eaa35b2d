"""One service's process: start, stop, and start again after a crash, later each time it happens again.

Everything runs in the main thread of the supervisor: the parent-death signal of a process follows the thread that
started it.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from stanch.gameday.shop.places import Places
from stanch.gameday.shop.record import ChangeKind, log_line, record_change

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 4.0
# A process that lived this long is well again: the next crash counts as the first.
STEADY_AFTER_S = 20.0
# The services let requests finish for 3 s after SIGTERM.
KILL_AFTER_S = 4.0
MEMORY_LIMIT_BYTES = 320 * 2**20
OUTPUT_TAIL_BYTES = 2000


class Unit:
    """The process of one service."""

    def __init__(self, name: str, *, places: Places, release: Callable[[], str]) -> None:
        self.name = name
        self.restarts = 0
        self._places = places
        self._release = release
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._crashes_in_a_row = 0
        self._start_at: float | None = None

    @property
    def pid(self) -> int | None:
        """The process id, or None while there is no process."""
        return self._process.pid if self._process is not None else None

    @property
    def up(self) -> bool:
        """Whether the process runs at this moment."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process from the release it is at."""
        self._start_at = None
        release = self._places.release(self.name, self._release())
        python = sys.executable
        launcher = [python, "-I", "-S", str(Path(__file__).with_name("launch.py")), str(os.getpid())]
        service = [python, "-E", "-S", "-m", self.name, str(self._places.settings(self.name))]
        with self._places.output(self.name).open("wb") as output:
            self._process = subprocess.Popen(
                [*launcher, *service],
                cwd=release,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._places.pid(self.name).write_text(f"{self._process.pid}\n", encoding="utf-8")
        self._started_at = time.monotonic()

    async def stop(self) -> None:
        """Stop the process, at first politely, and forget a planned start."""
        process, self._process, self._start_at = self._process, None, None
        self._crashes_in_a_row = 0
        if process is None:
            return
        process.terminate()
        kill_at = time.monotonic() + KILL_AFTER_S
        while process.poll() is None:
            if time.monotonic() >= kill_at:
                process.kill()
            await asyncio.sleep(0.02)
        _close_input(process)

    def tend(self) -> None:
        """Notice a crash, start a crashed process whose time has come, stop one that takes too much memory."""
        process = self._process
        if process is not None and process.poll() is not None:
            self._crashed(process)
        elif process is not None and _resident_bytes(process.pid) > MEMORY_LIMIT_BYTES:
            limit_mib = MEMORY_LIMIT_BYTES // 2**20
            self._log("error", f"process killed: it takes more than its {limit_mib} MiB of memory")
            process.kill()
        elif self._start_at is not None and time.monotonic() >= self._start_at:
            self.start()
            self.restarts += 1
            self._log("warning", "process started again", pid=self.pid, restarts=self.restarts)

    def _crashed(self, process: subprocess.Popen[bytes]) -> None:
        self._process = None
        _close_input(process)
        uptime_s = time.monotonic() - self._started_at
        self._crashes_in_a_row = 1 if uptime_s > STEADY_AFTER_S else self._crashes_in_a_row + 1
        # 0.5 s, 1 s, 2 s, 4 s, 4 s, ...
        backoff_s = min(FIRST_BACKOFF_S * 2 ** (self._crashes_in_a_row - 1), LONGEST_BACKOFF_S)
        self._start_at = time.monotonic() + backoff_s
        code = process.returncode
        how = f"exited with code {code}" if code >= 0 else f"was ended by signal {-code}"
        output = self._places.output(self.name).read_bytes()[-OUTPUT_TAIL_BYTES:].decode(errors="replace")
        self._log(
            "error",
            f"process {how} after {uptime_s:.1f} s",
            exit_code=code,
            uptime_s=round(uptime_s, 1),
            next_start_in_s=backoff_s,
            output=output,
        )
        record_change(
            self._places.deploys,
            kind=ChangeKind.RESTART,
            service=self.name,
            before=None,
            after=self._release(),
            commit=None,
            actor="supervisor",
            note=f"process {how}, started again after {backoff_s:g} s",
        )

    def _log(self, level: str, message: str, **fields: object) -> None:
        version = self._release()
        for path in (self._places.log(self.name), self._places.supervisor_log):
            log_line(path, level=level, service=self.name, message=message, version=version, **fields)


def _close_input(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _resident_bytes(pid: int) -> int:
    """Return the resident memory of a process; 0 where there is no /proc, which means no limit there."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (FileNotFoundError, ProcessLookupError):
        return 0
