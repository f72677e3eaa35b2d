"""Measures the log library on one core: lines a second, memory on a long stream, and drain3 beside it if it is there.

  python bench/logs_speed.py [--megabytes 1000]
The stream is made here: request logs with UUIDs, addresses, sizes and nested objects, about 200 characters a line, no
two lines alike, from a fixed seed.
"""

import argparse
import random
import resource
import sys
import time
from collections.abc import Callable, Iterator

from drain import drain
from stanch.diagnose.logs.miner import Miner
from stanch.diagnose.logs.records import parse_line

_KINDS = (
    "[query][Get trips by route][routeId: {id}, tripId={n}] found {n} trips for {id} in {n} ms",
    "[create][Order created][Order(id={id}, accountId={id}, price={n}.{n}, seat=[{n}, {n}], from=/10.0.{n}.{n}:{n})]",
    "Received request {id} from /10.{n}.{n}.{n}:{n} for /api/v1/orders/{id}/items?limit={n} of size {n} bytes",
    "Response(status={n}, msg=Success, data=Ticket(seatNo={n}, start=shanghai, end=nanjing, travelDate=2026-0{n}-11))",
    "Connection to 10.{n}.{n}.{n}:{n} closed after {n} ms, {n} bytes ({n}.{n} KB) sent, trace {id} span {id}",
    "cache miss for key order:{id}:{n}; read through to 10.0.{n}.{n}:5432 took {n} us in pool {id} of {n} connections",
    "Query plan of statement {id}: Seq Scan on orders (cost={n}.{n}..{n}.{n} rows={n} width={n}) actual time={n}.{n}",
    "Finished task {n}.0 in stage {n}.0 (TID {n}) on executor {id} in {n} ms, {n} bytes result sent to driver {id}",
)


def lines(count: int, *, seed: int = 7) -> Iterator[str]:
    """Make log lines with a header; the same for the same seed."""
    source = random.Random(seed)
    for number in range(count):
        kind = source.choice(_KINDS)
        while "{" in kind:
            kind = kind.replace("{id}", f"{source.getrandbits(64):016x}-{source.getrandbits(32):08x}", 1)
            kind = kind.replace("{n}", str(source.randrange(10 ** source.randint(1, 4))), 1)
        clock = f"2026-06-20 13:{number // 60 % 60:02d}:{number % 60:02d},{number % 1000:03d}"
        yield f"{clock} INFO [worker-{number % 8}] shop.api - {kind}"


def rate(feed: Callable[[str], object], stream: list[str]) -> float:
    """Return lines a second of processor time, which other work on the machine does not change."""
    start = time.process_time()
    for line in stream:
        feed(line)
    return len(stream) / (time.process_time() - start)


def long_stream(megabytes: int) -> None:
    """Mine `megabytes` of lines as they are made, and print the peak of memory."""
    miner, size, stream = Miner(), 0, list(lines(20_000, seed=8))
    start = time.process_time()
    count = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    while size < megabytes * 1_000_000:
        for line in stream:
            miner.add(line)
            size += len(line) + 1
        count += len(stream)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    spent = time.process_time() - start
    print(
        f"stream: {size / 1e6:.0f} MB, {count} lines, {count / spent:,.0f} lines/s, {len(miner.templates())} templates"
    )
    print(f"memory: peak {peak} MB, of which {before} MB are the lines this benchmark repeats")


def main() -> int:
    """Print the figures."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--megabytes", type=int, default=1000)
    chosen = options.parse_args()
    stream = list(lines(100_000))
    print(f"lines: {len(stream)}, {sum(map(len, stream)) / len(stream):.0f} characters on average")
    print(f"stanch miner: {rate(Miner().add, stream):,.0f} lines/s")
    print(f"stanch records: {rate(parse_line, stream):,.0f} lines/s")
    other = drain()
    print(
        "drain3: not installed"
        if other is None
        else f"drain3, its example's masks: {rate(other, stream[:20_000]):,.0f} lines/s"
    )
    if chosen.megabytes:
        long_stream(chosen.megabytes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
