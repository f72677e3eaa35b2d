"""Lets alerts go that were held back: duty of the timer kind `hold`. What it comes to is `operations.detection`'s."""

from stanch.engine.loop import Effect
from stanch.operations.detection import let_go
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer


def hold(timer: Timer, world: World) -> Effect:
    """Return what looks at the alert again; while it is still held back it comes again."""
    alert = str(timer.data["alert"])

    def effect(tx: Transaction) -> None:
        let_go(tx, world, alert)

    return effect
