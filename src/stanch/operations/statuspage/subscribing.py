"""What subscribers do, who have no login: ask, confirm, leave. None of it is an operation: there is no caller to name.

Nobody learns here whether an address is subscribed: the answer is the same, and the rest is said to the address alone.
"""

import hashlib
import re
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from stanch.comms.status.tables import (
    Subscriber,
    add_subscriber,
    count_asks,
    drop_subscriber,
    drop_unconfirmed,
    forget_asks,
    note_ask,
    subscriber_by,
    touch_subscriber,
)
from stanch.kernel.errors import Forbidden, Invalid, Refused
from stanch.oncall.pages.tables import known_key
from stanch.operations.statuspage.telling import ask_to_confirm, channel_of, forget_messages
from stanch.operations.statuspage.tokens import CONFIRM_WITHIN, Purpose, read_token
from stanch.operations.world import World
from stanch.store import Transaction

RATE_WINDOW: Final = timedelta(minutes=10)
_ASK_AGAIN: Final = timedelta(hours=1)
_LONGEST: Final = 500
# What mail servers take in practice; a comma or a line break would make it two (RFC 5321 4.5.3.1 has the lengths).
_MAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,253}$)(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}"
)


class Standing(StrEnum):
    """How a subscription stands for whoever opens its link."""

    ASKED = "asked"
    CONFIRMED = "confirmed"
    GONE = "gone"


def kinds_of(world: World) -> tuple[str, ...]:
    """Return with what one may subscribe: email, webhook."""
    spec = world.catalog.status
    return tuple(kind for kind, given in (("email", bool(spec.mail)), ("webhook", spec.webhooks)) if given)


def subscribe(world: World, *, kind: str, address: str, sender: str) -> None:
    """Ask an address whether it wants to be written to; nothing follows for one that does already.

    `sender` tells one who asks from another. Raises `Invalid` for an address that is none, `Refused` with the reason
    `too_many` when too many asked, and `switched_off` where one can not subscribe so.
    """
    if not world.catalog.status.is_shown or channel_of(world, kind) is None:
        raise Refused("one can not subscribe so here", reason="switched_off")
    address = address.strip()
    _check(world, kind, address)
    now = world.clock.now()
    with world.store.writing() as tx:
        tx.lock("status/subscribers")
        _limit(tx, world, sender=sender, now=now)
        note_ask(tx.connection, sender=sender, now=now)
        mark = mark_of(kind, address)
        known = subscriber_by(tx.connection, digest=mark)
        if known is None:
            known = Subscriber(
                id=secrets.token_hex(8), kind=kind, address=address, created_at=now, asked_at=now, confirmed_at=None
            )
            add_subscriber(tx.connection, known, digest=mark)
        elif known.confirmed_at is not None or now - known.asked_at < _ASK_AGAIN:
            # Nobody can have somebody else's mailbox filled by asking again and again.
            return
        else:
            touch_subscriber(tx.connection, known.id, asked_at=now)
            known = subscriber_by(tx.connection, id=known.id) or known
        ask_to_confirm(tx, world, known)


def standing(world: World, token: str, purpose: Purpose) -> Standing:
    """Return how the subscription stands that a link is for; changes nothing. Raises `Forbidden`."""
    with world.store.reading() as view:
        found = subscriber_by(view.connection, id=_read(view, world, token, purpose))
    if found is None:
        return Standing.GONE
    return Standing.CONFIRMED if found.confirmed_at else Standing.ASKED


def confirm(world: World, token: str) -> Standing:
    """Confirm a subscription; once is enough. Raises `Forbidden`."""
    with world.store.writing() as tx:
        id = _read(tx, world, token, Purpose.CONFIRM)
        found = subscriber_by(tx.connection, id=id)
        if found is None:
            return Standing.GONE
        if found.confirmed_at is None:
            touch_subscriber(tx.connection, id, confirmed_at=world.clock.now())
        return Standing.CONFIRMED


def leave(world: World, token: str) -> None:
    """End a subscription and forget the address; once is enough. Raises `Forbidden`."""
    with world.store.writing() as tx:
        id = _read(tx, world, token, Purpose.LEAVE)
        drop_subscriber(tx.connection, id)
        forget_messages(tx, id)


def tidy(tx: Transaction, *, now: datetime) -> None:
    """Forget who was asked and never confirmed, and who asked how often."""
    for id in drop_unconfirmed(tx.connection, before=now - CONFIRM_WITHIN):
        forget_messages(tx, id)
    forget_asks(tx.connection, before=now - RATE_WINDOW)


def mark_of(kind: str, address: str) -> str:
    """Return by what a subscription is found: one address is one, however its letters are written."""
    return hashlib.sha256(f"{kind}:{address.lower() if kind == 'email' else address}".encode()).hexdigest()


def _limit(tx: Transaction, world: World, *, sender: str, now: datetime) -> None:
    spec, lately = world.catalog.status, now - RATE_WINDOW
    too_many = count_asks(tx.connection, since=lately, sender=sender) >= spec.per_address
    if too_many or count_asks(tx.connection, since=lately) >= spec.overall:
        raise Refused("too many asked in the last ten minutes", reason="too_many", hint="try again in a while")


def _check(world: World, kind: str, address: str) -> None:
    if kind == "email":
        if not _MAIL.fullmatch(address):
            raise Invalid("is no mail address", field="address")
        return
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError as error:
        raise Invalid("is no URL", field="address") from error
    schemes = ("https", "http") if world.catalog.status.private_webhooks else ("https",)
    fits = parts.scheme in schemes and bool(parts.hostname) and not parts.username and address.isprintable()
    if not fits or len(address) > _LONGEST or any(sign in address for sign in ' <>"\\'):
        raise Invalid(f"is a URL that begins with {schemes[0]}://, without a name and password", field="address")


def _read(tx: Transaction, world: World, token: str, purpose: Purpose) -> str:
    key = known_key(tx.connection)
    if key is None:
        raise Forbidden("this is no link of ours", reason="bad_link")
    return read_token(key, token, purpose, now=world.clock.now())
