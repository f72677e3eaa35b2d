"""Hands deliveries over: marks before it sends, sends with the delivery's id as the key, marks how it ended.

At least once, with a stable id. A delivery whose outcome is not known (its node died, the far end gave no answer) is
sent again with the same id where the channel shows that once, and is recorded as `unknown` where it may not. A far end
that is down is asked again for a day, while the others get theirs: channels do not wait for each other.
"""

import secrets
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from stanch.comms.tables import keep_place, place_of
from stanch.incidents import events as ev
from stanch.kernel.codec import from_data
from stanch.kernel.errors import Unavailable
from stanch.operations.announcing import FACTS
from stanch.operations.world import World
from stanch.ports.channel import Channel, Failure, Message, NotTaken, Receipt
from stanch.store import deliveries
from stanch.store.model import Delivery, DeliveryState

# A channel has ten seconds to post; the rest is margin for marking.
_LEASE: Final = timedelta(seconds=15)
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 300.0
_MOST_DOUBLINGS: Final = 12
# A status that is a day old helps nobody.
_GIVE_UP_AFTER: Final = timedelta(days=1)
_LONGEST_PAUSE_S: Final = 3600.0

log = structlog.get_logger("stanch.deliver")


class Senders:
    """Hands over in threads, one channel beside the other, and each channel's messages one after the other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pool = ThreadPoolExecutor(max(1, len(world.channels)), thread_name_prefix="stanch-send")
        self._busy: dict[str, Future[None]] = {}

    def turn(self) -> int:
        """Claim what is due for channels that have nothing to do and hand it over; return how many were claimed."""
        self._busy = {name: work for name, work in self._busy.items() if not work.done()}
        free = [name for name in self._world.channels if name not in self._busy]
        # One of each: the claim of a message that waits behind another for a slow far end would lapse before its turn.
        due = _due(self._world, free)
        claimed = [one for name in free if name in due for one in _claim(self._world, (name,), limit=1)]
        for one in claimed:
            self._busy[one.channel] = self._pool.submit(_hand_over_safely, self._world, one)
        return len(claimed)

    def close(self) -> None:
        """Wait for what is being sent."""
        self._pool.shutdown(wait=True)


def deliver_due(world: World, *, limit: int) -> int:
    """Claim up to `limit` due deliveries and hand each over in this thread; return how many were worked on."""
    due = _due(world, tuple(world.channels))
    claimed = _claim(world, tuple(due), limit=limit) if due else []
    for delivery in claimed:
        _hand_over(world, delivery, world.channels[delivery.channel])
    return len(claimed)


def _due(world: World, channels: Sequence[str]) -> frozenset[str]:
    with world.store.reading() as view:
        return deliveries.channels_due(view.connection, channels=channels, now=world.clock.now())


def _claim(world: World, channels: Sequence[str], *, limit: int) -> list[Delivery]:
    now = world.clock.now()
    with world.store.writing() as tx:
        return deliveries.claim(
            tx.connection,
            channels=channels,
            now=now,
            lease_now=tx.lease_now(),
            lease=_LEASE,
            node=world.node,
            token=secrets.token_hex(8),
            limit=limit,
        )


def _hand_over_safely(world: World, delivery: Delivery) -> None:
    try:
        _hand_over(world, delivery, world.channels[delivery.channel])
    except Exception:  # boundary "engine loop": a database that is away must not end the sending; the claim lapses
        log.exception("handing_over_failed", delivery=delivery.id)


def _hand_over(world: World, delivery: Delivery, channel: Channel) -> None:
    if delivery.state is DeliveryState.SENDING and not channel.idempotent:
        _finish(world, delivery, DeliveryState.UNKNOWN, "the node that was sending it died; it may have arrived")
        return
    with world.store.writing() as tx:
        if not deliveries.begin(tx.connection, delivery, node=world.node, now=world.clock.now()):
            return
    try:
        receipt = channel.post(_ready(world, delivery))
    except NotTaken as error:
        _not_taken(world, delivery, error, idempotent=channel.idempotent)
        return
    except Unavailable as error:
        _failed(world, delivery, error.message, retry=error.retry)
        return
    except Exception as error:  # boundary "integration": a channel's own defect must not stop the others
        log.exception("channel_failed", channel=channel.name, delivery=delivery.id)
        _failed(world, delivery, f"{type(error).__name__} in channel {channel.name}", retry=True)
        return
    _finish(world, delivery, DeliveryState.SENT, receipt.detail, receipt=receipt)


def _ready(world: World, delivery: Delivery) -> Message:
    """Return the message with what is known of its room and of earlier attempts."""
    message = from_data(delivery.message, Message)
    if delivery.incident is None:
        return replace(message, again=delivery.attempts > 0)
    with world.store.reading() as view:
        known = place_of(view.connection, channel=delivery.channel, incident=delivery.incident, recipient=message.to)
    edits = known.pinned if message.pinned else message.edits
    return replace(message, place=known.place, edits=edits, again=delivery.attempts > 0)


def _not_taken(world: World, delivery: Delivery, error: NotTaken, *, idempotent: bool) -> None:
    if error.failure is Failure.UNKNOWN and not idempotent:
        _finish(world, delivery, DeliveryState.UNKNOWN, f"{error.message}; it may have arrived", ends_attempt=False)
        return
    # A token can be renewed while the message waits; what the far end refuses it will refuse again.
    retry = error.failure is not Failure.REFUSED
    _failed(world, delivery, error.message, retry=retry, after_s=error.retry_after_s)


def _failed(world: World, delivery: Delivery, detail: str, *, retry: bool, after_s: float | None = None) -> None:
    made = delivery.attempts + 1
    now = world.clock.now()
    if not retry or now - delivery.created_at >= _GIVE_UP_AFTER:
        _finish(world, delivery, DeliveryState.FAILED, detail)
        return
    with world.store.writing() as tx:
        deliveries.end(
            tx.connection,
            delivery,
            state=DeliveryState.READY,
            outcome="failed",
            detail=detail,
            now=now,
            attempt=made,
            retry_at=_next_try(now, made, after_s),
        )


def _next_try(now: datetime, made: int, after_s: float | None) -> datetime:
    delay_s = min(_LAST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(_MOST_DOUBLINGS, made - 1))
    asked_s = min(_LONGEST_PAUSE_S, after_s or 0.0)
    return now + timedelta(seconds=max(delay_s, asked_s))


def _finish(
    world: World,
    delivery: Delivery,
    state: DeliveryState,
    detail: str,
    *,
    receipt: Receipt | None = None,
    ends_attempt: bool = True,
) -> None:
    # A delivery found with a dead node ends the attempt that was begun there; any other ends the one just made.
    found_dead = state is DeliveryState.UNKNOWN and ends_attempt
    attempt = delivery.attempts + (0 if found_dead else 1)
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
        if not ended or delivery.incident is None:
            return
        message = from_data(delivery.message, Message)
        if receipt is not None:
            keep_place(
                tx.connection,
                channel=delivery.channel,
                incident=delivery.incident,
                recipient=message.to,
                place=receipt.place,
                pinned=receipt.reference if message.pinned else "",
            )
        # The facts are kept current in place: that they were is no entry of its own, unless they could not be.
        if delivery.purpose != FACTS or state is not DeliveryState.SENT:
            record = ev.MessageEnded(delivery=delivery.id, state=state.value, attempts=attempt, detail=detail)
            stream = ev.incident_stream(delivery.incident)
            tx.append(stream, [ev.new_event(record)], incident=delivery.incident)
