"""Statements on silences. Both databases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Row, and_, bindparam, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.alerts.intake.matchers import Matcher, Op
from stanch.alerts.intake.silences import Silence
from stanch.alerts.intake.tables import intake_silences

_ACTIVE: Final = (
    select(intake_silences)
    .where(and_(intake_silences.c.ends_at > bindparam("now"), intake_silences.c.starts_at <= bindparam("now")))
    .order_by(intake_silences.c.id)
)


def put_silences(connection: Connection, silences: Sequence[Silence]) -> None:
    """Store silences, over those with the same id."""
    insert = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    for one in silences:
        values = {
            "id": one.id,
            "matchers": _encoded(one.matchers),
            "starts_at": one.starts_at,
            "ends_at": one.ends_at,
            "updated_at": one.updated_at,
            "created_by": one.created_by,
            "comment": one.comment,
            "annotations": msgspec.json.encode(dict(one.annotations)).decode(),
        }
        changed = {name: value for name, value in values.items() if name != "id"}
        statement = insert(intake_silences).values(values)
        connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))


def find_silence(connection: Connection, id: str) -> Silence | None:
    """Return one silence, None when there is none."""
    row = connection.execute(select(intake_silences).where(intake_silences.c.id == id)).first()
    return None if row is None else _silence(row)


def silences_since(connection: Connection, since: datetime) -> list[Silence]:
    """Return silences that end after `since`, oldest first."""
    query = select(intake_silences).where(intake_silences.c.ends_at > since)
    query = query.order_by(intake_silences.c.starts_at, intake_silences.c.id)
    return [_silence(row) for row in connection.execute(query)]


def active_silences(connection: Connection, now: datetime) -> list[Silence]:
    """Return the silences that hold at `now`, by id."""
    return [_silence(row) for row in connection.execute(_ACTIVE, {"now": now})]


def _encoded(matchers: Sequence[Matcher]) -> str:
    return msgspec.json.encode([(one.name, one.op.value, one.value) for one in matchers]).decode()


def _silence(row: Row[tuple[object, ...]]) -> Silence:
    return Silence(
        id=row.id,
        matchers=tuple(
            Matcher(name=name, op=Op(op), value=value)
            for name, op, value in msgspec.json.decode(row.matchers, type=list[tuple[str, str, str]])
        ),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        comment=row.comment,
        annotations=msgspec.json.decode(row.annotations, type=dict[str, str]),
    )
