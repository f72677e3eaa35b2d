"""The store itself: opens a database, hands out transactions, keeps projections in step with the log."""

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Protocol, Self

from sqlalchemy import Connection, Table, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.event import listen
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import ConnectionPoolEntry

from stanch.kernel.actor import SYSTEM, Actor, Via
from stanch.kernel.clock import Clock, SystemClock
from stanch.kernel.event import Event, NewEvent
from stanch.store import deliveries, log, migrations, timers
from stanch.store.connection import (
    SQLITE_CHECKPOINT_BYTES,
    checkpoint,
    database_url,
    keep_pages,
    lock_stream,
    lock_streams,
    open_engine,
    try_lock_streams,
)
from stanch.store.model import Delivery, Timer
from stanch.store.schema import counters
from stanch.store.turns import Turns


@contextmanager
def _known_schema() -> Iterator[None]:
    """Say what it means when a table or a column is not there."""
    try:
        yield
    except (OperationalError, ProgrammingError) as error:
        said = str(error.orig).partition("\n")[0]
        if _LACKS.search(said) is None:
            raise
        raise migrations.another_version(said) from error


# SQLite; PostgreSQL.
_LACKS: Final = re.compile(r"no such (?:table|column)|has no column named|(?:relation|column) .* does not exist")


class Projector(Protocol):
    """Keeps tables that are computed from the log. Called in the transaction that appends the event."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the tables this projector owns; a rebuild empties them first."""
        ...

    def project(self, connection: Connection, event: Event) -> None:
        """Bring the tables up to date with `event`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """One transaction: everything in it is committed together or not at all."""

    connection: Connection
    clock: Clock
    projectors: tuple[Projector, ...]
    database_clock: bool
    memory: "Memory"
    reads_only: bool

    def append(
        self,
        stream: str,
        new: Sequence[NewEvent],
        *,
        actor: Actor = SYSTEM,
        via: Via = Via.ENGINE,
        incident: int | None = None,
        cause: int | None = None,
        expected: int | None = None,
    ) -> list[Event]:
        """Append to `stream`, bring the projections up to date, and return the events as recorded.

        Raises `Conflict` when `expected` is given and is not the stream's version.
        """
        recorded = log.append(
            self.connection,
            stream,
            new,
            actor=actor,
            via=via,
            now=self.clock.now(),
            incident=incident,
            cause=cause,
            expected=expected,
        )
        for event in recorded:
            for projector in self.projectors:
                projector.project(self.connection, event)
        return recorded

    def lock(self, stream: str) -> None:
        """Decide alone on `stream` until the transaction ends. Take it before reading what the decision rests on."""
        lock_stream(self.connection, stream)

    def lock_all(self, streams: Sequence[str]) -> None:
        """Lock several streams in one statement, in an order of its own, so that two of these never wait for each
        other."""
        lock_streams(self.connection, streams)

    def try_lock_all(self, streams: Sequence[str]) -> set[str]:
        """Lock those that nobody else has, and return them; never wait, so that who holds rows may ask."""
        return try_lock_streams(self.connection, streams)

    def events(
        self, *, stream: str | None = None, incident: int | None = None, after: int = 0, limit: int | None = None
    ) -> list[Event]:
        """Return events with `seq` above `after`, in order, narrowed by stream and incident."""
        return log.read(self.connection, stream=stream, incident=incident, after=after, limit=limit)

    def events_of_agent(self, actor_id: str, *, limit: int) -> list[Event]:
        """Return what an agent (`agent:triage`) did in incidents, the newest first."""
        return log.read_of_agent(self.connection, actor_id, limit=limit)

    def version(self, stream: str) -> int:
        """Return the version of the newest event of `stream`, 0 when it has none."""
        return log.stream_version(self.connection, stream)

    def last_seq(self) -> int:
        """Return the newest `seq` of the log."""
        return log.last_seq(self.connection)

    def schedule(self, timer: Timer, *, replace: bool = False) -> None:
        """Store `timer`; one with the same id stays, unless `replace`."""
        timers.schedule(self.connection, timer, replace=replace)

    def cancel_timers(self, *, incident: int | None = None, prefix: str = "", keep: Sequence[str] = ()) -> int:
        """Delete the timers of `incident` and/or whose id begins with `prefix`, but for the kinds in `keep`."""
        return timers.cancel(self.connection, incident=incident, prefix=prefix, keep=keep)

    def consume(self, timer: Timer) -> bool:
        """Delete a claimed timer; False when the claim does not hold any more."""
        return timers.consume(self.connection, timer)

    def owe(self, delivery: Delivery) -> bool:
        """Store a delivery; False when its id is already on record."""
        return deliveries.owe(self.connection, delivery)

    def next_number(self, name: str) -> int:
        """Return the next number of the counter `name`, from 1, without gaps over commits."""
        insert = postgres_insert if self.connection.dialect.name == "postgresql" else sqlite_insert
        statement = insert(counters).values(name=name, value=0).on_conflict_do_nothing(index_elements=["name"])
        self.connection.execute(statement)
        advance = update(counters).where(counters.c.name == name).values(value=counters.c.value + 1)
        return int(self.connection.execute(advance.returning(counters.c.value)).scalar_one())

    def lease_now(self) -> datetime:
        """Return the instant that decides leases: the database's on PostgreSQL, so that nodes' clocks may differ."""
        if not self.database_clock:
            return self.clock.now()
        now: datetime = self.connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return now


class Memory:
    """What was computed from the log up to some `seq`, so that it need not be computed from the start again.

    Only what a reading transaction saw is kept: it is committed, and the log never changes below a `seq`.
    """

    def __init__(self, *, most: int = 64) -> None:
        self._kept: OrderedDict[Hashable, tuple[int, object]] = OrderedDict()
        self._most = most
        self._lock = threading.Lock()

    def recall(self, key: Hashable) -> tuple[int, object] | None:
        """Return what is known under `key` with the `seq` it was computed up to."""
        with self._lock:
            return self._kept.get(key)

    def keep(self, key: Hashable, seq: int, value: object) -> None:
        """Keep `value`, computed up to `seq`; the least recently kept goes when there are too many."""
        with self._lock:
            known = self._kept.get(key)
            if known is None or known[0] < seq:
                self._kept[key] = (seq, value)
                self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


class Store:
    """A database with Stanch's schema. Safe to use from several threads; every thread gets its own connection."""

    def __init__(self, where: str | Path, *, clock: Clock | None = None, projectors: Sequence[Projector] = ()) -> None:
        self.url = database_url(where)
        self.clock = clock or SystemClock()
        self.projectors = tuple(projectors)
        self._engine = open_engine(self.url)
        self._closed = False
        listen(self._engine, "checkin", self._given_back)
        # PostgreSQL lets many write at a time; SQLite one, and in this process they take turns.
        self._turns: AbstractContextManager[None] = nullcontext() if self.is_postgres else Turns()
        # A clock moved by hand must move leases too, so only the real clock yields to the database's.
        self._memory = Memory()
        self._database_clock = self.is_postgres and isinstance(self.clock, SystemClock)

    @classmethod
    def open(cls, where: str | Path, *, clock: Clock | None = None, projectors: Sequence[Projector] = ()) -> Self:
        """Open the database at a path or URL and bring its schema up to date.

        Raises `Unavailable` when another version of Stanch made it.
        """
        store = cls(where, clock=clock, projectors=projectors)
        try:
            migrations.upgrade(store._engine)
        except BaseException:
            store.close()
            raise
        return store

    @property
    def is_postgres(self) -> bool:
        """Tell whether this is PostgreSQL."""
        return self.url.get_backend_name() == "postgresql"

    def close(self) -> None:
        """Give all connections back; one that a thread still uses ends when the thread is done with it."""
        self._closed = True
        self._engine.dispose()

    def _given_back(self, connection: object, entry: ConnectionPoolEntry) -> None:
        if self._closed and connection is not None:
            entry.close()

    @contextmanager
    def writing(self, *, on: Connection | None = None) -> Iterator[Transaction]:
        """Open a transaction that writes; it commits when the block ends and rolls back when it raises.

        `on` is a connection from `connect`, for a thread that keeps one.
        """
        with self._turns, _known_schema():
            if on is not None:
                with on.begin():
                    yield self._transaction(on, reads_only=False)
            else:
                with self._engine.begin() as connection:
                    yield self._transaction(connection, reads_only=False)

    def connect(self) -> Connection:
        """Return a connection for a thread that writes all the time; whoever asks for it closes it.

        Statements stay prepared on it, and on SQLite it keeps more pages in memory than one that is shared.
        """
        connection = self._engine.connect()
        if not self.is_postgres:
            keep_pages(connection)
        return connection

    def checkpoint(self, *, least_bytes: int = SQLITE_CHECKPOINT_BYTES) -> None:
        """Carry the write-ahead log over into the file, beside whoever writes, once it has `least_bytes`.

        PostgreSQL does it by itself.
        """
        if self.is_postgres or self.url.database is None:
            return
        log_file = Path(f"{self.url.database}-wal")
        if log_file.exists() and log_file.stat().st_size >= least_bytes:
            with self._engine.connect() as connection:
                checkpoint(connection)

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """Open a consistent view for reading."""
        with (
            _known_schema(),
            self._engine.connect() as raw,
            raw.execution_options(stanch_reading=True) as connection,
            connection.begin(),
        ):
            yield self._transaction(connection, reads_only=True)

    def claim_timers(self, *, kinds: Sequence[str], node: str, lease: timedelta, limit: int) -> list[Timer]:
        """Take due timers of `kinds` for `node`, in a transaction of its own; an idle poll only reads."""
        now = self.clock.now()
        with self.reading() as view:
            due = timers.next_due(view.connection, kinds=kinds)
        if due is None or due > now:
            return []
        with self.writing() as tx:
            return timers.claim(
                tx.connection,
                kinds=kinds,
                now=now,
                lease_now=tx.lease_now(),
                lease=lease,
                node=node,
                token=secrets.token_hex(8),
                limit=limit,
            )

    def rebuild(self) -> int:
        """Compute every projection again from the log; return how many events were read."""
        with self.writing() as tx:
            for projector in self.projectors:
                for table in projector.tables:
                    tx.connection.execute(delete(table))
            seen = tx.events()
            for event in seen:
                for projector in self.projectors:
                    projector.project(tx.connection, event)
            return len(seen)

    def dump_projections(self) -> dict[str, list[tuple[object, ...]]]:
        """Return the rows of every projection table, sorted: to compare a rebuild with what was there."""
        with self.reading() as view:
            return {
                table.name: sorted((tuple(row) for row in view.connection.execute(select(table))), key=repr)
                for projector in self.projectors
                for table in projector.tables
            }

    def _transaction(self, connection: Connection, *, reads_only: bool) -> Transaction:
        return Transaction(
            connection=connection,
            clock=self.clock,
            projectors=self.projectors,
            database_clock=self._database_clock,
            memory=self._memory,
            reads_only=reads_only,
        )
