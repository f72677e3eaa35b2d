"""Measures the cold start of `stanch --help` beside `python -c pass`, in pairs, so that a busy machine slows both.

  python -m bench.cli [--pairs 20]
Prints medians of wall time and processor time and their ratios; the aim is at most 8 times bare Python. The
exit code is 1 when both ratios are above it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Final, NamedTuple

AIM: Final = 8.0


class Cost(NamedTuple):
    """What one process took, in milliseconds."""

    wall_ms: float
    cpu_ms: float


def cost_of(command: list[str]) -> Cost:
    """Run `command` to its end and return what it took, with everything it started."""
    start, before = time.perf_counter(), os.times()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost((time.perf_counter() - start) * 1000, cpu_s * 1000)


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20, help="how many pairs, at least 10")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    asked = parser.parse_args()
    stanch = Path(sysconfig.get_path("scripts")) / "stanch"
    bare, with_help = [sys.executable, "-c", "pass"], [str(stanch), "--help"]
    cost_of(with_help)  # the first start writes the byte code
    pairs = [(cost_of(bare), cost_of(with_help)) for _ in range(max(10, asked.pairs))]
    medians = {
        f"{name}_{unit}": round(statistics.median(getattr(pair[place], unit) for pair in pairs), 1)
        for place, name in enumerate(("python", "help"))
        for unit in ("wall_ms", "cpu_ms")
    }
    wall = round(statistics.median(pair[1].wall_ms / pair[0].wall_ms for pair in pairs), 2)
    # The kernel counts processor time in steps of 10 ms, about what bare Python takes, so sums and not pairs.
    cpu = round(sum(pair[1].cpu_ms for pair in pairs) / max(1.0, sum(pair[0].cpu_ms for pair in pairs)), 2)
    told = {"pairs": len(pairs), **medians, "wall_ratio": wall, "cpu_ratio": cpu, "aim": AIM}
    if asked.json:
        print(json.dumps(told))
    else:
        print(f"{len(pairs)} pairs, medians")
        print(
            f"python -c pass   {medians['python_wall_ms']:7.1f} ms wall   {medians['python_cpu_ms']:7.1f} ms processor"
        )
        print(f"stanch --help    {medians['help_wall_ms']:7.1f} ms wall   {medians['help_cpu_ms']:7.1f} ms processor")
        print(f"ratio {wall:.1f} wall, {cpu:.1f} processor; the aim is at most {AIM:.0f}")
    return 0 if min(wall, cpu) <= AIM else 1


if __name__ == "__main__":
    sys.exit(main())
