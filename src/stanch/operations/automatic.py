"""Operations on what runs by itself: how it stands, pause it all, let it go on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.incidents import events as ev
from stanch.incidents.tables import find
from stanch.kernel.errors import Forbidden
from stanch.mitigate.guarding import words_of
from stanch.mitigate.tables import AutomaticRun, Switch, last_switch, put_switch, runs_since
from stanch.operations import cases
from stanch.operations.acting import check_reason, consider
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call
from stanch.store import Transaction
from stanch.store.connection import lock_event_order

_SHOWN: Final = timedelta(days=30)
_MOST_OPEN: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class AskAutomatic:
    """Nothing to say."""


@dataclass(frozen=True, kw_only=True)
class SwitchAutomatic:
    """Why everything that runs by itself is paused, or may go on."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class MarkedAction:
    """An action that may run by itself, and its guard in words."""

    service: str
    action: str
    title: str
    guard: str


@dataclass(frozen=True, kw_only=True)
class AutomaticView:
    """What may run by itself, whether it is paused, and what has run in the last 30 days, the newest first."""

    paused: bool
    by: str
    reason: str
    at: datetime | None
    actions: tuple[MarkedAction, ...]
    runs: tuple[AutomaticRun, ...]


@operation("automatic.status", effect=Effect.READ, example={})
def status(call: Call, request: AskAutomatic) -> AutomaticView:
    """Say what may run by itself, whether it is paused, and what has."""
    with call.world.store.reading() as view:
        return _view(view, call)


@operation("automatic.pause", effect=Effect.WRITE, example={"reason": "we are moving the database"})
def pause(call: Call, request: SwitchAutomatic) -> AutomaticView:
    """Let nothing run by itself until somebody resumes it; what runs already ends."""
    return _switch(call, paused=True, reason=check_reason(request.reason))


@operation("automatic.resume", effect=Effect.WRITE, example={"reason": "the move is done"})
def resume(call: Call, request: SwitchAutomatic) -> AutomaticView:
    """Let what is marked automatic run by itself again; a person's to say."""
    if not call.actor.is_person:
        raise Forbidden(f"{call.actor.label} may pause but not resume", reason="resuming_needs_a_person")
    return _switch(call, paused=False, reason=check_reason(request.reason))


def _switch(call: Call, *, paused: bool, reason: str) -> AutomaticView:
    with call.world.store.writing() as tx:
        lock_event_order(tx.connection)
        before = last_switch(tx.connection)
        if (before is not None and before.paused) == paused:
            return _view(tx, call)
        switch = Switch(paused=paused, by=call.actor.label, via=call.via.value, reason=reason, at=call.now)
        put_switch(tx.connection, switch)
        for one in find(tx.connection, open_only=True, limit=_MOST_OPEN):
            record = ev.AutomaticSwitched(paused=paused, reason=reason)
            cases.record(tx, one.number, record, actor=call.actor, via=call.via)
            if not paused:
                consider(tx, call.world, one.number)
        return _view(tx, call)


def _view(tx: Transaction, call: Call) -> AutomaticView:
    switch = last_switch(tx.connection)
    marked = tuple(
        MarkedAction(service=service.name, action=spec.name, title=spec.title or spec.name, guard=words_of(spec.guard))
        for service in call.world.catalog.services.values()
        for spec in service.actions
        if spec.automatic
    )
    return AutomaticView(
        paused=switch is not None and switch.paused,
        by=switch.by if switch else "",
        reason=switch.reason if switch else "",
        at=switch.at if switch else None,
        actions=marked,
        runs=tuple(runs_since(tx.connection, call.now - _SHOWN)),
    )
