"""Heartbeats: what must be heard every so often, at `/heartbeat/<name>` or as an alert; its absence is an alert."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.beats.tables import Beat, all_beats, put_beat
from stanch.alerts.intake.receiving import LOCK
from stanch.catalog.alerting import Heartbeat
from stanch.kernel.duration import format_duration
from stanch.kernel.errors import Forbidden, NotFound
from stanch.operations.intake import fold_signals, missing_secret, secret_not_set
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.ports.signals import AlertSignal, Inbound, SignalStatus, carries_token
from stanch.store import Transaction
from stanch.store.model import Timer

HEARTBEAT: Final = "heartbeat"
"""The kind of the timers, and the source of the alerts."""

# Once it is missed, it is looked for so often whether it is back: an alert that is told again says nothing by itself.
_LOOK_AGAIN: Final = timedelta(seconds=15)


@dataclass(frozen=True, kw_only=True)
class OneBeat:
    """A heartbeat by its name."""

    name: str


@dataclass(frozen=True, kw_only=True)
class AllBeats:
    """No arguments."""


@dataclass(frozen=True, kw_only=True)
class BeatView:
    """How a heartbeat stands. `due_at` is when it is missed; instants are UTC.

    `lacks` is the variable of its secret where that is not set.
    """

    name: str
    every_s: float
    grace_s: float
    service: str
    missed: bool
    heard_at: datetime | None
    due_at: datetime
    beats: int
    path: str
    lacks: str


@operation("heartbeat.list", effect=Effect.READ, example={})
def list_beats(call: Call, request: AllBeats) -> tuple[BeatView, ...]:
    """List the heartbeats that are configured, with when each was last heard."""
    with call.world.store.reading() as view:
        known = all_beats(view.connection)
    return tuple(
        _view(call.world, spec, known.get(name) or Beat(name=name, since=call.now))
        for name, spec in sorted(call.world.catalog.heartbeats.items())
    )


@operation("heartbeat.beat", effect=Effect.WRITE, example={"name": "backup"})
def hear(call: Call, request: OneBeat) -> BeatView:
    """Say that something is alive. Raises `NotFound` for a heartbeat that is not configured."""
    return beat(call.world, request.name)


def beat(world: World, name: str) -> BeatView:
    """Take in a beat: the alert about its absence ends, and the wait begins anew."""
    spec = heartbeat_named(world, name)
    now = world.clock.now()
    with world.store.writing() as tx:
        # The timer before the lock, as in the duty, so that neither waits for the other.
        tx.schedule(_timer(spec, now + _patience(spec)), replace=True)
        tx.lock(LOCK)
        old = all_beats(tx.connection).get(name) or Beat(name=name, since=now)
        heard = replace(old, beat_at=now, beats=old.beats + 1, missed=False)
        put_beat(tx.connection, heard)
        if old.missed:
            _tell(tx, world, spec, SignalStatus.RESOLVED, at=now, now=now)
    return _view(world, spec, heard)


def heartbeat_named(world: World, name: str) -> Heartbeat:
    """Return a heartbeat of the catalog. Raises `NotFound` naming the known ones."""
    spec = world.catalog.heartbeats.get(name)
    if spec is None:
        known = ", ".join(sorted(world.catalog.heartbeats)) or "none"
        raise NotFound(f"there is no heartbeat {name[:60]!r}", hint=f"configured are {known}")
    return spec


def check_beat_token(world: World, name: str, request: Inbound) -> bool:
    """Tell whether beats of `name` are checked. Raises `Forbidden` when they are and the token does not fit."""
    spec = heartbeat_named(world, name)
    if not spec.secret_env:
        return False
    key = f"{HEARTBEAT}/{name}"
    if variable := missing_secret(world, spec, key):
        raise secret_not_set(name, variable)
    if not any(carries_token(request, secret) for secret in world.signal_secrets[key]):
        raise Forbidden(
            "the token does not fit", reason="bad_token", hint="send it as Authorization: Bearer, or ?token="
        )
    return True


def schedule_beats(tx: Transaction, world: World) -> None:
    """Wait for every heartbeat of the catalog from now on; those that are waited for already stay. Call it at start."""
    now = world.clock.now()
    known = all_beats(tx.connection)
    for name, spec in world.catalog.heartbeats.items():
        old = known.get(name)
        if old is None:
            old = Beat(name=name, since=now)
            put_beat(tx.connection, old)
        # At once for one that should have been heard while nothing ran here; it is given the grace from now.
        due_at = max(old.heard_at + _patience(spec), now + timedelta(seconds=spec.grace_s))
        tx.schedule(_timer(spec, due_at))


def check_beat(tx: Transaction, world: World, name: str) -> datetime | None:
    """Look whether a heartbeat is missed, or back; return when to look again, None when nobody waits for it."""
    tx.lock(LOCK)
    now = tx.clock.now()
    spec, known = world.catalog.heartbeats.get(name), all_beats(tx.connection).get(name)
    if known is None:
        return None
    if spec is None:
        if known.missed:
            _tell(tx, world, Heartbeat(name=name, every_s=1), SignalStatus.RESOLVED, at=now, now=now)
            put_beat(tx.connection, replace(known, missed=False))
        return None
    due_at = known.heard_at + _patience(spec)
    missed = due_at <= now
    if missed is not known.missed:
        status = SignalStatus.FIRING if missed else SignalStatus.RESOLVED
        at = known.heard_at + timedelta(seconds=spec.every_s) if missed else known.heard_at
        _tell(tx, world, spec, status, at=at, now=now)
        put_beat(tx.connection, replace(known, missed=missed))
    return now + _LOOK_AGAIN if missed else due_at


def _tell(tx: Transaction, world: World, spec: Heartbeat, status: SignalStatus, *, at: datetime, now: datetime) -> None:
    """Open or end the alert about the absence, through the door of every other alert."""
    summary = (
        spec.summary or f"{spec.name} has not been heard for more than {format_duration(_patience(spec), long=True)}"
    )
    annotations = {"severity": spec.severity, "summary": summary}
    if spec.service:
        annotations["service"] = spec.service
    signal = AlertSignal(
        labels={"alertname": "HeartbeatMissed", "heartbeat": spec.name},
        annotations=annotations,
        status=status,
        starts_at=at if status is SignalStatus.FIRING else None,
        ends_at=at if status is SignalStatus.RESOLVED else None,
    )
    fold_signals(tx, world, HEARTBEAT, (signal,), now=now)


def _patience(spec: Heartbeat) -> timedelta:
    return timedelta(seconds=spec.every_s + spec.grace_s)


def beat_timer(name: str, due_at: datetime) -> Timer:
    """Return the timer that looks whether a heartbeat is missed."""
    return Timer(id=f"{HEARTBEAT}/{name}", kind=HEARTBEAT, due_at=due_at, data={"name": name})


def _timer(spec: Heartbeat, due_at: datetime) -> Timer:
    return beat_timer(spec.name, due_at)


def _view(world: World, spec: Heartbeat, known: Beat) -> BeatView:
    return BeatView(
        name=spec.name,
        every_s=spec.every_s,
        grace_s=spec.grace_s,
        service=spec.service,
        missed=known.missed,
        heard_at=known.beat_at,
        due_at=known.heard_at + _patience(spec),
        beats=known.beats,
        path=f"/heartbeat/{spec.name}",
        lacks=missing_secret(world, spec, f"{HEARTBEAT}/{spec.name}"),
    )
