"""Real servers that a test starts for itself, on a port of its own, and ends."""

import contextlib
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_WITHIN_S: Final = 40.0
# Above the ports that servers have by themselves.
_LOWEST_PORT: Final = 20_000


def free_port() -> int:
    """Return a port on which nobody listens, and that the kernel gives to nobody who asks for any.

    A server takes a second until it listens, and the other worker's tests open ports all the time: one of those that
    the kernel gives away may be somebody else's by then.
    """
    own = range(_LOWEST_PORT, _lowest_given_away())
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", secrets.choice(own) if own else 0))
            return int(probe.getsockname()[1])


def _lowest_given_away() -> int:
    """Return where the ports begin of which the kernel gives one to whoever asks for any; 0 where it does not say."""
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


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
