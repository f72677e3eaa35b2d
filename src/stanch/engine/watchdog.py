"""What watches Stanch itself. Duty of the timer kind `watchdog`: a ping outwards, a synthetic page, a weekly word.

The ping goes out only when a timer fired and its effect was stored, so that it stops when the engine or the database
does, and not while a synthetic page that should have arrived has not. Let it reach a service that alerts when it is
missing, or `/heartbeat/<name>` of another Stanch: two of them then watch each other.
"""

from datetime import datetime, time, timedelta
from typing import Final

import structlog

from stanch.engine.loop import Effect
from stanch.kernel.errors import Unavailable
from stanch.kernel.zone import in_zone, resolve
from stanch.oncall.escalation.model import FrozenPolicy, FrozenStep, Purpose
from stanch.operations import paging
from stanch.operations.oncall import synthetic
from stanch.operations.oncall.readiness import readiness_of
from stanch.operations.oncall.telling import tell_responders
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

KIND: Final = "watchdog"
_PING: Final = "watchdog/ping"
_SYNTHETIC: Final = "watchdog/synthetic"
_ARRIVAL: Final = "watchdog/arrival"
_WEEKLY: Final = "watchdog/weekly"
# After one that did not arrive the next comes soon, so that it is known when pages arrive again.
_AGAIN: Final = timedelta(minutes=10)
_AT: Final = time(9, 0)
_WAIT_S: Final = 300.0
_MOST_BYTES: Final = 64 * 1024

log = structlog.get_logger("stanch.watchdog")


def schedule_watchdog(tx: Transaction, world: World) -> None:
    """Store the timers of what is configured, and drop those of what is not any more."""
    now = world.clock.now()
    spec = world.catalog.watchdog
    wanted = {
        _PING: now if spec.ping_url else None,
        _SYNTHETIC: now + timedelta(seconds=spec.synthetic_every_s) if spec.synthetic else None,
        _WEEKLY: next_monday(now, world.catalog.zone) if spec.weekly and world.catalog.oncall.policies else None,
    }
    for id, due_at in wanted.items():
        if due_at is None:
            tx.cancel_timers(prefix=id)
        else:
            tx.schedule(Timer(id=id, kind=KIND, due_at=due_at))


def watch_self(timer: Timer, world: World) -> Effect:
    """Do what is due, and schedule the next."""
    spec = world.catalog.watchdog
    now = world.clock.now()
    match timer.id:
        case "watchdog/ping":
            _ping(world)
            every = timedelta(seconds=spec.ping_every_s)
            return lambda tx: tx.schedule(Timer(id=_PING, kind=KIND, due_at=now + every))
        case "watchdog/synthetic":
            return lambda tx: _synthetic(tx, world)
        case "watchdog/arrival":
            return lambda tx: _arrival(tx, world, int(str(timer.data["page"])))
    return lambda tx: _weekly(tx, world)


def next_monday(now: datetime, zone: str) -> datetime:
    """Return the next Monday at nine in `zone`, as UTC."""
    local = in_zone(now, zone)
    day = local.date() + timedelta(days=-local.weekday() % 7)
    at = resolve(day, _AT, zone).at
    return at if at > now else resolve(day + timedelta(days=7), _AT, zone).at


def _ping(world: World) -> None:
    """Ask for the URL. That nobody answers is for whoever misses the ping to say; here it is logged."""
    url = world.catalog.watchdog.ping_url
    if not url or world.fetch is None:
        return
    with world.store.reading() as view:
        if synthetic.is_missing(view, world):
            log.warning("ping_withheld", why="the synthetic page did not arrive")
            return
    try:
        got = world.fetch(url, timeout_s=5.0, most_bytes=_MOST_BYTES)
    except Unavailable as error:
        # Not the message: it may hold the URL, and the URL a secret.
        log.warning("ping_failed", error=type(error).__name__)
        return
    if got.status >= 400:
        log.warning("ping_refused", status=got.status)


def _synthetic(tx: Transaction, world: World) -> None:
    """Send a page the whole way, and say what became of it in its own log."""
    spec = world.catalog.watchdog
    page = paging.start(
        tx,
        world,
        purpose=Purpose.SYNTHETIC,
        severity=2,
        title="Synthetic page: nothing is wrong",
        policy=FrozenPolicy(name="synthetic", steps=(FrozenStep(targets=spec.synthetic, wait_s=_WAIT_S),)),
        reason="to see that a page arrives",
    )
    now = world.clock.now()
    tx.schedule(Timer(id=_SYNTHETIC, kind=KIND, due_at=now + timedelta(seconds=spec.synthetic_every_s)))
    look_at = now + timedelta(seconds=spec.synthetic_within_s)
    tx.schedule(Timer(id=_ARRIVAL, kind=KIND, due_at=look_at, data={"page": page.number}), replace=True)


def _arrival(tx: Transaction, world: World, number: int) -> None:
    """Say whether the synthetic page arrived in time; send another one soon when it did not."""
    if synthetic.judge(tx, world, number):
        return
    every = timedelta(seconds=world.catalog.watchdog.synthetic_every_s)
    tx.schedule(Timer(id=_SYNTHETIC, kind=KIND, due_at=world.clock.now() + min(every, _AGAIN)), replace=True)


def _weekly(tx: Transaction, world: World) -> None:
    """Owe the responders a word on who could not be reached."""
    now = world.clock.now()
    lines = [f"- {one.message} ({one.hint})" for one in readiness_of(tx, world).shortcomings]
    text = "\n".join(lines) or "Everybody who may be paged can be reached, and every level has somebody."
    subject = f"On-call readiness: {len(lines)} to mend" if lines else "On-call readiness: all is well"
    tell_responders(tx, world, key=f"oncall/readiness/{now:%G-W%V}", subject=subject, text=text, now=now)
    tx.schedule(Timer(id=_WEEKLY, kind=KIND, due_at=next_monday(now, world.catalog.zone)))
