"""Holds connections open: `python -m stanch.gameday.chaos.holder --address HOST:PORT --count N --for-s S --leave FILE`.

It prints how many it has, holds them until the file is there or its time is over, and never longer.
"""

import argparse
import socket
import sys
import time
from pathlib import Path
from typing import Final

_LOOK_EVERY_S: Final = 0.1
_CONNECT_S: Final = 2.0


def main() -> None:
    """Take connections and hold them."""
    parser = argparse.ArgumentParser(prog="holder", description=main.__doc__)
    parser.add_argument("--address", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--for-s", type=float, required=True)
    parser.add_argument("--leave", type=Path, required=True)
    given = parser.parse_args()
    until = time.monotonic() + given.for_s
    host, _, port = given.address.rpartition(":")
    held = _connect((host.strip("[]"), int(port)), given.count, given.leave)
    if not held:
        sys.exit(1)
    print(len(held), flush=True)  # noqa: T201  (whoever started it waits for this line)
    while time.monotonic() < until and not given.leave.exists():
        time.sleep(_LOOK_EVERY_S)
    for one in held:
        one.close()


def _connect(address: tuple[str, int], count: int, leave: Path) -> list[socket.socket]:
    """Return up to `count` connections; fewer where no more are taken, which is what was wanted."""
    held: list[socket.socket] = []
    while len(held) < count and not leave.exists():
        try:
            held.append(socket.create_connection(address, timeout=_CONNECT_S))
        except OSError:
            break
    return held


if __name__ == "__main__":
    main()
