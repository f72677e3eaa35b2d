"""Writes the static copy of the status page: at every change, when a maintenance begins or ends, and every day."""

from stanch.engine.loop import Effect
from stanch.operations.statuspage.exporting import export
from stanch.operations.statuspage.offering import KIND, write_soon
from stanch.operations.statuspage.showing import next_change, public_page
from stanch.operations.statuspage.subscribing import tidy
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

__all__ = ["KIND", "keep", "schedule"]


def keep(timer: Timer, world: World) -> Effect:
    """Write the copy, where there is a folder for it; a change meanwhile takes the timer and has it written again."""
    if world.catalog.status.is_shown and world.catalog.status.folder:
        export(world)

    def effect(tx: Transaction) -> None:
        tidy(tx, now=world.clock.now())
        if world.catalog.status.is_shown:
            write_soon(tx, world, at=next_change(public_page(tx, world)))

    return effect


def schedule(tx: Transaction, world: World) -> None:
    """Have the copy written at the start: names, windows and folder may have changed."""
    if world.catalog.status.is_shown:
        write_soon(tx, world)
