"""The door of the intake: requests that come in while a commit is under way are taken in together by the next one."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

import structlog

from stanch.alerts.intake.model import Received
from stanch.store import Transaction
from stanch.store.writer import GroupWriter

MOST: Final = 4096
"""Alerts of one bundle: about 50 ms of work."""

log = structlog.get_logger("stanch.intake")

TakeIn = Callable[[Transaction, Sequence[Received]], object]


@dataclass(kw_only=True)
class _Bundle:
    """Requests that are taken in together; `closed` once the writer has begun."""

    alerts: list[Received] = field(default_factory=list)
    requests: list[tuple[Sequence[Received], "Future[None]"]] = field(default_factory=list)
    closed: bool = False


class Door:
    """Takes in requests in bundles. `done` is told what `take_in` returned, after the commit."""

    def __init__(self, writer: GroupWriter, take_in: TakeIn, done: Callable[[object], None]) -> None:
        self._writer = writer
        self._take_in = take_in
        self._done = done
        self._open: _Bundle | None = None
        self._lock = threading.Lock()

    def receive(self, batch: Sequence[Received]) -> "Future[None]":
        """Take in a request; the future is done when it is on the disk."""
        answer: Future[None] = Future()
        with self._lock:
            bundle = self._open
            fresh = bundle is None or bundle.closed or len(bundle.alerts) + len(batch) > MOST
            if fresh or bundle is None:
                bundle = self._open = _Bundle()
            bundle.alerts.extend(batch)
            bundle.requests.append((batch, answer))
        if fresh:
            self._submit(bundle)
        return answer

    def _submit(self, bundle: _Bundle) -> None:
        def work(tx: Transaction) -> object:
            with self._lock:
                bundle.closed = True
            return self._take_in(tx, bundle.alerts)

        try:
            future = self._writer.submit(work)
        except Exception as error:  # noqa: BLE001  # boundary "writer": whoever waits is told why it failed
            for _, answer in bundle.requests:
                answer.set_exception(error)
            return
        future.add_done_callback(lambda done: self._ended(bundle, done))

    def _ended(self, bundle: _Bundle, done: "Future[object]") -> None:
        error = done.exception()
        if error is None:
            for _, answer in bundle.requests:
                answer.set_result(None)
            self._done(done.result())
        elif len(bundle.requests) == 1:
            bundle.requests[0][1].set_exception(error)
        else:
            # One of them may be at fault; alone, it fails alone.
            log.warning("requests_apart", requests=len(bundle.requests), error=str(error))
            for batch, answer in bundle.requests:
                self._submit(_Bundle(alerts=list(batch), requests=[(batch, answer)], closed=True))
