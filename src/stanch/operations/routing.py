"""Operations on routes: which receiver each alert of the last days would have gone to, before routes are changed."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

import msgspec

from stanch.alerts.intake.config import read_routing
from stanch.alerts.intake.reading.tables import episodes_since
from stanch.alerts.intake.routes import Routing
from stanch.kernel.errors import Invalid
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call

_LONGEST_LOOK: Final = timedelta(days=90)
_EXAMPLES: Final = 20
# From the beginning of a word and no longer than any, or a long text takes a minute.
_KIND: Final = re.compile(r"(?<![a-z0-9])([a-z0-9]{1,40})_configs[\"']?[ \t]*:")


@dataclass(frozen=True, kw_only=True)
class PreviewRoutes:
    """What the routes of `config`, the text of an `alertmanager.yml`, would have done in the last `days`."""

    config: Annotated[str, msgspec.Meta(max_length=500_000)]
    days: int = 30


@dataclass(frozen=True, kw_only=True)
class Moved:
    """An alert that would have gone elsewhere: from whom to whom, and whether somebody was told about it."""

    labels: Mapping[str, str]
    before: tuple[str, ...]
    after: tuple[str, ...]
    told: bool


@dataclass(frozen=True, kw_only=True)
class RoutePreview:
    """How many alerts there were, and how many would have gone elsewhere; receivers with their alerts, now and then.

    `lost` are those that somebody was told about and that would go to receivers that tell nobody.
    """

    since: datetime
    alerts: int
    moved: int
    told: int
    lost: int
    before: Mapping[str, int]
    after: Mapping[str, int]
    summary: str
    examples: tuple[Moved, ...] = field(default=())


@operation(
    "route.preview",
    # It changes nothing; but a configuration is too long for an address, and reads have theirs there.
    effect=Effect.WRITE,
    example={"config": "route: {receiver: team}\nreceivers: [{name: team}]\n"},
)
def preview(call: Call, request: PreviewRoutes) -> RoutePreview:
    """Say which alerts of the last days other routes would have sent elsewhere, before they are put in force."""
    if not 1 <= request.days <= _LONGEST_LOOK.days:
        raise Invalid(f"is 1 to {_LONGEST_LOOK.days}", field="days")
    length = timedelta(days=request.days)
    # What a receiver wants for itself does not matter to who is chosen; that is checked when it is put in force.
    kinds = dict.fromkeys(_KIND.findall(request.config), _anything)
    wanted, now = read_routing(request.config, kinds=kinds), call.world.routing.now
    since = call.now - length
    with call.world.store.reading() as view:
        episodes = episodes_since(view.connection, since, now=call.now)
    moved: list[Moved] = []
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    for labels, told in episodes:
        old, new = _receivers(now, labels), _receivers(wanted, labels)
        before.update(old)
        after.update(new)
        if old != new:
            moved.append(Moved(labels=labels, before=old, after=new, told=told))
    moved_told = sum(one.told for one in moved)
    lost = sum(one.told and not any(wanted.receivers[name].integrations for name in one.after) for one in moved)
    return RoutePreview(
        since=since,
        alerts=len(episodes),
        moved=len(moved),
        told=moved_told,
        lost=lost,
        before=dict(before.most_common()),
        after=dict(after.most_common()),
        summary=_summary(len(episodes), len(moved), moved_told, lost, days=request.days),
        examples=tuple(moved[-_EXAMPLES:]),
    )


def _anything(settings: Mapping[str, object]) -> None:
    """Take any settings."""


def _receivers(routing: Routing, labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(route.receiver for route in routing.root.match(labels)))


def _summary(alerts: int, moved: int, told: int, lost: int, *, days: int) -> str:
    text = (
        f"{moved} of {alerts} alerts in {days} days would have gone elsewhere; somebody was told about {told} of them"
    )
    return f"{text}, and of {lost} nobody would be" if lost else text
