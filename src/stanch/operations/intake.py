"""Takes in what senders post: checked, kept once, grouped and silenced as every other alert, and answered after that.

Everything a message leads to is one transaction: the raw message, its changes, its alerts in their groups, and the
timers by which those that may be incidents are followed.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from stanch.alerts.inbound.model import Delivery, Standing, body_to_keep, ended, plain_change, standing_of
from stanch.alerts.inbound.tables import count, count_trouble, keep, put_standing, standing
from stanch.alerts.intake.model import Received
from stanch.alerts.intake.receiving import LOCK, take_in
from stanch.catalog.alerting import Heartbeat
from stanch.catalog.changes import record_changes
from stanch.catalog.model import SourceSpec
from stanch.kernel.errors import Forbidden, Invalid, NotFound, StanchError
from stanch.kernel.redaction import redact
from stanch.operations.analysing import hear
from stanch.operations.following import follow_soon
from stanch.operations.world import World
from stanch.ports.signals import AlertSignal, ConfirmingSource, Inbound, Parsed, SignalSource, SignalStatus
from stanch.store import Transaction

MOST_ALERTS: Final = 10_000
"""What one message may hold: taking in so many takes about two seconds."""

_LONGEST_REMARK: Final = 500
_LONGEST_DELIVERY: Final = 500
_COUNT_EVERY_S: Final = 1.0


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a message led to: what to answer, and why nothing came of it where nothing did."""

    status: int = 202
    reply: Mapping[str, object] | None = None
    duplicate: bool = False
    alerts: int = 0
    changes: int = 0
    remark: str = ""


def source_named(world: World, name: str) -> SignalSource:
    """Return the source at `/hooks/<name>`. Raises `NotFound` naming the known ones."""
    found = world.signal_sources.get(name)
    if found is None:
        raise NotFound(f"there is no source {name!r}", hint=f"known are {', '.join(sorted(world.signal_sources))}")
    return found


def is_guarded(world: World, name: str) -> bool:
    """Tell whether messages of a source are checked. Raises `Forbidden` when its secret is named but not there."""
    spec = world.catalog.sources.get(name)
    secrets = world.signal_secrets.get(name, ())
    if variable := missing_secret(world, spec, name):
        raise secret_not_set(name, variable)
    return bool(secrets) or (spec is not None and bool(spec.topics))


def missing_secret(world: World, spec: SourceSpec | Heartbeat | None, key: str) -> str:
    """Return the variable of a secret that is asked for and not set, empty where nothing is missing."""
    return spec.secret_env if spec is not None and not world.signal_secrets.get(key) else ""


def secret_not_set(name: str, variable: str) -> Forbidden:
    """Return the error for a message of which nobody can tell whether it is genuine."""
    return Forbidden(
        f"the secret of {name} is not set on this server",
        reason="secret_not_set",
        hint=f"set {variable} in the environment of the server",
    )


def take(world: World, name: str, request: Inbound) -> Taken:
    """Check, understand and store one message of the source `name`, and return what to answer.

    Raises `Forbidden` for a bad signature, `Invalid` naming the field for what can never be understood, `Unavailable`
    for what may succeed when it is sent again. The first two are counted.
    """
    source = source_named(world, name)
    now = world.clock.now()
    try:
        if is_guarded(world, name):
            _verify(source, request, secrets=world.signal_secrets.get(name, ()), now=now)
        parsed = source.parse(request, now=now)
        standings = _standings(world, name, parsed.alerts, now=now)
    except (Forbidden, Invalid) as error:
        _trouble(world, name, error, now=now)
        raise
    if parsed.fetch and isinstance(source, ConfirmingSource):
        # Before anything is stored: when it fails, the sender sends it again, and that must not be a repetition.
        source.confirm(parsed.fetch)
    return _store(world, name, request, parsed, standings, now=now)


def take_parsed(world: World, name: str, parsed: Parsed, *, body: bytes = b"") -> Taken:
    """Store what a surface of our own was told, as if a sender had posted it."""
    now = world.clock.now()
    standings = _standings(world, name, parsed.alerts, now=now)
    return _store(world, name, Inbound(body=body), parsed, standings, now=now)


def fold_signals(tx: Transaction, world: World, name: str, signals: Sequence[AlertSignal], *, now: datetime) -> None:
    """Bring alerts that Stanch itself raises into the intake, in the caller's transaction, with `LOCK` held."""
    _fold(tx, world, name, _standings(world, name, signals, now=now), now=now)


def _verify(source: SignalSource, request: Inbound, *, secrets: Sequence[str], now: datetime) -> None:
    # Several while one replaces the other: any of them may fit.
    refused: Forbidden | None = None
    for secret in secrets or ("",):
        try:
            source.verify(request, secret=secret, now=now)
        except Forbidden as error:
            refused = error
        else:
            return
    if refused is not None:
        raise refused


def _standings(
    world: World, name: str, signals: Sequence[AlertSignal], *, now: datetime
) -> list[tuple[AlertSignal, Standing]]:
    if len(signals) > MOST_ALERTS:
        raise Invalid(f"at most {MOST_ALERTS:,} alerts in a message, not {len(signals):,}", field="alerts")
    spec = world.catalog.sources.get(name, SourceSpec(name=name))
    defaults = {"severity": spec.severity, "service": spec.service}
    return [(one, standing_of(one, source=name, defaults=defaults, now=now)) for one in signals]


def _store(
    world: World,
    name: str,
    request: Inbound,
    parsed: Parsed,
    told: Sequence[tuple[AlertSignal, Standing]],
    *,
    now: datetime,
) -> Taken:
    # Reading a large message for secrets takes a while, and nobody else has to wait for it.
    kept = body_to_keep(request.body)
    with world.store.writing() as tx:
        tx.lock(LOCK)
        delivery = Delivery(
            source=name,
            delivery=parsed.delivery[:_LONGEST_DELIVERY].replace("\x00", ""),
            received_at=now,
            body=kept,
            content_type=request.content_type[:100],
            alerts=len(parsed.alerts),
            changes=len(parsed.changes),
            remark=redact(parsed.remark.replace("\x00", ""))[:_LONGEST_REMARK],
        )
        if not keep(tx.connection, delivery):
            count(tx.connection, name, seen_at=now, duplicates=1)
            return Taken(status=parsed.status, reply=parsed.reply, duplicate=True, remark="it was taken before")
        changes = [plain_change(one, now=now) for one in parsed.changes]
        record_changes(tx.connection, changes, now=now)
        remarks = _fold(tx, world, name, told, now=now)
        for news in parsed.analyses:
            hear(tx, news, now=now)
        count(tx.connection, name, seen_at=now, deliveries=1, alerts=len(parsed.alerts), changes=len(parsed.changes))
    remark = "; ".join(part for part in (delivery.remark, *dict.fromkeys(remarks)) if part)
    return Taken(
        status=parsed.status,
        reply=parsed.reply,
        alerts=len(parsed.alerts),
        changes=len(changes),
        remark=remark[:_LONGEST_REMARK],
    )


def _fold(
    tx: Transaction, world: World, name: str, told: Sequence[tuple[AlertSignal, Standing]], *, now: datetime
) -> list[str]:
    """Bring the alerts of a message into the intake, in their order, and return why nothing came of some."""
    known = standing(tx.connection, source=name, identities=[one.identity for _, one in told])
    received: list[Received] = []
    remarks: list[str] = []
    for signal, fresh in told:
        before = known.get(fresh.identity)
        open_before = before if before is not None and before.is_firing else None
        match signal.status:
            case SignalStatus.FIRING:
                if open_before is not None and open_before.labels != fresh.labels:
                    # Labels are what an alert is known by: with another severity it is another one.
                    received.append(ended(open_before, at=None, now=now).received(now=now))
                elif open_before is not None:
                    fresh = replace(fresh, starts_at=min(fresh.starts_at, open_before.starts_at))
                known[fresh.identity] = fresh
                received.append(fresh.received(now=now))
            case SignalStatus.RESOLVED if open_before is not None:
                over = ended(open_before, at=signal.ends_at, now=now)
                known[fresh.identity] = over
                received.append(over.received(now=now))
            case SignalStatus.RESOLVED:
                remarks.append("what is over was not open here")
            case SignalStatus.ACKNOWLEDGED:
                remarks.append("an acknowledgement elsewhere changes no alert here")
    if received:
        follow_soon(tx, world, take_in(tx, world.routing.now, received, now=now), now=now)
    put_standing(tx.connection, [known[one.identity] for _, one in told if one.identity in known])
    return remarks


_pending: Final[dict[str, tuple[int, float]]] = {}


def not_taken(world: World, name: str, error: StanchError) -> None:
    """Count a message that a surface of our own did not take."""
    _trouble(world, name, error, now=world.clock.now())


def _trouble(world: World, name: str, error: StanchError, *, now: datetime) -> None:
    """Count a message that was not taken; at most one a second is written, so that strangers cannot keep us busy."""
    what = "refused" if isinstance(error, Forbidden) else "invalid"
    key = f"{id(world.store)}/{name}/{what}"
    times, last = _pending.get(key, (0, 0.0))
    if time.monotonic() - last < _COUNT_EVERY_S:
        _pending[key] = (times + 1, last)
        return
    _pending[key] = (0, time.monotonic())
    message = redact(error.message.replace("\x00", ""))[:_LONGEST_REMARK]
    with world.store.writing() as tx:
        count_trouble(tx.connection, name, what=what, times=times + 1, message=message, at=now)
