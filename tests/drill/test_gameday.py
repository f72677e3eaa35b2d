"""A game day on the sample shop as its user plays it: one service stands still, it is noticed, it goes on."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.drill.test_drill import processes_of, stanch
from tests.support.servers import free_port

pytestmark = [
    pytest.mark.drill,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc"),
]

PATIENCE_S = 500.0
SCENARIO = """
title = "Payments stand still"
within_s = 240
[[steps]]
do = "pause"
target = "payments"
[expect]
hypothesis_s = 0
mitigate_s = 0
updates = false
detect_s = 3600
acknowledge_s = 0
"""


def until(holds: Callable[[], bool]) -> bool:
    """Wait until something holds, and tell whether it did."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.2)
    return holds()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give the state folder of a server that watches the sample shop."""
    home = tmp_path_factory.mktemp("gameday")
    process = stanch("gameday", "shop", "--port", str(free_port()), home=home)
    try:
        assert until((home / "stanch" / "server.json").exists)
        yield home
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def stanch_says(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "stanch", *words],
        env={**os.environ, "XDG_STATE_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def played(home: Path, *words: str) -> "tuple[subprocess.CompletedProcess[str], int]":
    """Play a game day, and tell how many incidents were dismissed before. It is refused while one is open, and a shop
    that starts on a busy machine is slow."""
    deadline, dismissed = time.monotonic() + PATIENCE_S, 0
    while True:
        ran = stanch_says(home, "gameday", "run", *words)
        found = re.search(r"(INC-\d+) is open on what it would touch", ran.stderr)
        if found is None or time.monotonic() > deadline:
            return ran, dismissed
        done = stanch_says(home, "incident", "dismiss", found.group(1), "--reason", "the shop starts")
        assert done.returncode == 0, done.stderr
        dismissed += 1


def test_it_is_noticed_and_taken_back(home: Path) -> None:
    """Detected from the log alone, and the process that stood still runs again."""
    shop = home / "stanch" / "gameday-shop" / "shop"
    (shop / "gamedays" / "still.toml").write_text(SCENARIO)
    pid = (shop / "run" / "payments.pid").read_text().strip()
    config = str(home / "stanch" / "gameday-shop" / "stanch.toml")
    ran, dismissed = played(home, "still", "-c", config, "--yes", "--until-settled", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    detected = next(one for one in told["marks"] if one["skill"] == "detect")

    assert ("held", dismissed + 1, True, True, []) == (
        detected["standing"],
        told["incident"],
        told["ended_at"] is not None,
        state != "T",
        [line for line in processes_of(home) if "chaos" in line],
    ), ran.stderr
