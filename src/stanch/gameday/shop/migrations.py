"""The ledger of payments: its schema by the migrations of the repository, and its past, which is made up."""

import sqlite3
import time
from contextlib import closing

from stanch.gameday.shop.places import Places, ShopError
from stanch.gameday.shop.repository import git, read_text

FOLDER = "payments/migrations"
WAIT_FOR_LOCK_S = 30.0
# What the shop went through before it is started here; the release has one migration more, still to be run.
SCHEMA_AT_START = 2

# 40 payments per account: little enough to be made in a tenth of a second, and enough for a scan to hurt.
PAST_PAYMENTS = 16_000
ACCOUNTS = 400
FIRST_ACCOUNT = 1001
# Every twentieth old order was refunded.
REFUNDED_EVERY = 20

PAST = """
WITH RECURSIVE number(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM number WHERE i + 1 < :payments)
INSERT INTO payments (order_id, account, card, amount_cents, currency, at, state)
SELECT printf('ord-past-%06d', i), 'c-' || (:first + i % :accounts), 'tok_c-' || (:first + i % :accounts),
    790 + (i * 7919) % 9000, 'EUR', :now - 172800 - i * 60.0, iif(i % :refunded = 0, 'refunded', 'settled')
FROM number
"""


def make_ledger(places: Places, release: str) -> None:
    """Create the ledger as it was when the shop was started, with two weeks of payments."""
    places.database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(places.database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    run_migrations(places, migration_steps(places, release, 0, SCHEMA_AT_START), SCHEMA_AT_START)
    values = {
        "payments": PAST_PAYMENTS,
        "first": FIRST_ACCOUNT,
        "accounts": ACCOUNTS,
        "refunded": REFUNDED_EVERY,
    }
    with closing(sqlite3.connect(places.database)) as connection, connection:
        connection.execute(PAST, {**values, "now": time.time()})


def schema_version(places: Places) -> int:
    """Return the number of the last migration that the ledger went through."""
    with closing(sqlite3.connect(places.database)) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def migration_steps(places: Places, release: str, current: int, wanted: int) -> list[tuple[str, str]]:
    """Return names and SQL of the migrations of a release that lead from one schema to another, in order."""
    listing = git(places.repository, "ls-tree", "--name-only", f"{release}:{FOLDER}").decode().split()
    down = wanted < current
    steps = []
    for name in sorted(listing, reverse=down):
        number = int(name.partition("_")[0])
        affected = wanted < number <= current if down else current < number <= wanted
        if affected and name.endswith(".down.sql" if down else ".up.sql"):
            steps.append((name, read_text(places.repository, release, f"{FOLDER}/{name}")))
    if len(steps) != abs(wanted - current):
        raise ShopError(f"{release} has no migrations from schema {current} to {wanted}")
    return steps


def run_migrations(places: Places, steps: list[tuple[str, str]], wanted: int) -> None:
    """Run migrations in one transaction; raise ShopError when SQLite refuses, then nothing has changed."""
    script = "".join(sql for _, sql in steps)
    try:
        with closing(sqlite3.connect(places.database, timeout=WAIT_FOR_LOCK_S)) as connection:
            connection.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {wanted};\nCOMMIT;")
    except sqlite3.Error as error:
        raise ShopError(f"the migration to schema {wanted} failed: {error}") from error
