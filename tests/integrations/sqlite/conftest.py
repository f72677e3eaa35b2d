"""A database file in each of the ways in which SQLite keeps its journal."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest


@pytest.fixture(params=["wal", "delete"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Give a database with one table, with a write-ahead log or a rollback journal."""
    file = tmp_path / "orders.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA journal_mode = {request.param}")
        connection.execute("CREATE TABLE orders (id INTEGER)")
        connection.commit()
    return file
