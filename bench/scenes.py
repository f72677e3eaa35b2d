"""Synthetic incidents: a random shop, and what each fault looks like to the collectors. See `scenarios`."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from stanch.diagnose.model import Graph
from stanch.kernel.event import JSON
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Signal

ONSET: Final = datetime(2026, 3, 4, 14, 30, tzinfo=UTC)
NONE: Final = "none"
_UNRECORDED: Final = 0.17
_NAMES: Final = ("gateway", "checkout", "payments", "search", "orders", "stock", "mailer")
OWN_ERRORS: Final = (
    "TypeError: 'NoneType' object is not subscriptable",
    "KeyError: 'currency'",
    "NullPointerException: cart is null",
    "ValueError: unexpected tax code",
)
DATA_ERRORS: Final = (
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
    blamed: str = ""
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

    def commit(self, service: str, *, seconds_before: float, paths: tuple[str, ...]) -> Change:
        """Record a commit: that it was deployed is told by nobody."""
        number = len(self.changes)
        made = Change(
            id=f"commit/{service}/{number}",
            at=ONSET - timedelta(seconds=seconds_before),
            kind=ChangeKind.COMMIT,
            service=service,
            title=f"{service}: small things",
            commit=f"{number:010x}",
            paths=paths,
        )
        self.changes.append(made)
        return made


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
    seconds_before = scene.random.uniform(1, 400)
    # One shop in six records no deploys: what is known of a release is its commit.
    if scene.random.random() < _UNRECORDED:
        made = scene.commit(scene.place, seconds_before=seconds_before, paths=(path,))
    else:
        made = scene.change(ChangeKind.DEPLOY, scene.place, seconds_before=seconds_before, paths=(path,))
    failing(scene, scene.random.uniform(0.05, 0.9))
    far_well(scene)
    culprit = f"{path}:12 in handle" if scene.random.random() < 0.66 else "lib/http.py:80 in call"
    versions: list[JSON] = [made.version] if made.version else []
    error(scene, scene.random.choice(OWN_ERRORS), culprit=culprit, versions=versions, type="TypeError")
    scene.truth, scene.version, scene.blamed = ("bad_deploy",), made.version, made.id


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
    error(scene, scene.random.choice(OWN_ERRORS))
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
    error(scene, scene.random.choice(OWN_ERRORS), level="fatal")
    scene.truth = ("crash_loop_bug",)


def data_problem(scene: Scene) -> None:
    """A feed that has changed its format."""
    failing(scene, scene.random.uniform(0.02, 0.4))
    far_well(scene)
    error(scene, scene.random.choice(DATA_ERRORS), culprit=f"{scene.place}/feed.py:40 in read", versions=["v1.0"])
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
