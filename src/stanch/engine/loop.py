"""The loop: claims what is due, does it, and commits its effect in the transaction that consumes the timer.

A duty may look outside for as long as it likes: its claim is extended while it works. What it wants to change comes
back as an effect, which is applied only if the claim still holds. So an effect happens exactly once, whatever dies.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Final, TypeAlias

import structlog

from stanch.engine.deliver import Senders, deliver_due
from stanch.engine.paging import Paging
from stanch.kernel.errors import Conflict
from stanch.operations.paging import TIMER as PAGE_TIMER
from stanch.operations.world import World
from stanch.store import Transaction, seen, timers
from stanch.store.model import Timer

Effect: TypeAlias = Callable[[Transaction], None]
Duty: TypeAlias = Callable[[Timer, World], Effect]

_LEASE: Final = timedelta(seconds=15)
_POLL_S: Final = 0.1
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 300.0
_MOST_DOUBLINGS: Final = 20
_WATCH: Final = "watch"
# A clock that is adjusted by less is not worth a word; it is noted so often that what is missed in between is short.
_BACKWARDS: Final = timedelta(seconds=5)
_NOTED_EVERY: Final = timedelta(minutes=1)
WATCHERS: Final = 128
"""Looks at once. A thread that waits costs some 100 KB; more than that many far ends hang together only in an outage of
everything."""

log = structlog.get_logger("stanch.engine")


def nothing(tx: Transaction) -> None:
    """Change nothing: the effect of a duty that found nothing to do."""


def retry_delay_s(attempts: int) -> float:
    """Return how long to wait after the `attempts`-th failure in seconds: 1, 2, 4 ... 300."""
    # Bounded before it is a power, as a float ends at 2 to the 1,024th.
    return min(_LAST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(_MOST_DOUBLINGS, max(0, attempts - 1)))


class _Lane:
    """Kinds of duties with workers of their own, so that they wait for nobody else's."""

    def __init__(self, name: str, kinds: Sequence[str], workers: int) -> None:
        self.name = name
        self.kinds = tuple(kinds)
        self.workers = workers
        self.pool: ThreadPoolExecutor | None = None
        self.busy: set[Future[None]] = set()

    def free(self) -> int:
        """Return how many workers have nothing to do."""
        self.busy = {future for future in self.busy if not future.done()}
        return self.workers - len(self.busy)


class Engine:
    """Runs duties for one node. `run_due` does what is due now in this thread; `start` goes on by itself."""

    def __init__(self, world: World, duties: Mapping[str, Duty], *, workers: int = 8, watchers: int = WATCHERS) -> None:
        self.world = world
        self.duties = dict(duties)
        self.paging = Paging(world)
        # Looks wait for far ends that may hang: they must hold up neither each other nor a plan that is to run.
        others = [kind for kind in duties if kind != _WATCH]
        lanes = (_Lane("duty", others, workers), _Lane(_WATCH, [kind for kind in duties if kind == _WATCH], watchers))
        self._lanes = tuple(lane for lane in lanes if lane.kinds)
        self._stopping = threading.Event()
        self._stopped = threading.Event()
        self._wake = threading.Event()
        self._threads: list[threading.Thread] = []
        self._held: dict[str, Timer] = {}
        self._lock = threading.Lock()
        # Nodes of one machine share its clock.
        self._machine = world.node.rpartition("-")[0] or world.node
        self._noted: datetime | None = None

    def run_due(self, *, limit: int = 100) -> int:
        """Fire the timers, move pages on and hand over what is due; return how many were worked on."""
        self._watch_clock()
        claimed = self._claim(tuple(self.duties), limit)
        for timer in claimed:
            self._fire(timer)
        return len(claimed) + self.paging.run_due(limit=limit) + deliver_due(self.world, limit=limit)

    def run_until_quiet(self, *, rounds: int = 1000) -> int:
        """Repeat `run_due` until nothing is due any more; return how many were worked on. The clock stands still."""
        done = 0
        for _ in range(rounds):
            worked = self.run_due()
            done += worked
            if not worked:
                break
        return done

    def start(self) -> None:
        """Work in threads of its own until `stop`."""
        self._watch_clock()
        for lane in self._lanes:
            lane.pool = ThreadPoolExecutor(lane.workers, thread_name_prefix=f"stanch-{lane.name}")
        for name, target in (("timers", self._timer_loop), ("deliveries", self._delivery_loop), ("leases", self._hold)):
            thread = threading.Thread(target=target, name=f"stanch-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        self.paging.start()

    def stop(self) -> None:
        """Stop claiming, wait for what is under way, and return."""
        self._stopping.set()
        self._wake.set()
        self.paging.stop()
        # In this order: who claims must be gone before those who work, and leases are held until the last is done.
        for thread in self._threads[:-1]:
            thread.join()
        for lane in self._lanes:
            if lane.pool:
                lane.pool.shutdown(wait=True)
        self._stopped.set()
        for thread in self._threads[-1:]:
            thread.join()

    def wake(self) -> None:
        """Look again now: something was just scheduled."""
        self._wake.set()

    def _watch_clock(self) -> None:
        """Note what the clock says, and bring timers forward where it was set back since, in this process or before."""
        now = self.world.clock.now()
        if self._noted is not None and timedelta() <= now - self._noted < _NOTED_EVERY:
            return
        with self.world.store.writing() as tx:
            tx.lock("clock")
            before = seen.seen(tx.connection, self._machine) or now
            if now < before - _BACKWARDS:
                moved = seen.bring_forward(tx.connection, since=before - _NOTED_EVERY, by=before - now, but=PAGE_TIMER)
                log.warning("clock_went_back", by_s=(before - now).total_seconds(), timers=moved)
            seen.note(tx.connection, self._machine, now)
        if self._noted is None:
            self.paging.set_back_from(before)
        self._noted = now

    def _timer_loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self._watch_clock()
            except Exception:  # boundary "engine loop": a database that is away must not end the loop
                log.exception("noting_the_clock_failed")
                self._stopping.wait(1.0)
            worked = sum(self._turn(lane) for lane in self._lanes)
            if not worked:
                self._wake.wait(_POLL_S)
                self._wake.clear()

    def _turn(self, lane: _Lane) -> int:
        free = lane.free()
        if not free:
            return 0
        try:
            claimed = self._claim(lane.kinds, free)
        except Exception:  # boundary "engine loop": a database that is away must not end the loop
            log.exception("claim_failed")
            self._stopping.wait(1.0)
            return 0
        pool = lane.pool
        if pool is None:
            return 0
        lane.busy |= {pool.submit(self._fire, timer) for timer in claimed}
        return len(claimed)

    def _delivery_loop(self) -> None:
        senders = Senders(self.world)
        while not self._stopping.is_set():
            try:
                sent = senders.turn()
            except Exception:  # boundary "engine loop": as above
                log.exception("delivering_failed")
                sent = 0
                self._stopping.wait(1.0)
            if not sent:
                self._stopping.wait(_POLL_S)
        senders.close()

    def _hold(self) -> None:
        # Three chances to extend before a claim lapses.
        while not self._stopped.wait(_LEASE.total_seconds() / 3):
            with self._lock:
                held = list(self._held.values())
            if not held:
                continue
            try:
                with self.world.store.writing() as tx:
                    until = tx.lease_now() + _LEASE
                    for timer in held:
                        timers.extend(tx.connection, timer, until=until)
            except Exception:  # boundary "engine loop": a lapsed claim is safe, a dead thread is not
                log.exception("extending_failed")

    def _claim(self, kinds: Sequence[str], limit: int) -> list[Timer]:
        return self.world.store.claim_timers(kinds=kinds, node=self.world.node, lease=_LEASE, limit=limit)

    def _fire(self, timer: Timer) -> None:
        with self._lock:
            self._held[timer.id] = timer
        try:
            effect = self.duties[timer.kind](timer, self.world)
            with self.world.store.writing() as tx:
                if tx.consume(timer):
                    effect(tx)
        except Conflict as conflict:
            self._give_back(timer, delay_s=0.05, error=str(conflict))
        except Exception as error:  # boundary "engine loop": the timer stays and is tried again
            log.exception("duty_failed", kind=timer.kind, timer=timer.id, attempts=timer.attempts)
            self._give_back(timer, delay_s=retry_delay_s(timer.attempts), error=f"{type(error).__name__}: {error}")
        finally:
            with self._lock:
                # The next timer of the same id may be held already: the effect of this one has scheduled it.
                if self._held.get(timer.id) is timer:
                    del self._held[timer.id]

    def _give_back(self, timer: Timer, *, delay_s: float, error: str) -> None:
        due_at = self.world.clock.now() + timedelta(seconds=delay_s)
        with self.world.store.writing() as tx:
            timers.release(tx.connection, timer, due_at=due_at, error=error)
