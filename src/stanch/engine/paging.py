"""The crew of one node that pages: one thread escalates, one marks and hands out, some send, one records.

What they do is `escalate` and `page`; this owns who does it when, and what happens when the clock is set back.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from stanch.engine.escalate import escalate_due
from stanch.engine.page import Ended, Ready, begin, bring_forward, claim, fail_unserved, finish, send
from stanch.operations import paging
from stanch.operations.world import World
from stanch.store import timers

_POLL_S: Final = 0.05
_BREATH_S: Final = 0.02
_TROUBLE_S: Final = 1.0
# Of each kind, so that a slow provider of one does not hold up the others.
_SENDERS: Final = 64
_FIRST_SENDERS: Final = 2
_MORE_SENDERS: Final = 6
_PATIENCE_S: Final = 0.05
_TOGETHER: Final = 100
_BACKWARDS: Final = timedelta(seconds=5)

log = structlog.get_logger("stanch.page")


class _Senders:
    """Sends notices of one kind.

    Two threads do while the provider answers at once: sixty-four that all have something to do spend most of their
    time on waiting for each other. What waits longer is a matter of the far end, and gets more of them.
    """

    def __init__(self, pool: ThreadPoolExecutor, ended: Callable[[Ended], None]) -> None:
        self._pool = pool
        self._ended = ended
        self._lock = threading.Lock()
        self._waiting: deque[Ready] = deque()
        self._threads = 0
        self._in_hand = 0
        self._widened = 0.0

    def free(self) -> int:
        """Return how many more may be taken."""
        with self._lock:
            return _SENDERS - self._in_hand

    def take(self, ready: Sequence[Ready]) -> None:
        """Send these, in order."""
        with self._lock:
            self._waiting.extend(ready)
            self._in_hand += len(ready)
            self._more(_FIRST_SENDERS - self._threads)
            self._widened = time.monotonic()

    def widen(self) -> None:
        """Let more threads send when some of what was taken is still waiting."""
        with self._lock:
            if self._waiting and time.monotonic() - self._widened >= _PATIENCE_S:
                self._more(min(_MORE_SENDERS, _SENDERS - self._threads))
                self._widened = time.monotonic()

    def _more(self, threads: int) -> None:
        for _ in range(min(threads, len(self._waiting))):
            self._threads += 1
            self._pool.submit(self._send)

    def _send(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                ready = self._waiting.popleft()
            ended = send(ready)
            with self._lock:
                self._in_hand -= 1
            self._ended(ended)


class Paging:
    """Escalates and hands over for one node. `run_due` works in the caller's thread, `start` in threads of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._stopping = threading.Event()
        self._wake = threading.Event()
        self._ended: queue.SimpleQueue[Ended | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._pool: ThreadPoolExecutor | None = None
        self._senders: dict[str, _Senders] = {}
        self._seen = world.clock.now()

    def set_back_from(self, before: datetime) -> None:
        """Take it that the clock said `before` when a process of this machine read it last; call it before `start`."""
        self._seen = max(self._seen, before)

    def run_due(self, *, limit: int = 100) -> int:
        """Escalate and hand over what is due; return how many timers and notices were worked on."""
        self._watch_clock()
        done = escalate_due(self.world, limit=limit) + fail_unserved(self.world, limit=limit)
        for kind in paging.kinds_of(self.world):
            claimed = claim(self.world, kind, limit=limit)
            done += len(claimed)
            finish(self.world, [send(one) for one in begin(self.world, claimed)])
        return done

    def start(self) -> None:
        """Work in threads of its own until `stop`."""
        kinds = paging.kinds_of(self.world)
        self._pool = ThreadPoolExecutor(max(1, _SENDERS * len(kinds)), thread_name_prefix="stanch-page")
        self._senders = {kind: _Senders(self._pool, self._sent) for kind in kinds}
        for name, target in (
            ("escalate", self._escalate_loop),
            ("notices", self._notice_loop),
            ("ended", self._ended_loop),
        ):
            thread = threading.Thread(target=target, name=f"stanch-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Begin nothing more, wait for what is being handed over, record it, and return."""
        self._stopping.set()
        self._wake.set()
        for thread in self._threads[:2]:
            thread.join()
        if self._pool is not None:
            self._pool.shutdown(wait=True)
        self._ended.put(None)
        for thread in self._threads[2:]:
            thread.join()

    def _escalate_loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self._watch_clock()
                done = escalate_due(self.world)
            except Exception:  # boundary "engine loop": a database that is away must not end the loop
                log.exception("escalating_failed")
                self._stopping.wait(_TROUBLE_S)
                continue
            if done:
                self._wake.set()
            else:
                self._stopping.wait(_POLL_S)

    def _notice_loop(self) -> None:
        while not self._stopping.is_set():
            try:
                worked = sum([self._dispatch(kind) for kind in paging.kinds_of(self.world)])
                worked += fail_unserved(self.world, limit=_TOGETHER)
            except Exception:  # boundary "engine loop": as above
                log.exception("handing_over_failed")
                self._stopping.wait(_TROUBLE_S)
                continue
            if worked:
                # Who sends is done within milliseconds: several are free by then, and share the next transaction.
                self._stopping.wait(_BREATH_S)
            else:
                self._wake.wait(_POLL_S)
                self._wake.clear()

    def _dispatch(self, kind: str) -> int:
        senders = self._senders.get(kind)
        if senders is None:
            return 0
        senders.widen()
        free = senders.free()
        if free <= 0:
            return 0
        claimed = claim(self.world, kind, limit=free)
        senders.take(begin(self.world, claimed))
        return len(claimed)

    def _sent(self, ended: Ended) -> None:
        self._ended.put(ended)
        self._wake.set()

    def _ended_loop(self) -> None:
        while True:
            first = self._ended.get()
            if first is None:
                return
            self._stopping.wait(_BREATH_S)
            group, over = [first], False
            while len(group) < _TOGETHER and not self._ended.empty():
                following = self._ended.get()
                if following is None:
                    over = True
                    break
                group.append(following)
            self._record(group)
            if over:
                return

    def _record(self, group: Sequence[Ended]) -> None:
        """Record how attempts ended, each alone where they cannot be together; what cannot be recorded at all is found
        as being sent when its lease is over, and handed over again with the same key."""
        try:
            finish(self.world, group)
        except Exception:  # boundary "engine loop": two that lock the same things in another order, or no database
            log.exception("recording_together_failed")
            for one in group:
                try:
                    finish(self.world, [one])
                except Exception:  # boundary "engine loop": as above
                    log.exception("recording_failed", delivery=one.ready.delivery.id)

    def _watch_clock(self) -> None:
        """Bring levels and notices forward that a clock set back would let wait longer than they should."""
        now = self.world.clock.now()
        if now < self._seen - _BACKWARDS:
            by = self._seen - now
            log.warning("clock_went_back", by_s=by.total_seconds())
            with self.world.store.writing() as tx:
                for timer in timers.find(tx.connection, kind=paging.TIMER):
                    wait_s = timer.data.get("wait_s")
                    if isinstance(wait_s, int | float) and timer.due_at > now + timedelta(seconds=wait_s):
                        due_at = now + timedelta(seconds=wait_s)
                        tx.schedule(replace(timer, due_at=due_at), replace=True)
                bring_forward(tx, now=now, by=by)
        self._seen = now
