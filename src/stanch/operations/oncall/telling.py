"""Words to those who are on call: one message, owed to every channel that responders read."""

from datetime import datetime

from stanch.kernel.codec import to_data
from stanch.operations.world import World
from stanch.ports.channel import Message
from stanch.store import Transaction
from stanch.store.model import Delivery


def tell_responders(tx: Transaction, world: World, *, key: str, subject: str, text: str, now: datetime) -> None:
    """Owe a message to each of their channels, once for a `key`."""
    for channel in world.catalog.channels.values():
        if "responders" not in channel.audiences:
            continue
        name = f"{key}/{channel.name}"
        message = Message(id=name, room="oncall", subject=subject, text=text, markdown=f"**{subject}**\n\n{text}")
        owed = Delivery(
            id=name,
            channel=channel.name,
            room="oncall",
            purpose="readiness",
            message=to_data(message),
            due_at=now,
            created_at=now,
        )
        tx.owe(owed)
