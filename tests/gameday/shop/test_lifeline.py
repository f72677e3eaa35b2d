"""Nothing of the shop outlives whoever started it, however that one ends."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from stanch.gameday.shop.shop import Shop

pytestmark = pytest.mark.drill

Until = Callable[[Callable[[], object]], None]

STARTER = """
import json, sys, time
from pathlib import Path
from stanch.gameday.shop.shop import Shop
shop = Shop.start(Path(sys.argv[1]), rate=10)
print(json.dumps(shop.processes()), flush=True)
time.sleep(60)
"""


def alive(pids: Iterable[int]) -> list[int]:
    """Return the processes that still run; one that has ended and was not yet collected does not count."""
    return [pid for pid in pids if _state(pid) not in (None, "Z")]


def _state(pid: int) -> str | None:
    if Path("/proc/self/stat").exists():
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return None
    done = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()[:1] or None


def test_stop(tmp_path: Path) -> None:
    """After stop no process is left, and the ports can be bound at once."""
    shop = Shop.start(tmp_path, rate=10)
    pids = shop.processes()

    shop.stop()

    assert 6 == len(pids)
    assert [] == alive(pids.values())
    shop.ports.check_free()


def test_second_run_in_the_same_folder(tmp_path: Path) -> None:
    """A folder that held a shop takes a new one, on the same ports."""
    with Shop.start(tmp_path, rate=0) as first:
        first.deploys_path.write_text("not a record")
    with Shop.start(tmp_path, rate=0, ports=first.ports) as second:
        assert 4 == len(second.deploys_path.read_text().splitlines())


def test_starter_is_killed(tmp_path: Path, until: Until) -> None:
    """When the process that started the shop is killed without warning, all others end."""
    starter = subprocess.Popen([sys.executable, "-c", STARTER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert starter.stdout is not None
    pids = [int(number) for number in "".join(c if c.isdigit() else " " for c in starter.stdout.readline()).split()]

    starter.send_signal(signal.SIGKILL)
    starter.wait()
    starter.stdout.close()

    assert 6 == len(pids)
    until(lambda: not alive(pids))


def test_supervisor_is_killed(tmp_path: Path, until: Until) -> None:
    """When the supervisor is killed, its services end with it."""
    with Shop.start(tmp_path, rate=0) as shop:
        pids = shop.processes()
        os.kill(pids["supervisor"], signal.SIGKILL)

        until(lambda: [pids["acquirer"]] == alive(pids.values()))


def test_starting_thread_ends(tmp_path: Path) -> None:
    """The shop lives as long as the process that started it, not as the thread: Linux would tell them apart."""
    started: list[Shop] = []
    thread = threading.Thread(target=lambda: started.append(Shop.start(tmp_path, rate=0)))
    thread.start()
    thread.join()

    with started[0] as shop:
        pids = shop.processes()
        assert 5 == len(alive(pids.values()))


def test_killed_service_comes_back(tmp_path: Path, until: Until) -> None:
    """A service that is killed is started again and the crash stands in its log."""
    with Shop.start(tmp_path, rate=0) as shop:
        os.kill(shop.processes()["checkout"], signal.SIGKILL)
        until(lambda: "was ended by signal 9" in shop.log_path("checkout").read_text())

        until(shop.is_healthy)
