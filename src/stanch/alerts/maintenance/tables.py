"""The table of maintenance windows: one row each, kept after their end with who put and who ended them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Table, Text, delete, or_, select

from stanch.alerts.maintenance.model import Origin, Window
from stanch.alerts.tables import insert_into
from stanch.kernel.codec import from_data, to_data
from stanch.store.schema import metadata
from stanch.store.types import Document, Instant

maintenance: Final = Table(
    "maintenance",
    metadata,
    Column("name", Text, primary_key=True),
    Column("origin", Text, nullable=False),
    # After this instant it holds no more; none for a recurring one without an end.
    Column("over_at", Instant),
    Column("window", Document, nullable=False),
)


def put_window(connection: Connection, window: Window) -> None:
    """Store a window, over the one of the same name."""
    row: dict[str, object] = {
        "name": window.name,
        "origin": window.origin.value,
        "over_at": window.ended_at or (None if window.rrule else window.ends_at),
        "window": to_data(window),
    }
    changed = {name: value for name, value in row.items() if name != "name"}
    statement = insert_into(connection, maintenance).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=changed))


def get_window(connection: Connection, name: str) -> Window | None:
    """Return the window called `name`, None when there is none."""
    row = connection.execute(select(maintenance.c.window).where(maintenance.c.name == name)).one_or_none()
    return from_data(row.window, Window) if row is not None else None


def windows_after(connection: Connection, now: datetime) -> list[Window]:
    """Return the windows that hold at `now` or may hold later, by name."""
    query = select(maintenance.c.window).where(or_(maintenance.c.over_at.is_(None), maintenance.c.over_at > now))
    return [from_data(row.window, Window) for row in connection.execute(query.order_by(maintenance.c.name))]


def all_windows(connection: Connection) -> list[Window]:
    """Return all windows, also those that are over, by name."""
    query = select(maintenance.c.window).order_by(maintenance.c.name)
    return [from_data(row.window, Window) for row in connection.execute(query)]


def sync_declared(connection: Connection, declared: Iterable[Window]) -> None:
    """Make the stored windows of the configuration those that it declares now."""
    windows = {one.name: one for one in declared}
    gone = delete(maintenance).where(
        maintenance.c.origin == Origin.FILE.value, maintenance.c.name.not_in(list(windows))
    )
    connection.execute(gone)
    for one in windows.values():
        put_window(connection, one)
