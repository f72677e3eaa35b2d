"""Hands deliveries over: marks before it sends, sends with the delivery's id as the key, marks how it ended.

At least once, with a stable id. A delivery that was being sent when its node died has an unknown outcome: on an
idempotent channel it is sent again with the same id, on any other it is recorded as `unknown`.
"""

import secrets
from datetime import timedelta
from typing import Final

import structlog

from stanch.incidents import events as ev
from stanch.kernel.codec import from_data
from stanch.kernel.errors import Unavailable
from stanch.operations.world import World
from stanch.ports.channel import Channel, Message, Receipt
from stanch.store import deliveries
from stanch.store.model import Delivery, DeliveryState

# A channel has ten seconds to post; the rest is margin for marking.
_LEASE: Final = timedelta(seconds=15)
_MOST_ATTEMPTS: Final = 12
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 300.0

log = structlog.get_logger("stanch.deliver")


def deliver_due(world: World, *, limit: int) -> int:
    """Claim up to `limit` due deliveries and hand each over; return how many were worked on."""
    now = world.clock.now()
    with world.store.reading() as view:
        if not deliveries.any_due(view.connection, channels=tuple(world.channels), now=now):
            return 0
    with world.store.writing() as tx:
        claimed = deliveries.claim(
            tx.connection,
            channels=tuple(world.channels),
            now=now,
            lease_now=tx.lease_now(),
            lease=_LEASE,
            node=world.node,
            token=secrets.token_hex(8),
            limit=limit,
        )
    for delivery in claimed:
        _hand_over(world, delivery, world.channels[delivery.channel])
    return len(claimed)


def _hand_over(world: World, delivery: Delivery, channel: Channel) -> None:
    if delivery.state is DeliveryState.SENDING and not channel.idempotent:
        _finish(world, delivery, DeliveryState.UNKNOWN, "the node that was sending it died; it may have arrived")
        return
    with world.store.writing() as tx:
        if not deliveries.begin(tx.connection, delivery, node=world.node, now=world.clock.now()):
            return
    try:
        receipt = channel.post(from_data(delivery.message, Message))
    except Unavailable as error:
        _failed(world, delivery, error.message, retry=error.retry)
        return
    except Exception as error:  # boundary "integration": a channel's own defect must not stop the others
        log.exception("channel_failed", channel=channel.name, delivery=delivery.id)
        _failed(world, delivery, f"{type(error).__name__} in channel {channel.name}", retry=True)
        return
    _finish(world, delivery, DeliveryState.SENT, receipt.detail, receipt=receipt)


def _failed(world: World, delivery: Delivery, detail: str, *, retry: bool) -> None:
    made = delivery.attempts + 1
    if not retry or made >= _MOST_ATTEMPTS:
        _finish(world, delivery, DeliveryState.FAILED, detail)
        return
    now = world.clock.now()
    delay_s = min(_LAST_RETRY_S, _FIRST_RETRY_S * 2.0 ** (made - 1))
    with world.store.writing() as tx:
        deliveries.end(
            tx.connection,
            delivery,
            state=DeliveryState.READY,
            outcome="failed",
            detail=detail,
            now=now,
            attempt=made,
            retry_at=now + timedelta(seconds=delay_s),
        )


def _finish(
    world: World, delivery: Delivery, state: DeliveryState, detail: str, *, receipt: Receipt | None = None
) -> None:
    # A delivery of unknown outcome ends the attempt that its dead node began; any other ends the one just made.
    attempt = delivery.attempts + (0 if state is DeliveryState.UNKNOWN else 1)
    with world.store.writing() as tx:
        ended = deliveries.end(
            tx.connection,
            delivery,
            state=state,
            outcome=state.value,
            detail=detail,
            now=world.clock.now(),
            attempt=attempt,
            reference=receipt.reference if receipt else "",
        )
        if ended and delivery.incident is not None:
            record = ev.MessageEnded(delivery=delivery.id, state=state.value, attempts=attempt, detail=detail)
            stream = ev.incident_stream(delivery.incident)
            tx.append(stream, [ev.new_event(record)], incident=delivery.incident)
