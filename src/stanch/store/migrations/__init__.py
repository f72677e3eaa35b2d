"""Schema migrations: one history for both databases, run when a store is opened.

A migration has two halves: what may be done while the last release still runs (`pre`: new tables, new columns that
may be empty) and what may not (`post`: dropping). Only `pre` halves run by themselves.
"""

import threading
from typing import Final

from sqlalchemy import Connection, Engine, inspect, text

from stanch.kernel.errors import Unavailable

HEAD: Final = "0001"
"""The newest revision; a test compares it with the folder `versions`."""

# "STNM": nodes that start at the same time migrate one after the other.
_LOCK: Final = 0x53544E4D

# Alembic keeps the migration that runs in a variable of its module.
_ONE_A_PROCESS: Final = threading.Lock()


def upgrade(engine: Engine) -> None:
    """Bring the schema of `engine` up to date; costs one query when it is."""
    with engine.connect() as connection:
        if revision_of(connection) == HEAD:
            return
    _migrate(engine)


def revision_of(connection: Connection) -> str | None:
    """Return the revision the database is at, None for one that Stanch has never seen."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def _migrate(engine: Engine) -> None:
    # Alembic takes as long to import as everything else together, and is needed once a release.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util.exc import CommandError  # noqa: PLC0415

    with _ONE_A_PROCESS, engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = Config()
        config.set_main_option("script_location", "stanch.store:migrations")
        config.attributes["connection"] = connection
        found = revision_of(connection)
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise another_version(f"it is at revision {found}, and this one knows {HEAD}") from error


def another_version(how: str) -> Unavailable:
    """Return the error for a database that this Stanch cannot work with."""
    return Unavailable(
        f"the database was made by another version of Stanch: {how}",
        retry=False,
        hint="start the version that wrote it, or give another place with --data or --database",
    )
