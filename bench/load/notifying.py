"""From a POST to the notification at a local webhook, with a group wait of 0, as alerts pile up."""

import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.load.alerts import Case, begun, closed, instant
from bench.load.hook import Hook
from bench.load.sending import Connection, post_all
from bench.load.servers import ALERTMANAGER, STANCH, Server, empty_database, started

_PROBES: Final = 100
_APART_S: Final = 0.02
_ACTIVE: Final = 100_000
_MEDIAN_MS: Final = 10.0
_P95_MS: Final = 50.0
_RATIO: Final = 1.5
# What is there already bothers nobody; only probes are told of.
_CONFIG: Final = """\
route:
  receiver: nobody
  group_by: [alertname]
  group_wait: 10m
  group_interval: 10m
  repeat_interval: 4h
  routes:
  - {{receiver: hook, group_wait: 0s, matchers: [probe="1"]}}
receivers:
- name: nobody
- name: hook
  webhook_configs: [{{url: '{url}'}}]
"""


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Milliseconds from the POST to the notification."""

    median: float
    p95: float


def measure_notifying(*, rounds: int, database: str) -> bool:
    """Measure both servers in turn, print it, and tell whether the aims are met."""
    found: dict[str, list[tuple[Delay, Delay]]] = {STANCH: [], ALERTMANAGER: []}
    for number in range(rounds):
        for kind in (STANCH, ALERTMANAGER) if number % 2 == 0 else (ALERTMANAGER, STANCH):
            found[kind].append(_at(kind, database if kind == STANCH else ""))
    print(f"(notify) from POST to webhook, {_PROBES} new groups")
    medians = {}
    for kind, pairs in found.items():
        empty, full = ([pair[place] for pair in pairs] for place in (0, 1))
        ratio = medians[kind] = statistics.median(pair[1].median / pair[0].median for pair in pairs)
        print(
            f"    {kind:13} nothing active: {_told(empty)}   {_ACTIVE:,} active: {_told(full)}   "
            f"ratio of medians {ratio:.2f}"
        )
    ours = [delay for pair in found[STANCH] for delay in pair]
    met = (
        statistics.median(delay.median for delay in ours) < _MEDIAN_MS
        and statistics.median(delay.p95 for delay in ours) < _P95_MS
        and medians[STANCH] <= _RATIO
    )
    missed = "" if met else "   MISSED"
    print(
        f"    aims: median below {_MEDIAN_MS:g} ms, p95 below {_P95_MS:g} ms, ratio at most {_RATIO}{missed}",
        flush=True,
    )
    return met


def _told(delays: list[Delay]) -> str:
    median = statistics.median(delay.median for delay in delays)
    return f"median {median:.1f} ms, p95 {statistics.median(delay.p95 for delay in delays):.1f} ms"


def _at(kind: str, database: str) -> tuple[Delay, Delay]:
    """Return the delay with nothing active, and with a hundred thousand alerts."""
    with (
        tempfile.TemporaryDirectory(prefix="stanch-bench-") as folder,
        empty_database(database) as where,
        Hook() as hook,
    ):
        config = _CONFIG.format(url=hook.url)
        with started(kind, Path(folder), config, database=where) as server:
            _probe(server, hook, "warm", count=10)
            empty = _probe(server, hook, "empty", count=_PROBES)
            case = Case(name="active", distinct=_ACTIVE, total=_ACTIVE)
            outcome, _ = post_all(server.url, case, connections=8, batch=64)
            if outcome.problems:
                raise SystemExit(f"{kind}: {outcome.problems[0]}")
            time.sleep(1.0)
            return empty, _probe(server, hook, "full", count=_PROBES)


def _probe(server: Server, hook: Hook, name: str, *, count: int) -> Delay:
    connection = Connection(server.url)
    sent: dict[str, float] = {}
    for number in range(count):
        probe = f"{name}{number:04d}"
        now = time.time()
        body = begun(number, {"alertname": probe, "probe": "1", "severity": "critical"})
        raw = b"[" + closed(body, instant(now), instant(now + 300)) + b"]"
        sent[probe] = time.perf_counter()
        status, said = connection.ask("POST", "/api/v2/alerts", raw)
        if status != 200:
            raise SystemExit(f"a probe was answered {status} {said[:200]!r}")
        time.sleep(_APART_S)
    connection.close()
    if not hook.wait_for(lambda told: sent.keys() <= {one.alerts[0] for one in told}, seconds=30):
        raise SystemExit("not every probe led to a notification")
    arrived: dict[str, float] = {}
    for one in hook.told():
        arrived.setdefault(one.alerts[0], one.at)
    delays = sorted(1000 * (arrived[probe] - at) for probe, at in sent.items())
    return Delay(median=statistics.median(delays), p95=delays[int(0.95 * len(delays))])
