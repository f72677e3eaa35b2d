"""Starts a service of the shop: `python -I -S launch.py PARENT_PID PROGRAM ARGUMENT...`.

It asks Linux to kill the process when its parent ends, and becomes the program. It runs as a file of its own and
imports nothing of Stanch, so that it costs a service a few milliseconds only.
"""

import ctypes
import os
import signal
import sys

# From <linux/prctl.h>; the setting survives an exec.
PR_SET_PDEATHSIG = 1


def main() -> None:
    """Tie the process to its parent and become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:
            # The parent ended before the tie was made.
            sys.exit(1)
    os.execv(program[0], program)  # noqa: S606  (becoming the given program is what this file is for)


if __name__ == "__main__":
    main()
