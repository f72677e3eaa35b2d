"""Inserts that take the place of what is there, put together once: building one anew costs more than running it."""

from functools import lru_cache

from sqlalchemy import Connection, Table
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert


def upsert(
    connection: Connection, table: Table, *, key: tuple[str, ...], changed: tuple[str, ...]
) -> PostgresInsert | SqliteInsert:
    """Return an insert into `table` that, where a row with the same `key` is there, sets its columns `changed`.

    With no columns to change the row stays as it is. The values are given when it is executed.
    """
    return _upsert(connection.dialect.name == "postgresql", table, key, changed)


@lru_cache(maxsize=64)
def _upsert(
    is_postgres: bool, table: Table, key: tuple[str, ...], changed: tuple[str, ...]
) -> PostgresInsert | SqliteInsert:
    statement = postgres_insert(table) if is_postgres else sqlite_insert(table)
    if not changed:
        return statement.on_conflict_do_nothing(index_elements=list(key))
    given = {name: statement.excluded[name] for name in changed}
    return statement.on_conflict_do_update(index_elements=list(key), set_=given)
