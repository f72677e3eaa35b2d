"""Finds and deletes what is old, some thousands of rows at a time, so that nobody waits for it. Both databases.

What is to go is looked up in a reading transaction; the delete asks again whether it may, as things may have changed.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, bindparam, delete, exists, select

from stanch.alerts.intake.tables import (
    intake_alerts,
    intake_episodes,
    intake_groups,
    intake_hot,
    intake_members,
    intake_sources,
    intake_told,
)

IDLE: Final = timedelta(minutes=15)
"""How long an alert that has ended keeps its present episode, in case it comes back."""

KEPT_FOR: Final = timedelta(days=30)
"""How long an alert and what became of it are kept after it has ended: as far back as silences are tried out."""


def idle_alerts(connection: Connection, *, now: datetime, limit: int) -> list[int]:
    """Return up to `limit` alerts that ended `IDLE` ago and that no group has yet to tell of."""
    waiting = select(intake_members.c.alert_id)
    query = select(intake_hot.c.id).where(intake_hot.c.ends_at < now - IDLE, intake_hot.c.id.not_in(waiting))
    return list(connection.execute(query.order_by(intake_hot.c.id).limit(limit)).scalars())


def put_away(connection: Connection, ids: Sequence[int], *, now: datetime) -> None:
    """Delete the present episodes of these alerts, but for those that were told of since."""
    if not ids:
        return
    given = [{"gone": id} for id in ids]
    over = and_(intake_hot.c.id == bindparam("gone"), intake_hot.c.ends_at < now - IDLE)
    left = ~exists().where(intake_hot.c.id == intake_sources.c.alert_id)
    connection.execute(delete(intake_hot).where(over), given)
    connection.execute(delete(intake_sources).where(intake_sources.c.alert_id == bindparam("gone"), left), given)


def old_alerts(connection: Connection, *, now: datetime, after: int, limit: int) -> tuple[list[int], int]:
    """Look at `limit` alerts from the id `after` on; return those nothing is known of any more, and the last id.

    The last id is 0 when there are no more to look at.
    """
    looked = (
        select(intake_alerts.c.id)
        .where(intake_alerts.c.id > after, intake_alerts.c.first_seen < now - KEPT_FOR)
        .order_by(intake_alerts.c.id)
        .limit(limit)
    )
    ids = list(connection.execute(looked).scalars())
    if not ids:
        return [], 0
    part = looked.subquery()
    query = select(part.c.id).where(_unused(part.c.id)).order_by(part.c.id)
    return list(connection.execute(query).scalars()), ids[-1] if len(ids) == limit else 0


def delete_alerts(connection: Connection, ids: Sequence[int]) -> None:
    """Delete these alerts, but for those that have an episode by now."""
    if ids:
        unused = and_(intake_alerts.c.id == bindparam("gone"), _unused(intake_alerts.c.id))
        connection.execute(delete(intake_alerts).where(unused), [{"gone": id} for id in ids])


def delete_episodes(connection: Connection, *, now: datetime, limit: int) -> bool:
    """Delete up to `limit` episodes that ended long ago; tell whether there may be more."""
    old = select(intake_episodes.c.seq).where(intake_episodes.c.ends_at < now - KEPT_FOR).limit(limit)
    return connection.execute(delete(intake_episodes).where(intake_episodes.c.seq.in_(old))).rowcount >= limit


def delete_memories(connection: Connection, *, now: datetime) -> None:
    """Delete what integrations were told of groups that are gone, when it has expired."""
    live = select(intake_groups.c.id).where(intake_groups.c.group_key == intake_told.c.group_key).exists()
    connection.execute(delete(intake_told).where(and_(intake_told.c.expires_at < now, ~live)))


def _unused(id: ColumnElement[int]) -> ColumnElement[bool]:
    return and_(~exists().where(intake_hot.c.id == id), ~exists().where(intake_episodes.c.alert_id == id))
