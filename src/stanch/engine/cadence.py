"""Keeps the promise of the next update (C2): reminds whoever leads communication before it is due, sends the update
where that is left to Stanch, and where it is left to a person records and pages when it is missed."""

from datetime import datetime
from typing import Final

from stanch.comms.status.model import Stage
from stanch.comms.status.rules import stage_of
from stanch.engine.loop import Effect
from stanch.incidents import events as ev
from stanch.incidents.clocks import update_every
from stanch.incidents.model import Role
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Bug
from stanch.kernel.event import JSON
from stanch.oncall.escalation.model import FrozenPolicy, FrozenStep, Purpose
from stanch.operations import cases, paging
from stanch.operations.announcing import announce, communications_lead
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

_SOON: Final = "soon"
_DUE: Final = "due"
_WAIT_S: Final = 300.0
# What customers read where nobody writes: an update that only promises the next one says nothing.
_TOLD: Final = {
    Stage.INVESTIGATING: "We are looking into it.",
    Stage.IDENTIFIED: "We know what is wrong, and are working on it.",
    Stage.MONITORING: "Something was done about it, and we are watching whether it holds.",
}


def remind(timer: Timer, world: World) -> Effect:
    """Remind of the promised update, or see to it when it is due."""
    if timer.incident is None:
        raise Bug(f"timer {timer.id} belongs to no incident")
    number = timer.incident
    soon = timer.data.get("stage") == _SOON
    told = timer.data.get("due")
    promised = datetime.fromisoformat(told) if isinstance(told, str) else None

    def effect(tx: Transaction) -> None:
        state = cases.load(tx, number, lock=True)
        if not state.is_open or update_every(state.ruling.severity) is None:
            return
        if soon:
            _remind(tx, world, state, promised=promised)
        elif _is_ours(world, state):
            _send(tx, world, state)
        else:
            _missed(tx, world, state, promised=promised)

    return effect


def _is_ours(world: World, state: IncidentState) -> bool:
    """Tell whether Stanch keeps the promise by itself."""
    match world.catalog.comms.updates:
        case "automatic":
            return True
        case "by-hand":
            return False
    return not communications_lead(state)


def _remind(tx: Transaction, world: World, state: IncidentState, *, promised: datetime | None) -> None:
    """Say in the responders' rooms that an update is due, with its draft; nothing where nobody has to write it."""
    now = world.clock.now()
    due_at = max(now, promised or state.next_update_at or now)
    if not _is_ours(world, state) and due_at > now:
        who = _who(state)
        words = f"{who}, please send it." if who else "Nobody leads communication: somebody please send it."
        announce(tx, world, state, purpose="reminder", more={"due": f"{due_at:%H:%M} UTC", "lead_words": words})
    _schedule(tx, state, due_at=due_at, promised=due_at)


def _send(tx: Transaction, world: World, state: IncidentState) -> None:
    """Send the update; it promises the next one."""
    every = update_every(state.ruling.severity)
    said = _TOLD.get(stage_of(state), "")
    if not announce(tx, world, state, purpose="update", public_note=said) and every is not None:
        _schedule(tx, state, due_at=world.clock.now() + every)


def _missed(tx: Transaction, world: World, state: IncidentState, *, promised: datetime | None) -> None:
    """Put on record that the promise was not kept and page whose it was; look again when the next would be due."""
    now = world.clock.now()
    due_at = promised or state.next_update_at or now
    who = _who(state)
    cases.record(tx, state.number, ev.UpdateMissed(due_at=due_at, person=who))
    if who in world.catalog.people:
        step = FrozenStep(targets=(f"person:{who}",), wait_s=_WAIT_S)
        paging.start(
            tx,
            world,
            purpose=Purpose.DIRECT,
            severity=int(state.ruling.severity),
            title=f"{state.key}: the update promised for {due_at:%H:%M} UTC was not sent",
            policy=FrozenPolicy(name=f"update of {state.key}", steps=(step,)),
            reason="a promised update was missed",
            incident=state.number,
        )
    every = update_every(state.ruling.severity)
    if every is not None:
        _schedule(tx, state, due_at=now + every)


def _who(state: IncidentState) -> str:
    """Return who has to send updates: the communications lead, else the commander; empty for nobody."""
    return communications_lead(state) or state.roles.get(Role.COMMANDER, "")


def _schedule(tx: Transaction, state: IncidentState, *, due_at: datetime, promised: datetime | None = None) -> None:
    data: dict[str, JSON] = {"stage": _DUE}
    if promised is not None:
        data["due"] = promised.isoformat()
    timer = Timer(id=f"inc{state.number}/remind", kind="remind", due_at=due_at, incident=state.number, data=data)
    tx.schedule(timer, replace=True)
