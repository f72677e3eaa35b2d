"""The acquirer: a payment provider that the shop depends on and does not own, with a status page.

`python -m stanch.gameday.shop.acquirer --port N --status-port N`. Standard input takes one JSON object per line,
`{"mode": "ok" | "slow" | "down"}`, and each is answered on standard output. The process ends when it closes.
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import StrEnum

from stanch.gameday.shop.companion import take_commands
from stanch.gameday.shop.places import HOST
from stanch.gameday.shop.record import timestamp

DECLINED_SHARE = 0.02
# One in 480 captures fails: 0.2 % of the payments of a healthy day.
FAILS_EVERY = 480
USUAL_LATENCY_S = (0.010, 0.032)
SLOW_LATENCY_S = (2.0, 3.0)
# Providers notice their own trouble later than their customers.
STATUS_PAGE_LAG_S = 8.0

Answer = tuple[int, dict[str, object]]


class Mode(StrEnum):
    """How the acquirer does."""

    OK = "ok"
    SLOW = "slow"
    DOWN = "down"


STATUS_PAGE = {
    Mode.OK: ("none", "All Systems Operational"),
    Mode.SLOW: ("minor", "Degraded Performance: captures take longer than usual"),
    Mode.DOWN: ("critical", "Major Outage: the API does not accept connections"),
}


class Acquirer:
    """The provider's API and its status page."""

    def __init__(self, *, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  (repeatable traffic, not a secret)
        self._captures = 0
        self._mode = Mode.OK
        self._since = 0.0
        self._api: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    async def run(self, *, port: int, status_port: int) -> None:
        """Serve until standard input closes."""
        await self._listen(port)
        await asyncio.start_server(self._connection(self._status_answer), HOST, status_port)

        async def obey(command: dict[str, object]) -> dict[str, object]:
            self._mode, self._since = Mode(str(command["mode"])), time.monotonic()
            if self._mode is Mode.DOWN:
                self._hang_up()
            elif self._api is None:
                await self._listen(port)
            return {"mode": self._mode}

        await take_commands(obey)

    async def _listen(self, port: int) -> None:
        self._api = await asyncio.start_server(self._connection(self._api_answer), HOST, port, backlog=256)

    def _hang_up(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None
        for writer in self._open:
            writer.transport.abort()

    async def _api_answer(self, path: str, body: bytes) -> Answer:
        slow = self._mode is Mode.SLOW
        low, high = SLOW_LATENCY_S if slow else USUAL_LATENCY_S
        if path == "/health":
            await asyncio.sleep(low / 4 if slow else 0)
            return 200, {"status": "ok"}
        if path != "/v1/captures":
            return 404, {"error": "not found"}
        self._captures += 1
        number, chance = self._captures, self._random.random()
        await asyncio.sleep(self._random.uniform(low, high))
        if number % FAILS_EVERY == FAILS_EVERY // 2:
            return 500, {"error": "card scheme not reachable"}
        if chance < DECLINED_SHARE:
            return 402, {"reason": "insufficient funds"}
        return 201, {"capture": f"cap_{number:08d}", "amount_cents": json.loads(body)["amount_cents"]}

    async def _status_answer(self, path: str, _body: bytes) -> Answer:
        shown = self._mode if time.monotonic() - self._since >= STATUS_PAGE_LAG_S else Mode.OK
        indicator, description = STATUS_PAGE[shown]
        page = {
            "id": "acqpay",
            "name": "Acquire Pay",
            "time_zone": "Etc/UTC",
            "updated_at": timestamp(datetime.now(UTC)),
        }
        if path == "/api/v2/status.json":
            return 200, {"page": page, "status": {"indicator": indicator, "description": description}}
        if path == "/api/v2/incidents/unresolved.json":
            incident = {"id": "acq-1", "name": description, "status": "investigating", "impact": indicator}
            return 200, {"page": page, "incidents": [] if shown is Mode.OK else [incident]}
        return 404, {"error": "not found"}

    def _connection(
        self, answer: Callable[[str, bytes], Awaitable[Answer]]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self._open.add(writer)
            try:
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                    lines = head.lower().splitlines()
                    length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length")), 0)
                    status, body = await answer(head.split(" ")[1], await reader.readexactly(length))
                    raw = json.dumps(body).encode()
                    kind = "Content-Type: application/json"
                    writer.write(f"HTTP/1.1 {status} -\r\n{kind}\r\nContent-Length: {len(raw)}\r\n\r\n".encode() + raw)
                    await writer.drain()
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # The client has gone.
            finally:
                self._open.discard(writer)
                writer.close()

        return serve


def main() -> None:
    """Run the acquirer."""
    parser = argparse.ArgumentParser(prog="acquirer", description=main.__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--status-port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    asyncio.run(Acquirer(seed=given.seed).run(port=given.port, status_port=given.status_port))


if __name__ == "__main__":
    main()
