"""The supervisor of the shop: owns the processes of the services, takes orders on a loopback port, has metrics.

`python -m stanch.gameday.shop.supervisor --root DIR --ports gateway=...,checkout=...`. It ends, with everything it
started, when its standard input closes or its parent dies.
"""

import argparse
import asyncio
import contextlib
import hmac
import json
import os
import secrets
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

from stanch.gameday.shop.lifeline import hold
from stanch.gameday.shop.orders import Operator, Order
from stanch.gameday.shop.places import HOST, SERVICES, Places, Ports, ShopError
from stanch.gameday.shop.record import log_line, write_json
from stanch.gameday.shop.repository import extract
from stanch.gameday.shop.state import State
from stanch.gameday.shop.unit import Unit

TEND_EVERY_S = 0.1
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
LARGEST_REQUEST_BYTES = 64 * 1024


class Supervisor:
    """The processes of one shop."""

    def __init__(self, *, places: Places, ports: Ports) -> None:
        self._places, self._ports = places, ports
        self._state = State(places)
        self._units = {name: Unit(name, places=places, release=partial(self._release_of, name)) for name in SERVICES}
        self._operator = Operator(places=places, ports=ports, state=self._state, units=self._units)
        self._token = secrets.token_urlsafe(16)
        self._orders: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Start everything, serve until told to stop, stop everything."""
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        # Runs in the thread that reads standard input, or in a signal handler.
        hold(on_line=lambda _: None, on_gone=partial(_call_soon, loop, stop.set))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        server = await asyncio.start_server(self._serve, HOST, self._ports.supervisor)
        try:
            for service in SERVICES:
                release = self._state[service].release
                if not self._places.release(service, release).exists():
                    extract(
                        self._places.repository,
                        release,
                        self._places.release(service, release),
                        service,
                        "shoplib",
                    )
                self._state.save(service, ports=self._ports)
                self._units[service].start()
            address = {"pid": os.getpid(), "url": self._ports.url("supervisor"), "token": self._token}
            write_json(self._places.supervisor, address, mode=0o600)
            self._log("supervisor started")
            while not stop.is_set():
                for unit in self._units.values():
                    unit.tend()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), TEND_EVERY_S)
        finally:
            server.close()
            for order in self._orders:
                order.cancel()
            await asyncio.gather(*self._orders, return_exceptions=True)
            await asyncio.gather(*(unit.stop() for unit in self._units.values()))
            self._places.supervisor.unlink(missing_ok=True)
            self._log("supervisor stopped")

    def _release_of(self, service: str) -> str:
        return self._state[service].release

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path, _ = head.split(" ", 2)
            length = next(
                (int(line.split(":")[1]) for line in head.lower().splitlines() if "content-length" in line), 0
            )
            body = await reader.readexactly(min(length, LARGEST_REQUEST_BYTES))
            if (method, path) == ("GET", "/metrics"):
                _write(writer, 200, OPENMETRICS, self._metrics())
            elif (method, path) == ("GET", "/health"):
                _write(writer, 200, "application/json", '{"status": "ok"}')
            elif (method, path) == ("POST", "/orders"):
                await self._take_order(json.loads(body), writer)
            else:
                _write(writer, 404, "text/plain", "not found\n")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            self._log(f"a request could not be read: {error}")
        finally:
            writer.close()

    async def _take_order(self, raw: dict[str, object], writer: asyncio.StreamWriter) -> None:
        if not hmac.compare_digest(str(raw.pop("token", "")), self._token):
            _write(writer, 403, "application/json", '{"ok": false, "line": "wrong token"}\n')
            return
        # Not tied to the connection: an order goes on when whoever gave it hangs up.
        order = asyncio.create_task(self._carry_out(raw, writer))
        self._orders.add(order)
        order.add_done_callback(self._orders.discard)
        await asyncio.shield(order)

    async def _carry_out(self, raw: dict[str, object], writer: asyncio.StreamWriter) -> None:
        _write(writer, 200, "application/x-ndjson", "", whole=False)

        def say(line: str) -> None:
            self._log(line)
            writer.write((json.dumps({"line": line}) + "\n").encode())

        try:
            if raw.get("verb") == "status":
                writer.write((json.dumps({"status": await self._status()}) + "\n").encode())
                ok = True
            else:
                ok = await self._operator.carry_out(_order(raw), say)
        except ShopError as error:
            say(str(error))
            ok = False
        writer.write((json.dumps({"ok": ok}) + "\n").encode())

    async def _status(self) -> dict[str, object]:
        status: dict[str, object] = {}
        for name, unit in self._units.items():
            state = self._state[name]
            status[name] = {
                "release": state.release,
                "configuration": state.configuration,
                "flags": state.flags,
                "limits": state.limits,
                "pid": unit.pid,
                "up": unit.up,
                "restarts": unit.restarts,
                "health": (await self._operator.health(name) or {}).get("status", "no answer"),
            }
        return status

    def _metrics(self) -> str:
        lines = [
            "# TYPE supervisor_process_restarts counter",
            "# HELP supervisor_process_restarts Starts after a crash.",
            *(f'supervisor_process_restarts_total{{service="{n}"}} {u.restarts}' for n, u in self._units.items()),
            "# TYPE supervisor_process_up gauge",
            "# HELP supervisor_process_up Whether the process runs.",
            *(f'supervisor_process_up{{service="{n}"}} {int(u.up)}' for n, u in self._units.items()),
            "# EOF",
        ]
        return "\n".join(lines) + "\n"

    def _log(self, message: str) -> None:
        log_line(self._places.supervisor_log, level="info", service="supervisor", message=message)


def _call_soon(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(callback)


def _order(raw: dict[str, object]) -> Order:
    try:
        return Order(
            verb=str(raw["verb"]),
            service=str(raw["service"]),
            to=str(raw.get("to", "")),
            name=str(raw.get("name", "")),
            dry_run=bool(raw.get("dry_run", False)),
            actor=str(raw.get("actor", "shopctl")),
            note=str(raw.get("note", "")),
        )
    except KeyError as error:
        raise ShopError(f"the order lacks {error.args[0]}") from error


def _write(writer: asyncio.StreamWriter, status: int, kind: str, body: str, *, whole: bool = True) -> None:
    length = f"Content-Length: {len(body.encode())}\r\n" if whole else ""
    writer.write(f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\n{length}Connection: close\r\n\r\n{body}".encode())


def main() -> None:
    """Run the supervisor of the shop at `--root`."""
    parser = argparse.ArgumentParser(prog="supervisor", description=main.__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--ports", type=Ports.parse, required=True)
    given = parser.parse_args()
    asyncio.run(Supervisor(places=Places(given.root.resolve()), ports=given.ports).run())


if __name__ == "__main__":
    main()
