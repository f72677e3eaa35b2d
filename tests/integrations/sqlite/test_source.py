"""What is told of a SQLite database from outside: who holds its write lock, who has it open, how large it is."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stanch.integrations.sqlite import SqliteSource
from stanch.kernel.errors import Refused, Unavailable
from stanch.packs.reading import shipped_packs
from stanch.packs.wording import sentence
from stanch.ports.query import Ask, Reply, SystemSpec
from tests.integrations.sqlite.holders import READS, holding
from tests.integrations.systems.asked import collect

PACK = shipped_packs().queries


def asked(file: Path, text: str) -> Reply:
    """Return the answer to one question about a file."""
    source = SqliteSource(SystemSpec(name="ledger", kind="sqlite", settings={"path": str(file)}))
    now = datetime.now(UTC)
    with source.open() as session:
        return session.ask(Ask(text=text, start=now, end=now))


def lock_of(file: Path) -> Reply:
    """Return the answer to the question of the pack who holds the write lock."""
    return asked(file, PACK["sqlite.write_lock"].text)


def test_who_holds_the_lock_is_named(database: Path) -> None:
    """The process with its program, at least a second, and how many others have the file open."""
    with holding(database) as holder, holding(database, begin=READS):
        (row,) = lock_of(database).rows

    assert (holder.pid, 1, True, True) == (
        row["pid"],
        row["others"],
        str(database) in str(row["program"]),
        float(str(row["held_s"])) >= 1,
    )


def test_a_lock_is_told_also_when_nobody_else_is_there(database: Path) -> None:
    """Who needs it may have crashed of it a moment ago: that it is held is what counts."""
    with holding(database) as holder:
        spec = SystemSpec(name="ledger", kind="sqlite", settings={"path": str(database)})
        finding = collect(SqliteSource(spec))["write_lock"]
        (signal,) = [one for one in finding.signals if one.name == "locks_waiting"]

    assert (1, True, "stanch query run sqlite.write_lock --on ledger") == (
        signal.value,
        f"process {holder.pid} of " in finding.summary,
        finding.command,
    )


def test_a_reader_holds_no_write_lock(database: Path) -> None:
    """Who reads within a transaction keeps nobody from writing, or not for long."""
    with holding(database, begin="BEGIN") as reader:
        reader.run(READS)

        assert () == lock_of(database).rows


def test_a_free_database_is_held_by_nobody(database: Path) -> None:
    """No row, and that is what is said."""
    query = PACK["sqlite.write_lock"]

    assert (0, "nobody holds the write lock for a second on end") == (len(lock_of(database).rows), query.none)


def test_who_commits_again_and_again_is_not_held_against_it(database: Path) -> None:
    """A lock that is taken for each of many writes is not one that is held."""
    with holding(database) as holder:
        first = lock_of(database).rows
        holder.run("INSERT INTO orders VALUES (1)")
        holder.run("COMMIT")

        assert (1, 0) == (len(first), len(lock_of(database).rows))


def test_a_look_takes_no_lock(database: Path) -> None:
    """Whoever looks keeps nobody from writing: the file is not opened."""
    lock_of(database)
    with closing(sqlite3.connect(database, timeout=0)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("INSERT INTO orders VALUES (1)")
        connection.commit()

        assert (1,) == connection.execute(READS).fetchone()


def test_every_query_of_the_pack_is_answered(database: Path) -> None:
    """The shipped questions fit the tables that there are."""
    with holding(database):
        answers = {query.name: asked(database, query.text) for query in PACK.values() if query.pack == "sqlite"}

    assert {"write_lock": 1, "open_by": 1} == {
        name: len(reply.rows) for name, reply in answers.items() if name != "log_size"
    }


def test_the_sentence_names_the_holder(database: Path) -> None:
    """What a responder reads says who, for how long, and who cannot write."""
    with holding(database) as holder, holding(database, begin=READS):
        (row,) = lock_of(database).rows
    said = sentence(PACK["sqlite.write_lock"].says, row)

    assert (True, True) == (f"process {holder.pid} of " in said, said.endswith("cannot write: 1"))


@pytest.mark.parametrize("text", ["DELETE FROM holder", "SELECT 1; SELECT 2", "ATTACH 'x.db' AS x", "SELECT nothing"])
def test_what_is_no_question_is_refused(tmp_path: Path, text: str) -> None:
    """What would write, and what is not there, is said no to."""
    (tmp_path / "x.db").touch()
    with pytest.raises(Refused):
        asked(tmp_path / "x.db", text)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    """No data base, no answer; and never "nobody holds it"."""
    with pytest.raises(Unavailable, match="there is no database"):
        lock_of(tmp_path / "nothing.db")


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    """It is refused by name."""
    with pytest.raises(Refused, match="is a folder"):
        lock_of(tmp_path)


def test_no_value_grows_without_bound(database: Path) -> None:
    """One step may make a value of a gigabyte: that would be the server's memory."""
    with pytest.raises(Refused, match="too big"):
        asked(database, "SELECT length(hex(zeroblob(200000000)))")
