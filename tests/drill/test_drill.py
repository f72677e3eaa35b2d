"""The drill as its user starts it: real processes, a real fault, nobody tells Stanch, and nothing is left running."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from stanch.app.wiring import PROJECTORS
from stanch.incidents.folding import fold_all
from stanch.incidents.state import IncidentState
from stanch.store import Store
from tests.support.servers import free_port

pytestmark = [pytest.mark.drill, pytest.mark.slow, pytest.mark.timeout(900)]

_BASELINE_S: Final = 12
_LONGEST_S: Final = 400
_UNAVAILABLE: Final = 8
# Two folders, each with drills one after the other: so each second one is a second run on what the first left.
_TURNS: Final = (("bad-deploy", "crash-loop"), ("connection-leak", "slow-dependency", "locked-ledger"))
_FAULTS: Final = tuple(fault for turn in _TURNS for fault in turn)
_KEYS: Final = (
    "incident",
    "severity",
    "detected_after_s",
    "declared_after_s",
    "proposed_after_s",
    "top_hypothesis",
    "mitigation",
    "verified",
    "resolved_after_s",
    "postmortem",
)


@dataclass(frozen=True, kw_only=True)
class Drilled:
    """How a drill ended: exit code, what it printed, the post-mortem it left, what the log says, who still runs."""

    code: int
    out: str
    err: str
    postmortem: str
    seqs: frozenset[int]
    state: IncidentState | None
    left_running: list[str]

    @property
    def told(self) -> dict[str, object]:
        """Return the JSON object that was printed last."""
        assert self.out, self.err
        told: dict[str, object] = json.loads(self.out.splitlines()[-1])
        return told

    def part(self, name: str) -> dict[str, object]:
        """Return an object of the JSON object."""
        found = self.told[name]
        assert isinstance(found, dict), self.err
        return found


def stanch(*arguments: str, home: Path) -> "subprocess.Popen[str]":
    """Start `stanch` with its state in `home`."""
    return subprocess.Popen(
        [sys.executable, "-m", "stanch", *arguments],
        env={**os.environ, "XDG_STATE_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def processes_of(home: Path) -> list[str]:
    """Return the command lines of all processes that work in `home`."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(home) in line:
            found.append(line)
    return found


def drill(fault: str, *more: str, home: Path) -> Drilled:
    """Run one drill to its end and return how it went; `more` are further words for it."""
    words = ("run", "--auto", "--exit", "--json", "--fault", fault, "--baseline", str(_BASELINE_S), *more)
    process = stanch(*words, "--port", str(free_port()), home=home)
    try:
        out, err = process.communicate(timeout=_LONGEST_S)
    except subprocess.TimeoutExpired:
        process.terminate()
        out, err = process.communicate(timeout=60)
    left = processes_of(home)
    place = home / "stanch" / "drill"
    database = place / "stanch.db"
    written = place / "postmortem-INC-1.md"
    events = []
    if database.exists():
        store = Store(database, projectors=PROJECTORS)
        with store.reading() as view:
            events = view.events(incident=1)
        store.close()
    return Drilled(
        code=process.returncode,
        out=out,
        err=err,
        postmortem=written.read_text(encoding="utf-8") if written.exists() else "",
        seqs=frozenset(event.seq for event in events),
        state=fold_all(events),
        left_running=left,
    )


@pytest.fixture(scope="module")
def drills(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Drilled]:
    """Give how each drill went; two run at a time."""

    def turn(faults: tuple[str, ...]) -> dict[str, Drilled]:
        home = tmp_path_factory.mktemp("drill")
        return {fault: drill(fault, home=home) for fault in faults}

    with ThreadPoolExecutor(len(_TURNS)) as pool:
        return {fault: found for turns in pool.map(turn, _TURNS) for fault, found in turns.items()}


@pytest.fixture(params=_FAULTS)
def drilled(request: pytest.FixtureRequest, drills: dict[str, Drilled]) -> Drilled:
    """Give how one drill went, for each fault."""
    return drills[request.param]


def test_it_comes_to_its_end(drilled: Drilled) -> None:
    """Exit code 0; the last words on standard error are for whoever reads a failure here."""
    assert (0, "Resolved") == (drilled.code, drilled.err.splitlines()[-1][:8]), drilled.err


def test_it_prints_one_object(drilled: Drilled) -> None:
    """Standard output is one line of JSON with at least the promised keys."""
    assert (1, []) == (len(drilled.out.splitlines()), [key for key in _KEYS if key not in drilled.told])


def test_it_is_verified_and_approved_by_a_person(drilled: Drilled) -> None:
    """The plan ran on the word of the drill's approver, and the recovery was watched."""
    assert (True, "drill-approver") == (drilled.told["verified"], drilled.part("mitigation")["approved_by"])


def test_times_are_in_order(drilled: Drilled) -> None:
    """Broken, detected, declared, proposed, resolved."""
    names = ("detected_after_s", "declared_after_s", "proposed_after_s", "resolved_after_s")
    times = [float(str(drilled.told[name])) for name in names]

    assert [0.0, *sorted(times)] == [0.0, *times]


def test_there_is_one_incident(drilled: Drilled) -> None:
    """One fault is one incident, resolved without force, in a log that begins with this run."""
    state = drilled.state
    assert state is not None

    assert ("INC-1", "resolved", False) == (
        drilled.told["incident"],
        state.status.value,
        state.resolution is None or state.resolution.forced,
    )


def test_every_link_of_the_postmortem_leads_to_an_event(drilled: Drilled) -> None:
    """What the post-mortem says can be looked up in the log."""
    links = [int(seq) for seq in re.findall(r"/i/1#e-(\d+)", drilled.postmortem)]

    assert (True, []) == (len(links) > 10, [seq for seq in links if seq not in drilled.seqs])


def test_no_process_is_left(drilled: Drilled) -> None:
    """Server, shop, customers and what they started have stopped."""
    assert [] == drilled.left_running


def test_a_bad_deploy_is_rolled_back(drills: dict[str, Drilled]) -> None:
    """Payments v3.2.1 comes first, with the commit and the line of the stack trace."""
    top = drills["bad-deploy"].part("top_hypothesis")

    assert ("bad_deploy", "payments", "payments v3.2.1", 40, "payments/validation.py", "rollback") == (
        top["kind"],
        top["service"],
        top["change"],
        len(str(top["commit"])),
        str(top["culprit"]).partition(":")[0],
        drills["bad-deploy"].part("mitigation")["kind"],
    )


def test_a_slow_dependency_is_no_reason_to_roll_back(drills: dict[str, Drilled]) -> None:
    """There is no deploy to blame: the acquirer is named, and payments stops waiting for it."""
    top = drills["slow-dependency"].part("top_hypothesis")

    assert ("dependency_slow", "acquirer", "", "circuit_breaker") == (
        top["kind"],
        top["target"],
        top["change"],
        drills["slow-dependency"].part("mitigation")["kind"],
    )


def test_a_connection_leak_is_freed(drills: dict[str, Drilled]) -> None:
    """A pool that fills up little by little is a leak, not a change; a restart frees it."""
    top = drills["connection-leak"].part("top_hypothesis")

    assert ("connection_leak", "payments", "", "restart") == (
        top["kind"],
        top["service"],
        top["change"],
        drills["connection-leak"].part("mitigation")["kind"],
    )


def test_a_crash_loop_is_its_configuration(drills: dict[str, Drilled]) -> None:
    """The configuration that came before it is to blame and goes back; not the code that exits."""
    top = drills["crash-loop"].part("top_hypothesis")

    assert ("bad_config", "payments", "payments c42", "rollback_config") == (
        top["kind"],
        top["service"],
        top["change"],
        drills["crash-loop"].part("mitigation")["kind"],
    )


def test_who_holds_the_lock_is_ended(drills: dict[str, Drilled]) -> None:
    """Nobody deployed anything: payments waits for a lock, the evidence names who holds it, and that process ends."""
    top = drills["locked-ledger"].part("top_hypothesis")
    state = drills["locked-ledger"].state
    assert state is not None

    assert ("lock_contention", "payments", "", "kill_queries", True) == (
        top["kind"],
        top["service"],
        top["change"],
        drills["locked-ledger"].part("mitigation")["kind"],
        any("gameday.shop.reconciliation" in one.text for one in state.hypotheses[0].evidence_for),
    )


@contextmanager
def taken_port() -> Iterator[int]:
    """Give a port that somebody listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize("words", [("--auto", "--exit"), ("--no-drill",)])
def test_a_taken_port_is_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Which port, and what to do; with an exit code of its own, and before anything is started."""
    with taken_port() as port:
        process = stanch("run", *words, "--port", str(port), home=tmp_path)
        _, err = process.communicate(timeout=60)

    assert (_UNAVAILABLE, True, True, False) == (
        process.returncode,
        f"port {port} on 127.0.0.1 is taken" in err,
        f"--port {port + 1}" in err,
        (tmp_path / "stanch" / "drill").exists(),
    )


def until(look: Callable[[], object], *, within_s: float) -> None:
    """Wait until `look` finds something. Raises AssertionError when it does not in time."""
    deadline = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < deadline, f"not within {within_s} s"
        time.sleep(0.1)


def test_the_server_alone_serves_and_stops(tmp_path: Path) -> None:
    """Without the drill it says where it is, answers, and ends well when it is told to."""
    process = stanch("run", "--no-drill", "--port", str(free_port()), home=tmp_path)
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    with urllib.request.urlopen(f"{url}/api/v1/incident/overview", timeout=30) as answer:  # noqa: S310  (loopback)
        overview = json.load(answer)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)

    assert (0, [], "", []) == (process.returncode, overview["incidents"], err, processes_of(tmp_path))


def test_a_drill_that_is_ended_takes_everything_with_it(tmp_path: Path) -> None:
    """Told to stop while it learns what is normal, it stops the shop too, and does not end well."""
    process = stanch("run", "--auto", "--exit", "--port", str(free_port()), home=tmp_path)
    until((tmp_path / "stanch" / "server.json").exists, within_s=120)
    running = len(processes_of(tmp_path))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=90)

    assert (True, True, []) == (running > 3, process.returncode != 0, processes_of(tmp_path))
