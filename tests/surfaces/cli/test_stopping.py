"""A server that is told to stop stops, whichever of its threads the system tells."""

import ctypes
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.surfaces.cli.terminal import STANCH, Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which threads a process has"),
]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_any_thread_stops_it(number: signal.Signals, terminal: Terminal) -> None:
    """A thread that starts another takes a signal that was meant for all; the main thread is not woken by that."""
    server = subprocess.Popen(
        [*STANCH, "serve", "--port", "0"],
        cwd=terminal.folder,
        env=terminal.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        server.stdout.readline()
        while not _sleeps(server.pid):
            pass
        another = max(int(one.name) for one in Path(f"/proc/{server.pid}/task").iterdir())

        ctypes.CDLL(None).tgkill(server.pid, another, int(number))

        assert server.wait(20) == 0
    finally:
        server.kill()
        server.wait()
        server.stdout.close()  # type: ignore[union-attr]  # it is a pipe


def _sleeps(pid: int) -> bool:
    """Tell whether the main thread of a process waits (proc_pid_stat(5): the field after the name)."""
    return Path(f"/proc/{pid}/task/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "S"
