"""Fixtures that give each test a fresh database with Stanch's schema: an SQLite file, a PostgreSQL database, or both.

The schema is made once a session and then copied, by file on SQLite and by template on PostgreSQL (about 15 ms).
"""

import fcntl
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest
from psycopg import sql

from stanch.store import Store
from tests.support.needs import lacking
from tests.support.postgres import NoServer, ensure_server

_TEMPLATE: Final = "stanch_template"
_numbers = itertools.count(1)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a fresh database with Stanch's schema; the test runs once on each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def bare_database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a fresh, empty database; the test runs once on each kind."""
    url: str = request.getfixturevalue(f"bare_{request.param}_url")
    return url


@pytest.fixture
def sqlite_url(tmp_path: Path, sqlite_template: Path) -> str:
    """Give the URL of a fresh SQLite file with Stanch's schema."""
    shutil.copyfile(sqlite_template, tmp_path / "stanch.db")
    return f"sqlite:///{tmp_path / 'stanch.db'}"


@pytest.fixture
def bare_sqlite_url(tmp_path: Path) -> str:
    """Give the URL of an SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'stanch.db'}"


@pytest.fixture
def postgres_url(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """Give the URL of a fresh PostgreSQL database with Stanch's schema."""
    yield from _temporary_database(postgres_server, template=postgres_template)


@pytest.fixture
def bare_postgres_url(postgres_server: str) -> Iterator[str]:
    """Give the URL of a fresh, empty PostgreSQL database."""
    yield from _temporary_database(postgres_server, template="template0")


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder that all workers of this session share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an SQLite file with the schema, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    Store.open(f"sqlite:///{path}").close()
    # What is left in the write-ahead log would be lost in the copy; SQLite empties it when the last connection closes.
    assert not path.with_name("template.db-wal").exists()
    return path


@pytest.fixture(scope="session")
def postgres_server(session_folder: Path) -> str:
    """Give the URL of the session's PostgreSQL server, to which `/NAME` is added."""
    # A worker's parent is the process that runs the session, and lives as long as it.
    owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    try:
        return ensure_server(session_folder, owner_pid=owner)
    except NoServer as reason:
        lacking(str(reason))


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, session_folder: Path) -> str:
    """Give the name of the PostgreSQL database with the schema, to be copied."""
    ready = session_folder / "postgres.template"
    with (session_folder / "postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
                admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(_TEMPLATE)))
            Store.open(f"{postgres_server}/{_TEMPLATE}").close()
            ready.touch()
    return _TEMPLATE


def _temporary_database(server: str, *, template: str) -> Iterator[str]:
    name = f"t_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{next(_numbers)}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as admin:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        if admin.info.server_version >= 150000:
            # Copying files beats copying through the log for a small template; before 15 there is no other way.
            create += sql.SQL(" STRATEGY file_copy")
        admin.execute(create)
        yield f"{server}/{name}"
        # A test that leaves a connection open must not make the next one wait.
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
