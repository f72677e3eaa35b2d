"""The operations on a running shop: deploy, roll back, restart, flag, configuration, scale, migrate.

Each says what it does while it does it, tells whether it succeeded, and with `dry_run` only says what it would do.
One operation at a time works on a service.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from stanch.gameday.shop.migrations import migration_steps, run_migrations, schema_version
from stanch.gameday.shop.places import HOST, SERVICES, Places, Ports, ShopError
from stanch.gameday.shop.record import ChangeKind, record_change
from stanch.gameday.shop.repository import commit_of, commits_between, extract, git
from stanch.gameday.shop.state import State
from stanch.gameday.shop.unit import Unit

HEALTHY_WITHIN_S = 10.0
UNCHANGED = "dry run: nothing has been changed"

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody asked for. `to` is a tag, revision, `on`/`off` or number; `name` is a flag or limit."""

    verb: str
    service: str
    to: str = ""
    name: str = ""
    dry_run: bool = False
    actor: str = "shopctl"
    note: str = ""


class Operator:
    """Carries out orders."""

    def __init__(self, *, places: Places, ports: Ports, state: State, units: dict[str, Unit]) -> None:
        self._places, self._ports, self._state, self._units = places, ports, state, units
        self._locks = {name: asyncio.Lock() for name in SERVICES}

    async def carry_out(self, order: Order, say: Say) -> bool:
        """Carry out one order; return whether it succeeded."""
        verbs = {
            "deploy": self._deploy,
            "rollback": self._deploy,
            "restart": self._restart,
            "flag": self._flag,
            "config": self._config,
            "scale": self._scale,
            "migrate": self._migrate,
        }
        if order.service not in SERVICES:
            raise ShopError(f"no such service: {order.service} (there are {', '.join(SERVICES)})")
        if order.verb not in verbs:
            raise ShopError(f"no such operation: {order.verb}")
        lock = self._locks[order.service]
        if lock.locked():
            say(f"{order.service}: another operation is under way, waiting for it")
        async with lock:
            return await verbs[order.verb](order, say)

    async def _deploy(self, order: Order, say: Say) -> bool:
        service, tag = order.service, order.to
        state = self._state[service]
        old, repository = state.release, self._places.repository
        commit = commit_of(repository, tag)
        say(f"{service}: {order.verb} {old} ({commit_of(repository, old)[:7]}) -> {tag} ({commit[:7]})")
        if old == tag:
            say(f"{service}: is at {tag} already, nothing to do")
            return True
        for label, first, last in (("brings", old, tag), ("takes back", tag, old)):
            for line in commits_between(repository, first, last, service, "shoplib"):
                say(f"  {label} {line}")
        if order.dry_run:
            say(f"would extract {service} at {tag}, restart {service} and wait for its /health")
            say(UNCHANGED)
            return True
        self._fetch(service, tag, say)
        state.release = tag
        self._state.save(service, ports=self._ports)
        await self._replace(service, say)
        self._record(order, ChangeKind.DEPLOY, old, tag, commit)
        return await self._wait_until_healthy(service, say)

    async def _restart(self, order: Order, say: Say) -> bool:
        service = order.service
        say(f"{service}: restart at {self._state[service].release}, process {self._units[service].pid}")
        if order.dry_run:
            say(f"would stop {service}, start it again and wait for its /health")
            say(UNCHANGED)
            return True
        await self._replace(service, say)
        self._record(order, ChangeKind.RESTART, None, self._state[service].release, None)
        return await self._wait_until_healthy(service, say)

    async def _config(self, order: Order, say: Say) -> bool:
        service, revision = order.service, order.to
        state = self._state[service]
        old, repository = state.configuration, self._places.configuration
        commit = commit_of(repository, revision)
        say(f"{service}: configuration {old} -> {revision} ({commit[:7]})")
        if old == revision:
            say(f"{service}: is at {revision} already, nothing to do")
            return True
        for line in git(repository, "diff", "-U0", old, revision, "--", f"{service}.json").decode().splitlines():
            if line[:1] in "+-" and line[:3] not in ("+++", "---"):
                say(f"  {line}")
        if order.dry_run:
            say(f"would write the configuration, restart {service} and wait for its /health")
            say(UNCHANGED)
            return True
        state.configuration = revision
        self._state.save(service, ports=self._ports)
        await self._replace(service, say)
        self._record(order, ChangeKind.CONFIG, old, revision, commit)
        return await self._wait_until_healthy(service, say)

    async def _flag(self, order: Order, say: Say) -> bool:
        flags = self._state[order.service].flags
        old, new = ("on" if flags.get(order.name) else "off"), order.to
        if new not in ("on", "off"):
            raise ShopError(f"a flag is on or off, not {new}")
        say(f"{order.service}: flag {order.name} {old} -> {new}")
        if order.dry_run:
            say(UNCHANGED)
            return True
        flags[order.name] = new == "on"
        self._state.save(order.service, ports=self._ports)
        self._record(order, ChangeKind.FLAG, f"{order.name}={old}", f"{order.name}={new}", None)
        say(f"{order.service}: takes effect within a second, no restart needed")
        return True

    async def _scale(self, order: Order, say: Say) -> bool:
        if not order.to.isdigit() or not 1 <= int(order.to) <= 1000:
            raise ShopError(f"a limit is a number from 1 to 1000, not {order.to}")
        limits = self._state[order.service].limits
        old = str(limits.get(order.name, "as configured"))
        say(f"{order.service}: {order.name} {old} -> {order.to}")
        if order.dry_run:
            say(UNCHANGED)
            return True
        limits[order.name] = int(order.to)
        self._state.save(order.service, ports=self._ports)
        self._record(order, ChangeKind.SCALE, f"{order.name}={old}", f"{order.name}={order.to}", None)
        say(f"{order.service}: takes effect within a second, no restart needed")
        return True

    async def _migrate(self, order: Order, say: Say) -> bool:
        if order.service != "payments" or not order.to.isdigit():
            raise ShopError("only payments has migrations; they are numbered")
        release, wanted = self._state["payments"].release, int(order.to)
        current = schema_version(self._places)
        steps = migration_steps(self._places, release, current, wanted)
        say(f"payments: ledger schema {current} -> {wanted}")
        for name, _ in steps:
            say(f"  {name}")
        if order.dry_run:
            say(UNCHANGED)
            return True
        await asyncio.to_thread(run_migrations, self._places, steps, wanted)
        self._record(order, ChangeKind.MIGRATION, f"schema {current}", f"schema {wanted}", None)
        say("payments: migrated")
        return True

    def _fetch(self, service: str, tag: str, say: Say) -> None:
        target = self._places.release(service, tag)
        if not target.exists():
            say(f"{service}: extracting {tag}")
            extract(self._places.repository, tag, target, service, "shoplib")

    async def _replace(self, service: str, say: Say) -> None:
        unit = self._units[service]
        say(f"{service}: stopping process {unit.pid}")
        await unit.stop()
        unit.start()
        say(f"{service}: started process {unit.pid}")

    async def _wait_until_healthy(self, service: str, say: Say) -> bool:
        started = time.monotonic()
        release = self._state[service].release
        while time.monotonic() - started < HEALTHY_WITHIN_S:
            health = await self.health(service)
            if health is not None and health.get("status") == "ok" and health.get("version") == release:
                say(f"{service}: healthy at {release} after {time.monotonic() - started:.1f} s")
                return True
            await asyncio.sleep(0.05)
        say(f"{service}: NOT healthy after {HEALTHY_WITHIN_S:.0f} s, see {self._places.log(service)}")
        return False

    async def health(self, service: str) -> dict[str, object] | None:
        """Return what /health of a service says, or None when it does not answer."""
        try:
            async with asyncio.timeout(2.0):
                reader, writer = await asyncio.open_connection(HOST, self._ports[service])
                writer.write(b"GET /health HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n")
                answer = await reader.read()
                writer.close()
            body: dict[str, object] = json.loads(answer.partition(b"\r\n\r\n")[2])
        except (OSError, ValueError):
            return None
        return body

    def _record(self, order: Order, kind: ChangeKind, before: str | None, after: str, commit: str | None) -> None:
        record_change(
            self._places.deploys,
            kind=kind,
            service=order.service,
            before=before,
            after=after,
            commit=commit,
            actor=order.actor,
            note=order.note or order.verb,
        )
