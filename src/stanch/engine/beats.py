"""Looks for heartbeats that are missed: duty of the timer kind `heartbeat`. The rule is `operations.beating`'s."""

from stanch.engine.loop import Effect
from stanch.operations.beating import beat_timer, check_beat
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer


def check(timer: Timer, world: World) -> Effect:
    """Return what looks whether the heartbeat is missed, and comes back when it would be."""
    name = str(timer.data["name"])

    def effect(tx: Transaction) -> None:
        again = check_beat(tx, world, name)
        if again is not None:
            tx.schedule(beat_timer(name, again))

    return effect
