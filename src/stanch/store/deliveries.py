"""Deliveries: what is owed to the outside, its attempts, and how each one ended."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.store.model import Attempt, Delivery, DeliveryState
from stanch.store.schema import attempts, deliveries

_FORGOTTEN_AT_ONCE = 500
_OPEN = (DeliveryState.READY.value, DeliveryState.SENDING.value)
# Put together once: an alert whose group waits for nothing is told of while its sender waits for the answer.
_NEW_DELIVERY = insert(deliveries)
_NEW_ATTEMPT = insert(attempts)
_END = update(deliveries).where(
    and_(deliveries.c.id == bindparam("held_id"), deliveries.c.lease_token == bindparam("held_token"))
)
_END_ATTEMPT = update(attempts).where(
    and_(attempts.c.delivery == bindparam("of"), attempts.c.number == bindparam("count"))
)


def owe(connection: Connection, delivery: Delivery) -> bool:
    """Store `delivery`; False when one with this id is already on record."""
    insert_into = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = insert_into(deliveries).values(_columns(delivery)).on_conflict_do_nothing(index_elements=["id"])
    # Not by rowcount: the driver for PostgreSQL does not say it for an insert, and every message would count as known.
    return connection.execute(statement.returning(deliveries.c.id)).first() is not None


def owe_together(connection: Connection, ready: Sequence[Delivery]) -> None:
    """Store deliveries in one statement; those whose id is on record stay as they are."""
    if not ready:
        return
    insert_into = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = insert_into(deliveries).on_conflict_do_nothing(index_elements=["id"])
    connection.execute(statement, [_columns(delivery) for delivery in ready])


def owe_begun(
    connection: Connection, delivery: Delivery, *, node: str, token: str, lease_until: datetime, now: datetime
) -> Delivery:
    """Store `delivery` as being sent by `node` from now on, with its first attempt, and return it as claimed."""
    sending = {
        "state": DeliveryState.SENDING.value,
        "attempts": 1,
        "lease_owner": node,
        "lease_token": token,
        "lease_until": lease_until,
    }
    connection.execute(_NEW_DELIVERY, _columns(delivery) | sending)
    connection.execute(
        _NEW_ATTEMPT,
        {
            "delivery": delivery.id,
            "number": 1,
            "node": node,
            "started_at": now,
            "outcome": "sending",
            "detail": "",
        },
    )
    return replace(delivery, state=DeliveryState.SENDING, lease_token=token)


def next_due(connection: Connection, *, prefix: str) -> datetime | None:
    """Return when the next delivery that nobody holds is due, of channels that begin with `prefix`; None for none."""
    query = select(func.min(func.coalesce(deliveries.c.lease_until, deliveries.c.due_at))).where(
        and_(deliveries.c.state.in_(_OPEN), deliveries.c.channel.startswith(prefix, autoescape=True))
    )
    found: datetime | None = connection.execute(query).scalar_one_or_none()
    return found


def open_channels(connection: Connection, *, prefix: str) -> list[str]:
    """Return the channels beginning with `prefix` that are owed something."""
    query = select(deliveries.c.channel).where(
        and_(deliveries.c.state.in_(_OPEN), deliveries.c.channel.startswith(prefix, autoescape=True))
    )
    return list(connection.execute(query.distinct()).scalars())


def lease_owners(connection: Connection) -> list[str]:
    """Return the nodes that hold open deliveries."""
    query = select(deliveries.c.lease_owner).where(
        and_(deliveries.c.state.in_(_OPEN), deliveries.c.lease_owner.is_not(None))
    )
    return [str(owner) for owner in connection.execute(query.distinct()).scalars()]


def free(connection: Connection, *, node: str) -> int:
    """Give up what `node`, which is known to be dead, held; return how many deliveries that were."""
    statement = (
        update(deliveries)
        .where(and_(deliveries.c.state.in_(_OPEN), deliveries.c.lease_owner == node))
        .values(lease_owner=None, lease_token=None, lease_until=None)
    )
    return connection.execute(statement).rowcount


def any_due(connection: Connection, *, channels: Sequence[str], now: datetime) -> bool:
    """Tell whether an open delivery for one of `channels` is due, leased or not."""
    query = select(deliveries.c.id).where(_due(channels, now=now))
    return connection.execute(query.limit(1)).first() is not None


def channels_due(connection: Connection, *, channels: Sequence[str], now: datetime) -> frozenset[str]:
    """Return those of `channels` for which an open delivery is due, leased or not."""
    query = select(deliveries.c.channel).where(_due(channels, now=now)).distinct()
    return frozenset(connection.execute(query).scalars())


def _due(channels: Sequence[str], *, now: datetime) -> ColumnElement[bool]:
    return and_(deliveries.c.state.in_(_OPEN), deliveries.c.due_at <= now, deliveries.c.channel.in_(channels))


def claim(
    connection: Connection,
    *,
    channels: Sequence[str],
    now: datetime,
    lease_now: datetime,
    lease: timedelta,
    node: str,
    token: str,
    limit: int,
) -> list[Delivery]:
    """Take up to `limit` open deliveries that are due, with those whose sender died (`sending`, lease over)."""
    free = or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= lease_now)
    claimable = and_(deliveries.c.state.in_(_OPEN), free)
    due = (
        select(deliveries.c.id)
        .where(and_(claimable, deliveries.c.due_at <= now, deliveries.c.channel.in_(channels)))
        .order_by(deliveries.c.due_at, deliveries.c.id)
        .limit(limit)
    )
    if connection.dialect.name == "postgresql":
        due = due.with_for_update(skip_locked=True)
    statement = (
        update(deliveries)
        .where(and_(deliveries.c.id.in_(due.scalar_subquery()), claimable))
        .values(lease_owner=node, lease_token=token, lease_until=lease_now + lease)
        .returning(deliveries)
    )
    claimed = [_delivery(row) for row in connection.execute(statement)]
    return sorted(claimed, key=lambda delivery: (delivery.due_at, delivery.id))


def begin(connection: Connection, delivery: Delivery, *, node: str, now: datetime) -> bool:
    """Mark `delivery` as being sent and record the attempt; False when the lease has been lost."""
    statement = (
        update(deliveries)
        .where(and_(deliveries.c.id == delivery.id, deliveries.c.lease_token == delivery.lease_token))
        .values(state=DeliveryState.SENDING.value, attempts=delivery.attempts + 1)
    )
    if connection.execute(statement).rowcount != 1:
        return False
    connection.execute(
        insert(attempts).values(
            delivery=delivery.id, number=delivery.attempts + 1, node=node, started_at=now, outcome="sending", detail=""
        )
    )
    return True


def end(
    connection: Connection,
    delivery: Delivery,
    *,
    state: DeliveryState,
    outcome: str,
    detail: str,
    now: datetime,
    attempt: int,
    reference: str = "",
    retry_at: datetime | None = None,
) -> bool:
    """Record how the attempt with the number `attempt` ended; False when the lease has been lost.

    `retry_at` puts the delivery back to `ready` for then.
    """
    final = state is not DeliveryState.READY
    ended = {
        "state": state.value,
        "detail": detail[:2000],
        "reference": reference,
        "due_at": retry_at or delivery.due_at,
        "ended_at": now if final else None,
        "lease_owner": None,
        "lease_token": None,
        "lease_until": None,
    }
    held = {"held_id": delivery.id, "held_token": delivery.lease_token}
    if connection.execute(_END, held | ended).rowcount != 1:
        return False
    told = {"ended_at": now, "outcome": outcome, "detail": detail[:2000]}
    connection.execute(_END_ATTEMPT, {"of": delivery.id, "count": attempt} | told)
    return True


def held(connection: Connection, claimed: Sequence[Delivery]) -> set[str]:
    """Return the ids of those whose claim still holds, and keep them so until the transaction ends."""
    query = select(deliveries.c.id, deliveries.c.lease_token).where(deliveries.c.id.in_([one.id for one in claimed]))
    if connection.dialect.name == "postgresql":
        query = query.with_for_update()
    tokens = {one.id: one.lease_token for one in claimed}
    return {row.id for row in connection.execute(query) if row.lease_token and tokens[row.id] == row.lease_token}


def begin_together(connection: Connection, ready: Sequence[Delivery], *, node: str, now: datetime) -> None:
    """Mark deliveries whose claims are `held` as being sent, and record their attempts."""
    if not ready:
        return
    statement = (
        update(deliveries)
        .where(deliveries.c.id.in_([one.id for one in ready]))
        .values(state=DeliveryState.SENDING.value, attempts=deliveries.c.attempts + 1)
    )
    connection.execute(statement)
    connection.execute(
        insert(attempts),
        [
            {
                "delivery": one.id,
                "number": one.attempts + 1,
                "node": node,
                "started_at": now,
                "outcome": "sending",
                "detail": "",
            }
            for one in ready
        ],
    )


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How an attempt on a delivery ended; with `retry_at` it is ready again then."""

    delivery: Delivery
    state: DeliveryState
    outcome: str
    detail: str
    attempt: int
    reference: str = ""
    retry_at: datetime | None = None


def end_together(connection: Connection, endings: Sequence[Ending], *, now: datetime) -> None:
    """Record how attempts on deliveries ended whose claims are `held`."""
    if not endings:
        return
    free = {"lease_owner": None, "lease_token": None, "lease_until": None}
    changed = ("state", "detail", "reference", "due_at", "ended_at")
    statement = (
        update(deliveries)
        .where(deliveries.c.id == bindparam("b_id"))
        .values(**{name: bindparam(f"b_{name}") for name in changed}, **free)
    )
    connection.execute(
        statement,
        [
            {
                "b_id": one.delivery.id,
                "b_state": one.state.value,
                "b_detail": one.detail[:2000],
                "b_reference": one.reference,
                "b_due_at": one.retry_at or one.delivery.due_at,
                "b_ended_at": None if one.state is DeliveryState.READY else now,
            }
            for one in endings
        ],
    )
    tries = (
        update(attempts)
        .where(and_(attempts.c.delivery == bindparam("b_delivery"), attempts.c.number == bindparam("b_number")))
        .values(ended_at=now, outcome=bindparam("b_outcome"), detail=bindparam("b_detail"))
    )
    connection.execute(
        tries,
        [
            {
                "b_delivery": one.delivery.id,
                "b_number": one.attempt,
                "b_outcome": one.outcome,
                "b_detail": one.detail[:2000],
            }
            for one in endings
        ],
    )


def cancel(connection: Connection, *, incident: int, purpose: str = "", now: datetime) -> int:
    """Cancel deliveries of `incident` that have not begun; return how many."""
    condition = and_(deliveries.c.incident == incident, deliveries.c.state == DeliveryState.READY.value)
    if purpose:
        condition = and_(condition, deliveries.c.purpose == purpose)
    statement = update(deliveries).where(condition).values(state=DeliveryState.CANCELLED.value, ended_at=now)
    return connection.execute(statement).rowcount


def cancel_below(connection: Connection, *, prefix: str, now: datetime) -> int:
    """Cancel the deliveries whose id begins with `prefix` and that have not begun; return how many.

    A claim on them ends with it, so that a node which is about to begin does not.
    """
    waiting = and_(deliveries.c.id.startswith(prefix, autoescape=True), deliveries.c.state == DeliveryState.READY.value)
    statement = (
        update(deliveries)
        .where(waiting)
        .values(state=DeliveryState.CANCELLED.value, ended_at=now, lease_owner=None, lease_token=None, lease_until=None)
    )
    return connection.execute(statement).rowcount


def hasten(connection: Connection, id: str, *, due_at: datetime) -> bool:
    """Make a delivery that has not begun due at `due_at`; False when it has begun or is due by then anyway."""
    waiting = and_(deliveries.c.id == id, deliveries.c.state == DeliveryState.READY.value, deliveries.c.due_at > due_at)
    return connection.execute(update(deliveries).where(waiting).values(due_at=due_at)).rowcount == 1


def find(connection: Connection, *, incident: int | None = None, state: DeliveryState | None = None) -> list[Delivery]:
    """Return deliveries, oldest first, narrowed by incident and state."""
    query = select(deliveries).order_by(deliveries.c.created_at, deliveries.c.id)
    if incident is not None:
        query = query.where(deliveries.c.incident == incident)
    if state is not None:
        query = query.where(deliveries.c.state == state.value)
    return [_delivery(row) for row in connection.execute(query)]


def newest_below(connection: Connection, *, prefix: str, limit: int) -> list[Delivery]:
    """Return the newest deliveries whose id begins with `prefix`, the newest first."""
    query = select(deliveries).where(deliveries.c.id.startswith(prefix, autoescape=True))
    if connection.dialect.name == "sqlite":
        # LIKE ignores case there and so no index; ids are compared byte by byte, and so is this.
        query = query.where(and_(deliveries.c.id >= prefix, deliveries.c.id < f"{prefix}\U0010ffff"))
    query = query.order_by(deliveries.c.created_at.desc(), deliveries.c.id.desc()).limit(limit)
    return [_delivery(row) for row in connection.execute(query)]


def reference_of(connection: Connection, id: str) -> str:
    """Return the provider's own reference for a delivery, empty where it gave none."""
    found = connection.execute(select(deliveries.c.reference).where(deliveries.c.id == id)).scalar_one_or_none()
    return str(found or "")


def forget(connection: Connection, ids: Collection[str]) -> None:
    """Delete deliveries and their attempts, whatever their state."""
    for start in range(0, len(ids), _FORGOTTEN_AT_ONCE):
        some = sorted(ids)[start : start + _FORGOTTEN_AT_ONCE]
        connection.execute(delete(attempts).where(attempts.c.delivery.in_(some)))
        connection.execute(delete(deliveries).where(deliveries.c.id.in_(some)))


def attempts_of(connection: Connection, delivery_id: str) -> list[Attempt]:
    """Return the attempts of one delivery, first to last."""
    query = select(attempts).where(attempts.c.delivery == delivery_id).order_by(attempts.c.number)
    return [
        Attempt(
            delivery=row.delivery,
            number=row.number,
            node=row.node,
            started_at=row.started_at,
            ended_at=row.ended_at,
            outcome=row.outcome,
            detail=row.detail,
        )
        for row in connection.execute(query)
    ]


def _columns(delivery: Delivery) -> dict[str, object]:
    return {
        "id": delivery.id,
        "channel": delivery.channel,
        "room": delivery.room,
        "incident": delivery.incident,
        "purpose": delivery.purpose,
        "state": delivery.state.value,
        "due_at": delivery.due_at,
        "created_at": delivery.created_at,
        "attempts": 0,
        "detail": "",
        "reference": "",
        "message": delivery.message,
    }


def _delivery(row: Row[tuple[object, ...]]) -> Delivery:
    return Delivery(
        id=row.id,
        channel=row.channel,
        room=row.room,
        purpose=row.purpose,
        message=row.message,
        due_at=row.due_at,
        created_at=row.created_at,
        incident=row.incident,
        state=DeliveryState(row.state),
        attempts=row.attempts,
        detail=row.detail,
        reference=row.reference,
        ended_at=row.ended_at,
        lease_token=row.lease_token or "",
    )
