"""A process that is killed at any step of an incident loses nothing that it answered for, and repeats nothing."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Final

import psycopg
import pytest
from psycopg import sql

from tests.chaos.story import Scene

# One worker plays all of it: the fixtures below live as long as their worker.
pytestmark = [pytest.mark.xdist_group("chaos"), pytest.mark.slow, pytest.mark.timeout(900)]

_AT_ONCE: Final = 2
_POSTGRES_EVERY: Final = 5
"""On PostgreSQL every fifth commit is deadly, on SQLite each: what differs between the two is when a commit is one."""
_ROOT: Final = Path(__file__).parents[2]

Answer = dict[str, object]


class Room(ThreadingHTTPServer):
    """The far side of the webhook: takes every message and remembers its path, key and body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self._heard: dict[str, list[tuple[str, bytes]]] = {}
        self._lock = threading.Lock()

    def url(self, name: str) -> str:
        """Return the URL of one story's room."""
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def take(self, url: str, key: str, body: bytes) -> None:
        """Keep one message."""
        with self._lock:
            self._heard.setdefault(url, []).append((key, body))

    def heard(self, url: str) -> list[tuple[str, bytes]]:
        """Return key and body of every message that came to `url`, in order."""
        with self._lock:
            return list(self._heard.get(url, ()))


class _Take(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert isinstance(self.server, Room)
        self.server.take(self.server.url(self.path.strip("/")), self.headers["Idempotency-Key"], body)
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One death and what came of it: `death` is the answer of the process that dies, `end` of the one that goes on."""

    name: str
    death: Answer
    end: Answer
    heard: list[tuple[str, bytes]]


@dataclass(frozen=True, kw_only=True)
class Deaths:
    """Every death on one kind of database, and the same story without one."""

    unharmed: Answer
    cases: list[Case]

    def where(self, wrong: Callable[[Case], object]) -> dict[str, object]:
        """Return what `wrong` finds, by the name of the case; nothing found is no entry."""
        return {case.name: found for case in self.cases if (found := wrong(case))}


class Victim:
    """A process that lives stories; safe to use from one thread at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.victim"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def live(self, scene: Scene, part: str, death: tuple[int, bool] | None = None) -> Answer:
        """Live one part of a story and return what is told about it. Raises AssertionError when it went wrong."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        job = {"database": scene.database, "folder": str(scene.folder), "hook": scene.hook, "part": part}
        self._process.stdin.write(json.dumps({**job, "death": death}) + "\n")
        self._process.stdin.flush()
        answer: Answer = json.loads(self._process.stdout.readline())
        assert "trouble" not in answer, answer["trouble"]
        return answer

    def close(self) -> None:
        """End the process."""
        with self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()


Copy = Callable[[str, Path], str]
"""Gives the URL of a database of its own, by a name and in a folder, with what was learnt before the fault."""


@pytest.fixture(scope="module")
def room() -> Iterator[Room]:
    """Give a webhook that takes everything."""
    with Room() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Give a folder in memory where there is one: a kill takes nothing from the page cache, so no disk is needed."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="stanch-chaos-", dir=memory if memory.is_dir() else None) as made:
        yield Path(made)


@pytest.fixture(scope="module")
def victims() -> Iterator["SimpleQueue[Victim]"]:
    """Give processes that live stories, for whoever takes one out and puts it back."""
    with ExitStack() as stack:
        ready: SimpleQueue[Victim] = SimpleQueue()
        for _ in range(_AT_ONCE):
            victim = Victim()
            stack.callback(victim.close)
            ready.put(victim)
        yield ready


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def deaths(request: pytest.FixtureRequest, room: Room, folder: Path, victims: "SimpleQueue[Victim]") -> Deaths:
    """Give what came of every death on each kind of database."""
    kind: str = request.param
    place = folder / kind
    place.mkdir()
    with ExitStack() as stack:
        victim = victims.get()
        learnt = stack.enter_context(_LEARNING[kind](request, victim, place))
        unharmed = victim.live(_scene("unharmed", learnt, place, room, kind), "play")
        victims.put(victim)
        every = 1 if kind == "sqlite" else _POSTGRES_EVERY
        commits, ran_at = unharmed["commits"], unharmed["ran_at"]
        assert isinstance(commits, int) and isinstance(ran_at, int)
        # Those around the run are always among them.
        deadly = sorted({*range(1, commits + 1, every), ran_at - 1, ran_at})
        points = list(itertools.product(deadly, (False, True)))
        names = [f"{'after' if after else 'before'}-{commit}" for commit, after in points]
        scenes = [_scene(name, learnt, place, room, kind) for name in names]

        def live(scene: Scene, part: str, death: tuple[int, bool] | None = None) -> Answer:
            victim = victims.get()
            try:
                return victim.live(scene, part, death)
            finally:
                victims.put(victim)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            killed = list(pool.map(lambda scene, point: live(scene, "play", point), scenes, points))
            # What two deaths leave alike goes on alike: right before a commit is right after the one before it, unless
            # something was done outside or somebody was told in between.
            alike = [_left(scene, point, room) for scene, point in zip(scenes, points, strict=True)]
            chosen = dict(zip(alike, scenes, strict=True))
            ends = dict(zip(chosen, pool.map(lambda scene: live(scene, "resume"), chosen.values()), strict=True))
    cases = [
        Case(name=name, death=death, end=ends[left], heard=room.heard(chosen[left].hook))
        for name, death, left in zip(names, killed, alike, strict=True)
    ]
    return Deaths(unharmed=unharmed, cases=cases)


def _left(scene: Scene, point: tuple[int, bool], room: Room) -> tuple[object, ...]:
    """Return what a death leaves behind: commits, runs of the command, answers to people, messages."""
    commit, after = point
    written = [path.read_text(encoding="utf-8") if path.exists() else "" for path in (scene.ran, scene.said)]
    return (commit if after else commit - 1, *written, len(room.heard(scene.hook)))


def _scene(name: str, learnt: Copy, place: Path, room: Room, kind: str) -> Scene:
    own = place / name
    own.mkdir()
    shutil.copy(place / "learnt" / "time", own / "time")
    return Scene(database=learnt(name, own), folder=own, hook=room.url(f"{kind}/{name}"))


@contextmanager
def _learn_sqlite(request: pytest.FixtureRequest, victim: Victim, place: Path) -> Iterator[Copy]:
    template: Path = request.getfixturevalue("sqlite_template")
    home = place / "learnt"
    home.mkdir()
    shutil.copy(template, home / "stanch.db")
    victim.live(Scene(database=f"sqlite:///{home / 'stanch.db'}", folder=home, hook="http://127.0.0.1:9"), "learn")

    def copy(name: str, own: Path) -> str:
        shutil.copy(home / "stanch.db", own / "stanch.db")
        return f"sqlite:///{own / 'stanch.db'}"

    yield copy


@contextmanager
def _learn_postgres(request: pytest.FixtureRequest, victim: Victim, place: Path) -> Iterator[Copy]:
    server: str = request.getfixturevalue("postgres_server")
    template: str = request.getfixturevalue("postgres_template")
    home = place / "learnt"
    home.mkdir()
    made: list[str] = []

    def create(name: str, origin: str) -> str:
        with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
            words = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(origin))
            admin.execute(words + sql.SQL(" STRATEGY file_copy") if admin.info.server_version >= 150000 else words)
        made.append(name)
        return f"{server}/{name}"

    # The server is shared by all workers of a session.
    own = f"chaos_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    url = create(f"{own}_learnt", template)
    victim.live(Scene(database=url, folder=home, hook="http://127.0.0.1:9"), "learn")
    yield lambda name, folder: create(f"{own}_{name}", f"{own}_learnt")
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        for name in made:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


_LEARNING: Final = {"sqlite": _learn_sqlite, "postgres": _learn_postgres}


def _names(answer: Answer, name: str) -> list[str]:
    found = answer[name]
    assert isinstance(found, list)
    return [str(one) for one in found]


def test_without_a_death_the_story_is_whole(deaths: Deaths) -> None:
    """Detected, declared, approved, run once, verified, resolved and written up: what every death must come to."""
    told = ("incidents", "status", "forced", "drafts", "approvals", "runs_begun", "unknown", "ran_by_stanch")

    assert [1, "resolved", False, 1, 1, 1, 0, 1] == [deaths.unharmed[name] for name in told]


def test_every_death_is_a_kill(deaths: Deaths) -> None:
    """The process ends by SIGKILL at each of the points, none passes unharmed."""

    assert {} == deaths.where(lambda case: not case.death["killed"])


def test_what_was_answered_is_in_the_log(deaths: Deaths) -> None:
    """An operation whose caller was told that it is done is on record after the death."""

    assert {} == deaths.where(lambda case: case.end["forgotten"])


def test_no_timer_is_lost(deaths: Deaths) -> None:
    """An open incident has every timer that it lives by, whatever the moment of death."""

    assert {} == deaths.where(lambda case: case.end["lost_timers"])


def test_every_incident_ends_resolved(deaths: Deaths) -> None:
    """One incident, verified and resolved without force, with one post-mortem."""
    told = ("incidents", "status", "forced", "drafts")

    assert {} == deaths.where(lambda case: [1, "resolved", False, 1] != [case.end[name] for name in told] and case.end)


def test_the_mitigation_runs_at_most_once(deaths: Deaths) -> None:
    """One approval, one run on record, and never a second execution."""

    assert {} == deaths.where(
        lambda case: (
            (case.end["approvals"], case.end["runs_begun"]) != (1, 1) or case.end["ran_by_stanch"] not in (0, 1)
        )
    )


def test_a_run_that_died_is_unknown(deaths: Deaths) -> None:
    """A run that began and was not seen to end says so; only then may the command not have run."""

    assert {} == deaths.where(lambda case: case.end["ran_by_stanch"] == 0 and case.end["unknown"] != 1)


def test_deaths_during_the_run_are_among_them(deaths: Deaths) -> None:
    """Some deaths fall between the record of the start and that of the end, else the tests above show nothing."""

    assert any(case.end["unknown"] for case in deaths.cases)


def test_no_delivery_is_marked_sent_twice(deaths: Deaths) -> None:
    """A delivery has at most one attempt that succeeded and one end in the log."""

    assert {} == deaths.where(lambda case: _names(case.end, "sent_twice") + _names(case.end, "ended_twice"))


def test_every_owed_message_arrives(deaths: Deaths) -> None:
    """The far side has got each message that is owed, each is marked as sent, and nothing else has come."""

    assert {} == deaths.where(
        lambda case: (
            _names(case.end, "not_sent")
            + _names(case.end, "unsaid")
            + sorted(set(_names(case.end, "owed")) ^ {key for key, _ in case.heard})
        )
    )


def test_what_arrives_twice_has_the_same_key_and_words(deaths: Deaths) -> None:
    """A message that comes again is the same message, so that the far side can leave it out."""

    assert {} == deaths.where(
        lambda case: [key for key, times in Counter(key for key, _ in set(case.heard)).items() if times > 1]
    )


def test_projections_are_what_the_log_says(deaths: Deaths) -> None:
    """Computed again from the log, every projection is as it was."""

    assert {} == deaths.where(lambda case: case.end["projections_differ"])
