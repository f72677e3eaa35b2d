"""Pages lost and pages late: nodes killed at random moments, a thousand due at once, a hundred thousand waiting.

    python -m bench.paging                 all of it, 200 kills on each database
    python -m bench.paging --kills 20      the same, shorter
    python -m bench.paging --only sqlite   one database

A provider of its own (a process that speaks HTTP) writes down every key before it answers, so that what it was handed
is known whatever dies. Lost is what should have been handed to it and never was; a duplicate is one key that it was
handed more than once, which it can tell by the key.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import psycopg

from stanch.app.world import DUTIES, PROJECTORS
from stanch.catalog.model import Catalog, Person, Service
from stanch.catalog.oncall import Method, OnCall, Policy, Step
from stanch.engine.escalate import escalate_due
from stanch.engine.loop import Engine
from stanch.engine.paging import Paging
from stanch.integrations.webhook import WebhookPager
from stanch.kernel.actor import Via, person
from stanch.kernel.clock import SystemClock
from stanch.oncall.escalation.model import FrozenPolicy, FrozenStep, Purpose
from stanch.operations import paging, registry
from stanch.operations.all import all_operations
from stanch.operations.world import Call, World
from stanch.ports.pager import PagerSettings
from stanch.store import Store
from stanch.store.model import Timer
from tests.support.postgres import ensure_server

PEOPLE: Final = ("alice", "bob", "carol")
LEVELS: Final = len(PEOPLE)
# A node that dies holds what it had marked for its lease of fifteen seconds; the rest is margin.
_DRAIN_S: Final = 60.0
_IDLE_PAGES: Final = 40
_FAR: Final = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Where everything is: the database, the provider's port and the file it writes to."""

    database: str
    port: int
    log: Path


def catalog_of(setting: Setting) -> Catalog:
    """Return three people, each reached by a webhook, one level each."""
    people = {
        name: Person(
            id=name,
            methods=(Method(id="hook", kind="webhook", address=f"http://127.0.0.1:{setting.port}/{name}"),),
        )
        for name in PEOPLE
    }
    policy = Policy(name="bench", steps=tuple(Step(targets=(f"person:{name}",), wait_s=600.0) for name in PEOPLE))
    return Catalog(
        services={"checkout": Service(name="checkout")},
        people=people,
        oncall=OnCall(policy="bench", policies={"bench": policy}),
    )


def world_of(setting: Setting, *, node: str) -> World:
    """Return a world on the database with the provider."""
    clock = SystemClock()
    return World(
        store=Store(setting.database, clock=clock, projectors=PROJECTORS),
        clock=clock,
        catalog=catalog_of(setting),
        node=node,
        pagers={"hook": WebhookPager(PagerSettings(name="hook", kind="webhook"))},
    )


class Provider(BaseHTTPRequestHandler):
    """Writes down the key of every page with the time, then says that it took it."""

    protocol_version = "HTTP/1.1"
    log: int

    def do_POST(self) -> None:
        """Take a page."""
        self.rfile.read(int(self.headers["Content-Length"]))
        os.write(self.log, f"{time.time():.6f} {self.headers['Idempotency-Key']}\n".encode())
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """The provider's server: nodes that die break connections off, which is nothing to speak of."""

    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a connection that broke off."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # the base's own loose types


def provide(log: Path) -> None:
    """Be the provider; print the port that it listens on."""
    Provider.log = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    with Server(("127.0.0.1", 0), Provider) as server:
        print(server.server_port, flush=True)
        server.serve_forever()


@contextmanager
def provider(log: Path) -> Iterator[int]:
    """Run a provider in a process of its own, and give its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.paging", "--provide", str(log)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def handed(log: Path) -> list[tuple[float, str]]:
    """Return when the provider was handed which key, in order."""
    lines = log.read_text().splitlines() if log.exists() else []
    return [(float(at), key) for at, _, key in (line.partition(" ") for line in lines)]


def spawn(setting: Setting, *, node: str, whole: bool = False) -> int:
    """Fork a node that pages until it is killed, and return its process. This process holds no thread or connection."""
    child = os.fork()
    if child:
        return child
    try:
        world = world_of(setting, node=node)
        crew = Engine(world, DUTIES) if whole else Paging(world)
        crew.start()
        while True:
            time.sleep(3600)
    finally:
        os._exit(1)


def kill(process: int) -> float:
    """End a node as a power cut does, and return how many seconds of a core it had used."""
    os.kill(process, signal.SIGKILL)
    _, _, used = os.wait4(process, 0)
    return used.ru_utime + used.ru_stime


def start_pages(setting: Setting, count: int, *, spread_s: float, seed: int) -> None:
    """Start `count` pages whose levels are due at random moments of `spread_s` seconds."""
    chance = random.Random(seed)
    world = world_of(setting, node="starter")
    for begin in range(0, count, 50):
        with world.store.writing() as tx:
            for _ in range(begin, min(count, begin + 50)):
                waits = [chance.uniform(0.2, spread_s / LEVELS) for _ in PEOPLE]
                steps = tuple(
                    FrozenStep(targets=(f"person:{name}",), wait_s=wait)
                    for name, wait in zip(PEOPLE, waits, strict=True)
                )
                page = paging.start(
                    tx,
                    world,
                    purpose=Purpose.INCIDENT,
                    severity=2,
                    title="a page of the bench",
                    policy=FrozenPolicy(name="bench", steps=steps),
                    reason="a measurement",
                )
                due_at = world.clock.now() + timedelta(seconds=chance.uniform(0.0, spread_s / LEVELS))
                paging.schedule_next(tx, page, at=due_at)
    world.store.close()


def expected(count: int) -> set[str]:
    """Return the keys that the provider must have been handed at the end: one notice per level of every page, and one
    to the last resort, as nobody answers."""
    return {f"page{page}/n{notice}" for page in range(1, count + 1) for notice in range(1, LEVELS + 2)}


def crash(setting: Setting, *, pages: int, kills: int, nodes: int, seed: int) -> dict[str, object]:
    """Kill nodes at random moments while pages escalate; return what became of them."""
    chance = random.Random(seed)
    begun = time.monotonic()
    # As long as the kills take, so that there is something to lose at each of them.
    start_pages(setting, pages, spread_s=max(10.0, kills * 0.45), seed=seed)
    crew = [spawn(setting, node=f"node-{number}") for number in range(1, nodes + 1)]
    made = 0
    if nodes > 1:
        time.sleep(chance.uniform(0.1, 2.0))
        kill(crew.pop())  # and never started again
        made += 1
    while made < kills:
        _wait_for_life(setting.log)
        time.sleep(chance.uniform(0.0, 0.5))
        kill(crew.pop(0))
        made += 1
        crew.append(spawn(setting, node=f"again-{made}"))
    wanted = expected(pages)
    waited = time.monotonic()
    deadline = waited + max(10.0, kills * 0.45) + _DRAIN_S
    while time.monotonic() < deadline and wanted - {key for _, key in handed(setting.log)}:
        time.sleep(0.5)
    # Whatever is still marked as being sent becomes free again, and may be handed over a second time.
    time.sleep(17.0)
    for process in crew:
        kill(process)
    counted = Counter(key for _, key in handed(setting.log))
    return {
        "pages": pages,
        "notices": len(wanted),
        "kills": made,
        "nodes": nodes,
        "lost": len(wanted - set(counted)),
        "unasked": len(set(counted) - wanted),
        "handed_over": sum(counted.values()),
        "keys_handed_twice": sum(1 for number in counted.values() if number > 1),
        "most_of_one_key": max(counted.values(), default=0),
        "took_s": round(time.monotonic() - begun, 1),
    }


def _wait_for_life(log: Path) -> None:
    """Wait until somebody hands something over: a node that is killed before it works proves nothing."""
    before = log.stat().st_size
    deadline = time.monotonic() + 3.0
    while log.stat().st_size == before and time.monotonic() < deadline:
        time.sleep(0.01)


def idle_latency(setting: Setting) -> dict[str, object]:
    """Declare incidents one after the other on a quiet system; return how long each took to reach the provider."""
    all_operations()
    node = spawn(setting, node="node-1", whole=True)
    time.sleep(3.0)
    world = world_of(setting, node="caller")
    entry = registry.find("incident.declare")
    call = Call(world=world, actor=person("dora"), via=Via.HTTP)
    took = []
    for number in range(_IDLE_PAGES):
        body = {"title": f"it fails, {number}", "services": ["checkout"], "severity": "SEV3", "reason": "a measurement"}
        before = len(handed(setting.log))
        begun = time.time()
        registry.call(entry, call, registry.decode(entry, body))
        while len(handed(setting.log)) == before and time.time() < begun + 10:
            time.sleep(0.005)
        took.append(handed(setting.log)[before][0] - begun)
        time.sleep(0.3)
    world.store.close()
    kill(node)
    load = round(os.getloadavg()[0], 1)
    return {"declared": len(took), "p50_s": _quantile(took, 0.5), "p95_s": _quantile(took, 0.95), "load": load}


def burst_latency(setting: Setting, *, pages: int) -> dict[str, object]:
    """Let `pages` escalations be due in the same second; return how late each reached the provider."""
    world = world_of(setting, node="starter")
    with world.store.writing() as tx:
        first = tx.next_number("page") + 1
    due_at = world.clock.now() + timedelta(seconds=max(6.0, pages / 60))
    for begin in range(0, pages, 100):
        with world.store.writing() as tx:
            for _ in range(begin, min(pages, begin + 100)):
                page = paging.start(
                    tx,
                    world,
                    purpose=Purpose.INCIDENT,
                    severity=2,
                    title="a page of the burst",
                    policy=FrozenPolicy(name="bench", steps=(FrozenStep(targets=("person:alice",), wait_s=900.0),)),
                    reason="a measurement",
                )
                paging.schedule_next(tx, page, at=due_at)
    world.store.close()
    node = spawn(setting, node="node-1")
    due = due_at.timestamp()
    keys = {f"page{number}/n1" for number in range(first, first + pages)}
    deadline = due + 60
    while time.time() < deadline and keys - {key for _, key in handed(setting.log)}:
        time.sleep(0.2)
    cpu_s = kill(node)
    late = [at - due for at, key in handed(setting.log) if key in keys]
    return {
        "due_at_once": pages,
        "arrived": len(late),
        "p50_s": _quantile(late, 0.5),
        "p95_s": _quantile(late, 0.95),
        # What it takes of one core says more than the times when the machine has other things to do.
        "cpu_s": round(cpu_s, 2),
        "load": round(os.getloadavg()[0], 1),
    }


def analyse(setting: Setting) -> None:
    """Count what is in the tables, as autovacuum does by itself within a minute; the server of the tests has it off."""
    if setting.database.startswith("postgresql"):
        with psycopg.connect(setting.database, autocommit=True) as admin:
            admin.execute("ANALYZE")


def scanning(setting: Setting, *, waiting: int, rounds: int = 30) -> float:
    """Return how many milliseconds it takes to look and fire one due level while `waiting` timers wait, at best of the
    middle half."""
    world = world_of(setting, node="scanner")
    far = world.clock.now() + _FAR
    for begin in range(0, waiting, 2000):
        with world.store.writing() as tx:
            for number in range(begin, min(waiting, begin + 2000)):
                data = {"do": "step", "page": 10**8 + number, "round": 1, "step": 0}
                tx.schedule(Timer(id=f"wait{waiting}/{number}", kind=paging.TIMER, due_at=far, data=data))
    analyse(setting)
    took = []
    for _ in range(rounds):
        with world.store.writing() as tx:
            paging.start(
                tx,
                world,
                purpose=Purpose.INCIDENT,
                severity=2,
                title="a page of the scan",
                policy=FrozenPolicy(name="bench", steps=(FrozenStep(targets=("person:alice",), wait_s=9000.0),)),
                reason="a measurement",
            )
        begun = time.perf_counter()
        fired = escalate_due(world)
        idle = escalate_due(world)
        took.append((time.perf_counter() - begun) * 1000)
        assert (fired, idle) == (1, 0)
    world.store.close()
    middle = sorted(took)[len(took) // 4 : -len(took) // 4]
    return sum(middle) / len(middle)


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3) if ordered else float("nan")


@contextmanager
def settings(kind: str, folder: Path, server: str) -> Iterator[Setting]:
    """Give a fresh database and a provider with an empty log."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / f"handed-{time.time_ns()}"
    with provider(log) as port:
        if kind == "sqlite":
            url = f"sqlite:///{folder / f'bench-{time.time_ns()}.db'}"
            Store.open(url).close()
            yield Setting(database=url, port=port, log=log)
        else:
            name = f"bench_{time.time_ns()}"
            with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
                admin.execute(f'CREATE DATABASE "{name}"')
            Store.open(f"{server}/{name}").close()
            yield Setting(database=f"{server}/{name}", port=port, log=log)


def measure(kind: str, *, folder: Path, server: str, arguments: argparse.Namespace) -> dict[str, object]:
    """Return every figure of one database."""
    nodes = 1 if kind == "sqlite" else 3
    found: dict[str, object] = {}
    if "crash" in arguments.parts:
        with settings(kind, folder, server) as setting:
            found["crash"] = crash(
                setting, pages=arguments.pages, kills=arguments.kills, nodes=nodes, seed=arguments.seed
            )
            print(kind, "crash", json.dumps(found["crash"]), flush=True)
    if "latency" in arguments.parts:
        with settings(kind, folder, server) as setting:
            found["idle"] = idle_latency(setting)
            print(kind, "idle", json.dumps(found["idle"]), flush=True)
        with settings(kind, folder, server) as setting:
            found["burst"] = burst_latency(setting, pages=arguments.pages)
            print(kind, "burst", json.dumps(found["burst"]), flush=True)
    if "scan" in arguments.parts:
        with settings(kind, folder, server) as setting:
            few = scanning(setting, waiting=1_000)
            many = scanning(setting, waiting=100_000)
        found["scan"] = {"ms_at_1000": round(few, 2), "ms_at_100000": round(many, 2), "ratio": round(many / few, 2)}
        print(kind, "scan", json.dumps(found["scan"]), flush=True)
    return found


def main() -> int:
    """Measure, print, and fail where a bound does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--only", choices=["sqlite", "postgres"])
    parser.add_argument("--parts", nargs="+", default=["crash", "latency", "scan"])
    parser.add_argument("--provide", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.provide:
        provide(arguments.provide)
        return 0
    folder = Path(tempfile.mkdtemp(prefix="stanch-bench-"))
    kinds = [arguments.only] if arguments.only else ["sqlite", "postgres"]
    try:
        server = ensure_server(folder, owner_pid=os.getpid()) if "postgres" in kinds else ""
        found = {kind: measure(kind, folder=folder, server=server, arguments=arguments) for kind in kinds}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _judge(found)


def _judge(found: dict[str, dict[str, object]]) -> int:
    """Print what does not hold, and return how many things that are."""
    broken = []
    for kind, parts in found.items():
        for name, figure, most in (
            ("crash", "lost", 0),
            ("crash", "unasked", 0),
            ("idle", "p95_s", 1.0),
            ("burst", "p95_s", 3.0),
            ("scan", "ratio", 1.5),
        ):
            part = parts.get(name)
            value = part.get(figure) if isinstance(part, dict) else None
            if value is not None and not value <= most:
                broken.append(f"{kind}: {name} {figure} is {value}, at most {most}")
    print("\n".join(broken) or "every bound holds")
    return min(1, len(broken))


if __name__ == "__main__":
    raise SystemExit(main())
