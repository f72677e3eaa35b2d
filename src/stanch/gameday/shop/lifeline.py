"""Ties a process of the shop to the one that started it, so that no orphan remains however that one ends.

Two ties, each enough on its own: standard input, which the starter holds open and which ends with it on every system,
and on Linux the parent-death signal, which also works when somebody else inherited the other end of standard input.
"""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

# From <linux/prctl.h>.
PR_SET_PDEATHSIG = 1
STANDARD_INPUT = 0


def signal_when_parent_dies(number: signal.Signals) -> None:
    """Ask Linux to send this process a signal when its parent ends; do nothing on other systems.

    Linux sends it when the *thread* that started the process ends, see prctl(2). The setting survives an exec.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def hold(*, on_line: Callable[[str], None], on_gone: Callable[[], None]) -> None:
    """Call `on_gone` when the starter of this process has ended, and `on_line` for each line it sends before.

    `on_line` runs in a thread of its own, `on_gone` there or in the main thread; it may be called twice.
    """
    starter = os.getppid()

    def parent_signal(_number: int, _frame: FrameType | None) -> None:
        # The thread that started us may have ended while its process lives on; then we go on too.
        if os.getppid() != starter:
            on_gone()

    signal.signal(signal.SIGUSR1, parent_signal)
    signal_when_parent_dies(signal.SIGUSR1)
    threading.Thread(target=_read_input, args=(on_line, on_gone), daemon=True).start()


def _read_input(on_line: Callable[[str], None], on_gone: Callable[[], None]) -> None:
    # Not sys.stdin: a thread that waits inside its buffer would keep the interpreter from shutting down.
    rest = b""
    while chunk := os.read(STANDARD_INPUT, 65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            on_line(line.decode())
    on_gone()
