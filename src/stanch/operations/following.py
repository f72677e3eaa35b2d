"""Follows alerts from outside into the incidents: declares, joins, tells what is over, and keeps why it did nothing.

Taking in only sets a timer for an alert that may matter (`follow_soon`); the rest is the timer's, in a transaction of
its own, so that no sender waits for it and nothing about an incident can keep an alert out. The timer comes back while
the alert fires: an alert that is silenced when it begins still leads somewhere once the silence has ended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import msgspec

from stanch.alerts.beats.tables import Beat, all_beats, put_beat
from stanch.alerts.intake.flapping import Turns, turned
from stanch.alerts.intake.flaps.tables import flaps_until, put_turns, turns_of
from stanch.alerts.intake.led.tables import Led, led_of, put_led
from stanch.alerts.intake.matchers import matches_all
from stanch.alerts.intake.quiet import Quiet, quiet_at
from stanch.alerts.intake.reading.tables import Row, with_ids
from stanch.alerts.intake.receiving import TakenIn
from stanch.alerts.intake.subject import Judgement, LedTo, heeded, judge, parsed
from stanch.incidents import events as ev
from stanch.operations.detection import Sign, sign_over, sign_seen
from stanch.operations.world import World
from stanch.store import Connection, Transaction
from stanch.store.model import Timer
from stanch.store.types import from_micros, to_micros

FOLLOW: Final = "follow"
"""The kind of the timers by which alerts are followed."""

# What an alert that fires is kept quiet by is looked at again so soon.
_AGAIN: Final = timedelta(seconds=30)
_LONGEST_SUMMARY: Final = 200
_LONGEST_DETAIL: Final = 1000
_SUMMARIES: Final = ("summary", "title", "message", "description")
_DETAILS: Final = ("description", "message", "detail")

_texts: Final = msgspec.json.Decoder(dict[str, str])


def alert_name(alert: int) -> str:
    """Return what an incident knows the alert by."""
    return f"x{alert}"


def follow_soon(tx: Transaction, world: World, taken: TakenIn, *, now: datetime) -> None:
    """Set the timers of those alerts that opened or ended and may concern an incident; note which are heartbeats."""
    _note_beats(tx, world, taken, now=now)
    _note_turns(tx, world, taken.reopened, now=now)
    names = heeded(world.catalog)
    judged: dict[tuple[str | None, ...], bool] = {}
    for id, received in (*taken.opened, *taken.ended):
        labels = received.read()
        # Of thousands at once most are alike, and judging one takes longer than storing it.
        alike = tuple(map(labels.get, names))
        declares = judged.get(alike)
        if declares is None:
            declares = judged[alike] = judge(labels, world.catalog).declares
        if declares:
            tx.schedule(follow_timer(id, now), replace=True)


def _note_beats(tx: Transaction, world: World, taken: TakenIn, *, now: datetime) -> None:
    """Note which of the alerts that opened are beats: from then on each telling of them is one."""
    specs = [spec for spec in world.catalog.heartbeats.values() if spec.alert]
    if not specs:
        return
    for id, received in taken.opened:
        for spec in specs:
            if matches_all(parsed((spec.alert,))[0], received.read()):
                old = all_beats(tx.connection).get(spec.name) or Beat(name=spec.name, since=now)
                put_beat(tx.connection, replace(old, alert=id, beat_at=now))


def _note_turns(tx: Transaction, world: World, reopened: Sequence[int], *, now: datetime) -> None:
    """Keep when alerts opened again, by which those that flap are known."""
    rules = world.catalog.alerting
    if not reopened or not rules.flapping_changes:
        return
    old, at, window = turns_of(tx.connection, reopened), to_micros(now), round(rules.flapping_s * 1_000_000)
    known = {id: old.get(id, Turns()) for id in reopened}
    turns = {id: turned(one, at=at, changes=rules.flapping_changes, window=window) for id, one in known.items()}
    put_turns(tx.connection, turns)


def led_words(
    connection: Connection, world: World, alert: int, labels: Mapping[str, str]
) -> tuple[str, datetime | None]:
    """Return what an alert led to in the incidents, or why to nothing, in words, and when that was decided."""
    led = led_of(connection, alert)
    if led is not None:
        return led.words, min(led.at, world.clock.now())
    why = judge(labels, world.catalog).why
    return (why.words, None) if why is not None else ("it is about to be followed", None)


def follow_timer(alert: int, due_at: datetime) -> Timer:
    """Return the timer that looks at an alert."""
    return Timer(id=f"follow/{alert}", kind=FOLLOW, due_at=due_at, data={"alert": alert})


def follow_up(tx: Transaction, world: World, alert: int) -> datetime | None:
    """Bring an alert and the incidents together; return when to look again, None when there is nothing more to see."""
    now = tx.clock.now()
    row = with_ids(tx.connection, (alert,)).get(alert)
    if row is None:
        return None
    led = led_of(tx.connection, alert)
    labels, annotations = _texts.decode(row.labels), _texts.decode(row.annotations)
    ends_at = from_micros(row.ends_at)
    if ends_at <= now:
        until = flaps_until(tx.connection, alert)
        if until is not None and until > now:
            # Its end counts once it is calm.
            return until
        if led is None:
            put_led(tx.connection, alert, Led(outcome=LedTo.OVER, at=now))
        elif led.incident is not None:
            sign_over(tx, id=alert_name(alert), summary=summary_of(labels, annotations))
        return None
    if led is not None and led.incident is not None and led.at >= from_micros(row.starts_at):
        # It is where it belongs, also when somebody has resolved that incident while it fires.
        return ends_at
    judged = judge(labels, world.catalog)
    if not judged.declares:
        put_led(tx.connection, alert, Led(outcome=judged.why or LedTo.BELOW_THRESHOLD, at=now, detail=judged.service))
        return None
    quiet = quiet_at(tx.connection, world.routing.now, now)
    if (why := _why_quiet(quiet, labels, service=judged.service, now=now)) is not None:
        if led is None or (led.outcome, led.detail) != (why.outcome, why.detail):
            put_led(tx.connection, alert, why)
        return min(ends_at, now + _AGAIN)
    seen = sign_seen(tx, world, _sign(alert, row, labels, annotations, judged))
    outcome = LedTo.DECLARED if seen.declared else LedTo.ATTACHED if seen.listed else LedTo.GROUPED
    # A sender whose clock is ahead says a start that is still to come: it was followed from there on.
    at = max(now, from_micros(row.starts_at))
    put_led(tx.connection, alert, Led(outcome=outcome, at=at, incident=seen.incident))
    return ends_at


def summary_of(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """Return an alert as one line."""
    text = next((annotations[name] for name in _SUMMARIES if annotations.get(name)), "")
    line = " ".join((text or labels.get("alertname", "an alert")).split())
    return line if len(line) <= _LONGEST_SUMMARY else line[: _LONGEST_SUMMARY - 1] + "…"


def _why_quiet(quiet: Quiet, labels: Mapping[str, str], *, service: str, now: datetime) -> Led | None:
    """Return why an alert is to lead to nothing for now, None when nothing keeps it quiet."""
    if silences := quiet.silenced_by(labels):
        return Led(outcome=LedTo.SILENCED, at=now, detail=", ".join(silences))
    if (other := quiet.inhibited_by(labels)) is not None:
        return Led(outcome=LedTo.INHIBITED, at=now, detail=alert_name(other))
    if (held := quiet.in_maintenance({**labels, "service": service})) is not None:
        return Led(outcome=LedTo.MAINTENANCE, at=now, detail=held.words)
    return None


def _sign(alert: int, row: Row, labels: Mapping[str, str], annotations: Mapping[str, str], judged: Judgement) -> Sign:
    told = labels.get("severity", "")
    return Sign(
        service=judged.service,
        about=labels.get("alertname", "alert")[:60],
        detail=next((annotations[name] for name in _DETAILS if annotations.get(name)), "")[:_LONGEST_DETAIL],
        attached=ev.AlertAttached(
            alert=alert_name(alert),
            summary=summary_of(labels, annotations),
            reading=None,
            starts_at=from_micros(row.starts_at),
            # The service as the catalog calls it: an incident is looked for by it.
            labels={**labels, "service": judged.service},
            source=labels.get("source", "alertmanager"),
        ),
        told=told,
    )
