"""The customers: a steady stream of requests to the gateway, some of guests, some of people with an account.

`python -m stanch.gameday.shop.traffic --gateway URL --rate N`. Standard input takes one JSON object per line and each
is answered on standard output: `{"rate": 60}`, `{"refunds": 30, "every_s": 1.4}`, `{"refunds": 0}`, `{}`; the answer
holds the figures so far. The process ends when standard input closes.
"""

import argparse
import asyncio
import json
import random
import time
from collections import Counter, deque
from urllib.parse import urlsplit

from stanch.gameday.shop.companion import take_commands
from stanch.gameday.shop.migrations import ACCOUNTS, FIRST_ACCOUNT, PAST_PAYMENTS, REFUNDED_EVERY

CATALOG_SHARE = 0.15
GUEST_SHARE = 0.45
OWN_CARD_SHARE = 0.15
TIMEOUT_S = 15.0
# 400 requests under way at 1 KB each; beyond that people do not even get a connection.
MOST_UNDER_WAY = 400
REFUND_BATCH_STOPS_AFTER_FAILURES = 3
LATEST = 500
SKUS = ("mug", "teapot", "kettle", "strainer", "green-tea", "black-tea", "honey", "tray")


class Traffic:
    """Everybody who uses the shop."""

    def __init__(self, *, gateway: str, rate: float, seed: int) -> None:
        address = urlsplit(gateway)
        self._host, self._port = address.hostname, address.port
        self._rate = rate
        self._random = random.Random(seed)  # noqa: S311  (repeatable traffic, not a secret)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._under_way: set[asyncio.Task[int]] = set()
        self._statuses: Counter[str] = Counter()
        self._seconds: deque[float] = deque(maxlen=LATEST)
        self._refunds: asyncio.Task[None] | None = None
        self._number = 0

    async def run(self) -> None:
        """Send requests until standard input closes."""
        stream = asyncio.create_task(self._stream())
        await take_commands(self._obey)
        stream.cancel()

    async def _obey(self, command: dict[str, object]) -> dict[str, object]:
        if "rate" in command:
            self._rate = float(str(command["rate"]))
        if "refunds" in command:
            if self._refunds is not None:
                self._refunds.cancel()
            count, every_s = int(str(command["refunds"])), float(str(command.get("every_s", 1.0)))
            self._refunds = asyncio.create_task(self._refund_batch(count, every_s))
        latest = sorted(self._seconds)
        return {
            "rate": self._rate,
            "by_status": dict(self._statuses),
            "under_way": len(self._under_way),
            "p50_ms": round(latest[len(latest) // 2] * 1000, 1) if latest else None,
            "p95_ms": round(latest[len(latest) * 95 // 100] * 1000, 1) if latest else None,
        }

    async def _stream(self) -> None:
        due = time.monotonic()
        while True:
            due += self._random.uniform(0.5, 1.5) / self._rate
            await asyncio.sleep(due - time.monotonic())
            # After a pause of the whole machine the missed requests are not made up for.
            due = max(due, time.monotonic() - 1.0)
            if len(self._under_way) < MOST_UNDER_WAY:
                self._start(*self._anybody())

    def _start(self, method: str, path: str, user: str, body: dict[str, object] | None) -> "asyncio.Task[int]":
        task = asyncio.create_task(self._request(method, path, user, body))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    def _anybody(self) -> tuple[str, str, str, dict[str, object] | None]:
        dice = self._random
        guest = dice.random() < GUEST_SHARE
        account = f"c-{FIRST_ACCOUNT + dice.randrange(ACCOUNTS)}"
        user = f"guest/g-{dice.randrange(16**6):06x}" if guest else f"customer/{account}"
        if dice.random() < CATALOG_SHARE:
            return "GET", "/api/catalog", user, None
        items = [{"sku": sku, "quantity": dice.randint(1, 2)} for sku in dice.sample(SKUS, dice.randint(1, 3))]
        typed_in = guest or dice.random() < OWN_CARD_SHARE
        order: dict[str, object] = {
            "items": items,
            "account": None if guest else {"id": account, "saved_card": {"token": f"tok_{account}"}},
            "card": {"token": f"tok_{dice.randrange(16**10):010x}"} if typed_in else None,
        }
        return "POST", "/api/checkout", user, order

    async def _refund_batch(self, count: int, every_s: float) -> None:
        """Refund old orders one by one, most of which were refunded before; give up when nothing works."""
        failures = 0
        for number in range(count):
            order = f"ord-past-{number * REFUNDED_EVERY % PAST_PAYMENTS:06d}"
            status = await self._start("POST", "/api/refunds", "staff/back-office", {"order_id": order})
            failures = failures + 1 if status == 0 or status >= 500 else 0
            if failures >= REFUND_BATCH_STOPS_AFTER_FAILURES:
                return
            await asyncio.sleep(every_s)

    async def _request(self, method: str, path: str, user: str, body: dict[str, object] | None) -> int:
        started = time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                status = await self._exchange(method, path, user, json.dumps(body).encode() if body else b"")
        except (OSError, EOFError):
            status = 0
        self._statuses[str(status or "no answer")] += 1
        self._seconds.append(time.monotonic() - started)
        return status

    async def _exchange(self, method: str, path: str, user: str, body: bytes) -> int:
        self._number += 1
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: shop.example\r\nX-User: {user}\r\n"
            f"X-Request-Id: r-{self._number:08d}-{self._random.randrange(16**4):04x}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        reader, writer = self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(head.encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = next(int(line.split(":")[1]) for line in answer.splitlines() if line.startswith("content-length"))
            await reader.readexactly(length)
        except BaseException:
            writer.transport.abort()
            raise
        self._idle.append((reader, writer))
        return int(answer.split(" ")[1])


def main() -> None:
    """Send traffic to the shop."""
    parser = argparse.ArgumentParser(prog="traffic", description=main.__doc__)
    parser.add_argument("--gateway", required=True, help="address of the gateway")
    parser.add_argument("--rate", type=float, default=20.0, help="requests a second")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    asyncio.run(Traffic(gateway=given.gateway, rate=given.rate, seed=given.seed).run())


if __name__ == "__main__":
    main()
