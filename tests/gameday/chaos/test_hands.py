"""The hands on tiny real processes, folders, sockets and servers: done, taken back, and twice does no harm."""

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from stanch.catalog.gamedays.model import Act, GameStep, Target, TargetKind
from stanch.gameday.chaos.hands import FILL, RealHands
from stanch.gameday.chaos.model import Deed
from stanch.gameday.chaos.processes import pid_in, started
from stanch.gameday.chaos.sentinel import start_sentinel
from stanch.kernel.errors import Refused, Unavailable

PATIENCE_S = 90.0


def until(holds: Callable[[], bool]) -> bool:
    """Wait until something holds, and tell whether it did."""
    deadline = time.monotonic() + PATIENCE_S
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    return holds()


def state_of(pid: int) -> str:
    """Return the letter that Linux gives a process: T is stopped, S sleeps."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@dataclass(frozen=True)
class Sleeper:
    """A process that does nothing, and its pid file."""

    process: "subprocess.Popen[bytes]"
    path: Path

    @property
    def target(self) -> Target:
        """Return it as a target."""
        return Target(name="sleeper", kind=TargetKind.PROCESS, pid_files=(str(self.path),), most_share=1.0)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Sleeper]:
    """Give a process that sleeps."""
    process = subprocess.Popen(["sleep", "600"])
    path = tmp_path / "sleeper.pid"
    path.write_text(f"{process.pid}\n")
    yield Sleeper(process, path)
    process.kill()
    process.wait()


@pytest.fixture
def hands(tmp_path: Path) -> RealHands:
    """Give hands with a folder of their own."""
    return RealHands(tmp_path)


def do(hands: RealHands, step: GameStep, target: Target) -> Deed:
    """Do a step on everything that is there."""
    deed = hands.mean(0, step, target, hands.instances(target), left_s=60)
    hands.act(step, target, deed, left_s=60)
    return deed


def take_back(hands: RealHands, deed: Deed) -> None:
    """Take a deed back, twice."""
    for one in reversed((*deed.undo, *deed.undo)):
        hands.undo(one)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_paused_process_goes_on(hands: RealHands, sleeper: Sleeper) -> None:
    """It stands still, and runs again."""
    pid = sleeper.process.pid
    deed = do(hands, GameStep(do=Act.PAUSE, target="sleeper"), sleeper.target)
    stood = until(lambda: state_of(pid) == "T")
    take_back(hands, deed)

    assert (True, True) == (stood, until(lambda: state_of(pid) == "S"))


def test_a_pid_file_that_is_no_text_names_nobody(tmp_path: Path) -> None:
    """What is taken back goes on past it."""
    path = tmp_path / "torn.pid"
    path.write_bytes(b"\xff\xfe12")

    assert pid_in(str(path)) is None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_process_that_came_since_is_not_paused(hands: RealHands, sleeper: Sleeper) -> None:
    """Nobody would let it go on: what is taken back is the one that was meant."""
    step = GameStep(do=Act.PAUSE, target="sleeper")
    meant = hands.mean(0, step, sleeper.target, [str(sleeper.path)], left_s=60.0)
    other = subprocess.Popen(["sleep", "600"])
    sleeper.process.kill()
    sleeper.process.wait()
    sleeper.path.write_text(f"{other.pid}\n")
    with pytest.raises(Unavailable):
        hands.act(step, sleeper.target, meant, left_s=60.0)
    state = state_of(other.pid)
    other.kill()
    other.wait()

    assert "T" != state


def test_a_killed_process_is_started_again(hands: RealHands, sleeper: Sleeper, tmp_path: Path) -> None:
    """By the command that the target declares, once: whoever lives is not started a second time."""
    starts = tmp_path / "starts"
    code = (
        "import pathlib, subprocess; p = subprocess.Popen(['sleep', '600'], start_new_session=True);"
        f"pathlib.Path({str(sleeper.path)!r}).write_text(str(p.pid)); open({str(starts)!r}, 'a').write('x')"
    )
    target = Target(
        name="sleeper",
        kind=TargetKind.PROCESS,
        pid_files=(str(sleeper.path),),
        start=(sys.executable, "-c", code),
        timeout_s=PATIENCE_S,
    )
    deed = do(hands, GameStep(do=Act.KILL, target="sleeper"), target)
    ended = sleeper.process.wait(PATIENCE_S)
    take_back(hands, deed)
    again = pid_in(str(sleeper.path))
    assert again is not None
    os.kill(again, signal.SIGKILL)

    assert (-signal.SIGKILL, "x") == (ended, starts.read_text())


def test_another_process_of_the_same_id_is_left_alone(sleeper: Sleeper) -> None:
    """Who is resumed is who was paused: the start is remembered with the id."""
    assert started(sleeper.process.pid) not in ("", started(os.getpid() + 10_000_000))


def test_its_own_process_is_refused(hands: RealHands, tmp_path: Path) -> None:
    """A game day does not end itself."""
    path = tmp_path / "own.pid"
    path.write_text(str(os.getpid()))
    target = Target(name="own", kind=TargetKind.PROCESS, pid_files=(str(path),))
    with pytest.raises(Refused) as refused:
        do(hands, GameStep(do=Act.PAUSE, target="own"), target)

    assert "own_process" == refused.value.reason


def test_a_folder_is_filled_and_emptied(hands: RealHands, tmp_path: Path) -> None:
    """With one file of the size that was asked for."""
    target = Target(name="disk", kind=TargetKind.FOLDER, folder=str(tmp_path), most_bytes=3_000_000, keep_free_bytes=0)
    deed = do(hands, GameStep(do=Act.FILL, target="disk", bytes=2_500_000), target)
    size = (tmp_path / FILL).stat().st_size
    take_back(hands, deed)

    assert (2_500_000, False) == (size, (tmp_path / FILL).exists())


@pytest.mark.parametrize(("most_bytes", "keep_free_bytes"), [(1_000, 0), (10_000, 10**18)])
def test_a_disk_is_never_fuller_than_allowed(
    hands: RealHands, tmp_path: Path, most_bytes: int, keep_free_bytes: int
) -> None:
    """Neither above the target's bound, nor into what must stay free."""
    target = Target(
        name="disk",
        kind=TargetKind.FOLDER,
        folder=str(tmp_path),
        most_bytes=most_bytes,
        keep_free_bytes=keep_free_bytes,
    )
    with pytest.raises(Refused):
        do(hands, GameStep(do=Act.FILL, target="disk", bytes=5_000), target)

    assert not (tmp_path / FILL).exists()


def test_connections_are_held_and_given_back(hands: RealHands, tmp_path: Path) -> None:
    """As many as were asked for; each is closed when they are to be left."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_S)
        port = server.getsockname()[1]
        target = Target(name="server", kind=TargetKind.ADDRESS, address=f"127.0.0.1:{port}", most_connections=3)
        deed = do(hands, GameStep(do=Act.EXHAUST, target="server", connections=3), target)
        held = [server.accept()[0] for _ in range(3)]
        take_back(hands, deed)
        for one in held:
            one.settimeout(PATIENCE_S)
        ends = [one.recv(1) for one in held]
        for one in held:
            one.close()

    assert [b"", b"", b""] == ends


def test_a_command_is_run_and_its_undo(hands: RealHands, tmp_path: Path) -> None:
    """Without a shell; where it fails, it is said."""
    flag = str(tmp_path / "flag")
    target = Target(name="flag", kind=TargetKind.COMMAND, do=("touch", flag), undo=("rm", "-f", flag))
    deed = do(hands, GameStep(do=Act.RUN, target="flag"), target)
    was_there = Path(flag).exists()
    take_back(hands, deed)

    assert (True, False) == (was_there, Path(flag).exists())


def test_a_command_that_fails_is_said(hands: RealHands) -> None:
    """With its last words."""
    target = Target(name="no", kind=TargetKind.COMMAND, do=("sh", "-c", "echo no such thing >&2; exit 3"), lasting="x")
    with pytest.raises(Unavailable) as unavailable:
        do(hands, GameStep(do=Act.RUN, target="no"), target)

    assert unavailable.value.message.endswith("ended with 3: no such thing")


def test_a_pod_is_deleted(hands: RealHands, tmp_path: Path) -> None:
    """The pods that match are the instances; kubectl is asked in the context and namespace that are declared."""
    log, program = tmp_path / "asked", tmp_path / "kubectl"
    program.write_text(f'#!/bin/sh\necho "$@" >> {log}\ncase "$*" in *get*) echo pod/a; echo pod/b;; esac\n')
    program.chmod(0o755)
    target = Target(
        name="pods", kind=TargetKind.PODS, kubectl=str(program), context="test", namespace="shop", selector="app=pay"
    )
    deed = hands.mean(0, GameStep(do=Act.KILL, target="pods"), target, hands.instances(target)[:1], left_s=60)
    hands.act(GameStep(do=Act.KILL, target="pods"), target, deed, left_s=60)

    assert [
        "--context test --namespace shop get pods -l app=pay -o name",
        "--context test --namespace shop delete pod/a --wait=false",
    ] == log.read_text().splitlines()


@dataclass
class Toxic:
    """A server in the shape of Toxiproxy's API that keeps what it is asked."""

    url: str = ""
    asked: list[tuple[str, str, str]] = field(default_factory=list)


@pytest.fixture
def toxic() -> Iterator[Toxic]:
    """Give such a server; what is deleted a second time is not found."""
    found = Toxic()

    class Handler(http.server.BaseHTTPRequestHandler):
        """Keeps what it is asked."""

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            gone = self.command == "DELETE" and any(one[0] == "DELETE" for one in found.asked)
            found.asked.append((self.command, self.path, body))
            self.send_response(404 if gone else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_POST = do_DELETE = _answer

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


def test_toxiproxy_is_told_of_latency(hands: RealHands, toxic: Toxic) -> None:
    """A toxic of our own name is added and deleted; one that is gone is no failure."""
    target = Target(name="far", kind=TargetKind.TOXIPROXY, control=toxic.url, proxy="pay")
    take_back(hands, do(hands, GameStep(do=Act.DELAY, target="far", delay_ms=250), target))

    assert [
        ("POST", "/proxies/pay/toxics", True),
        ("DELETE", "/proxies/pay/toxics/stanch-gameday", False),
        ("DELETE", "/proxies/pay/toxics/stanch-gameday", False),
    ] == [(method, path, '"latency": 250' in body) for method, path, body in toxic.asked]


PLAYER = """
import sys, time
from pathlib import Path
from stanch.catalog.gamedays.model import Act, GameStep, Scenario, Target, TargetKind
from stanch.gameday.chaos.hands import RealHands
from stanch.gameday.chaos.journal import Journal
from stanch.gameday.chaos.runner import Runner
from stanch.gameday.chaos.sentinel import start_sentinel
from stanch.kernel.clock import SystemClock
folder, pid = Path(sys.argv[1]), sys.argv[2]
folder.mkdir()
if sys.argv[3] == "watched":
    sentinel = start_sentinel(folder, within_s=600)
target = Target(name="t", kind=TargetKind.PROCESS, pid_files=(pid,), most_share=1.0)
steps = (GameStep(do=Act.PAUSE, target="t"),)
Runner(scenario=Scenario(name="s", title="s", steps=steps, within_s=600), targets={"t": target},
       journal=Journal(folder), hands=RealHands(folder), clock=SystemClock(), wait=time.sleep, stop=lambda: "",
       narrate=lambda words: print(words, flush=True)).play()
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
def test_a_player_that_is_killed_leaves_nothing_broken(sleeper: Sleeper, tmp_path: Path) -> None:
    """kill -9: whoever watches it takes everything back."""
    pid = sleeper.process.pid
    words = [sys.executable, "-c", PLAYER, str(tmp_path / "run"), str(sleeper.path), "watched"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as player:
        assert player.stdout is not None
        said = player.stdout.readline()
        stood = until(lambda: state_of(pid) == "T")
        player.kill()

    assert (b"Done: pause t: sleeper.pid\n", True, True) == (said, stood, until(lambda: state_of(pid) == "S"))


def test_a_sentinel_ends_with_a_player_that_ended_well(tmp_path: Path) -> None:
    """Nothing is left to do, and nothing is left running."""
    sentinel = start_sentinel(tmp_path, within_s=600)
    sentinel.communicate(timeout=PATIENCE_S)

    assert 0 == sentinel.returncode
