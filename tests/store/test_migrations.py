"""Migrations: what they make is what the tables say, on both databases."""

import importlib
import pkgutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, make_url, text

import stanch
from stanch.kernel.errors import Unavailable
from stanch.store import Store
from stanch.store.connection import open_engine
from stanch.store.migrations import HEAD, revision_of, upgrade
from stanch.store.schema import metadata


def all_tables() -> None:
    """Import every module that declares tables."""
    for module in pkgutil.walk_packages(stanch.__path__, "stanch."):
        if module.name.rpartition(".")[2] == "tables":
            importlib.import_module(module.name)


def test_the_head_is_the_newest_revision() -> None:
    """The number that opening a store compares with is that of the newest file."""
    versions = Path(stanch.__path__[0]) / "store" / "migrations" / "versions"

    assert max(path.name[:4] for path in versions.glob("[0-9]*.py")) == HEAD


def test_an_empty_database_becomes_what_the_tables_say(bare_database_url: str) -> None:
    """After all migrations nothing differs from the declared tables."""
    all_tables()
    store = Store.open(bare_database_url)
    with store.reading() as view:
        context = MigrationContext.configure(view.connection, opts={"compare_type": True})
        differences = [one for one in compare_metadata(context, metadata) if "alembic_version" not in repr(one)]
    store.close()

    assert [] == differences


def test_sqlite_tables_are_made_with_their_options(tmp_path: Path) -> None:
    """Numbers that are never given twice, and tables kept in the order of their key, come out of migrations too."""
    all_tables()

    def options(path: Path) -> dict[str, tuple[bool, bool]]:
        with create_engine(f"sqlite:///{path}").connect() as connection:
            rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'")).all()
        return {
            name: ("AUTOINCREMENT" in sql.upper(), "WITHOUT ROWID" in sql.upper())
            for name, sql in rows
            if name != "alembic_version"
        }

    Store.open(tmp_path / "migrated.db").close()
    declared = create_engine(f"sqlite:///{tmp_path / 'declared.db'}")
    metadata.create_all(declared)
    declared.dispose()

    assert options(tmp_path / "declared.db") == options(tmp_path / "migrated.db")


def test_opening_again_changes_nothing(bare_database_url: str) -> None:
    """A database at the newest revision is left alone."""
    store = Store.open(bare_database_url)
    engine = open_engine(store.url)
    upgrade(engine)
    with engine.connect() as connection:
        revision = revision_of(connection)
    engine.dispose()
    store.close()

    assert revision == HEAD


def test_a_database_of_another_version_says_so(bare_database_url: str) -> None:
    """One at a revision that is not known here is not touched, and the error says which."""
    Store.open(bare_database_url).close()
    engine = open_engine(make_url(bare_database_url))
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    engine.dispose()
    with pytest.raises(Unavailable, match="another version of Stanch: it is at revision 0000"):
        Store.open(bare_database_url)


@pytest.mark.parametrize("missing", ["column", "table"])
def test_a_table_of_another_version_says_so(bare_database_url: str, missing: str) -> None:
    """What is asked for and is not there is told as what it means, not in the database's words alone."""
    store = Store.open(bare_database_url)
    asked = "SELECT none_such FROM counters" if missing == "column" else "SELECT 1 FROM none_such"
    with pytest.raises(Unavailable, match="another version of Stanch"), store.reading() as view:
        view.connection.execute(text(asked))
    store.close()
