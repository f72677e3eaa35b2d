"""What was accepted and is still to be taken in: how long it may wait, and how it is worked off.

Writing alerts down costs a fifth of taking them in. So when senders say much at once, what they say is written into the
journal, they are answered as soon as that is committed, and it is taken in as soon as they pause, in the order in which
it came. After `LATEST_S`, or with `MOST` alerts waiting, senders wait too: as many are taken in as come in.

Whoever takes a bundle in deletes it in the same transaction, so it is taken in once, also after a crash and by
whichever node comes first.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from stanch.alerts.intake.journal.tables import (
    Waiting,
    count_waiting,
    leave,
    strike_out,
    waiting,
    write_down,
)
from stanch.alerts.intake.journal.written import read, write
from stanch.alerts.intake.model import Received
from stanch.alerts.intake.receiving import LOCK
from stanch.alerts.intake.recognition import Recognition
from stanch.store import Store, Transaction
from stanch.store.connection import is_trouble
from stanch.store.writer import GroupWriter

TakeIn = Callable[[Transaction, Sequence[Received]], object]

AT_ONCE: Final = 128
"""So many new alerts are taken in at once: about 6 ms of work. With more in a bundle it is written down."""

MOST: Final = 200_000
"""Alerts that may wait, in about 100 MB on the disk: 10 s of work."""

LATEST_S: Final = 10.0
"""How long there may be something that waits while senders go on without a pause."""

# Senders pause when none has said anything for so long, and all have been answered.
_CALM_S: Final = 0.01
_TURN: Final = 512
_LOOK_EVERY_S: Final = 5.0
_ASIDE_S: Final = 60.0
_DRAINED_WITHIN_S: Final = 15.0

log = structlog.get_logger("stanch.intake")


@dataclass(frozen=True, kw_only=True)
class Worked:
    """How many alerts were taken in out of the journal, and what taking in returned for each bundle."""

    alerts: int = 0
    led: tuple[object, ...] = ()


class Backlog:
    """The journal of one node. `wants` and `put` are asked in the writer's thread, everything else in any."""

    def __init__(
        self,
        store: Store,
        writer: GroupWriter,
        recognition: Recognition,
        *,
        take_in: TakeIn,
        done: Callable[[object], None],
    ) -> None:
        self._store = store
        self._writer = writer
        self._recognition = recognition
        self._take_in = take_in
        self._done = done
        self._changed = threading.Condition()
        # How many were written down and how many of those were taken in, as far as this node knows.
        self._put = 0
        self._taken = 0
        self._since: float | None = None
        self._hurries = 0
        self._said_at = 0.0
        self._unanswered = 0
        self._aside: dict[int, float] = {}
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Work off what is left from before and what comes, in a thread of its own, until `stop`."""
        self._look()
        self._thread = threading.Thread(target=self._run, name="stanch-backlog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Work off what waits, for some seconds at most, and end the thread; the rest stays in the journal."""
        if self._thread is None:
            return
        self.settle(within_s=_DRAINED_WITHIN_S)
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(timeout=_DRAINED_WITHIN_S)

    def said(self, requests: int) -> None:
        """Note that senders said something (1), or that so many were answered (below 0)."""
        self._unanswered += requests
        self._said_at = time.monotonic()

    def wants(self, batch: Sequence[Received]) -> bool:
        """Tell whether a bundle is to be written down: it is large, or what came before it still waits."""
        return self._thread is not None and (self._since is not None or _new(batch) > AT_ONCE)

    def put(self, tx: Transaction, batch: Sequence[Received]) -> "Worked":
        """Write a bundle down; return what had to be taken in for it. Whoever calls it tells `ended` of that."""
        write_down(tx.connection, write(batch), alerts=len(batch), now=tx.clock.now())
        with self._changed:
            self._put += len(batch)
            self._since = self._since or time.monotonic()
            self._changed.notify_all()
        return self._work_off(tx, alerts=len(batch) + _TURN) if self._is_late() else Worked()

    def ended(self, worked: "Worked") -> None:
        """Note what was taken in and is committed."""
        for one in worked.led:
            self._done(one)
        if worked.alerts:
            with self._changed:
                self._taken += worked.alerts
                self._changed.notify_all()

    def _work_off(self, tx: Transaction, *, alerts: int = _TURN) -> "Worked":
        """Take in the oldest bundles until there are as many `alerts`."""
        # Held before it is looked what waits, so that no two nodes take the same in.
        tx.lock(LOCK)
        found = waiting(tx.connection, alerts=alerts, aside=self._aside)
        led = tuple(self._take_in(tx, read(one.written, self._recognition)) for one in found)
        if found:
            strike_out(tx.connection, [one.seq for one in found])
        return Worked(alerts=sum(one.alerts for one in found), led=led)

    def settle(self, *, within_s: float) -> bool:
        """Wait until what was accepted by now has been taken in; False when it was not `within_s`."""
        with self._changed:
            until = self._put
            self._hurries += 1
            self._changed.notify_all()
            try:
                return self._changed.wait_for(lambda: self._since is None or self._taken >= until, timeout=within_s)
            finally:
                self._hurries -= 1

    def run_due(self) -> int:
        """Take in everything that waits, in this thread; return how many alerts that were."""
        self._look()
        total = 0
        while self._since is not None and (found := self._turn()):
            total += found
        return total

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._since is not None or self._stopping, timeout=_LOOK_EVERY_S)
                if self._stopping:
                    return
                waits = self._since is not None
                if waits and not self._may_work():
                    self._changed.wait(_CALM_S / 2)
                    continue
            try:
                if waits:
                    self._turn()
                else:
                    # Another node may have died with something in the journal.
                    self._look()
            except Exception:  # boundary "engine loop": a database that is away must not end the loop
                log.exception("working_off_failed")
                time.sleep(1.0)

    def _may_work(self) -> bool:
        calm = self._unanswered <= 0 and time.monotonic() - self._said_at > _CALM_S
        return calm or self._hurries > 0 or self._is_late()

    def _is_late(self) -> bool:
        waited = 0.0 if self._since is None else time.monotonic() - self._since
        return waited > LATEST_S or self._put - self._taken > MOST

    def _turn(self) -> int:
        """Take in some in a transaction of their own; return how many alerts, 0 when none waits."""
        put = self._put
        try:
            worked = self._writer.do(self._work_off)
        except Exception as error:  # boundary "writer": one that cannot be taken in must not keep the others out
            if is_trouble(error):
                raise
            log.exception("taking_in_failed")
            return self._apart()
        self.ended(worked)
        if not worked.alerts:
            self._empty(put)
        return worked.alerts

    def _empty(self, put: int) -> None:
        """Note that nothing waits of the `put` there were; what was put since does."""
        with self._changed:
            if self._put == put:
                self._since = None
                self._taken = put
            self._changed.notify_all()

    def _apart(self) -> int:
        """Take the oldest bundle in one by one, and set aside for a minute what cannot be; return how many it was."""
        with self._store.reading() as view:
            first = waiting(view.connection, alerts=1, aside=self._aside)
        for bundle in first:
            left = [one for one in read(bundle.written, self._recognition) if not self._takes(one)]
            if left:
                # In memory for a minute, so that the others go on; in the journal until it is taken in.
                self._aside[bundle.seq] = time.monotonic() + _ASIDE_S
                log.error("set_aside", bundle=bundle.seq, alerts=len(left), of=bundle.alerts)

            def end(tx: Transaction, bundle: Waiting = bundle, left: Sequence[Received] = tuple(left)) -> None:
                if left:
                    leave(tx.connection, bundle.seq, write(left), alerts=len(left))
                else:
                    strike_out(tx.connection, [bundle.seq])

            self._writer.do(end)
            self.ended(Worked(alerts=bundle.alerts))
        return sum(one.alerts for one in first)

    def _takes(self, one: Received) -> bool:
        try:
            led = self._writer.do(lambda tx: self._take_in(tx, [one]))
        except Exception as error:  # boundary "writer": as above
            if is_trouble(error):
                raise
            log.exception("alert_set_aside", key=one.stored_by)
            return False
        self._done(led)
        return True

    def _look(self) -> None:
        now = time.monotonic()
        self._aside = {seq: until for seq, until in self._aside.items() if until > now}
        with self._store.reading() as view:
            left = count_waiting(view.connection, aside=self._aside)
        if left:
            with self._changed:
                self._put += left
                self._since = self._since or time.monotonic()
                self._changed.notify_all()


def _new(batch: Sequence[Received]) -> int:
    return sum(not one.id for one in batch)
