"""A MariaDB server for tests: how it is started, and how an application talks to it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymysql

from tests.support.needs import require
from tests.support.servers import free_port, listens, running, until

SECRET = "hunter2hunter2"
_SETTINGS = ("--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--max-connections=12", "--skip-log-bin")


@dataclass(frozen=True)
class Maria:
    """A running server."""

    port: int

    def connect(
        self, user: str = "root", password: str = ""
    ) -> "pymysql.connections.Connection[pymysql.cursors.Cursor]":
        """Return a connection as an application has it."""
        return pymysql.connect(host="127.0.0.1", port=self.port, user=user, password=password, autocommit=False)

    @contextmanager
    def alone(self) -> "Iterator[pymysql.connections.Connection[pymysql.cursors.Cursor]]":
        """Give the one connection that there is: the server goes on with those that were closed for a moment."""
        with self.connect() as only, only.cursor() as cursor:

            def is_alone() -> bool:
                cursor.execute("SHOW STATUS LIKE 'Threads_connected'")
                return cursor.fetchone() == ("Threads_connected", "1")

            until(is_alone)
            yield only

    def run(self, *statements: str) -> None:
        """Run statements and commit."""
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            connection.commit()

    def ask(self, text: str) -> tuple[object, ...] | None:
        """Return the first row of an answer."""
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchone()


@contextmanager
def maria_in(folder: Path) -> Iterator[Maria]:
    """Run a server with a table and a user who looks, another who may end sessions, and one of an application."""
    server, install = require("mariadbd", "mysqld"), require("mariadb-install-db")
    data, port = folder / "data", free_port()
    made = [install, "--user=root", f"--datadir={data}", "--auth-root-authentication-method=normal", "--skip-test-db"]
    done = subprocess.run(made, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{install}: {done.stdout[-1000:]}{done.stderr[-1000:]}"
    argv = [server, "--no-defaults", "--user=root", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1"]
    argv += [f"--socket={folder / 's'}", "--skip-name-resolve", *_SETTINGS]
    with running(argv, folder=folder, is_ready=listens(port)):
        found = Maria(port)
        found.run(
            "CREATE DATABASE shop",
            "CREATE TABLE shop.cards (id int PRIMARY KEY, state text) ENGINE=InnoDB",
            "INSERT INTO shop.cards VALUES (1, 'new')",
            f"CREATE USER looker@'%' IDENTIFIED BY '{SECRET}'",
            "GRANT SELECT, PROCESS ON *.* TO looker@'%'",
            f"CREATE USER ender@'%' IDENTIFIED BY '{SECRET}'",
            "GRANT SELECT, PROCESS, CONNECTION ADMIN ON *.* TO ender@'%'",
            "CREATE USER checkout@'%'",
            "GRANT ALL ON shop.* TO checkout@'%'",
        )
        yield found
