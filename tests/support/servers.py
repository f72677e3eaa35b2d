"""Real servers that a test starts for itself, on a port of its own, and ends."""

import itertools
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_WITHIN_S: Final = 40.0


# Below what systems hand out by themselves (Linux from 32,768 on): nobody who asks for any port, to listen or to call
# from, gets one of these between the choice and the bind.
_PORTS: Final = range(20_000, 32_000)


def _own_ports() -> Iterator[int]:
    """Give the ports of this worker over and over; two runs on one machine begin at different ones."""
    worker, workers = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    own = _PORTS[int(worker.removeprefix("gw")) :: int(workers)]
    return itertools.islice(itertools.cycle(own), os.getpid() * 61 % len(own), None)


_OWN: Final = _own_ports()


def free_port() -> int:
    """Return a port on which nobody listens, another one each time."""
    return next(port for port in _OWN if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


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
