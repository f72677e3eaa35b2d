"""Measures the intake of alerts beside Debian's Alertmanager: the same posts to both, in turn, in one run.

  make bench-ingest, or python -m bench.ingest [--rounds 3] [--cases a,b,c,d,notify,history] [--database URL]
Cases a to d post batches of 64 over several connections, each to a server started with an empty folder: alerts a
second that were answered with 200, latency of the requests, memory at the end. Stanch commits to the disk before it
answers, Alertmanager keeps alerts in memory. What Stanch has answered in a storm may wait in its journal: how long
after the last answer the last alert was taken in is shown too. `notify` is the time from a POST to the notification at
a local webhook with a group wait of 0, with no alerts and with 100,000. `history` compares Stanch with 10 thousand and
with a million stored alerts. Every figure is the median of the rounds; ratios are of pairs measured one after the
other. The exit code is 1 when an aim is missed.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.load.alerts import CASES, Case
from bench.load.history import measure_history
from bench.load.notifying import measure_notifying
from bench.load.sending import post_all
from bench.load.servers import ALERTMANAGER, STANCH, empty_database, started
from stanch.alerts.intake.journal.tables import count_waiting
from stanch.app.world import DATABASE
from stanch.store.connection import database_url, open_engine

BATCH: Final = 64
# Nobody is told anything while writing is measured.
CONFIG: Final = """\
route: {receiver: nobody, group_by: [alertname], group_wait: 10m, group_interval: 10m, repeat_interval: 4h}
receivers: [{name: nobody}]
"""
_AIM_SQLITE: Final = 2.0
_AIM_POSTGRESQL: Final = 1.0
_LATENCY_AIM: Final = 1.0
_MEMORY_CASE: Final = "c"
_TAKEN_IN_WITHIN_S: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class Round:
    """One case at one server."""

    rate: float
    p50_ms: float
    p99_ms: float
    memory_mib: float
    cpu_us: float
    behind_s: float


def measure(kind: str, case: Case, *, connections: int, database: str) -> Round:
    """Start a server, post everything, check that everything was taken, and return the figures."""
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder, empty_database(database) as url:
        where = url if kind == STANCH else ""
        with started(kind, Path(folder), CONFIG, database=where) as server:
            before = server.cpu_s()
            outcome, _ = post_all(server.url, case, connections=connections, batch=BATCH)
            if outcome.problems:
                raise SystemExit(f"{kind}: {outcome.problems[0]}")
            behind_s = journal_empty_s(url or Path(folder) / "data" / DATABASE) if kind == STANCH else 0.0
            return Round(
                rate=outcome.rate,
                p50_ms=outcome.quantile_ms(0.5),
                p99_ms=outcome.quantile_ms(0.99),
                memory_mib=server.memory_mib(),
                cpu_us=1e6 * (server.cpu_s() - before) / outcome.accepted,
                behind_s=behind_s,
            )


def journal_empty_s(where: Path | str) -> float:
    """Wait until nothing that was accepted waits to be taken in, and return how long that was."""
    began = time.monotonic()
    engine = open_engine(database_url(where))
    try:
        while time.monotonic() - began < _TAKEN_IN_WITHIN_S:
            with engine.connect() as connection:
                if not count_waiting(connection):
                    return time.monotonic() - began
            time.sleep(0.02)
    finally:
        engine.dispose()
    raise SystemExit("what was accepted was not taken in")


def compare(letter: str, *, rounds: int, connections: int, database: str) -> bool:
    """Measure one case at both servers in turn, print it, and tell whether the aims are met."""
    case = CASES[letter]
    pairs = []
    for number in range(rounds):
        # Each goes first in every other round.
        kinds = (STANCH, ALERTMANAGER) if number % 2 == 0 else (ALERTMANAGER, STANCH)
        done = {
            kind: measure(kind, case, connections=connections, database=database if kind == STANCH else "")
            for kind in kinds
        }
        pairs.append((done[STANCH], done[ALERTMANAGER]))
    print(f"({letter}) {case.name}: {case.total:,} alerts")
    for place, kind in enumerate((STANCH, ALERTMANAGER)):
        own = [pair[place] for pair in pairs]
        print(
            f"    {kind:13} {_middle(own, 'rate'):8,.0f} alerts/s   p50 {_middle(own, 'p50_ms'):6.1f} ms   "
            f"p99 {_middle(own, 'p99_ms'):6.1f} ms   {_middle(own, 'memory_mib'):5.0f} MiB   "
            f"{_middle(own, 'cpu_us'):4.0f} us of processor an alert"
            + (f"   all taken in {_middle(own, 'behind_s'):.1f} s later" if kind == STANCH else "")
        )
    ratios = {
        name: statistics.median(getattr(ours, name) / getattr(theirs, name) for ours, theirs in pairs)
        for name in ("rate", "p50_ms", "p99_ms", "memory_mib")
    }
    aim = _AIM_POSTGRESQL if database else _AIM_SQLITE
    met = ratios["rate"] >= aim and ratios["p99_ms"] <= _LATENCY_AIM
    met = met and (letter != _MEMORY_CASE or ratios["memory_mib"] <= 1)
    each = ", ".join(f"{ours.rate / theirs.rate:.2f}" for ours, theirs in pairs)
    print(
        f"    ratio         {ratios['rate']:8.2f} (aim {aim:g}; {each})   p50 {ratios['p50_ms']:.2f}   "
        f"p99 {ratios['p99_ms']:.2f} (aim 1)   memory {ratios['memory_mib']:.2f}{_told(met=met)}",
        flush=True,
    )
    return met


def _middle(rounds: Sequence[Round], name: str) -> float:
    return float(statistics.median(getattr(one, name) for one in rounds))


def _told(*, met: bool) -> str:
    return "" if met else "   MISSED"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return 1 when an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--cases", default="a,b,c,d,notify,history")
    parser.add_argument("--database", default="", metavar="URL", help="a PostgreSQL server, for databases of its own")
    parser.add_argument("--stored", type=int, default=1_000_000, help="alerts stored in the larger history")
    asked = parser.parse_args(arguments)
    print(f"{asked.connections} connections, batches of {BATCH}, median of {asked.rounds}; load {_load()}")
    met = []
    for case in asked.cases.split(","):
        if case == "notify":
            met.append(measure_notifying(rounds=asked.rounds, database=asked.database))
        elif case == "history":
            met.append(measure_history(stored=asked.stored, rounds=asked.rounds, database=asked.database))
        else:
            met.append(compare(case, rounds=asked.rounds, connections=asked.connections, database=asked.database))
    print(f"load afterwards {_load()} on {os.cpu_count()} cores")
    return 0 if all(met) else 1


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
