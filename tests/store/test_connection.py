"""The file of an embedded store."""

from pathlib import Path

from stanch.store import Store


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    """Nobody else on the machine reads alerts, logs and names of people, in the write-ahead log neither."""
    store = Store.open(tmp_path / "new" / "stanch.db")
    with store.writing() as tx:
        tx.next_number("probe")
    modes = {one.name: one.stat().st_mode & 0o077 for one in (tmp_path / "new").iterdir()}
    store.close()

    assert {"stanch.db": 0, "stanch.db-shm": 0, "stanch.db-wal": 0} == modes


def test_a_file_that_is_there_stays_as_its_owner_has_it(tmp_path: Path) -> None:
    """Whoever lets a group read it, for a backup for one, goes on doing so."""
    file = tmp_path / "stanch.db"
    file.touch()
    file.chmod(0o640)
    Store.open(file).close()

    assert 0o640 == file.stat().st_mode & 0o777
