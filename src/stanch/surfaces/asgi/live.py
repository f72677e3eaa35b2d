"""The live view of the log: one poller per process, fanned out to everybody who follows.

A follower is only a position in the log, so a slow one costs nothing: what the shared buffer has forgotten is read
from the store again. Nobody following, nobody polling.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Final

import msgspec
import structlog
from prometheus_client import Gauge
from starlette.concurrency import run_in_threadpool

from stanch.kernel.errors import Unavailable
from stanch.kernel.event import Event
from stanch.store import Store

log = structlog.get_logger(__name__)

PAGE: Final = 500  # events read from the store at once
_KEPT: Final = 2_000  # entries of about 300 bytes: 0.6 MB a process


@dataclass(frozen=True, kw_only=True)
class Glimpse:
    """An event as a follower sees it; the whole of it is in the incident's time line."""

    seq: int
    kind: str
    at: str
    recorded_at: str
    actor: str
    via: str
    incident: int | None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A glimpse with its message, serialised once for all followers."""

    seq: int
    incident: int | None
    message: bytes


class Live:
    """Follows the log for everybody. Belongs to one event loop."""

    def __init__(
        self, store: Store, *, every_s: float = 0.2, most: int = 500, kept: int = _KEPT, followers: Gauge | None = None
    ) -> None:
        self._store = store
        self._every_s = every_s
        self._most = most
        self._gauge = followers
        self._following = 0
        self._recent: deque[Entry] = deque(maxlen=kept)
        self._floor = 0  # every entry above it is in the buffer
        self._head = 0
        self._turn = asyncio.Event()
        self._poller: asyncio.Task[None] | None = None
        self._is_closed = False

    def close(self) -> None:
        """Let everybody go: a server that stops does not wait for those who follow."""
        self._is_closed = True
        self._wake()

    async def head(self) -> int:
        """Return the newest position in the log."""
        return await run_in_threadpool(self._last_seq)

    def follow(
        self, after: int, *, incident: int | None = None, idle_s: float = 10.0
    ) -> AsyncGenerator[Sequence[Entry], None]:
        """Yield what is recorded after the position `after`, in order; an empty batch after `idle_s` seconds of quiet.

        Ends when the log can not be read any more, or the server stops: the client comes back with its position.
        Raises `Unavailable` when too many follow already.
        """
        if self._following >= self._most:
            raise Unavailable(f"{self._most} clients follow already", retry=True)
        return self._follow(after, incident=incident, idle_s=idle_s)

    async def _follow(
        self, after: int, *, incident: int | None, idle_s: float
    ) -> AsyncGenerator[Sequence[Entry], None]:
        with self._follower():
            position, quiet = after, False
            while True:
                # Taken before the look, so that what is recorded in between is not missed.
                turn = self._turn
                batch = await self._since(position)
                if batch:
                    position = batch[-1].seq
                    wanted = [one for one in batch if incident is None or one.incident == incident]
                    if wanted:
                        yield wanted
                    continue
                if quiet:
                    yield ()
                try:
                    await asyncio.wait_for(turn.wait(), idle_s)
                    quiet = False
                except TimeoutError:
                    quiet = True
                if self._poller is None or self._is_closed:
                    return

    @contextmanager
    def _follower(self) -> Iterator[None]:
        self._following += 1
        if self._gauge is not None:
            self._gauge.inc()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.get_running_loop().create_task(self._poll(), name="stanch-live")
            self._poller.add_done_callback(self._ended)
        try:
            yield
        finally:
            self._following -= 1
            if self._gauge is not None:
                self._gauge.dec()

    async def _poll(self) -> None:
        # What happened while nobody followed is not in the buffer; followers behind this point read the store.
        self._recent.clear()
        self._floor = self._head = await self.head()
        self._wake()
        while self._following and not self._is_closed:
            fresh = await run_in_threadpool(self._read, self._head)
            if fresh:
                overflow = len(self._recent) + len(fresh) - (self._recent.maxlen or 0)
                if overflow > 0:
                    self._floor = [*self._recent, *fresh][overflow - 1].seq
                self._recent.extend(fresh)
                self._head = fresh[-1].seq
                self._wake()
            else:
                await asyncio.sleep(self._every_s)

    def _ended(self, poller: asyncio.Task[None]) -> None:
        if self._poller is poller:
            self._poller = None
            self._wake()
        if not poller.cancelled() and (error := poller.exception()) is not None:
            log.error("live.stopped", error=str(error))

    def _wake(self) -> None:
        turn, self._turn = self._turn, asyncio.Event()
        turn.set()

    async def _since(self, position: int) -> Sequence[Entry]:
        if position >= self._head > 0:
            return ()
        if position < self._floor or self._head == 0:
            return await run_in_threadpool(self._read, position)
        recent = list(self._recent)
        return recent[bisect_right(recent, position, key=attrgetter("seq")) :]

    def _last_seq(self) -> int:
        with self._store.reading() as view:
            return view.last_seq()

    def _read(self, after: int) -> list[Entry]:
        with self._store.reading() as view:
            return [_entry(event) for event in view.events(after=after, limit=PAGE)]


def _entry(event: Event) -> Entry:
    glimpse = Glimpse(
        seq=event.seq,
        kind=event.kind,
        at=event.at.isoformat(),
        recorded_at=event.recorded_at.isoformat(),
        actor=event.actor.label,
        via=event.via.value,
        incident=event.incident,
    )
    message = b"id: %d\nevent: entry\ndata: %s\n\n" % (event.seq, msgspec.json.encode(glimpse))
    return Entry(seq=event.seq, incident=event.incident, message=message)
