"""Declares incidents: from an alert, from a text, by hand. One transaction: log, timers and what must be said."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stanch.catalog.rules import service_of_endpoint
from stanch.incidents import events as ev
from stanch.incidents.clocks import response_clocks, update_every
from stanch.incidents.impact import case_of
from stanch.incidents.model import BY_HAND, Impact, Severity, SeverityRuling
from stanch.incidents.naming import channel_name
from stanch.incidents.reading import explain, read_report
from stanch.incidents.severity import rule_severity
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import Actor, Via
from stanch.operations import cases, paging
from stanch.operations.announcing import announce
from stanch.operations.measuring import measure
from stanch.operations.world import Call, World
from stanch.operations.writeback import owe_writings
from stanch.ports.issues import Moment
from stanch.store import Transaction
from stanch.store.model import Timer


@dataclass(frozen=True, kw_only=True)
class ByHand:
    """What a person says when declaring; `severity` overrides the rules."""

    title: str
    summary: str
    services: tuple[str, ...]
    started_at: datetime
    severity: Severity | None
    reason: str
    data_loss: bool
    security: bool
    workaround: bool


def declare_by_hand(tx: Transaction, call: Call, ask: ByHand) -> int:
    """Declare what a person says and return the incident's number."""
    impact = measure(tx, call.world, services=ask.services, since=ask.started_at, now=call.now)
    impact = replace(impact, data_loss=ask.data_loss, security=ask.security, workaround=ask.workaround)
    ruling = rule_severity(case_of(impact, call.world.catalog))
    if ask.severity is not None:
        ruling = SeverityRuling(severity=ask.severity, rule=BY_HAND, reason=ask.reason.strip())
    record = ev.Declared(
        number=tx.next_number("incident"),
        title=ask.title,
        summary=ask.summary or ask.title,
        source="person",
        services=ask.services,
        started_at=ask.started_at,
        ruling=ruling,
        channel=channel_name(call.now.date(), ask.title),
        drill=call.world.catalog.drill,
    )
    open_incident(tx, call.world, record, impact=impact, actor=call.actor, via=call.via)
    return record.number


def declare_from_text(tx: Transaction, call: Call, *, text: str, zone: str) -> int:
    """Declare from a report in plain words and return the incident's number. Raises `Invalid` for an empty text."""
    names = tuple(call.world.catalog.services)
    reading = read_report(text, now=call.now, zone=zone, services=names)
    started_at = reading.start.at if reading.start else call.now
    answering = service_of_endpoint(call.world.catalog, reading.endpoint) if reading.endpoint else None
    service = reading.service or answering
    services = (service,) if service else ()
    serves = (("Serves it", f"{answering}, by the catalog's endpoints"),) if answering and not reading.service else ()
    impact = measure(tx, call.world, services=services, since=started_at, now=call.now)
    record = ev.Declared(
        number=tx.next_number("incident"),
        title=_one_line(text),
        summary=text,
        source="report",
        services=services,
        started_at=started_at,
        ruling=rule_severity(case_of(impact, call.world.catalog, symptom=reading.symptom.kind.value)),
        channel=channel_name(call.now.date(), _one_line(text)),
        endpoint=reading.endpoint or "",
        symptom=reading.symptom.kind.value,
        text=text,
        reading=(
            *explain(reading),
            *serves,
            *(("Not read", sentence) for sentence in reading.unread),
            *(("Check", sentence) for sentence in reading.remarks),
            *(() if reading.understood else (("Kept", "The text is kept whole, as it was written."),)),
        ),
        drill=call.world.catalog.drill,
    )
    open_incident(tx, call.world, record, impact=impact, actor=call.actor, via=call.via)
    return record.number


def open_incident(
    tx: Transaction,
    world: World,
    record: ev.Declared,
    *,
    impact: Impact,
    actor: Actor,
    via: Via,
    also: tuple[ev.IncidentEvent, ...] = (),
) -> IncidentState:
    """Write the declaration with what is known, start the clocks, page, owe the first messages; return the state."""
    measured = ev.ImpactMeasured(impact=impact)
    cases.record(tx, record.number, record, *also, measured, actor=actor, via=via)
    state = cases.load(tx, record.number)
    announce(tx, world, state, purpose="declaration")
    start_clocks(tx, world, state)
    paging.follow(tx, world, state)
    owe_writings(tx, world, state, Moment.DECLARED)
    return state


def start_clocks(tx: Transaction, world: World, state: IncidentState) -> None:
    """Store the timers that an open incident lives by: collect, measure, response targets, updates."""
    now = world.clock.now()
    prefix = f"inc{state.number}"
    for clock in response_clocks(state, now=now):
        if clock.met_at is None:
            tx.schedule(
                Timer(
                    id=f"{prefix}/target/{clock.target.value}",
                    kind="target",
                    due_at=max(now, clock.due_at),
                    incident=state.number,
                    data={"target": clock.target.value},
                )
            )
    tx.schedule(Timer(id=f"{prefix}/collect", kind="collect", due_at=now, incident=state.number))
    measure_at = now + timedelta(seconds=world.catalog.timing.remeasure_s)
    tx.schedule(Timer(id=f"{prefix}/measure", kind="measure", due_at=measure_at, incident=state.number))
    every = update_every(state.ruling.severity)
    if every is not None:
        # Every message that promises the next one moves this timer.
        tx.schedule(Timer(id=f"{prefix}/remind", kind="remind", due_at=now + every, incident=state.number))


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else line[:119] + "…"
