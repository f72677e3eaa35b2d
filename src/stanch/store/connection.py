"""Opens a database and says what differs between the two: how a write begins, how rows are claimed, whose clock."""

import contextlib
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from stanch.kernel.errors import Invalid, Unavailable

_SQLITE_BUSY_MS: Final = 30_000
# One page of the log is 4 KiB: about 80 MB of write-ahead log before a checkpoint, so that bursts are not interrupted.
_SQLITE_CHECKPOINT_PAGES: Final = 20_000
# Where checkpoints are made beside the writing, they come every 32 MB; at 400 MB the writer waits for one.
SQLITE_CHECKPOINT_BYTES: Final = 32 * 1024 * 1024
_SQLITE_LONGEST_LOG_PAGES: Final = 100_000
_SQLITE_CACHE_KIB: Final = 65_536
EVENT_LOCK: Final = 0x53544E43  # "STNC": the one advisory lock that orders event inserts on PostgreSQL


def database_url(where: str | Path) -> URL:
    """Return the URL for a path of an SQLite file, or for a `sqlite:///` or `postgresql://` URL.

    Raises `Invalid` for any other scheme.
    """
    if isinstance(where, Path) or "://" not in where:
        return URL.create("sqlite", database=str(where))
    url = make_url(where)
    if url.get_backend_name() == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() != "sqlite":
        raise Invalid(
            f"cannot store in {url.get_backend_name()!r}",
            field="database",
            hint="give the path of a file (SQLite) or a postgresql:// URL",
        )
    return url


def open_engine(url: URL) -> Engine:
    """Return an engine for `url` with the settings that make a commit durable."""
    dumps = _dumps
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            _make_file(Path(url.database))
        engine = create_engine(
            url,
            json_serializer=dumps,
            json_deserializer=msgspec.json.decode,
            connect_args={"timeout": _SQLITE_BUSY_MS / 1000, "check_same_thread": False},
            poolclass=QueuePool,
            pool_size=16,
            max_overflow=32,
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        json_serializer=dumps,
        json_deserializer=msgspec.json.decode,
        pool_size=16,
        max_overflow=32,
        pool_pre_ping=True,
    )


def _make_file(path: Path) -> None:
    """Make the file where it is not there, for its owner alone: alerts, logs and names of people are nobody else's.

    SQLite gives its write-ahead log the same mode (https://sqlite.org/src/file/src/os_unix.c, `findCreateFileMode`).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # One that is there stays as its owner has it; what else is wrong with the place SQLite says when it opens it.
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _dumps(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` does, and says which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA wal_autocheckpoint={_SQLITE_CHECKPOINT_PAGES}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def keep_pages(connection: Connection) -> None:
    """Let an SQLite connection keep 64 MB of pages, ten times what indexes of 100,000 alerts take.

    It leaves checkpoints to `checkpoint`, until the log has become so long that it must make one itself.
    """
    driver: Any = connection.connection.driver_connection  # Any: a sqlite3.Connection; SQLAlchemy does not say
    driver.execute(f"PRAGMA cache_size=-{_SQLITE_CACHE_KIB}")
    driver.execute(f"PRAGMA wal_autocheckpoint={_SQLITE_LONGEST_LOG_PAGES}")


def checkpoint(connection: Connection) -> None:
    """Carry SQLite's write-ahead log over into the file, while others write."""
    driver: Any = connection.connection.driver_connection  # Any: as above
    driver.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _begin_sqlite(connection: Connection) -> None:
    # A write takes the lock at once: a deferred one could fail half-way with SQLITE_BUSY, whatever the time-out.
    options: dict[str, Any] = dict(connection.get_execution_options())  # Any: SQLAlchemy's own type for options
    connection.exec_driver_sql("BEGIN" if options.get("stanch_reading") else "BEGIN IMMEDIATE")


def is_trouble(error: BaseException) -> bool:
    """Tell whether an error is of the database, and not of what it was given: it is away, full, locked or broken."""
    return isinstance(error, (OperationalError, sqlite3.OperationalError, psycopg.OperationalError, Unavailable))


def lock_event_order(connection: Connection) -> None:
    """Make sure that events commit in the order of their `seq` (PostgreSQL; SQLite has one writer anyway)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": EVENT_LOCK})


def lock_stream(connection: Connection, stream: str) -> None:
    """Let one transaction at a time decide on `stream`, until it ends (PostgreSQL; SQLite has one writer anyway)."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:stream, 42))"), {"stream": stream})


def lock_streams(connection: Connection, streams: Sequence[str]) -> None:
    """Lock several streams as `lock_stream` does, in the order of their names whatever the order they are given in."""
    if streams and connection.dialect.name == "postgresql":
        # One statement for all: a thousand of them would take longer than what is done under them.
        statement = text(
            "SELECT pg_advisory_xact_lock(hashtextextended(one, 42))"
            ' FROM (SELECT one FROM unnest(CAST(:streams AS text[])) AS one ORDER BY one COLLATE "C") AS ordered'
        )
        connection.execute(statement, {"streams": sorted(set(streams))})


def try_lock_streams(connection: Connection, streams: Sequence[str]) -> set[str]:
    """Lock those of `streams` that nobody has locked, and return them. Never waits."""
    wanted = sorted(set(streams))
    if not wanted or connection.dialect.name != "postgresql":
        return set(wanted)
    statement = text(
        "SELECT one FROM (SELECT one, pg_try_advisory_xact_lock(hashtextextended(one, 42)) AS got"
        " FROM unnest(CAST(:streams AS text[])) AS one) AS tried WHERE got"
    )
    return set(connection.execute(statement, {"streams": wanted}).scalars())
