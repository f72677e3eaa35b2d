"""Measures the drill: seconds from the fault to its detection, a proposal, a verified recovery; and who was right.

Usage: `make bench-drill`, or `python -m bench.drill [--runs N] [--baseline SECONDS] [FAULT ...]`, FAULT being a name
or `name:decoy` for a harmless deploy just before it; without one, every fault there is and two of them with a decoy.
Each run is the real `stanch run --auto --exit --json` in a folder of its own, one at a time; a run takes about a minute
and a half. Beside it stands what the process that watches the shop needs while nothing happens. The last table says
how often a score was right; "not known yet" is right where there is nothing to find.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

from stanch.app.wiring import PROJECTORS
from stanch.gameday.shop.faults import describe_faults
from stanch.store import Store

DECOYED: Final = ("bad-deploy", "traffic-spike")
FAULTS: Final = (*(name for name, _ in describe_faults()), *(f"{name}:decoy" for name in DECOYED))
_EDGES: Final = (0.0, 0.5, 0.7, 0.85, 1.01)
# The process has started and rests from then on; and this long it is looked at, within the baseline.
_SETTLED_S: Final = 6.0
_LOOKED_AT_S: Final = 10.0
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run: seconds from the fault, None where it did not come to it; the process at rest; the first cause."""

    detected_s: float | None = None
    proposed_s: float | None = None
    verified_s: float | None = None
    cause: str = ""
    score: float = 0.0
    known: bool = False
    right: bool = False
    memory_mib: float = 0.0
    cpu_percent: float = 0.0
    trouble: str = ""


def measure(fault: str, *, baseline_s: float) -> Run:
    """Run one drill and return how fast it was, and whether its answer was right."""
    name, _, decoy = fault.partition(":")
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as home:
        words: tuple[str, ...] = ("run", "--auto", "--exit", "--json", "--fault", name, "--baseline", str(baseline_s))
        words += ("--decoy",) if decoy else ()
        process = subprocess.Popen(
            [sys.executable, "-m", "stanch", *words, "--port", str(_free_port())],
            env={**os.environ, "XDG_STATE_HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        memory_mib, cpu_percent = _at_rest(process.pid, Path(home) / "stanch" / "server.json")
        out, err = process.communicate()
        if process.returncode:
            return Run(trouble=err.strip().splitlines()[-1], memory_mib=memory_mib, cpu_percent=cpu_percent)
        told = json.loads(out.splitlines()[-1])
        top = told["top_hypothesis"]
        return Run(
            detected_s=told["detected_after_s"],
            proposed_s=told["proposed_after_s"],
            verified_s=_verified(Path(home) / "stanch" / "drill" / "stanch.db", told["declared_after_s"]),
            cause=f"{top['title']} ({top['score']:.0%})" if told["cause_known"] else "not known yet",
            score=top.get("score", 0.0),
            known=told["cause_known"],
            right=told["right"],
            memory_mib=memory_mib,
            cpu_percent=cpu_percent,
        )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _at_rest(pid: int, started: Path) -> tuple[float, float]:
    """Return memory (MiB, resident) and processor (per cent of a core) of a process during its baseline."""
    deadline = time.monotonic() + 60
    while not started.exists():
        if time.monotonic() > deadline or not Path(f"/proc/{pid}").exists():
            return 0.0, 0.0
        time.sleep(0.1)
    time.sleep(_SETTLED_S)
    before, began = _seconds_used(pid), time.monotonic()
    time.sleep(_LOOKED_AT_S)
    used = _seconds_used(pid) - before
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(resident.split()[1]) / 1024, 100 * used / (time.monotonic() - began)


def _seconds_used(pid: int) -> float:
    # Fields 14 and 15 of proc_pid_stat(5), counted after the name, which may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _verified(database: Path, declared_after_s: float) -> float | None:
    store = Store(database, projectors=PROJECTORS)
    with store.reading() as view:
        at: dict[str, datetime] = {}
        for event in view.events(incident=1):
            at.setdefault(event.kind, event.at)
    store.close()
    if "verification.passed" not in at:
        return None
    broke = at["incident.declared"] - timedelta(seconds=declared_after_s)
    return round((at["verification.passed"] - broke).total_seconds(), 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the drills and print a table; return 1 when one of them failed."""
    parser = argparse.ArgumentParser(description="Time from fault to detection, proposal and recovery.")
    parser.add_argument("faults", nargs="*", metavar="FAULT", default=FAULTS)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--baseline", type=float, default=20.0)
    asked = parser.parse_args(arguments)
    print(f"{'fault':20} {'detected':>9} {'proposed':>9} {'verified':>9}  right  first cause")
    runs = []
    for fault in asked.faults:
        own = [measure(fault, baseline_s=asked.baseline) for _ in range(asked.runs)]
        runs += own
        figures = [_middle([getattr(run, name) for run in own]) for name in ("detected_s", "proposed_s", "verified_s")]
        causes = "; ".join(dict.fromkeys(run.trouble or run.cause for run in own))
        right = f"{sum(run.right for run in own)}/{len(own)}"
        print(f"{fault:20} {figures[0]:>9} {figures[1]:>9} {figures[2]:>9} {right:>6}  {causes}", flush=True)
    _print_calibration([run for run in runs if not run.trouble])
    memory, processor = (
        statistics.median(getattr(run, name) for run in runs) for name in ("memory_mib", "cpu_percent")
    )
    print(f"\nseconds from the fault, median of {asked.runs}; at rest: {memory:.0f} MiB, {processor:.0f} % of a core")
    print(f"load average while measuring: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores")
    return int(any(run.trouble for run in runs))


def _print_calibration(runs: Sequence[Run]) -> None:
    """Say for each range of the first cause's score how many answers there were, and how many of them were right."""
    print(f"\nright: {sum(run.right for run in runs)} of {len(runs)}\nscore of the first     runs   right")
    for low, high in pairwise(_EDGES):
        own = [run for run in runs if run.known and low <= run.score < high]
        if own:
            print(f"{low:.2f} to {min(1.0, high):.2f}  {len(own):13} {sum(run.right for run in own) / len(own):7.2f}")
    unknown = [run for run in runs if not run.known]
    if unknown:
        print(f"not known yet {len(unknown):12} {sum(run.right for run in unknown) / len(unknown):7.2f}")


def _middle(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{statistics.median(known):.1f}" if known else "-"


if __name__ == "__main__":
    sys.exit(main())
