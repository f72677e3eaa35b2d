"""Calibration of the ranking of causes: synthetic incidents with a known truth, and how often a score is right.

Each scenario is a random shop, one fault, and the signals that collectors would bring of it, blurred by noise, with
collectors missing and harmless changes as decoys; some have no cause to be found. How strong a signal is, is drawn and
not read from the weights, but the people who wrote the weights also wrote this: it shows over-confidence, not truth.

Usage: `python -m bench.scenarios [--count N] [--seed N] [--half train|test] [--json]`; 2,000 scenarios take some ten
seconds. What is fitted is fitted on the half `train`, and told by its figures on the half `test`.
"""

import argparse
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Final

from bench.scenes import DATA_ERRORS, FAULTS, NONE, ONSET, OWN_ERRORS, Scene, error, shop
from stanch.diagnose.rank import rank
from stanch.ports.changes import ChangeKind
from stanch.ports.evidence import Finding, FindingStatus, Signal

NOW: Final = ONSET + timedelta(minutes=2)
EDGES: Final = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
_LOST: Final = 0.2
"""Share of signals that are lost: a metric nobody exports, a log line that says less."""
_DISTRACTED: Final = 0.3
"""How often each kind of trouble that has nothing to do with it is there as well."""
_COLLECTORS: Final = ("metrics", "calls", "logs", "changes", "dependencies", "host", "postgresql", "rootcause")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """How one scenario was ranked."""

    truth: str
    top: str
    score: float
    known: bool
    right: bool


def scenario(dice: random.Random) -> Scene:
    """Draw one incident: the shop, the fault, decoys, and which collectors are missing."""
    scene = shop(dice)
    fault = dice.choices(FAULTS, weights=[weight for _, weight, _ in FAULTS])[0]
    fault[2](scene)
    for _ in range(dice.choice([0, 0, 1, 1, 2])):
        _decoy(scene)
    for _ in range(dice.choice([0, 0, 1, 2, 4])):
        _bare_commit(scene)
    _distract(scene)
    for collector in _COLLECTORS:
        # What tells of the trouble itself is there, or there would be no incident.
        if collector != "metrics" and dice.random() < 0.15:
            scene.signals.pop(collector, None)
            if collector == "changes":
                scene.changes.clear()
                scene.looks_for_changes = False
    return scene


def judge(scene: Scene) -> Judged:
    """Rank the causes of one incident and compare with the truth."""
    told = [Signal(name="change", service=one.service, data={"id": one.id}) for one in scene.changes]
    findings = [_finding("changes", told)] if scene.looks_for_changes else []
    findings += [_finding(name, found) for name, found in scene.signals.items()]
    services = (next(iter(scene.graph.depends_on)),)
    ranking = rank(findings, changes=scene.changes, onset=ONSET, graph=scene.graph, now=NOW, services=services)
    top = ranking.hypotheses[0] if ranking.hypotheses else None
    right = (
        top is not None
        and top.kind in scene.truth
        and (scene.subject or scene.place) in (top.service, top.target)
        and (not scene.version or not top.version or top.version == scene.version)
        and (not scene.blamed or not top.change or top.change == scene.blamed)
    )
    return Judged(
        truth=scene.truth[0],
        top=top.kind if top is not None else "",
        score=top.score if top is not None else 0.0,
        known=ranking.known,
        right=right,
    )


def run(count: int, *, seed: int, half: str | None = None) -> list[Judged]:
    """Judge `count` scenarios, or the `train` or `test` half of them; the same seed draws the same."""
    numbers = range(int(half == "test"), count, 2 if half else 1)
    return [judge(scenario(random.Random(f"{seed}/{number}"))) for number in numbers]


def table(judged: Sequence[Judged]) -> list[dict[str, float]]:
    """Return for each bucket of the top score how many there were, the mean score, and the share that was right."""
    rows = []
    for low, high in pairwise(EDGES):
        own = [one for one in judged if low <= one.score < high]
        if own:
            rows.append(
                {
                    "from": low,
                    "to": min(1.0, high),
                    "count": len(own),
                    "score": sum(one.score for one in own) / len(own),
                    "right": sum(one.right for one in own) / len(own),
                }
            )
    return rows


def summary(judged: Sequence[Judged]) -> dict[str, float]:
    """Return top-1, how often what is called known is right, and how often "not known yet" is said where it should."""
    found = [one for one in judged if one.truth != NONE]
    nothing = [one for one in judged if one.truth == NONE]
    known = [one for one in judged if one.known]
    rows = table(judged)
    return {
        "count": len(judged),
        "top1": sum(one.right for one in found) / max(1, len(found)),
        "known": len(known) / len(judged),
        "known_right": sum(one.right for one in known) / max(1, len(known)),
        "none_not_known": sum(not one.known for one in nothing) / max(1, len(nothing)),
        # Expected calibration error: the mean distance of score and share, weighted by how many there are.
        "calibration_error": sum(row["count"] * abs(row["score"] - row["right"]) for row in rows) / len(judged),
    }


def lines(judged: Sequence[Judged]) -> list[str]:
    """Return the table as text."""
    told = ["score of the first    scenarios   mean score   right"]
    for row in table(judged):
        bucket = f"{row['from']:.1f} to {row['to']:.1f}"
        told.append(f"{bucket:20} {row['count']:10,.0f} {row['score']:12.2f} {row['right']:7.2f}")
    found = summary(judged)
    told.append(
        f"top-1 {found['top1']:.3f}; called known {found['known']:.3f}, of these right {found['known_right']:.3f}; "
        f'"not known yet" where there is nothing to find {found["none_not_known"]:.3f}; '
        f"calibration error {found['calibration_error']:.3f}"
    )
    return told


def main() -> int:
    """Draw, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--half", choices=("train", "test"), help="every second one; weights are fitted on train alone")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--wrong", action="store_true", help="also print which faults are taken for which")
    asked = parser.parse_args()
    judged = run(asked.count, seed=asked.seed, half=asked.half)
    if asked.json:
        print(json.dumps({"table": table(judged), **summary(judged)}))
        return 0
    print("\n".join(lines(judged)))
    if asked.wrong:
        for (truth, top), count in Counter(
            (one.truth, one.top) for one in judged if one.known and not one.right
        ).most_common(15):
            print(f"{count:5}  {truth} taken for {top}")
    return 0


def _decoy(scene: Scene) -> None:
    dice = scene.random
    service = dice.choice([name for name in scene.graph.depends_on if name not in scene.graph.external])
    inert = dice.random() < 0.5
    kind = ChangeKind.DEPLOY if inert else dice.choice([ChangeKind.DEPLOY, ChangeKind.CONFIG, ChangeKind.FLAG])
    paths = (f"{service}/README.md",) if inert else (f"{service}/view.py",)
    scene.change(kind, service, seconds_before=dice.uniform(-30, 1800), paths=paths)


def _bare_commit(scene: Scene) -> None:
    """Let somebody commit something that nothing tells was deployed: half of the time where the trouble is."""
    dice = scene.random
    ours = [name for name in scene.graph.depends_on if name not in scene.graph.external]
    service = scene.place if dice.random() < 0.5 else dice.choice(ours)
    path = dice.choice([f"{service}/view.py", f"{service}/README.md", f"{service}/other.py"])
    scene.commit(service, seconds_before=dice.expovariate(1 / 3600), paths=(path,))


def _distract(scene: Scene) -> None:
    """Lose signals here and there, and add trouble that has nothing to do with it, as every large system has some."""
    dice = scene.random
    for collector, found in scene.signals.items():
        if collector != "metrics":
            found[:] = [one for one in found if dice.random() > _LOST]
    others = [name for name in scene.graph.depends_on if name not in (scene.place, scene.far)]
    if dice.random() < _DISTRACTED:
        scene.say("metrics", "error_ratio", dice.choice(others), dice.uniform(0.03, 0.08), 0.002)
    if dice.random() < _DISTRACTED:
        scene.say("metrics", "latency_p95_ms", dice.choice(others), dice.uniform(100, 160), 60)
    if dice.random() < _DISTRACTED:
        text = dice.choice(
            [*OWN_ERRORS, *DATA_ERRORS, "TimeoutError: timed out", "ConnectionResetError: reset by peer"]
        )
        error(scene, text, culprit=f"{scene.place}/other.py:7 in run", versions=["v0.9"])
    if dice.random() < _DISTRACTED:
        scene.say("calls", "dependency_latency_p95_ms", scene.place, dice.uniform(75, 110), 46, target=scene.far)


def _finding(collector: str, signals: Sequence[Signal]) -> Finding:
    return Finding(
        id=f"f1-{collector}-1",
        collector=collector,
        source="scenario",
        command="",
        status=FindingStatus.OK if signals else FindingStatus.NO_DATA,
        summary="",
        start=ONSET - timedelta(hours=1),
        end=NOW,
        signals=tuple(signals),
    )


if __name__ == "__main__":
    raise SystemExit(main())
