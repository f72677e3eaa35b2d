"""Real servers that a test starts for itself, on a port of its own, and ends."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_WITHIN_S: Final = 40.0


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(argv: Sequence[str], *, folder: Path, is_ready: Callable[[], bool]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a server until the block is left; fails with what it printed when it does not get ready."""
    log = folder / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(argv, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    try:
        deadline = time.monotonic() + _WITHIN_S
        while not is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"{argv[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listens(port: int) -> Callable[[], bool]:
    """Return a look whether somebody listens on a port."""

    def look() -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", port)) == 0

    return look


def until(look: Callable[[], bool], *, within_s: float = 20.0, every_s: float = 0.05) -> None:
    """Wait for something that a real process does; fails when it does not come."""
    deadline = time.monotonic() + within_s
    while not look():
        if time.monotonic() > deadline:
            raise AssertionError(f"it did not come about within {within_s:g} s")
        time.sleep(every_s)
