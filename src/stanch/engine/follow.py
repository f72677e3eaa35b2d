"""Follows alerts from outside: duty of the timer kind `follow`. What an alert leads to is `operations.following`'s."""

from stanch.engine.loop import Effect
from stanch.operations.following import follow_timer, follow_up
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer


def follow(timer: Timer, world: World) -> Effect:
    """Return what brings the alert and the incidents together, and comes back while there is something to see."""
    alert = int(str(timer.data["alert"]))

    def effect(tx: Transaction) -> None:
        again = follow_up(tx, world, alert)
        if again is not None:
            tx.schedule(follow_timer(alert, again))

    return effect
