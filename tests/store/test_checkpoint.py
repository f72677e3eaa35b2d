"""The write-ahead log of SQLite is carried over into the file beside the writing."""

import shutil
import sqlite3
from pathlib import Path

from stanch.store import Store


def facts(file: Path, folder: Path) -> list[str]:
    """Return what stands in the file alone, without its log."""
    copy = folder / "alone.db"
    shutil.copyfile(file, copy)
    connection = sqlite3.connect(copy)
    try:
        return [row[0] for row in connection.execute("SELECT name FROM counters WHERE name = 'probe'")]
    finally:
        connection.close()


def wrote(store: Store) -> None:
    """Commit something."""
    with store.writing() as tx:
        tx.next_number("probe")


def test_the_log_is_carried_over(sqlite_url: str, tmp_path: Path) -> None:
    """After a checkpoint the file alone holds what was committed."""
    store = Store(sqlite_url)
    wrote(store)
    store.checkpoint(least_bytes=0)
    found = facts(tmp_path / "stanch.db", tmp_path)
    store.close()

    assert ["probe"] == found


def test_a_short_log_is_left(sqlite_url: str, tmp_path: Path) -> None:
    """A log that is short stays where it is, as that costs nothing."""
    store = Store(sqlite_url)
    wrote(store)
    store.checkpoint()
    found = facts(tmp_path / "stanch.db", tmp_path)
    store.close()

    assert [] == found
