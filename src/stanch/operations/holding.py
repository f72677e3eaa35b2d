"""Holds own alerts back that are expected, and lets them go: why an alert leads to no incident stands on the alert.

An alert in a maintenance window, or one that a silence matches, opens nothing and pages nobody. A timer looks again
when that ends, and before in case somebody ends it early; if the condition still holds, the alert does then what it
would have done at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.board.model import own_labels
from stanch.alerts.intake.silenced.tables import active_silences
from stanch.alerts.intake.silences import Silence
from stanch.alerts.maintenance.rules import holding
from stanch.alerts.maintenance.tables import windows_after
from stanch.alerts.model import Alert, Metric
from stanch.alerts.tables import get_alert, save_alert
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

HOLD: Final = "hold"
"""The kind of the timers by which alerts that are held back are looked at again."""

_AGAIN: Final = timedelta(seconds=30)
"""A window or a silence may be ended early, by anybody on any node."""


def is_held(tx: Transaction, world: World, alert: Alert) -> bool:
    """Tell whether an alert that has opened is to lead to nothing for now, or at all; the reason is stored with it."""
    now = tx.clock.now()
    if why := _never(world, alert):
        _keep(tx, alert, why)
        return True
    labels = own_labels(alert)
    held = holding(windows_after(tx.connection, now), service=alert.service, labels=labels, now=now)
    if held is not None:
        why, end = held.words, held.end
    elif (silence := _silence(tx, labels, now=now)) is not None:
        why, end = _silenced(silence), silence.ends_at
    else:
        _keep(tx, alert, "")
        return False
    _keep(tx, alert, why)
    timer = Timer(id=f"hold/{alert.id}", kind=HOLD, due_at=min(end, now + _AGAIN), data={"alert": alert.id})
    tx.schedule(timer, replace=True)
    return True


def waiting(tx: Transaction, id: str) -> Alert | None:
    """Return the alert `id` if it still fires and has been held back, None otherwise."""
    alert = get_alert(tx.connection, id)
    return alert if alert is not None and alert.is_firing and alert.quiet else None


def _silence(tx: Transaction, labels: Mapping[str, str], *, now: datetime) -> Silence | None:
    """Return the silence that holds longest of those that match, None when none does."""
    matching = [one for one in active_silences(tx.connection, now) if one.silences(labels)]
    return max(matching, key=lambda one: one.ends_at, default=None)


def _silenced(silence: Silence) -> str:
    why = f" ({silence.comment})" if silence.comment else ""
    return f"silenced by {silence.created_by or 'somebody'} until {silence.ends_at:%Y-%m-%d %H:%M} UTC{why}"


def _never(world: World, alert: Alert) -> str:
    """Return why an alert is no incident at any time, empty where it is one."""
    if alert.is_warning:
        return "a warning: it is shown, and declares no incident"
    service = world.catalog.services.get(alert.service)
    if alert.metric is Metric.BLIND and not (service is not None and service.unseen_declares):
        return "that it is not seen declares no incident (unseen_declares)"
    return ""


def _keep(tx: Transaction, alert: Alert, why: str) -> None:
    if alert.quiet != why:
        save_alert(tx.connection, replace(alert, quiet=why))
