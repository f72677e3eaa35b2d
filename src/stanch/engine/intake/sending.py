"""Hands notifications over: each integration on its own, so that one that hangs or fails holds up no other.

A notification is marked as being sent in the transaction that decides on it, so it can go out the moment that is
committed. One that is not taken is tried again while its flush lasts, with waits that grow by half and vary by chance.
What a dead node was sending is sent again by any other, with the same id.
"""

import os
import random
import secrets
import socket
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import msgspec
import structlog

from stanch.alerts.intake.fingerprint import shown_fingerprints
from stanch.alerts.intake.flushing import CHANNEL, Owed, ended
from stanch.alerts.intake.model import Snapshot
from stanch.alerts.intake.reading.tables import with_ids
from stanch.alerts.intake.receiving import LOCK
from stanch.kernel.codec import from_data
from stanch.kernel.errors import Unavailable
from stanch.operations.world import World
from stanch.ports.notifier import Notice, NoticeAlert, Notifier
from stanch.store import Transaction, deliveries
from stanch.store.model import Delivery, DeliveryState
from stanch.store.types import from_micros
from stanch.store.writer import GroupWriter

_FLAPPING: Final = "it comes and goes, and counts as firing until it is calm"
LEASE: Final = timedelta(seconds=15)
_SECONDS: Final = 10.0
_FIRST_RETRY_S: Final = 0.5
_GROWTH: Final = 1.5
_LONGEST_RETRY_S: Final = 60.0
_THREADS: Final = 64
_EACH: Final = 8
_IDLE_S: Final = 1.0
_MOST_WAITING: Final = 500
"""Notifications held in memory that wait for a thread. The others wait in the database, however many a receiver that
hangs leaves behind; one here takes about 3 kB and 24 bytes an alert."""

_LARGE: Final = 1000
"""Alerts from which on an integration is told one notification at a time: 10,000 are 30 MB while they are sent."""

log = structlog.get_logger("stanch.notify")

FindNotifier = Callable[[str, str], Notifier | None]
"""Returns what tells an integration of a receiver, by their names; None when it is not configured any more."""


def retry_after_s(attempt: int, *, chance: float) -> float:
    """Return how long to wait after the `attempt`-th try in seconds: 0.5, 0.75, 1.125 ... 60, a quarter up or down.

    `chance` is 0..1; a half gives the middle.
    """
    middle = min(_LONGEST_RETRY_S, _FIRST_RETRY_S * _GROWTH ** (attempt - 1))
    return middle * (0.75 + 0.5 * chance)


@dataclass(frozen=True, kw_only=True)
class _Turn:
    delivery: Delivery
    snapshot: Snapshot


class Sender:
    """Tells integrations what is owed. `hand` takes what was just committed; `start` also looks for what is left."""

    def __init__(
        self, world: World, writer: GroupWriter, find: FindNotifier, *, again: Callable[[], None] = lambda: None
    ) -> None:
        self._world = world
        self._writer = writer
        self._find = find
        self._again = again
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._running: dict[str, int] = {}
        self._waiting: dict[str, deque[_Turn]] = {}
        self._waits = 0
        self._large: dict[str, threading.Lock] = {}
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Send in threads until `stop`."""
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="stanch-notify")
        self._free_the_dead()
        self._thread = threading.Thread(target=self._look_after, name="stanch-notify", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send nothing new, wait for what is under way, and return."""
        self._stopping.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=15)
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def room(self) -> int:
        """Return how many more notifications may be begun now."""
        return _MOST_WAITING - self._waits

    def hand(self, owed: Sequence[Owed]) -> None:
        """Send what this node has just begun to owe."""
        for one in owed:
            self._enqueue(_Turn(delivery=one.delivery, snapshot=one.snapshot))

    def run_due(self, *, limit: int = 100) -> int:
        """Claim and send what is due and nobody is sending, in this thread; return how many that were."""
        turns = self._claim(limit)
        for turn in turns:
            self._send(turn)
        return len(turns)

    def _enqueue(self, turn: _Turn) -> None:
        if self._pool is None:
            self._send(turn)
            return
        channel = turn.delivery.channel
        with self._lock:
            if self._running.get(channel, 0) >= _EACH:
                self._waiting.setdefault(channel, deque()).append(turn)
                self._waits += 1
                return
            self._running[channel] = self._running.get(channel, 0) + 1
        self._pool.submit(self._work, turn)

    def _work(self, turn: _Turn) -> None:
        channel = turn.delivery.channel
        while True:
            if len(turn.snapshot.ids) < _LARGE:
                self._send(turn)
            else:
                with self._lock:
                    large = self._large.setdefault(channel, threading.Lock())
                with large:
                    self._send(turn)
            with self._lock:
                queue = self._waiting.get(channel)
                if not queue or self._stopping.is_set():
                    self._running[channel] -= 1
                    return
                turn = queue.popleft()
                self._waits -= 1
                has_room = self._waits == _MOST_WAITING // 2
            if has_room:
                self._wake.set()

    def _send(self, turn: _Turn) -> None:
        snapshot = turn.snapshot
        notifier = self._find(snapshot.receiver, snapshot.integration)
        if notifier is None:
            self._finish(turn, problem="the receiver is not configured any more")
            return
        try:
            said = notifier.notify(self._notice(turn))
        except Unavailable as error:
            self._failed(turn, error.message, retry=error.retry)
        except Exception as error:  # boundary "integration": a notifier's own defect must not stop the others
            log.exception("notifier_failed", delivery=turn.delivery.id)
            self._failed(turn, f"{type(error).__name__} in {snapshot.integration}", retry=True)
        else:
            self._finish(turn, said=said)

    def _notice(self, turn: _Turn) -> Notice:
        snapshot = turn.snapshot
        with self._world.store.reading() as view:
            rows = with_ids(view.connection, snapshot.ids)
        labels = {id: msgspec.json.decode(row.labels, type=dict[str, str]) for id, row in rows.items()}
        shown = dict(zip(labels, shown_fingerprints(list(labels.values())), strict=True))
        alerts = [
            NoticeAlert(
                labels=labels[id],
                annotations=msgspec.json.decode(rows[id].annotations, type=dict[str, str])
                | ({"flapping": _FLAPPING} if id in snapshot.flapping else {}),
                starts_at=from_micros(starts_at),
                ends_at=from_micros(ends_at) if ends_at else None,
                fingerprint=shown[id],
                generator_url=rows[id].generator_url,
            )
            for id, starts_at, ends_at in zip(snapshot.ids, snapshot.starts, snapshot.ends, strict=True)
            if id in rows
        ]
        alerts.sort(key=_order)
        return Notice(
            id=turn.delivery.id,
            receiver=snapshot.receiver,
            group_key=snapshot.group_key,
            group_labels=snapshot.labels,
            alerts=tuple(alerts),
            external_url=self._world.url,
            reason=snapshot.reason,
            seconds=_SECONDS,
        )

    def _failed(self, turn: _Turn, problem: str, *, retry: bool) -> None:
        now = self._world.clock.now()
        made = turn.delivery.attempts + 1
        retry_at = now + timedelta(seconds=retry_after_s(made, chance=random.random()))  # noqa: S311  # spreads load
        if not retry or retry_at > turn.snapshot.give_up_at:
            self._finish(turn, problem=problem)
            return

        def put_back(tx: Transaction) -> None:
            deliveries.end(
                tx.connection,
                turn.delivery,
                state=DeliveryState.READY,
                outcome="failed",
                detail=problem,
                now=now,
                attempt=made,
                retry_at=retry_at,
            )

        self._writer.do(put_back)
        self._wake.set()

    def _finish(self, turn: _Turn, *, said: str = "", problem: str = "") -> None:
        now = self._world.clock.now()
        state = DeliveryState.FAILED if problem else DeliveryState.SENT

        def finish(tx: Transaction) -> bool:
            tx.lock(LOCK)
            done = deliveries.end(
                tx.connection,
                turn.delivery,
                state=state,
                outcome=state.value,
                detail=problem or said,
                now=now,
                attempt=turn.delivery.attempts + 1,
            )
            return done and ended(tx, turn.snapshot, turn.delivery.id, problem=problem, now=now)

        if problem:
            log.warning("not_notified", delivery=turn.delivery.id, problem=problem)
        if self._writer.do(finish):
            self._again()

    def _look_after(self) -> None:
        while not self._stopping.is_set():
            try:
                room = min(_THREADS, self.room())
                for turn in self._claim(room) if room > 0 else ():
                    self._enqueue(turn)
                pause = self._pause() if room > 0 else _IDLE_S
            except Exception:  # boundary "engine loop": a database that is away must not end the loop
                log.exception("looking_after_failed")
                pause = _IDLE_S
            self._wake.wait(pause)
            self._wake.clear()

    def _pause(self) -> float:
        with self._world.store.reading() as view:
            due_at = deliveries.next_due(view.connection, prefix=CHANNEL)
        if due_at is None:
            return _IDLE_S
        return min(_IDLE_S, max(0.005, (due_at - self._world.clock.now()).total_seconds()))

    def _claim(self, limit: int) -> list[_Turn]:
        now = self._world.clock.now()
        with self._world.store.reading() as view:
            due_at = deliveries.next_due(view.connection, prefix=CHANNEL)
            if due_at is None or due_at > now:
                return []
            channels = deliveries.open_channels(view.connection, prefix=CHANNEL)
        node, token = self._world.node, secrets.token_hex(8)

        def claim(tx: Transaction) -> list[Delivery]:
            claimed = deliveries.claim(
                tx.connection,
                channels=channels,
                now=now,
                lease_now=tx.lease_now(),
                lease=LEASE,
                node=node,
                token=token,
                limit=limit,
            )
            return [one for one in claimed if deliveries.begin(tx.connection, one, node=node, now=now)]

        return [_Turn(delivery=one, snapshot=from_data(one.message, Snapshot)) for one in self._writer.do(claim)]

    def _free_the_dead(self) -> None:
        """Take over at once what a process of this machine was sending that is not there any more."""
        host, mine = socket.gethostname(), self._world.node
        with self._world.store.reading() as view:
            owners = deliveries.lease_owners(view.connection)
        dead = [one for one in owners if one == mine or (one.startswith(f"{host}-") and not _is_alive(one))]
        if dead:
            with self._world.store.writing() as tx:
                for one in dead:
                    deliveries.free(tx.connection, node=one)


def _order(alert: NoticeAlert) -> tuple[str, str, list[tuple[str, str]]]:
    return alert.labels.get("job", ""), alert.labels.get("instance", ""), sorted(alert.labels.items())


def _is_alive(node: str) -> bool:
    pid = node.rpartition("-")[2]
    if not pid.isdecimal():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def begin(tx: Transaction, owed: Sequence[Owed], *, node: str, room: int) -> list[Owed]:
    """Store what is owed; the first `room` as being sent by this node from now on. Return those.

    The others are sent by whoever claims them.
    """
    for one in owed[max(0, room) :]:
        deliveries.owe(tx.connection, one.delivery)
    token, now = secrets.token_hex(8), tx.clock.now()
    until = tx.lease_now() + LEASE
    return [
        replace(
            one,
            delivery=deliveries.owe_begun(
                tx.connection, one.delivery, node=node, token=token, lease_until=until, now=now
            ),
        )
        for one in owed[: max(0, room)]
    ]
