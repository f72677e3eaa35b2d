"""Kills the server right after an answer, again and again, and counts what is lost or told twice.

  make bench-crash, or python -m bench.crash [--rounds 50] [--database URL]
A round posts batches over several connections, each batch a group of its own, half of them with a group wait of 0.
The moment an answer with 200 has come, the process is killed (SIGKILL), and started again on the same data. Then every
alert that was accepted must be in the list, and every group at the webhook under one `Idempotency-Key`; the same
notification with the same key again is counted apart: its outcome was not known when the process died. What was posted
and never answered may be there or not, and is told of once if it is there. The exit code is 1 when anything is lost or
told twice.
"""

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.load.alerts import begun, closed, instant
from bench.load.hook import Hook, Told
from bench.load.sending import Connection
from bench.load.servers import STANCH, Server, empty_database, free_port, started

_CONNECTIONS: Final = 6
# In turn: small bundles are taken in before they are answered, large ones are written down first.
_BATCHES: Final = (16, 64)
_MOST_ANSWERS: Final = 150
_TOLD_WITHIN_S: Final = 60.0
_CONFIG: Final = """\
route:
  receiver: hook
  group_by: [alertname]
  group_wait: 300ms
  group_interval: 10m
  repeat_interval: 4h
  routes:
  - {{receiver: hook, group_wait: 0s, matchers: [severity="critical"]}}
receivers:
- name: hook
  webhook_configs: [{{url: '{url}'}}]
"""


@dataclass(kw_only=True)
class Tally:
    """What all rounds together came to."""

    accepted: int = 0
    groups: int = 0
    lost: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    told_twice: list[str] = field(default_factory=list)
    repeated: int = 0
    unanswered: int = 0
    unanswered_kept: int = 0
    restart_s: list[float] = field(default_factory=list)


@dataclass(kw_only=True)
class Load:
    """Posts until the process is killed, which happens at the answer number `last`."""

    server: Server
    number: int
    last: int
    batch: int
    accepted: dict[str, int] = field(default_factory=dict)
    posted: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """Post from several threads and return when the process is dead."""
        threads = [threading.Thread(target=self._post, args=(one,), daemon=True) for one in range(_CONNECTIONS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.server.process.wait()

    def _post(self, place: int) -> None:
        try:
            connection = Connection(self.server.url)
            for group, body in _batches(f"r{self.number}c{place}", self.batch):
                self.posted[group] = self.batch
                status, said = connection.ask("POST", "/api/v2/alerts", body)
                if status != 200:
                    raise SystemExit(f"answered {status} {said[:200]!r}")
                with self._lock:
                    self.accepted[group] = self.batch
                    if len(self.accepted) >= self.last:
                        self.server.process.kill()
        except OSError:
            return  # killed


def _batches(prefix: str, size: int) -> Iterator[tuple[str, bytes]]:
    """Yield groups with the body that fires all their alerts."""
    for number in range(1_000_000):
        group = f"{prefix}b{number}"
        severity = "critical" if number % 2 else "warning"
        now = time.time()
        parts = [
            closed(
                begun(one, {"alertname": group, "number": f"{group}/{one}", "severity": severity}),
                instant(now),
                instant(now + 3600),
            )
            for one in range(size)
        ]
        yield group, b"[" + b",".join(parts) + b"]"


def check(tally: Tally, load: Load, server: Server, hook: Hook) -> None:
    """Compare what one round was answered with what the restarted server knows and tells."""
    listed = _listed(server, f"r{load.number}c")
    tally.accepted += load.batch * len(load.accepted)
    tally.groups += len(load.accepted)
    tally.lost += [
        f"{group}: {listed[group]} of {size}" for group, size in load.accepted.items() if listed[group] < size
    ]
    unanswered = load.posted.keys() - load.accepted.keys()
    tally.unanswered += len(unanswered)
    tally.unanswered_kept += sum(bool(listed[group]) for group in unanswered)
    tally.lost += [f"{group}: half of it" for group in unanswered if 0 < listed[group] < load.batch]
    due = {group for group in load.posted if listed[group]}

    def complete(told: list[Told]) -> bool:
        return due <= {one.alerts[0] for one in told}

    hook.wait_for(complete, seconds=_TOLD_WITHIN_S)
    # Long enough for a second notification of a group whose wait is over.
    time.sleep(0.5)
    keys: dict[str, Counter[str]] = {group: Counter() for group in due}
    for one in hook.told():
        if one.alerts[0] in keys:
            keys[one.alerts[0]][one.key] += 1
            if len(one.alerts) != load.batch:
                tally.lost.append(f"{one.alerts[0]}: {len(one.alerts)} of {load.batch} alerts in its notification")
    tally.untold += [group for group, seen in keys.items() if not seen]
    tally.told_twice += [group for group, seen in keys.items() if len(seen) > 1]
    tally.repeated += sum(seen.total() - 1 for seen in keys.values() if len(seen) == 1)


def _listed(server: Server, prefix: str) -> Counter[str]:
    """Return how many alerts of each group the server lists."""
    status, raw = server.get("/api/v2/alerts")
    if status != 200:
        raise SystemExit(f"the list was answered {status}")
    names = (one["labels"]["alertname"] for one in json.loads(raw))
    return Counter(name for name in names if name.startswith(prefix))


def run(*, rounds: int, database: str, seed: int) -> Tally:
    """Kill and start again `rounds` times."""
    tally, chance = Tally(), random.Random(seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stanch-bench-")))
        where = stack.enter_context(empty_database(database))
        hook = stack.enter_context(Hook())
        config, port = _CONFIG.format(url=hook.url), free_port()
        current = stack.enter_context(ExitStack())
        server = current.enter_context(started(STANCH, folder, config, database=where, port=port))
        for number in range(rounds):
            last = chance.randint(1, _MOST_ANSWERS)
            load = Load(server=server, number=number, last=last, batch=_BATCHES[number % len(_BATCHES)])
            load.run()
            current.close()
            began = time.monotonic()
            server = current.enter_context(started(STANCH, folder, config, database=where, port=port))
            tally.restart_s.append(time.monotonic() - began)
            check(tally, load, server, hook)
            faults = len(tally.lost) + len(tally.untold) + len(tally.told_twice)
            if sys.stderr.isatty():
                print(f"\r{number + 1} of {rounds}, {faults} faults", end="", file=sys.stderr, flush=True)
    return tally


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, and return 1 when anything was lost or told twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--database", default="", metavar="URL", help="a PostgreSQL server, for a database of its own")
    parser.add_argument("--seed", type=int, default=1, help="decides after how many answers the process is killed")
    asked = parser.parse_args(arguments)
    tally = run(rounds=asked.rounds, database=asked.database, seed=asked.seed)
    missing = tally.lost + tally.untold
    print(f"{asked.rounds} kills right after an answer; {tally.accepted:,} alerts accepted in {tally.groups:,} groups")
    print(f"lost or incomplete     {len(tally.lost)}")
    print(f"groups not told of     {len(tally.untold)}")
    print(f"told under two keys    {len(tally.told_twice)}")
    print(f"told again, same key   {tally.repeated} (on its way when the process was killed)")
    print(f"posted, not answered   {tally.unanswered} groups, {tally.unanswered_kept} of them kept whole")
    print(f"start after a kill     {sorted(tally.restart_s)[len(tally.restart_s) // 2]:.1f} s (median)")
    for one in (missing + tally.told_twice)[:10]:
        print(f"  {one}")
    return 1 if missing or tally.told_twice else 0


if __name__ == "__main__":
    sys.exit(main())
