"""Measures the pages about alerts with a million alerts stored: how long each takes, from request to the last byte.

  make bench-pages, or python -m bench.pages [--stored 1000000] [--firing 5000] [--times 40]
The alerts are written into an SQLite file in bulk, and the board brings itself up to date with them as it does on a
server. Every page is asked for in turn, over one connection to a server in this process. The exit code is 1 when the
95th percentile of a page is above 100 ms.
"""

import argparse
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx2
import msgspec

from stanch.alerts.board.keeping.tables import behind, catch_up
from stanch.alerts.intake.fingerprint import canonical, key_of
from stanch.app.server import running
from stanch.app.wiring import build_world
from stanch.catalog.model import Catalog, Service
from stanch.operations.world import World

_AIM_MS: Final = 100.0
_PORT: Final = 8488
_SERVICES: Final = 12
_DAY_US: Final = 86_400_000_000
_NAMES: Final = ("DiskFull", "HighLatency", "PodCrashLooping", "BackupFailed", "TargetDown", "HighErrorRate")
_SEVERITIES: Final = ("warning", "warning", "warning", "info", "critical")
PAGES: Final = {
    "list": "/alerts",
    "all": "/alerts?state=all",
    "resolved": "/alerts?state=resolved",
    "not silenced": "/alerts?state=active",
    "service": "/alerts?state=all&service=service-7",
    "service and severity": "/alerts?state=all&service=service-7&severity=critical",
    "one host": "/alerts?state=all&matchers=host%3D%22host-4242%22",
    "regular expression": "/alerts?matchers=host%3D~%22host-1.*7%22",
    "text": "/alerts?state=all&text=host-4242",
    "text that is nowhere": "/alerts?state=all&text=nowhere-at-all",
    "last hour": "/alerts?state=all&since=1h",
    "alert": "/alerts/x1000",
    "groups": "/groups",
    "silences": "/silences",
    "sources": "/sources",
    "service page": "/s/service-7",
    "changes": "/changes",
    "overview": "/",
}


def labels_of(number: int) -> dict[str, str]:
    """Return the labels of an alert."""
    return {
        "alertname": _NAMES[number % len(_NAMES)],
        "service": f"service-{number % 97}",
        "severity": _SEVERITIES[number % len(_SEVERITIES)],
        "host": f"host-{number}",
        "cluster": f"cluster-{number % 12}",
        "source": "alertmanager",
    }


def seed(file: Path, *, stored: int, firing: int) -> None:
    """Write alerts, the last `firing` of which fire, begun over the last ninety days."""
    now = time.time_ns() // 1000
    first = now - 90 * _DAY_US

    def cold() -> Iterator[tuple[object, ...]]:
        note = msgspec.json.encode({"summary": "the disk of a database is nearly full"}).decode()
        for number in range(1, stored + 1):
            text = canonical(labels_of(number))
            yield number, key_of(text), text.decode(), note, "", first + (now - first) * number // stored

    def over() -> Iterator[tuple[object, ...]]:
        for number in range(1, stored - firing + 1):
            began = first + (now - first) * number // stored
            yield number, "default", began, began + 600_000_000, 1, "told"

    def hot() -> Iterator[tuple[object, ...]]:
        for number in range(stored - firing + 1, stored + 1):
            began = first + (now - first) * number // stored
            yield number, began, now + _DAY_US, now, 0, 0, 1

    with sqlite3.connect(file) as database:
        database.executemany("INSERT INTO intake_alerts VALUES (?, ?, ?, ?, ?, ?)", cold())
        database.executemany(
            "INSERT INTO intake_episodes (alert_id, receiver, starts_at, ends_at, told, outcome) VALUES (?,?,?,?,?,?)",
            over(),
        )
        database.executemany("INSERT INTO intake_hot VALUES (?, ?, ?, ?, ?, ?, ?)", hot())
    database.close()


def place_all(world: World) -> float:
    """Bring the board up to date, and return how many alerts it took in a second."""
    began, placed, more = time.perf_counter(), 0, True
    while more:
        with world.store.writing() as tx:
            lacking = behind(tx.connection, now=world.clock.now())
            catch_up(tx.connection, lacking)
        placed += len(lacking.rows)
        more = lacking.more
    return placed / (time.perf_counter() - began)


def measure(url: str, *, times: int) -> dict[str, list[float]]:
    """Return the milliseconds that each page took."""
    taken: dict[str, list[float]] = {name: [] for name in PAGES}
    with httpx2.Client(base_url=url, timeout=60, headers={"accept": "text/html"}) as client:
        for turn in range(times + 1):
            for name, path in PAGES.items():
                began = time.perf_counter()
                answer = client.get(path)
                if answer.status_code != httpx2.codes.OK:
                    raise SystemExit(f"{path}: {answer.status_code}")
                if turn:  # the first turn compiles templates and fills the database's pages
                    taken[name].append(1000 * (time.perf_counter() - began))
    return taken


def main() -> int:
    """Seed, measure, and say every page's median and 95th percentile."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stored", type=int, default=1_000_000)
    parser.add_argument("--firing", type=int, default=5_000)
    parser.add_argument("--times", type=int, default=40)
    asked = parser.parse_args()
    services = {f"service-{number}": Service(name=f"service-{number}") for number in range(_SERVICES)}
    with tempfile.TemporaryDirectory(prefix="stanch-pages-") as name:
        folder = Path(name)
        world = build_world(catalog=Catalog(root=name, services=services), database=folder / "stanch.db")
        seed(folder / "stanch.db", stored=asked.stored, firing=asked.firing)
        print(f"placed {place_all(world):,.0f} alerts a second")
        world.store.close()
        with running(Catalog(root=name, services=services), folder=folder, port=_PORT) as server:
            taken = measure(server.url, times=asked.times)
    slow = 0
    for page, values in taken.items():
        p95 = statistics.quantiles(values, n=20)[-1]
        slow += p95 > _AIM_MS
        mark = "  above the aim" if p95 > _AIM_MS else ""
        print(f"{page:22} median {statistics.median(values):6.1f} ms  p95 {p95:6.1f} ms{mark}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
