"""The door of the intake: requests that come in while a commit is under way are accepted together by the next one.

A small bundle is taken in at once, a large one is written down first (`backlog`). Either way it is on the disk when it
is answered.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

import structlog

from stanch.alerts.intake.model import Received
from stanch.engine.intake.backlog import Backlog, TakeIn, Worked
from stanch.store import Transaction
from stanch.store.writer import GroupWriter

MOST: Final = 4096
"""Alerts of one bundle: about 50 ms of work."""

log = structlog.get_logger("stanch.intake")


@dataclass(kw_only=True)
class _Bundle:
    """Requests that are taken in together; `closed` once the writer has begun."""

    alerts: list[Received] = field(default_factory=list)
    requests: list[tuple[Sequence[Received], "Future[None]"]] = field(default_factory=list)
    closed: bool = False


class Door:
    """Accepts requests in bundles."""

    def __init__(self, writer: GroupWriter, take_in: TakeIn, backlog: Backlog) -> None:
        self._writer = writer
        self._take_in = take_in
        self._backlog = backlog
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
            self._backlog.said(1)
        if fresh:
            self._submit(bundle)
        return answer

    def _submit(self, bundle: _Bundle) -> None:
        def work(tx: Transaction) -> Worked:
            with self._lock:
                bundle.closed = True
            if self._backlog.wants(bundle.alerts):
                return self._backlog.put(tx, bundle.alerts)
            return Worked(led=(self._take_in(tx, bundle.alerts),))

        try:
            future = self._writer.submit(work)
        except Exception as error:  # noqa: BLE001  # boundary "writer": whoever waits is told why it failed
            for _, answer in bundle.requests:
                answer.set_exception(error)
            self._answered(bundle)
            return
        future.add_done_callback(lambda done: self._ended(bundle, done))

    def _answered(self, bundle: _Bundle) -> None:
        with self._lock:
            self._backlog.said(-len(bundle.requests))

    def _ended(self, bundle: _Bundle, done: "Future[Worked]") -> None:
        error = done.exception()
        if error is None:
            for _, answer in bundle.requests:
                answer.set_result(None)
            self._answered(bundle)
            self._backlog.ended(done.result())
        elif len(bundle.requests) == 1:
            bundle.requests[0][1].set_exception(error)
            self._answered(bundle)
        else:
            # One of them may be at fault; alone, it fails alone.
            log.warning("requests_apart", requests=len(bundle.requests), error=str(error))
            for batch, answer in bundle.requests:
                self._submit(_Bundle(alerts=list(batch), requests=[(batch, answer)], closed=True))
