"""Reads and writes alerts in bulk. The two classes behave alike and hold what differs between the databases.

An ORM or a statement per alert costs 3 to 8 times as much here. SQLite is given many rows in one statement, in sizes
that are powers of two so that few texts are compiled; PostgreSQL is given one `jsonb` parameter.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, TypeVar

import msgspec
from sqlalchemy import Connection

T = TypeVar("T")

# Rows of one statement: SQLite takes 32,766 values in one, and an insert of a row has at most 7.
_MOST: Final = 512


class Known(NamedTuple):
    """What is stored of an alert. Without a present episode everything after the id is zero."""

    id: int
    starts_at: int
    ends_at: int
    assumed: int
    note: int
    openings: int


# Plain tuples: a hundred thousand records with names take a tenth of the time there is.
Cold: TypeAlias = tuple[int, str, str, str, int]
"""What is rarely written of an alert: key, labels and annotations as JSON, generator URL, when it was first seen."""

Hot: TypeAlias = tuple[int, int, int, int, int, int, int]
"""The present episode of an alert: id, start, end, when it was last told of (microseconds), whether the end is assumed,
digest of annotations and URL, and how many episodes there were."""


class GroupState(NamedTuple):
    """What the write path must know of a group; instants are microseconds, `emptied_at` None while it has alerts."""

    id: int
    flush: int
    due_at: int
    emptied_at: int | None


class Bulk(Protocol):
    """What the write path asks of a database, inside the caller's transaction."""

    def known(self, keys: Sequence[int]) -> dict[int, Known]:
        """Return what is stored of the alerts with these keys."""
        ...

    def present(self, ids: Sequence[int]) -> dict[int, Known]:
        """Return the present episodes of alerts by id; one that has none is left out."""
        ...

    def prolong(self, ids: Sequence[int], *, ends_at: int, assumed: int, updated_at: int) -> None:
        """Move the end of present episodes."""
        ...

    def add(self, cold: Sequence[Cold]) -> list[int]:
        """Store alerts that are not known yet and return their ids, in the same order."""
        ...

    def put(self, hot: Sequence[Hot]) -> None:
        """Store present episodes, over those that are there."""
        ...

    def annotate(self, rows: Sequence[tuple[int, str, str]]) -> None:
        """Store id, annotations and generator URL of alerts that are known."""
        ...

    def groups(self, keys: Sequence[str]) -> dict[str, GroupState]:
        """Return the groups with these keys."""
        ...

    def join(self, rows: Sequence[tuple[int, int]]) -> None:
        """Put alerts into groups: group id, alert id. Being there already is fine."""
        ...

    def sources(self, rows: Sequence[tuple[int, bytes, int, int]]) -> None:
        """Store sources of inhibition: rule, equal key, alert id, whether it is a target too."""
        ...

    def settle(self, group: int, ids: Sequence[int], at: int) -> list[tuple[int, int, int]]:
        """Take alerts that had resolved by `at` out of a group; return id, start and end of each."""
        ...


def bulk_of(connection: Connection) -> Bulk:
    """Return the write path of the database of `connection`."""
    driver = connection.connection.driver_connection
    return PostgresBulk(driver) if connection.dialect.name == "postgresql" else SqliteBulk(driver)


class SqliteBulk:
    """The write path on SQLite."""

    def __init__(self, driver: Any) -> None:  # Any: a sqlite3.Connection, which only the store may import
        self._driver = driver

    def known(self, keys: Sequence[int]) -> dict[int, Known]:
        """Return what is stored of the alerts with these keys."""
        found: dict[int, Known] = {}
        for part in _parts(keys):
            for row in self._driver.execute(_known_sql(len(part)), part):
                found[row[0]] = Known._make(row[1:])
        return found

    def present(self, ids: Sequence[int]) -> dict[int, Known]:
        """Return the present episodes of alerts by id; one that has none is left out."""
        found: dict[int, Known] = {}
        for part in _parts(ids):
            found |= {row[0]: Known._make(row) for row in self._driver.execute(_present_sql(len(part)), part)}
        return found

    def prolong(self, ids: Sequence[int], *, ends_at: int, assumed: int, updated_at: int) -> None:
        """Move the end of present episodes."""
        for part in _parts(ids):
            self._driver.execute(_prolong_sql(len(part)), (ends_at, assumed, updated_at, *part))

    def add(self, cold: Sequence[Cold]) -> list[int]:
        """Store alerts that are not known yet and return their ids, in the same order."""
        last = self._driver.execute("SELECT seq FROM sqlite_sequence WHERE name = 'intake_alerts'").fetchone()
        first = (last[0] if last else 0) + 1
        # Nobody else writes meanwhile, so the numbers that are given are the next ones.
        self._many(_INSERT_COLD, 5, cold)
        return list(range(first, first + len(cold)))

    def put(self, hot: Sequence[Hot]) -> None:
        """Store present episodes, over those that are there."""
        self._many(_INSERT_HOT, 7, hot, _HOT_CONFLICT)

    def annotate(self, rows: Sequence[tuple[int, str, str]]) -> None:
        """Store id, annotations and generator URL of alerts that are known."""
        self._driver.executemany("UPDATE intake_alerts SET annotations = ?2, generator_url = ?3 WHERE id = ?1", rows)

    def groups(self, keys: Sequence[str]) -> dict[str, GroupState]:
        """Return the groups with these keys."""
        found: dict[str, GroupState] = {}
        for part in _parts(keys):
            found |= {row[0]: GroupState._make(row[1:]) for row in self._driver.execute(_groups_sql(len(part)), part)}
        return found

    def join(self, rows: Sequence[tuple[int, int]]) -> None:
        """Put alerts into groups: group id, alert id. Being there already is fine."""
        self._many(_INSERT_MEMBERS, 2, rows, " ON CONFLICT DO NOTHING")

    def sources(self, rows: Sequence[tuple[int, bytes, int, int]]) -> None:
        """Store sources of inhibition: rule, equal key, alert id, whether it is a target too."""
        self._many(_INSERT_SOURCES, 4, rows, " ON CONFLICT DO NOTHING")

    def settle(self, group: int, ids: Sequence[int], at: int) -> list[tuple[int, int, int]]:
        """Take alerts that had resolved by `at` out of a group; return id, start and end of each."""
        given = msgspec.json.encode(ids).decode()
        over = (
            "SELECT h.id, h.starts_at, h.ends_at FROM json_each(?) g JOIN intake_hot h ON h.id = g.value "
            "JOIN intake_members m ON m.group_id = ? AND m.alert_id = h.id WHERE h.ends_at <= ?"
        )
        found = [(row[0], row[1], row[2]) for row in self._driver.execute(over, (given, group, at))]
        self._driver.executemany(
            "DELETE FROM intake_members WHERE group_id = ? AND alert_id = ?", [(group, row[0]) for row in found]
        )
        return found

    def _many(self, head: str, width: int, rows: Sequence[Iterable[object]], tail: str = "") -> None:
        for part in _parts(rows):
            self._driver.execute(_rows_sql(head, width, len(part), tail), list(chain.from_iterable(part)))


class PostgresBulk:
    """The write path on PostgreSQL."""

    def __init__(self, driver: Any) -> None:  # Any: a psycopg.Connection, which only the store may import
        self._driver = driver

    def known(self, keys: Sequence[int]) -> dict[int, Known]:
        """Return what is stored of the alerts with these keys."""
        rows = self._driver.execute(_KNOWN.format(given="= ANY(%s)"), (list(keys),), prepare=True)
        return {row[0]: Known._make(row[1:]) for row in rows}

    def present(self, ids: Sequence[int]) -> dict[int, Known]:
        """Return the present episodes of alerts by id; one that has none is left out."""
        rows = self._driver.execute(_PRESENT + "= ANY(%s)", (list(ids),), prepare=True)
        return {row[0]: Known._make(row) for row in rows}

    def prolong(self, ids: Sequence[int], *, ends_at: int, assumed: int, updated_at: int) -> None:
        """Move the end of present episodes."""
        self._driver.execute(
            "UPDATE intake_hot SET ends_at = %s, assumed = %s, updated_at = %s WHERE id = ANY(%s)",
            (ends_at, assumed, updated_at, list(ids)),
            prepare=True,
        )

    def add(self, cold: Sequence[Cold]) -> list[int]:
        """Store alerts that are not known yet and return their ids, in the same order."""
        found = self._driver.execute(_PG_ADD, (msgspec.json.encode(cold).decode(),), prepare=True)
        ids = {key: id for id, key in found}
        return [ids[row[0]] for row in cold]

    def put(self, hot: Sequence[Hot]) -> None:
        """Store present episodes, over those that are there."""
        if hot:
            self._driver.execute(_PG_PUT, (msgspec.json.encode(hot).decode(),), prepare=True)

    def annotate(self, rows: Sequence[tuple[int, str, str]]) -> None:
        """Store id, annotations and generator URL of alerts that are known."""
        if rows:
            self._driver.execute(_PG_ANNOTATE, (msgspec.json.encode(rows).decode(),), prepare=True)

    def groups(self, keys: Sequence[str]) -> dict[str, GroupState]:
        """Return the groups with these keys."""
        rows = self._driver.execute(_GROUPS + "= ANY(%s)", (list(keys),), prepare=True)
        return {row[0]: GroupState._make(row[1:]) for row in rows}

    def join(self, rows: Sequence[tuple[int, int]]) -> None:
        """Put alerts into groups: group id, alert id. Being there already is fine."""
        if rows:
            self._driver.execute(_PG_JOIN, (msgspec.json.encode(rows).decode(),), prepare=True)

    def sources(self, rows: Sequence[tuple[int, bytes, int, int]]) -> None:
        """Store sources of inhibition: rule, equal key, alert id, whether it is a target too."""
        if rows:
            given = [(rule, equal.hex(), id, target) for rule, equal, id, target in rows]
            self._driver.execute(_PG_SOURCES, (msgspec.json.encode(given).decode(),), prepare=True)

    def settle(self, group: int, ids: Sequence[int], at: int) -> list[tuple[int, int, int]]:
        """Take alerts that had resolved by `at` out of a group; return id, start and end of each."""
        return [
            (row[0], row[1], row[2])
            for row in self._driver.execute(
                "DELETE FROM intake_members m USING intake_hot h WHERE m.group_id = %s AND m.alert_id = ANY(%s) "
                "AND h.id = m.alert_id AND h.ends_at <= %s RETURNING h.id, h.starts_at, h.ends_at",
                (group, list(ids), at),
                prepare=True,
            )
        ]


_KNOWN: Final = (
    "SELECT a.key, a.id, coalesce(h.starts_at, 0), coalesce(h.ends_at, 0), coalesce(h.assumed, 0), "
    "coalesce(h.note, 0), coalesce(h.openings, 0) "
    "FROM intake_alerts a LEFT JOIN intake_hot h ON h.id = a.id WHERE a.key {given}"
)
_PRESENT: Final = "SELECT id, starts_at, ends_at, assumed, note, openings FROM intake_hot WHERE id "
_GROUPS: Final = "SELECT key, id, flush, due_at, emptied_at FROM intake_groups WHERE key "
_INSERT_COLD: Final = "INSERT INTO intake_alerts (key, labels, annotations, generator_url, first_seen)"
_INSERT_HOT: Final = "INSERT INTO intake_hot (id, starts_at, ends_at, updated_at, assumed, note, openings)"
_HOT_CONFLICT: Final = (
    " ON CONFLICT (id) DO UPDATE SET starts_at = excluded.starts_at, ends_at = excluded.ends_at, "
    "updated_at = excluded.updated_at, assumed = excluded.assumed, note = excluded.note, openings = excluded.openings"
)
_INSERT_MEMBERS: Final = "INSERT INTO intake_members (group_id, alert_id)"
_INSERT_SOURCES: Final = "INSERT INTO intake_sources (rule, equal, alert_id, is_target)"

# A row is a JSON array: names in every row would cost a third of the text.
_PG_ADD: Final = (
    "INSERT INTO intake_alerts (key, labels, annotations, generator_url, first_seen) "
    "SELECT (r->>0)::bigint, r->>1, r->>2, r->>3, (r->>4)::bigint FROM jsonb_array_elements(%s::jsonb) r "
    "RETURNING id, key"
)
_PG_PUT: Final = (
    "INSERT INTO intake_hot (id, starts_at, ends_at, updated_at, assumed, note, openings) "
    "SELECT (r->>0)::bigint, (r->>1)::bigint, (r->>2)::bigint, (r->>3)::bigint, (r->>4)::int, "
    "(r->>5)::bigint, (r->>6)::int FROM jsonb_array_elements(%s::jsonb) r "
    "ON CONFLICT (id) DO UPDATE SET starts_at = excluded.starts_at, ends_at = excluded.ends_at, "
    "updated_at = excluded.updated_at, assumed = excluded.assumed, note = excluded.note, openings = excluded.openings"
)
_PG_ANNOTATE: Final = (
    "UPDATE intake_alerts a SET annotations = r->>1, generator_url = r->>2 "
    "FROM jsonb_array_elements(%s::jsonb) r WHERE a.id = (r->>0)::bigint"
)
_PG_JOIN: Final = (
    "INSERT INTO intake_members (group_id, alert_id) "
    "SELECT (r->>0)::bigint, (r->>1)::bigint FROM jsonb_array_elements(%s::jsonb) r ON CONFLICT DO NOTHING"
)
_PG_SOURCES: Final = (
    "INSERT INTO intake_sources (rule, equal, alert_id, is_target) "
    "SELECT (r->>0)::int, decode(r->>1, 'hex'), (r->>2)::bigint, (r->>3)::int "
    "FROM jsonb_array_elements(%s::jsonb) r ON CONFLICT DO NOTHING"
)


def _parts(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield `rows` in parts of 512, and the rest in parts of 256, 128 ... 1."""
    start, size = 0, _MOST
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        yield rows[start : start + size]
        start += size


@lru_cache(maxsize=64)
def _rows_sql(head: str, width: int, count: int, tail: str) -> str:
    row = f"({','.join('?' * width)})"
    return f"{head} VALUES {','.join([row] * count)}{tail}"


@lru_cache(maxsize=16)
def _known_sql(count: int) -> str:
    return _KNOWN.format(given=f"IN ({','.join('?' * count)})")


@lru_cache(maxsize=16)
def _present_sql(count: int) -> str:
    return f"{_PRESENT}IN ({','.join('?' * count)})"


@lru_cache(maxsize=16)
def _prolong_sql(count: int) -> str:
    marks = ",".join("?" * count)
    return f"UPDATE intake_hot SET ends_at = ?, assumed = ?, updated_at = ? WHERE id IN ({marks})"  # noqa: S608  # marks


@lru_cache(maxsize=16)
def _groups_sql(count: int) -> str:
    return f"{_GROUPS}IN ({','.join('?' * count)})"
