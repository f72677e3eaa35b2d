"""Flushes groups: decides at a tick who is told what, and owes the notifications in the same transaction.

A notification is a delivery whose message is a `Snapshot`. What an integration was told is remembered when the
delivery has ended well, so a failed one is made up for at the next tick.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.intake.bulk.tables import bulk_of
from stanch.alerts.intake.decisions import Reason, Told, decide
from stanch.alerts.intake.groups.tables import (
    Memory,
    change_group,
    drop_group,
    group_with_id,
    groups_called,
    has_members,
    labels_of_members,
    members_of,
    memories,
    record_episodes,
    remember,
)
from stanch.alerts.intake.model import Group, Snapshot
from stanch.alerts.intake.quiet import Quiet, muted_by
from stanch.alerts.intake.receiving import EMPTY_FOR, flush_timer
from stanch.alerts.intake.routes import Integration, Route
from stanch.kernel.codec import to_data
from stanch.store import Transaction
from stanch.store.model import Delivery
from stanch.store.types import to_micros

CHANNEL: Final = "receiver/"
"""What the channel of every notification's delivery begins with; the receiver and the integration follow."""

# A flush goes on for at least this long, however short the group interval is.
LEAST_TIME: Final = timedelta(seconds=10)
_NEVER: Final = 1 << 62
# What was told is remembered for this long after the last time, or twice the repeat interval when that is shorter.
_MEMORY: Final = timedelta(hours=120)
_LEAST_MEMORY: Final = timedelta(minutes=15)


@dataclass(frozen=True, kw_only=True)
class Owed:
    """A notification that is owed from now on: the delivery and what it tells."""

    delivery: Delivery
    snapshot: Snapshot


def flush(tx: Transaction, quiet: Quiet, group_id: int, *, again: bool, now: datetime) -> list[Owed]:
    """Flush one group and set its next tick; return what is owed because of it. Call it with `receiving.LOCK` held.

    `again` flushes outside the rhythm, which stays as it is.
    """
    group = group_with_id(tx.connection, group_id)
    if group is None:
        return []
    routing = quiet.routing
    route = routing.route(group.route)
    if route is None or route.receiver != group.receiver:
        # Made by a routing that holds no more; the alerts get their groups when that is noticed.
        drop_group(tx.connection, group.id)
        return []
    members = [_as_told(one, quiet) for one in members_of(tx.connection, group.id)]
    if not members and group.emptied_at is not None and now - group.emptied_at >= EMPTY_FOR:
        drop_group(tx.connection, group.id)
        return []
    group = replace(group, flush=group.flush + 1, flushed_at=now, due_at=_next(group, route, again=again, now=now))
    owed, waiting = _tell(tx, quiet, group, route, members, again=again, now=now) if members else ([], False)
    changes: dict[str, datetime | int | None] = {
        "flush": group.flush,
        "flushed_at": now,
        "due_at": group.due_at,
        "outstanding": len(owed),
        "failed": 0,
    }
    change_group(tx.connection, group.id, **changes)
    if not again:
        tx.schedule(flush_timer(group.id, group.due_at), replace=True)
    if not owed and not waiting:
        stamp = to_micros(now)
        settle(tx, group, [id for id, _, ends_at in members if ends_at <= stamp], told=False, now=now)
    return owed


def _as_told(member: tuple[int, int, int], quiet: Quiet) -> tuple[int, int, int]:
    """Return a member as receivers know it: one that flaps has no end until it is calm."""
    id, starts_at, ends_at = member
    return (id, starts_at, _NEVER) if id in quiet.flapping else (id, starts_at, ends_at)


def _next(group: Group, route: Route, *, again: bool, now: datetime) -> datetime:
    """Return the next tick: a group interval after this one was due; what was slept through is not made up for."""
    if again:
        return group.due_at
    due_at = group.due_at + route.group_interval
    if due_at <= now:
        due_at += ((now - due_at) // route.group_interval + 1) * route.group_interval
    return due_at


def _tell(
    tx: Transaction,
    quiet: Quiet,
    group: Group,
    route: Route,
    members: Sequence[tuple[int, int, int]],
    *,
    again: bool,
    now: datetime,
) -> tuple[list[Owed], bool]:
    """Return what is owed to the integrations of the route, and whether any is still being told something else."""
    routing = quiet.routing
    receiver = routing.receiver_of(route)
    known = memories(tx.connection, group.group_key, group.receiver)
    muting = muted_by(routing, route, now)
    loud = () if muting else _loud(tx, quiet, group, members)
    owed: list[Owed] = []
    waiting = False
    for integration in receiver.integrations:
        old = known.get(integration.name)
        waiting = waiting or (old is not None and bool(old.delivery))
        if again and not (old is not None and old.missed):
            continue
        memory = old or _blank(integration, now)
        if not loud:
            reason = Reason.MUTED if muting else Reason.SUPPRESSED
            memory = replace(memory, missed=False, reason=reason, detail=", ".join(muting))
        elif memory.delivery:
            # Told from the snapshot of an earlier tick; this tick is made up for when that has ended.
            memory = replace(memory, missed=True, reason=Reason.SENDING, detail="")
        else:
            memory = _judge(quiet, group, route, integration, memory, loud, owed, now=now)
        if memory != old:
            expires_at = now + max(_LEAST_MEMORY, min(_MEMORY, 2 * route.repeat_interval))
            stored = replace(memory, reason_at=now)
            remember(tx.connection, group.group_key, group.receiver, stored, expires_at=expires_at)
    return owed, waiting


def _blank(integration: Integration, now: datetime) -> Memory:
    return Memory(
        integration=integration.name, told=None, delivery="", missed=False, reason=Reason.NOTHING_FIRED, reason_at=now
    )


def _loud(
    tx: Transaction, quiet: Quiet, group: Group, members: Sequence[tuple[int, int, int]]
) -> Sequence[tuple[int, int, int]]:
    """Return the members that nothing keeps quiet."""
    if not quiet.can_suppress:
        return members
    labels: Mapping[int, dict[str, str]] = labels_of_members(tx.connection, group.id)
    return [
        one
        for one in members
        if quiet.inhibited_by(labels[one[0]]) is None
        and not quiet.silenced_by(labels[one[0]])
        and quiet.in_maintenance(labels[one[0]]) is None
    ]


def _judge(
    quiet: Quiet,
    group: Group,
    route: Route,
    integration: Integration,
    memory: Memory,
    loud: Sequence[tuple[int, int, int]],
    owed: list[Owed],
    *,
    now: datetime,
) -> Memory:
    """Decide for one integration; owe the notification when there is one. Return what is known of it afterwards."""
    stamp = to_micros(now)
    firing = frozenset(id for id, _, ends_at in loud if ends_at > stamp)
    resolved = frozenset(id for id, _, ends_at in loud if ends_at <= stamp)
    reason = decide(
        memory.told,
        firing=firing,
        resolved=resolved,
        send_resolved=integration.send_resolved,
        repeat_interval=route.repeat_interval,
        now=now,
        flapping_since=max((quiet.flapping[id] for id in firing if id in quiet.flapping), default=None),
    )
    flapping = tuple(sorted(id for id in firing if id in quiet.flapping))
    if not reason.notifies:
        return replace(memory, missed=False, reason=reason, detail=f"{len(flapping)} flapping" if flapping else "")
    if not firing and not integration.send_resolved:
        # Nothing is sent, yet it is remembered, so that the next alert is told whatever it is.
        told = Told(firing=firing, resolved=resolved, at=now)
        return replace(memory, told=told, missed=False, reason=reason, detail="not sent")
    delivery = _owe(group, route, integration, loud, reason, flapping=flapping, now=now)
    owed.append(delivery)
    return replace(memory, delivery=delivery.delivery.id, missed=False, reason=reason, detail="")


def _owe(
    group: Group,
    route: Route,
    integration: Integration,
    loud: Sequence[tuple[int, int, int]],
    reason: Reason,
    *,
    flapping: tuple[int, ...],
    now: datetime,
) -> Owed:
    stamp = to_micros(now)
    snapshot = Snapshot(
        group=group.id,
        group_key=group.group_key,
        receiver=group.receiver,
        integration=integration.name,
        labels=group.labels,
        flush=group.flush,
        at=now,
        give_up_at=now + max(route.group_interval, LEAST_TIME),
        repeat_s=route.repeat_interval.total_seconds(),
        reason=reason.value,
        ids=tuple(one[0] for one in loud),
        starts=tuple(one[1] for one in loud),
        ends=tuple(one[2] if one[2] <= stamp else 0 for one in loud),
        flapping=flapping,
    )
    delivery = Delivery(
        id=f"notice/{group.id}/{group.flush}/{integration.name}/{stamp}",
        channel=f"{CHANNEL}{group.receiver}/{integration.name}",
        room="",
        purpose=reason.value,
        message=to_data(snapshot),
        due_at=now,
        created_at=now,
    )
    return Owed(delivery=delivery, snapshot=snapshot)


def ended(tx: Transaction, snapshot: Snapshot, delivery_id: str, *, problem: str, now: datetime) -> bool:
    """Take in how a notification ended; `problem` is empty when the receiver took it.

    Returns whether a flush was set because a tick came while it was on its way.
    """
    memory = memories(tx.connection, snapshot.group_key, snapshot.receiver).get(snapshot.integration)
    if memory is None or memory.delivery != delivery_id:
        return False
    told = memory.told
    if not problem:
        told = Told(firing=frozenset(snapshot.firing), resolved=frozenset(snapshot.resolved), at=now)
    reason = Reason.FAILED if problem else Reason.SENT
    after = replace(memory, told=told, delivery="", reason=reason, reason_at=now, detail=problem or snapshot.reason)
    memory_for = max(_LEAST_MEMORY, min(_MEMORY, 2 * timedelta(seconds=snapshot.repeat_s)))
    remember(tx.connection, snapshot.group_key, snapshot.receiver, after, expires_at=now + memory_for)
    again = False
    for group in groups_called(tx.connection, snapshot.group_key, snapshot.receiver):
        if group.id == snapshot.group and group.flush == snapshot.flush:
            _count_down(tx, group, snapshot, problem=problem, now=now)
        if memory.missed:
            tx.schedule(flush_timer(group.id, now, again=True))
            again = True
    return again


def _count_down(tx: Transaction, group: Group, snapshot: Snapshot, *, problem: str, now: datetime) -> None:
    failed = group.failed or bool(problem)
    change_group(tx.connection, group.id, outstanding=group.outstanding - 1, failed=int(failed))
    if group.outstanding <= 1 and not failed:
        stamp = to_micros(snapshot.at)
        # Whatever was told as firing has its end still to be told, whenever that was.
        told = frozenset(snapshot.firing)
        over = [id for id, _, ends_at in members_of(tx.connection, group.id) if ends_at <= stamp and id not in told]
        settle(tx, replace(group, flushed_at=snapshot.at), over, told=True, now=now)


def settle(tx: Transaction, group: Group, resolved: Sequence[int], *, told: bool, now: datetime) -> None:
    """Take alerts out of a group that had resolved by its last flush, and keep what became of them."""
    if resolved and group.flushed_at is not None:
        gone = bulk_of(tx.connection).settle(group.id, resolved, to_micros(group.flushed_at))
        outcome = "told" if told else "nobody was to be told"
        record_episodes(tx.connection, group.receiver, gone, told=told, outcome=outcome)
    if group.emptied_at is None and not has_members(tx.connection, group.id):
        change_group(tx.connection, group.id, emptied_at=now)
