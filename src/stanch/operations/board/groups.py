"""The operation that lists groups, and how one is put into a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stanch.alerts.intake.groups.tables import groups_page, member_counts, memories
from stanch.alerts.intake.matchers import quoted
from stanch.alerts.intake.model import Group
from stanch.kernel.errors import Invalid
from stanch.operations.board.views import GroupPage, GroupRow, Outcome
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call
from stanch.store import Connection
from stanch.store.types import to_micros

_MOST: Final = 200


@dataclass(frozen=True, kw_only=True)
class ListGroups:
    """Which groups to list, the newest first; `receiver` narrows, `after` is `next` of the part before."""

    receiver: str = ""
    after: int = 0
    limit: int = 50


@operation("group.list", effect=Effect.READ, example={"limit": 20})
def list_groups(call: Call, request: ListGroups) -> GroupPage:
    """List the groups in which alerts are notified about, and what each receiver was last told of them."""
    if not 1 <= request.limit <= _MOST:
        raise Invalid(f"is 1 to {_MOST}", field="limit")
    with call.world.store.reading() as view:
        found = groups_page(
            view.connection, receiver=request.receiver, after=request.after or None, limit=request.limit + 1
        )
        shown = found[: request.limit]
        return GroupPage(
            groups=rows_of(view.connection, shown, now_us=to_micros(call.now)),
            next=shown[-1].id if len(found) > request.limit else 0,
        )


def rows_of(connection: Connection, groups: list[Group], *, now_us: int) -> tuple[GroupRow, ...]:
    """Return groups as rows, with the numbers of their alerts and what was told."""
    numbers = member_counts(connection, [one.id for one in groups], now_us=now_us)
    return tuple(_row(connection, one, *numbers.get(one.id, (0, 0))) for one in groups)


def _row(connection: Connection, group: Group, firing: int, ended: int) -> GroupRow:
    known = memories(connection, group.group_key, group.receiver)
    return GroupRow(
        id=group.id,
        receiver=group.receiver,
        labels=group.labels,
        matchers=equal_matchers(group.labels),
        firing=firing,
        ended=ended,
        created_at=group.created_at,
        due_at=group.due_at,
        flushed_at=group.flushed_at,
        outcomes=tuple(
            Outcome(what=name, why=one.reason.words, at=one.reason_at, detail=one.detail)
            for name, one in sorted(known.items())
        ),
    )


def equal_matchers(labels: Mapping[str, str]) -> str:
    """Return matchers that select alerts with these labels, as text."""
    return ", ".join(f"{name}={quoted(value)}" for name, value in labels.items())
