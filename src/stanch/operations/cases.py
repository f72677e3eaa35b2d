"""Reading and writing an incident inside a transaction: the few lines every operation on one begins and ends with."""

from datetime import datetime

from stanch.incidents import events as ev
from stanch.incidents.folding import fold
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import SYSTEM, Actor, Via
from stanch.kernel.errors import NotFound, Refused
from stanch.kernel.event import Event
from stanch.store import Transaction


def load(tx: Transaction, number: int, *, lock: bool = False) -> IncidentState:
    """Return the incident as its log says it is; `lock` decides alone on it until the transaction ends.

    Raises `NotFound` when there is no such incident.
    """
    if lock:
        tx.lock(ev.incident_stream(number))
    known = tx.memory.recall(("incident", number))
    state = known[1] if known and isinstance(known[1], IncidentState) else None
    for event in tx.events(incident=number, after=state.seq if state else 0):
        state = fold(state, event)
    if state is not None and tx.reads_only:
        tx.memory.keep(("incident", number), state.seq, state)
    if state is None:
        raise NotFound(f"there is no incident INC-{number}", hint="see the list: stanch incident list")
    return state


def load_open(tx: Transaction, number: int) -> IncidentState:
    """Return an incident that is still open, locked. Raises `Refused` when it is over."""
    state = load(tx, number, lock=True)
    if not state.is_open:
        raise Refused(
            f"{state.key} is {state.status.value}",
            reason="not_open",
            hint=f"reopen it first: stanch incident reopen {state.key} --reason ...",
        )
    return state


def record(
    tx: Transaction,
    number: int,
    *records: ev.IncidentEvent,
    actor: Actor = SYSTEM,
    via: Via = Via.ENGINE,
    at: datetime | None = None,
    stream: str | None = None,
    cause: int | None = None,
    expected: int | None = None,
) -> list[Event]:
    """Append typed events to the incident's stream, or to another stream of the same incident."""
    return tx.append(
        stream or ev.incident_stream(number),
        [ev.new_event(one, at=at) for one in records],
        actor=actor,
        via=via,
        incident=number,
        cause=cause,
        expected=expected,
    )
