"""What a long history costs: two servers side by side, one with few alerts stored and one with very many."""

import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from sqlalchemy import text

from bench.load.alerts import Case, begun, closed, instant, labels
from bench.load.sending import Outcome, post_all, post_streams
from bench.load.servers import STANCH, Server, empty_database, started
from stanch.alerts.intake.bulk.tables import bulk_of
from stanch.alerts.intake.fingerprint import canonical, key_of
from stanch.app.wiring import DATABASE, PROJECTORS
from stanch.store import Store

_FEW: Final = 10_000
_ACTIVE: Final = 2_000
_AT_ONCE: Final = 20_000
_RATIO: Final = 1.5
_LEAST_TURNS: Final = 7
_CONNECTIONS: Final = 4
_NEW: Final = 4_000
# Where the numbers of those that are stored already begin, and of those that are new.
_STORED: Final = 10_000_000
_FRESH: Final = 20_000_000
_MICROS: Final = 1_000_000
_HOUR_S: Final = 3600
_TIDY_WITHIN_S: Final = 300.0
_CONFIG: Final = """\
route: {receiver: nobody, group_by: [alertname], group_wait: 10m, group_interval: 10m, repeat_interval: 4h}
receivers: [{name: nobody}]
"""


def measure_history(*, stored: int, rounds: int, database: str) -> bool:
    """Measure the list of what fires, repetitions and new alerts; print it, and tell whether the aim is met."""
    print(f"(history) {_FEW:,} and {stored:,} alerts stored, {_ACTIVE:,} of them active")
    with ExitStack() as stack:
        sides = [_side(stack, count, database) for count in (_FEW, stored)]
        taken = {name: _in_turn(sides, name, turns=max(_LEAST_TURNS, 3 * rounds)) for name in ("list", "repeat", "new")}
    met = True
    for name, pairs in taken.items():
        ratio = statistics.median(many / few for few, many in pairs[1:])
        few, many = (statistics.median(pair[place] for pair in pairs) for place in (0, 1))
        met = met and ratio <= _RATIO
        missed = "" if ratio <= _RATIO else "   MISSED"
        unit = "ms" if name == "list" else "us an alert"
        print(
            f"    {name:13} {few:8.1f} and {many:8.1f} {unit}: ratio {ratio:.2f} (aim at most {_RATIO}){missed}",
            flush=True,
        )
    return met


def _in_turn(sides: list[Server], name: str, *, turns: int) -> list[tuple[float, float]]:
    """Return pairs of figures, measured one after the other, each side first every other time."""
    pairs = []
    for turn in range(turns):
        found = {server.url: _turn(server, name, turn) for server in (sides if turn % 2 == 0 else sides[::-1])}
        pairs.append((found[sides[0].url], found[sides[1].url]))
    return pairs


def _turn(side: Server, name: str, turn: int) -> float:
    """Return milliseconds for a list, microseconds an alert for writes."""
    began = time.perf_counter()
    if name == "list":
        status, _ = side.get("/api/v2/alerts")
        if status != 200:
            raise SystemExit(f"the list was answered {status}")
        return 1000 * (time.perf_counter() - began)
    if name == "repeat":
        case = Case(name=name, distinct=_ACTIVE, total=10_000)
        outcome, _ = post_all(side.url, case, connections=_CONNECTIONS, batch=64)
    else:
        outcome = _post_new(side, turn)
    if outcome.problems:
        raise SystemExit(outcome.problems[0])
    return 1e6 / outcome.rate


def _post_new(side: Server, turn: int) -> Outcome:
    """Post alerts that were never told of before, each turn others."""
    first = _FRESH + turn * _NEW
    now = time.time()
    starts, ends = instant(now), instant(now + _HOUR_S)
    bodies = []
    for start in range(first, first + _NEW, 64):
        numbers = range(start, min(start + 64, first + _NEW))
        body = b",".join(closed(begun(number), starts, ends) for number in numbers)
        bodies.append((b"[" + body + b"]", len(numbers)))
    return post_streams(side.url, [bodies[place::_CONNECTIONS] for place in range(_CONNECTIONS)])


def _side(stack: ExitStack, stored: int, database: str) -> Server:
    """Start a server whose store holds `stored` alerts, which ended an hour ago but for the active ones."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stanch-bench-")))
    where = stack.enter_context(empty_database(database))
    store = Store.open(where or folder / "data" / DATABASE, projectors=PROJECTORS)
    began = time.monotonic()
    _seed(store, stored - _ACTIVE)
    if store.is_postgres:
        # A database that runs has up-to-date statistics; this one was filled a second ago.
        with store.writing() as tx:
            tx.connection.execute(text("ANALYZE"))
    server = stack.enter_context(started(STANCH, folder, _CONFIG, database=where))
    case = Case(name="active", distinct=_ACTIVE, total=_ACTIVE)
    outcome, _ = post_all(server.url, case, connections=_CONNECTIONS, batch=64)
    if outcome.problems:
        raise SystemExit(outcome.problems[0])
    tidy = _wait_tidy(store)
    store.close()
    print(f"    {stored:,} stored in {tidy - began:.0f} s, {server.memory_mib():.0f} MiB", flush=True)
    return server


def _seed(store: Store, count: int) -> None:
    """Store alerts that ended an hour ago, as the write path stores them."""
    end = int((time.time() - _HOUR_S) * _MICROS)
    for first in range(_STORED, _STORED + count, _AT_ONCE):
        texts = [canonical(labels(number)) for number in range(first, min(first + _AT_ONCE, _STORED + count))]
        cold = [(key_of(one), one.decode(), '{"summary":"it is unhealthy"}', "", end) for one in texts]
        with store.writing() as tx:
            bulk = bulk_of(tx.connection)
            bulk.put([(id, end - 60 * _MICROS, end, end, 0, 1, 1) for id in bulk.add(cold)])


def _wait_tidy(store: Store) -> float:
    """Wait until the server has put away what ended long ago, and return when that was."""
    deadline = time.monotonic() + _TIDY_WITHIN_S
    while time.monotonic() < deadline:
        with store.reading() as view:
            left = view.connection.execute(text("SELECT count(*) FROM intake_hot")).scalar_one()
        if left <= _ACTIVE:
            return time.monotonic()
        time.sleep(0.5)
    raise SystemExit(f"{left:,} alerts that ended an hour ago were not put away")
