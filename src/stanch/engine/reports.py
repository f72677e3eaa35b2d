"""Ends the alert that customers' reports raised once nobody reports any more: duty of the timer kind `reports`."""

from stanch.engine.loop import Effect, nothing
from stanch.operations.reporting import settle_reports
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer


def settle(timer: Timer, world: World) -> Effect:
    """Look whether reports of the service that the timer names still come; come back when they do."""
    service = timer.data.get("service")
    again = settle_reports(world, service if isinstance(service, str) else "", now=world.clock.now())
    if again is None:
        return nothing

    def effect(tx: Transaction) -> None:
        tx.schedule(Timer(id=timer.id, kind=timer.kind, due_at=again, data=timer.data))

    return effect
