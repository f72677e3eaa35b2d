"""Runs every task of the diagnosis benchmark that is at hand and prints our figures beside those of others.

The data is not part of this repository: a folder `bench/diagnose` beside it is looked for, or `$STANCH_BENCH` names
one. Usage: `python -m bench.diagnose [TASK ...] [--split dev]`, tasks being rca, onset, nab, logs, changes, and
calibration, which needs no data. Where drain3 is installed it runs on the same log lines.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import scenarios
from bench.drain import drain

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = "STANCH_BENCH"

# What a scorer prints, by its own keys; JSON of another program, so its shape is only known where it is read.
Scores = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table: what was measured, ours, what is aimed at, and the best of others."""

    task: str
    what: str
    ours: str
    aim: str
    others: str


def main() -> int:
    """Run the tasks asked for and print the table; 0 also when there is no data."""
    options = _options()
    folder = _folder()
    asked = options.task or (*TASKS, CALIBRATION)
    if folder is None:
        print(f"no diagnosis benchmark at hand; put it beside the repository or name it in ${ENVIRONMENT}")
    rows: list[Row] = []
    for task in asked:
        if task in TASKS and folder is not None:
            print(f"running {task} ...", file=sys.stderr, flush=True)
            rows += TASKS[task](folder, options.split)
    if rows:
        _print(rows)
    if CALIBRATION in asked:
        print(f"\nranking of causes, {SCENARIOS:,} synthetic incidents with a known truth")
        print("\n".join(scenarios.lines(scenarios.run(SCENARIOS, seed=1))))
    return 0


def rca(folder: Path, split: str) -> list[Row]:
    """Root cause on metrics and logs: as given, with names replaced, and one sample late and early."""
    others = {
        "petshop": "PetShop's own best .62/.75",
        "sockshop1": "ten lines of mean shift 1/1",
        "nezha-ob": "n-sigma .46/.76, BARO .50/.69",
        "nezha-tt": "mean shift .13/.18",
        "MACRO": "BARO .33/.49, mean shift .45/.56",
    }
    aims = {"MACRO": ".88/.93"}
    plain = _run(folder, split, "rca")
    rows = [
        Row(
            task="rca top-1/Avg@5",
            what=f"{name}{_seconds(scores)}",
            ours=_pair(scores),
            aim=aims.get(name, ""),
            others=others.get(name, ""),
        )
        for name, scores in plain.items()
    ]
    for label, switches, aim in (
        ("MACRO, names replaced", ("--anon",), "Avg@5 .92"),
        ("MACRO, one sample late", ("--shift", "1"), "costs .05 at most"),
        ("MACRO, one sample early", ("--shift", "-1"), "costs .05 at most"),
    ):
        scores = _run(folder, split, "rca", *switches)
        rows.append(Row(task="rca top-1/Avg@5", what=label, ours=_pair(scores["MACRO"]), aim=aim, others=""))
    return rows


def onset(folder: Path, split: str) -> list[Row]:
    """Is there an incident in this window, and since when."""
    others = {"nezha-ob": "simple rule .55/.11, BARO .45/1.0", "nezha-tt": "simple rule .43/.17"}
    aims = {"nezha-ob": ".75/.05", "nezha-tt": ".55/.05"}
    return [
        Row(
            task="onset F1/false alarms",
            what=name,
            ours=f"{_short(scores['f1'])}/{_short(scores['false_alarm_rate'])}",
            aim=aims.get(name, ""),
            others=others.get(name, ""),
        )
        for name, scores in _run(folder, split, "onset").items()
    ]


def nab(folder: Path, split: str) -> list[Row]:
    """Anomalies of single series, as they stream by."""
    scores = _run(folder, split, "nab")["nab"]
    return [
        Row(
            task="NAB standard",
            what="29 series",
            ours=f"{scores['standard']:.1f}",
            aim="70",
            others="ARTime 73.1, HTM 66.4, random cut forest 59.1",
        )
    ]


def logs(folder: Path, split: str) -> list[Row]:
    """Templates of log lines without settings."""
    scores = _run(folder, split, "logs")["MEAN"]
    beside = "drain3 .72/.74 as published with the data"
    if drain() is not None:
        other = _run(folder, split, "logs", function="logs_drain3")["MEAN"]
        speed = f"{other['lines_per_s'] / 1000:.0f} thousand lines/s"
        beside = f"drain3, same run {_short(other['GA'])}/{_short(other['FGA'])}, {speed}"
    return [
        Row(
            task="logs GA/FGA",
            what=f"mean of the sets, {scores['lines_per_s'] / 1000:.0f} thousand lines/s",
            ours=f"{_short(scores['GA'])}/{_short(scores['FGA'])}",
            aim=".93/.85, 50 thousand",
            others=f"{beside}; set by set .83/.76",
        )
    ]


def changes(folder: Path, split: str) -> list[Row]:
    """Which change did it, or none."""
    scores = _run(folder, split, "changes")["changes"]
    return [
        Row(
            task="changes top-1/decoys",
            what="12 cases",
            ours=f"{_short(scores['top1'])}/{_short(scores['decoy_rate'])}",
            aim=".75/.10",
            others="keywords .50, latest deploy 0/.92",
        )
    ]


CALIBRATION = "calibration"
SCENARIOS = 2000
TASKS = {"rca": rca, "onset": onset, "nab": nab, "logs": logs, "changes": changes}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "task", nargs="*", choices=[*TASKS, CALIBRATION, []], help="tasks to run; all of them when none is named"
    )
    parser.add_argument("--split", default="dev")
    return parser.parse_args()


def _folder() -> Path | None:
    named = os.environ.get(ENVIRONMENT)
    candidates = (
        [Path(named)] if named else [ROOT.parent / "shared" / "bench" / "diagnose", ROOT.parent / "bench" / "diagnose"]
    )
    return next((folder for folder in candidates if (folder / "run.py").exists()), None)


def _run(folder: Path, split: str, task: str, *switches: str, function: str = "") -> Scores:
    """Let the benchmark's runner call our adapter, and its scorer judge what came out."""
    with tempfile.TemporaryDirectory() as scratch:
        predictions, judged = Path(scratch) / "predictions.jsonl", Path(scratch) / "scores.json"
        _call(
            folder / "run.py",
            task,
            "--split",
            split,
            "--func",
            f"bench.adapters:{function or task}",
            "--out",
            str(predictions),
            *switches,
        )
        _call(folder / "score.py", task, "--split", split, "--pred", str(predictions), "--json", str(judged), "--brief")
        scores: Scores = json.loads(judged.read_text(encoding="utf-8"))
        return scores


def _call(script: Path, *arguments: str) -> None:
    """Run one of the benchmark's programs from the repository's root; its output only when it fails."""
    done = subprocess.run(
        [sys.executable, str(script), *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{script.name} {arguments[0]} failed:\n{done.stderr}")


def _pair(scores: Mapping[str, float]) -> str:
    return f"{_short(scores['top1'])}/{_short(scores['avg@5'])}"


def _seconds(scores: Mapping[str, float]) -> str:
    return f", {scores['sec_mean']:.2f} s a case" if scores.get("sec_mean") is not None else ""


def _short(share: float) -> str:
    return f"{share:.3f}".lstrip("0").rstrip("0").rstrip(".") or "0"


def _print(rows: list[Row]) -> None:
    header = Row(task="task", what="on", ours="stanch", aim="aim", others="others, same data")
    cells = [(row.task, row.what, row.ours, row.aim, row.others) for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(5)]
    for number, row in enumerate(cells):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


if __name__ == "__main__":
    raise SystemExit(main())
