"""Calibration of the ranking of causes: synthetic incidents with a known truth, and how often a score is right.

Each scenario is a random shop, one fault, and the signals that collectors would bring of it, blurred by noise, with
collectors missing and harmless changes as decoys; some have no cause to be found. How strong a signal is, is drawn and
not read from the weights, but the people who wrote the weights also wrote this: it shows over-confidence, not truth.

Usage: `python -m bench.scenarios [--count N] [--seed N] [--json]`; 2,000 scenarios take some ten seconds.
"""

import argparse
import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from stanch.diagnose.model import Graph
from stanch.diagnose.rank import rank
from stanch.kernel.event import JSON
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Finding, FindingStatus, Signal

ONSET: Final = datetime(2026, 3, 4, 14, 30, tzinfo=UTC)
NOW: Final = ONSET + timedelta(minutes=2)
EDGES: Final = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)
NONE: Final = "none"
_LOST: Final = 0.2
"""Share of signals that are lost: a metric nobody exports, a log line that says less."""
_DISTRACTED: Final = 0.3
"""How often each kind of trouble that has nothing to do with it is there as well."""
_NAMES: Final = ("gateway", "checkout", "payments", "search", "orders", "stock", "mailer")
_COLLECTORS: Final = ("metrics", "calls", "logs", "changes", "dependencies", "host", "postgresql", "rootcause")
_OWN_ERRORS: Final = (
    "TypeError: 'NoneType' object is not subscriptable",
    "KeyError: 'currency'",
    "NullPointerException: cart is null",
    "ValueError: unexpected tax code",
)
_DATA_ERRORS: Final = (
    "JSONDecodeError: Expecting value: line 1 column 1",
    "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff",
    "ValueError: invalid literal for int() with base 10: 'n/a'",
)


@dataclass(kw_only=True)
class Scene:
    """One incident in the making: the shop, the signals by collector, the changes, and the truth."""

    random: random.Random
    graph: Graph
    place: str
    far: str
    truth: tuple[str, ...] = ()
    subject: str = ""
    version: str = ""
    signals: dict[str, list[Signal]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    looks_for_changes: bool = True

    def say(
        self, collector: str, name: str, service: str, value: float, normal: float | None = None, **data: JSON
    ) -> None:
        """Let a collector bring one signal, blurred by a tenth."""
        text, trend = str(data.pop("text", "")), str(data.pop("trend", ""))
        after = data.pop("after", None)
        blur = self.random.lognormvariate(0.0, 0.1)
        at = ONSET + timedelta(seconds=float(str(after))) if after is not None else None
        self.signals.setdefault(collector, []).append(
            Signal(
                name=name,
                service=service,
                value=value * blur,
                normal=normal,
                text=text,
                trend=trend,
                at=at,
                data=dict(data),
            )
        )

    def change(self, kind: ChangeKind, service: str, *, seconds_before: float, paths: tuple[str, ...]) -> Change:
        """Record a change this long before the onset."""
        number = len(self.changes)
        made = Change(
            id=f"{kind.value}/{service}/{number}",
            at=ONSET - timedelta(seconds=seconds_before),
            kind=kind,
            service=service,
            title=f"{service} {kind.value}",
            version=f"v1.{number + 1}",
            previous=f"v1.{number}",
            paths=paths,
        )
        self.changes.append(made)
        return made


@dataclass(frozen=True, kw_only=True)
class Judged:
    """How one scenario was ranked."""

    truth: str
    top: str
    score: float
    known: bool
    right: bool


def shop(dice: random.Random) -> Scene:
    """Return a random chain of calls with a far end, and the service in which the fault will lie."""
    names = dice.sample(_NAMES, dice.randint(3, 6))
    calls = {name: (names[place + 1],) if place + 1 < len(names) else () for place, name in enumerate(names)}
    place = dice.choice(names[1:])
    far = dice.choice(["acquirer", "mapper", "bank"])
    calls[place] = (*calls[place], far)
    calls["catalog"] = ()
    return Scene(random=dice, graph=Graph(depends_on=calls, external=frozenset({far})), place=place, far=far)


def failing(scene: Scene, ratio: float) -> None:
    """Let a service fail, and those that need it with it, each a little less; figures of traffic beside it."""
    above = {scene.place: ratio}
    for name in (*_up(scene.graph, scene.place),):
        callee = scene.graph.callees(name)[0]
        above[name] = above[callee] * scene.random.uniform(0.8, 1.0)
        scene.say("calls", "dependency_error_ratio", name, above[callee], 0.002, target=callee)
    for name, value in above.items():
        scene.say("metrics", "error_ratio", name, value, 0.002, trend="step")
    calm(scene, skip=set(above))


def slow(scene: Scene, milliseconds: float) -> None:
    """Let a service be slow, and those that wait for it with it."""
    for name in (scene.place, *_up(scene.graph, scene.place)):
        scene.say("metrics", "latency_p95_ms", name, milliseconds, 60, trend="step")
        scene.say("metrics", "error_ratio", name, scene.random.choice([0.0, 0.01]), 0.002)
        if name != scene.place:
            callee = scene.graph.callees(name)[0]
            scene.say("calls", "dependency_latency_p95_ms", name, milliseconds, 55, target=callee)
            scene.say("calls", "dependency_error_ratio", name, 0.0, 0.0, target=callee)
    calm(scene, skip={scene.place, *_up(scene.graph, scene.place)})


def calm(scene: Scene, *, skip: set[str]) -> None:
    """Say of everything else that it is as ever."""
    for name in scene.graph.depends_on:
        scene.say("metrics", "request_rate", name, 20, 20)
        scene.say("metrics", "restarts", name, 0, 0)
        if name not in skip:
            scene.say("metrics", "error_ratio", name, 0.002, 0.002)
            scene.say("metrics", "latency_p95_ms", name, 60, 60)


def error(scene: Scene, text: str, *, after: float = 1.0, normal: float = 0.0, **data: JSON) -> None:
    """Let the service in question log an error."""
    count = scene.random.uniform(20, 400)
    scene.say("logs", "error_group", scene.place, count, normal, text=text, after=after, **data)


def far_well(scene: Scene) -> None:
    """Say that the far end is as ever."""
    scene.say("calls", "dependency_error_ratio", scene.place, 0.001, 0.001, target=scene.far)
    scene.say("calls", "dependency_latency_p95_ms", scene.place, 46, 46, target=scene.far)
    scene.say("dependencies", "dependency_up", scene.place, 1.0, target=scene.far, raised=False)
    scene.say("dependencies", "status_page", scene.place, 0.0, target=scene.far, text="none")


def bad_deploy(scene: Scene) -> None:
    """A release with a bug, of which the trace tells in two cases of three."""
    path = f"{scene.place}/logic.py"
    made = scene.change(ChangeKind.DEPLOY, scene.place, seconds_before=scene.random.uniform(1, 400), paths=(path,))
    failing(scene, scene.random.uniform(0.05, 0.9))
    far_well(scene)
    culprit = f"{path}:12 in handle" if scene.random.random() < 0.66 else "lib/http.py:80 in call"
    error(scene, scene.random.choice(_OWN_ERRORS), culprit=culprit, versions=[made.version], type="TypeError")
    scene.truth, scene.version = ("bad_deploy",), made.version


def bad_config(scene: Scene) -> None:
    """A wrong value: it fails, or does not start any more."""
    made = scene.change(
        ChangeKind.CONFIG, scene.place, seconds_before=scene.random.uniform(1, 200), paths=("app.toml",)
    )
    failing(scene, scene.random.uniform(0.2, 1.0))
    far_well(scene)
    if scene.random.random() < 0.5:
        scene.say("metrics", "restarts", scene.place, scene.random.randint(3, 9), 0.0)
    error(scene, "ConfigError: pool_size must be positive", level="fatal")
    scene.truth, scene.version = ("bad_config",), made.version


def flag_change(scene: Scene) -> None:
    """A feature that is switched on and fails."""
    made = scene.change(ChangeKind.FLAG, scene.place, seconds_before=scene.random.uniform(1, 300), paths=())
    failing(scene, scene.random.uniform(0.05, 0.6))
    far_well(scene)
    error(scene, scene.random.choice(_OWN_ERRORS))
    scene.truth, scene.version = ("flag_change",), made.version


def migration(scene: Scene) -> None:
    """A migration after which queries are slow."""
    made = scene.change(
        ChangeKind.MIGRATION, scene.place, seconds_before=scene.random.uniform(1, 600), paths=("db/0042.sql",)
    )
    slow(scene, scene.random.uniform(400, 4000))
    far_well(scene)
    if scene.random.random() < 0.5:
        scene.say("postgresql", "long_queries", scene.place, scene.random.randint(3, 20), 0.0)
    scene.truth, scene.version = ("migration", "missing_index", "slow_query"), made.version


def connection_leak(scene: Scene) -> None:
    """A pool that fills little by little, then time-outs."""
    failing(scene, scene.random.uniform(0.3, 1.0))
    far_well(scene)
    scene.say(
        "metrics", "saturation", scene.place, 1.0, 0.1, resource="db_pool", rise_s=300.0, after=-200, trend="gradual"
    )
    if scene.random.random() < 0.7:
        error(scene, "PoolTimeout: no connection became free within 2 s", after=5)
    scene.truth = ("connection_leak",)


def pool_exhausted(scene: Scene) -> None:
    """More requests than the pool has connections."""
    failing(scene, scene.random.uniform(0.1, 0.8))
    far_well(scene)
    scene.say("metrics", "saturation", scene.place, 1.0, 0.4, resource="db_pool", rise_s=4.0, after=-2)
    scene.say("metrics", "request_rate", scene.place, scene.random.uniform(35, 60), 20)
    error(scene, "PoolTimeout: no connection became free within 2 s")
    scene.truth = ("connection_pool_exhausted", "traffic_spike")


def dependency_slow(scene: Scene) -> None:
    """The far end takes long; its status page admits it in one case of three."""
    wait = scene.random.uniform(500, 5000)
    slow(scene, wait + 40)
    scene.say("calls", "dependency_latency_p95_ms", scene.place, wait, 46, target=scene.far)
    scene.say("calls", "dependency_error_ratio", scene.place, scene.random.choice([0.0, 0.1]), 0.001, target=scene.far)
    _page(scene, "minor")
    scene.truth, scene.subject = ("dependency_slow", "third_party_outage"), scene.far


def dependency_down(scene: Scene) -> None:
    """The far end refuses connections."""
    ratio = scene.random.uniform(0.5, 1.0)
    failing(scene, ratio)
    scene.say("calls", "dependency_error_ratio", scene.place, ratio, 0.001, target=scene.far)
    scene.say("calls", "dependency_latency_p95_ms", scene.place, 5, 46, target=scene.far)
    scene.say(
        "dependencies", "dependency_up", scene.place, 0.0, target=scene.far, raised=True, text="connection refused"
    )
    if scene.random.random() < 0.7:
        error(scene, f"ConnectionRefusedError: {scene.far} refused the connection")
    _page(scene, "critical")
    scene.truth, scene.subject = ("dependency_down", "third_party_outage"), scene.far


def traffic_spike(scene: Scene) -> None:
    """Many more requests than usual, and something fills up."""
    slow(scene, scene.random.uniform(400, 3000))
    far_well(scene)
    scene.say("metrics", "request_rate", scene.place, scene.random.uniform(40, 150), 20)
    if scene.random.random() < 0.7:
        scene.say("metrics", "saturation", scene.place, 1.0, 0.3, resource="workers")
    scene.truth = ("traffic_spike",)


def memory_leak(scene: Scene) -> None:
    """Memory grows until the process is killed."""
    failing(scene, scene.random.uniform(0.05, 0.5))
    far_well(scene)
    scene.say("metrics", "memory_bytes", scene.place, 9e8, 3e8, rise_s=900.0, after=-800, trend="gradual increase")
    scene.say("metrics", "restarts", scene.place, scene.random.randint(1, 3), 0.0)
    scene.truth = ("memory_leak",)


def resource_exhausted(scene: Scene) -> None:
    """A disk that is full."""
    failing(scene, scene.random.uniform(0.2, 1.0))
    far_well(scene)
    scene.say("host", "saturation", scene.place, 0.99, 0.6, resource="disk")
    if scene.random.random() < 0.6:
        error(scene, "OSError: [Errno 28] No space left on device")
    scene.truth = ("resource_exhausted",)


def slow_query(scene: Scene) -> None:
    """Queries that run long, with nothing changed."""
    slow(scene, scene.random.uniform(500, 4000))
    far_well(scene)
    scene.say("postgresql", "long_queries", scene.place, scene.random.randint(3, 20), 0.0)
    scene.say("postgresql", "locks_waiting", scene.place, 0, 0)
    scene.truth = ("slow_query", "missing_index")


def locks(scene: Scene) -> None:
    """Sessions that wait for each other."""
    slow(scene, scene.random.uniform(500, 4000))
    far_well(scene)
    scene.say("postgresql", "locks_waiting", scene.place, scene.random.randint(3, 30), 0.0)
    scene.say("postgresql", "long_queries", scene.place, scene.random.randint(1, 10), 0.0)
    scene.truth = ("lock_contention", "slow_query")


def crash_loop(scene: Scene) -> None:
    """A process that ends again and again, with nothing changed."""
    failing(scene, scene.random.uniform(0.3, 1.0))
    far_well(scene)
    scene.say("metrics", "restarts", scene.place, scene.random.randint(3, 12), 0.0)
    error(scene, scene.random.choice(_OWN_ERRORS), level="fatal")
    scene.truth = ("crash_loop_bug",)


def data_problem(scene: Scene) -> None:
    """A feed that has changed its format."""
    failing(scene, scene.random.uniform(0.02, 0.4))
    far_well(scene)
    error(scene, scene.random.choice(_DATA_ERRORS), culprit=f"{scene.place}/feed.py:40 in read", versions=["v1.0"])
    scene.truth = ("data_problem",)


def nothing_to_find(scene: Scene) -> None:
    """Trouble whose cause leaves no trace in anything that is looked at."""
    if scene.random.random() < 0.5:
        failing(scene, scene.random.uniform(0.03, 0.5))
    else:
        slow(scene, scene.random.uniform(200, 2000))
        if scene.random.random() < 0.5:
            # Requests that take longer are more at a time.
            scene.say("metrics", "saturation", scene.place, 1.0, 0.2, resource="worker_slots", after=1)
    far_well(scene)
    scene.truth = (NONE,)


FAULTS: Final[tuple[tuple[str, float, Callable[[Scene], None]], ...]] = (
    # Name, how common among a hundred, what it looks like.
    ("bad_deploy", 26, bad_deploy),
    ("bad_config", 9, bad_config),
    ("flag_change", 5, flag_change),
    ("migration", 4, migration),
    ("connection_leak", 4, connection_leak),
    ("connection_pool_exhausted", 5, pool_exhausted),
    ("dependency_slow", 8, dependency_slow),
    ("dependency_down", 8, dependency_down),
    ("traffic_spike", 6, traffic_spike),
    ("memory_leak", 3, memory_leak),
    ("resource_exhausted", 5, resource_exhausted),
    ("slow_query", 3, slow_query),
    ("lock_contention", 2, locks),
    ("crash_loop_bug", 2, crash_loop),
    ("data_problem", 3, data_problem),
    (NONE, 12, nothing_to_find),
)


def scenario(dice: random.Random) -> Scene:
    """Draw one incident: the shop, the fault, decoys, and which collectors are missing."""
    scene = shop(dice)
    fault = dice.choices(FAULTS, weights=[weight for _, weight, _ in FAULTS])[0]
    fault[2](scene)
    for _ in range(dice.choice([0, 0, 1, 1, 2])):
        _decoy(scene)
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
    )
    return Judged(
        truth=scene.truth[0],
        top=top.kind if top is not None else "",
        score=top.score if top is not None else 0.0,
        known=ranking.known,
        right=right,
    )


def run(count: int, *, seed: int) -> list[Judged]:
    """Judge `count` scenarios; the same seed draws the same."""
    return [judge(scenario(random.Random(f"{seed}/{number}"))) for number in range(count)]


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
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--wrong", action="store_true", help="also print which faults are taken for which")
    asked = parser.parse_args()
    judged = run(asked.count, seed=asked.seed)
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


def _up(graph: Graph, service: str) -> list[str]:
    found = []
    callers = graph.callers(service)
    while callers:
        found.append(callers[0])
        callers = graph.callers(callers[0])
    return found


def _page(scene: Scene, word: str) -> None:
    admits = scene.random.random() < 0.33
    scene.say("dependencies", "status_page", scene.place, 0.0, target=scene.far, text=word if admits else "none")


def _decoy(scene: Scene) -> None:
    dice = scene.random
    service = dice.choice([name for name in scene.graph.depends_on if name not in scene.graph.external])
    inert = dice.random() < 0.5
    kind = ChangeKind.DEPLOY if inert else dice.choice([ChangeKind.DEPLOY, ChangeKind.CONFIG, ChangeKind.FLAG])
    paths = (f"{service}/README.md",) if inert else (f"{service}/view.py",)
    scene.change(kind, service, seconds_before=dice.uniform(-30, 1800), paths=paths)


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
            [*_OWN_ERRORS, *_DATA_ERRORS, "TimeoutError: timed out", "ConnectionResetError: reset by peer"]
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
