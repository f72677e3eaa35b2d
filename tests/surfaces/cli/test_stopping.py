"""A server that is told to stop stops, whichever of its threads the system tells."""

import ctypes
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stanch.integrations.sqlite.processes import sleeps
from tests.support.servers import until
from tests.surfaces.cli.terminal import WITHIN_S, Terminal, started

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux says which threads a process has"),
]


def test_a_signal_to_any_thread_stops_it(terminal: Terminal) -> None:
    """A thread that starts another takes a signal that was meant for all; the main thread is not woken by that."""
    with started(terminal) as (server, _):
        until(lambda: sleeps(server.pid))
        told = tell_another_thread(server.pid, signal.SIGTERM)

        assert (True, 0) == (told, server.wait(WITHIN_S))


def test_what_outlives_its_terminal_outlives_it(terminal: Terminal) -> None:
    """`nohup` has SIGHUP ignored: that the terminal closes ends nothing then."""
    with started(terminal, before=("nohup",)) as (server, _):
        assert _ignores(server.pid, signal.SIGHUP)


def test_the_clean_up_is_not_broken_off_by_another() -> None:
    """A terminal that closes may send two: the second finds nobody who would end the clean-up."""
    twice = """
import os, signal
from stanch.app.ending import interrupt, on_signals
with on_signals(interrupt, signal.SIGTERM, signal.SIGUSR1):
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        raise SystemExit("not interrupted")
    except KeyboardInterrupt:
        os.kill(os.getpid(), signal.SIGUSR1)
        print("cleaned up")
"""
    ended = subprocess.run([sys.executable, "-c", twice], capture_output=True, text=True, check=False, timeout=60)

    assert (0, "cleaned up\n", "") == (ended.returncode, ended.stdout, ended.stderr)


def tell_another_thread(pid: int, number: signal.Signals) -> bool:
    """Send a signal to one thread that is not the main one, and tell whether any took it: a thread may have ended."""
    others = (int(one.name) for one in Path(f"/proc/{pid}/task").iterdir() if one.name != str(pid))
    return any(ctypes.CDLL(None).tgkill(pid, other, int(number)) == 0 for other in others)


def _ignores(pid: int, number: signal.Signals) -> bool:
    """Tell whether a process ignores a signal (proc_pid_status(5): a bit for each, the first is signal 1)."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    (mask,) = [int(line.split()[1], 16) for line in lines if line.startswith("SigIgn:")]
    return bool(mask >> (number - 1) & 1)
