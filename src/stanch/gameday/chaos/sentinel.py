"""Watches whoever plays a game day: `python -m stanch.gameday.chaos.sentinel FOLDER SECONDS`.

It takes everything back as soon as standard input closes, which is when the player ended however it ended, or when the
time is over, even where the player hangs. It runs in a session of its own, so that what ends the player spares it.
"""

import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from stanch.gameday.chaos.hands import RealHands
from stanch.gameday.chaos.journal import Journal
from stanch.gameday.chaos.runner import take_back
from stanch.kernel.clock import SystemClock

DIED: Final = "player_died"
OVER: Final = "time_over"
# The player ends by itself on time; this is for one that does not.
_LATER_S: Final = 5.0


def start_sentinel(folder: Path, *, within_s: float) -> "subprocess.Popen[bytes]":
    """Start a sentinel for the game day in `folder`; it acts when its standard input is closed."""
    with (folder / "sentinel.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "stanch.gameday.chaos.sentinel", str(folder), str(within_s + _LATER_S)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def main() -> None:
    """Wait for the end, then take back what is left."""
    folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
    until = time.monotonic() + seconds
    reason = OVER
    while (left_s := until - time.monotonic()) > 0:
        ready, _, _ = select.select([sys.stdin.fileno()], [], [], left_s)
        if ready:
            reason = DIED
            break
    take_back(Journal(folder), RealHands(folder), clock=SystemClock(), reason=reason)


if __name__ == "__main__":
    main()
