"""The intake of one node: the writer, the flusher and the sender, and the routing they work by.

`receive` takes in a batch and is done when it is on the disk. Groups that are due at once are flushed in the same
transaction; for the others one thread sleeps until the next tick.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import Final, cast

import msgspec
import structlog

from stanch.alerts.intake.flushing import Owed, flush
from stanch.alerts.intake.groups.tables import alerts_to_route, drop_all_groups, fact, store_fact
from stanch.alerts.intake.model import Received
from stanch.alerts.intake.quiet import quiet_at
from stanch.alerts.intake.receiving import FLUSH, LOCK, TakenIn, place, take_in
from stanch.alerts.intake.recognition import Recognition
from stanch.alerts.intake.routes import Integration, Routing
from stanch.engine.intake.backlog import Backlog
from stanch.engine.intake.firing import FiringOnly
from stanch.engine.intake.receiving import Door
from stanch.engine.intake.sending import Sender, begin
from stanch.operations.following import follow_soon
from stanch.operations.world import World
from stanch.ports.notifier import Notifier
from stanch.store import Transaction, timers
from stanch.store.writer import GroupWriter

MakeNotifier = Callable[[Integration], Notifier]

_AT_ONCE: Final = 50
_ROUTED_AT_ONCE: Final = 5000
_IDLE_S: Final = 0.5
_SETTLED_WITHIN_S: Final = 10.0
_DIGEST: Final = "routing"

log = structlog.get_logger("stanch.intake")


class Intake:
    """Takes alerts in and tells receivers. Without `start` everything happens in the caller's thread: for tests."""

    def __init__(
        self,
        world: World,
        *,
        makers: Mapping[str, MakeNotifier],
        load: Callable[[], Routing] | None = None,
    ) -> None:
        self.world = world
        self.writer = GroupWriter(world.store)
        self.recognition = Recognition()
        self._backlog = Backlog(world.store, self.writer, self.recognition, take_in=self._take_in, done=self._received)
        self._door = Door(self.writer, self._take_in, self._backlog)
        self._makers = makers
        self._load = load
        self._notifiers: dict[tuple[str, str], Notifier] = {}
        self._retired: dict[tuple[str, str], Notifier] = {}
        self._sender = Sender(world, self.writer, self._find, again=self.wake)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._planned: datetime | None = None
        self._thread: threading.Thread | None = None

    @property
    def routing(self) -> Routing:
        """Return the routing that holds now."""
        return self.world.routing.now

    def prepare(self) -> None:
        """Make notifiers, and groups anew when the routing is not the one they were made by."""
        self._notifiers = self._make(self.routing)
        routing = self.routing

        def stored(tx: Transaction) -> None:
            tx.lock(LOCK)
            if fact(tx.connection, _DIGEST) != routing.digest:
                regroup(tx, routing, now=self.world.clock.now())

        self.writer.do(stored)

    def start(self) -> None:
        """Work in threads of its own until `stop`."""
        self.prepare()
        self.writer.start()
        self._sender.start()
        self._backlog.start()
        self._thread = threading.Thread(target=self._flush_loop, name="stanch-flush", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is under way and return."""
        self._backlog.stop()
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=15)
        self._sender.stop()
        self.writer.stop()
        _close(self._retired)
        _close(self._notifiers)

    def wake(self) -> None:
        """Look for due groups now: a tick was set sooner than the one that is slept for."""
        self._wake.set()

    def receive(self, batch: Sequence[Received]) -> "Future[None]":
        """Accept alerts; the future is done when they are on the disk, and soon after they are taken in."""
        return self._door.receive(batch)

    def _take_in(self, tx: Transaction, batch: Sequence[Received]) -> tuple[TakenIn, list[Owed]]:
        tx.lock(LOCK)
        now = self.world.clock.now()
        routing = self.routing
        taken = take_in(tx, routing, batch, now=now)
        follow_soon(tx, self.world, taken, now=now)
        owed = self._flush(tx, routing, [(id, False) for id in taken.due], now=now) if taken.due else []
        return taken, owed

    def settle(self) -> None:
        """Wait until what was accepted by now is taken in, which takes seconds when very much was; ten at most."""
        self._backlog.settle(within_s=_SETTLED_WITHIN_S)

    def receive_now(self, batch: Sequence[Received]) -> None:
        """Take in alerts and wait until they are on the disk."""
        if self._thread is not None:
            self.receive(batch).result()
            return
        self._received(self.writer.do(lambda tx: self._take_in(tx, batch)))

    def run_due(self) -> int:
        """Flush the groups and send the notifications that are due now, in this thread; return how many that were."""
        self._backlog.run_due()
        owed, flushed = self._flush_due()
        self._sender.hand(owed)
        return flushed + self._sender.run_due()

    def reload(self) -> None:
        """Read the configuration again. Raises `Invalid` when it has mistakes; the old one then goes on."""
        if self._load is None:
            return
        routing = self._load()
        notifiers = self._make(routing)

        def work(tx: Transaction) -> None:
            tx.lock(LOCK)
            regroup(tx, routing, now=self.world.clock.now())

        self.writer.do(work)
        self.world.routing.now = routing
        # Those in use until now may be in the middle of something; they are closed at the next occasion.
        _close(self._retired)
        self._retired, self._notifiers = self._notifiers, notifiers
        self.wake()

    def _received(self, done: object) -> None:
        taken, owed = cast("tuple[TakenIn, list[Owed]]", done)
        self.recognition.learn(taken.learned)
        if owed:
            self._sender.hand(owed)
        if taken.soonest is not None and (self._planned is None or taken.soonest < self._planned):
            self.wake()

    def _flush_loop(self) -> None:
        while not self._stopping.is_set():
            try:
                owed, flushed = self._flush_due()
                self._sender.hand(owed)
                pause = 0.0 if flushed >= _AT_ONCE else self._pause()
            except Exception:  # boundary "engine loop": a database that is away must not end the loop
                log.exception("flushing_failed")
                pause = 1.0
            if pause:
                self._wake.wait(pause)
            self._wake.clear()

    def _pause(self) -> float:
        with self.world.store.reading() as view:
            due_at = timers.next_due(view.connection, kinds=(FLUSH,))
        self._planned = due_at
        if due_at is None:
            return _IDLE_S
        return min(_IDLE_S, max(0.0, (due_at - self.world.clock.now()).total_seconds()))

    def _flush_due(self) -> tuple[list[Owed], int]:
        now = self.world.clock.now()
        with self.world.store.reading() as view:
            due_at = timers.next_due(view.connection, kinds=(FLUSH,))
        if due_at is None or due_at > now:
            return [], 0
        routing = self.routing

        def work(tx: Transaction) -> tuple[list[Owed], int]:
            tx.lock(LOCK)
            due = timers.take_due(tx.connection, kind=FLUSH, now=now, limit=_AT_ONCE)
            groups = [(int(str(one.data["group"])), bool(one.data.get("again"))) for one in due]
            return self._flush(tx, routing, groups, now=now), len(due)

        return self.writer.do(work)

    def _flush(
        self, tx: Transaction, routing: Routing, groups: Sequence[tuple[int, bool]], *, now: datetime
    ) -> list[Owed]:
        quiet = quiet_at(tx.connection, routing, now)
        owed = [one for id, again in groups for one in flush(tx, quiet, id, again=again, now=now)]
        return begin(tx, owed, node=self.world.node, room=self._sender.room())

    def _make(self, routing: Routing) -> dict[tuple[str, str], Notifier]:
        return {
            (receiver.name, integration.name): self._one(integration)
            for receiver in routing.receivers.values()
            for integration in receiver.integrations
        }

    def _one(self, integration: Integration) -> Notifier:
        made = self._makers[integration.kind](integration)
        return made if integration.send_resolved else FiringOnly(made)

    def _find(self, receiver: str, integration: str) -> Notifier | None:
        return self._notifiers.get((receiver, integration))


def _close(notifiers: Mapping[tuple[str, str], Notifier]) -> None:
    for notifier in notifiers.values():
        notifier.close()


def regroup(tx: Transaction, routing: Routing, *, now: datetime) -> None:
    """Make all groups anew by `routing`; what integrations were told is kept, so nothing is told twice."""
    tx.cancel_timers(prefix="flush/")
    waiting = alerts_to_route(tx.connection, after=0, now=now, limit=_ROUTED_AT_ONCE)
    found = []
    while waiting:
        found += waiting
        waiting = alerts_to_route(tx.connection, after=waiting[-1][0], now=now, limit=_ROUTED_AT_ONCE)
    drop_all_groups(tx.connection)
    taken = TakenIn()
    alerts = [(id, msgspec.json.decode(labels, type=dict[str, str]), starts_at) for id, labels, starts_at in found]
    if alerts:
        place(tx, routing, alerts, taken, now=now)
    store_fact(tx.connection, _DIGEST, routing.digest)
