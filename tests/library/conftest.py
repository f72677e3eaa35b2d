"""A desk on a file, and the servers that break for real: each runs for the tests that need it."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator

import psycopg
import pytest

from stanch.incidents.tables import IncidentProjector
from stanch.kernel.clock import ManualClock
from stanch.store import Store
from tests.operations.desk import START, Desk
from tests.support.maria import Maria, maria_in
from tests.support.needs import lacking
from tests.support.postgres import find_binaries
from tests.support.servers import free_port, running


@pytest.fixture
def clock() -> ManualClock:
    """Give a clock that stands at half past two in the afternoon."""
    return ManualClock(START)


@pytest.fixture
def desk(sqlite_url: str, clock: ManualClock) -> Iterator[Desk]:
    """Give a desk with nothing on it."""
    store = Store.open(sqlite_url, clock=clock, projectors=(IncidentProjector(),))
    yield Desk.open(store, clock)
    store.close()


@pytest.fixture(scope="session")
def small_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of a PostgreSQL of its own that takes twenty clients, so that it can be filled."""
    binaries = find_binaries()
    if binaries is None:
        lacking("PostgreSQL is not installed; `make setup-test` installs it on Debian as root")
    home = tmp_path_factory.mktemp("small-postgres")
    user = None
    if os.geteuid() == 0:
        user = "postgres" if "postgres" in {entry.pw_name for entry in pwd.getpwall()} else "nobody"
        for folder in (home, *home.parents[:3]):
            folder.chmod(folder.stat().st_mode | 0o711)
        shutil.chown(home, user)
    data, port = home / "data", free_port()
    subprocess.run(
        [binaries / "initdb", "-D", data, "-U", "stanch", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"],
        user=user,
        cwd=home,
        capture_output=True,
        check=True,
    )
    options = ("max_connections=20", "superuser_reserved_connections=2", "fsync=off", "listen_addresses=127.0.0.1")
    argv = [str(binaries / "postgres"), "-D", str(data), "-k", str(home), "-p", str(port)]
    argv += [word for option in options for word in ("-c", option)]
    if user is not None:
        argv = ["setpriv", f"--reuid={user}", "--clear-groups", *argv]
    url = f"postgresql://stanch@127.0.0.1:{port}/postgres"
    with running(argv, folder=home, is_ready=lambda: _answers(url)):
        yield url


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="session")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Maria]:
    """Give a running MariaDB that takes twelve clients."""
    with maria_in(tmp_path_factory.mktemp("maria")) as found:
        yield found
