"""Writes to subscribers: of every update that is published, and to ask whether they want that. Durable, one each."""

from datetime import datetime
from typing import Final

from stanch.comms.status.model import Incident, Update
from stanch.comms.status.rules import address_of, incidents_of
from stanch.comms.status.tables import Subscriber, find_subscribers, published
from stanch.comms.status.v2 import incident_data, page_data
from stanch.kernel.blocks import clean
from stanch.kernel.codec import to_data
from stanch.kernel.event import JSON
from stanch.oncall.pages.tables import signing_key
from stanch.operations.statuspage.tokens import Purpose, token_for
from stanch.operations.world import World
from stanch.ports.channel import Case, Message
from stanch.store import Transaction, deliveries
from stanch.store.model import Delivery

MAIL: Final = "status/mail"
WEBHOOK: Final = "status/webhook"
ASKING: Final = "status/asking"
"""The names of the channels to subscribers: no name of the configuration holds a slash. Webhooks that were only named
are asked through one of their own, so that no stranger's slow address stands before those who said yes."""

PURPOSE: Final = "status"
_PATH: Final = "/status"
_AT_ONCE: Final = 1000


def page_url(world: World) -> str:
    """Return where customers read the page."""
    return (world.catalog.status.url or f"{world.url}{_PATH}").rstrip("/")


def page_title(world: World) -> str:
    """Return what the page is called."""
    return world.catalog.status.title or f"{world.catalog.name} status"


def tell_subscribers(tx: Transaction, world: World, said: Update) -> int:
    """Owe every subscriber the update; return to how many."""
    known = [one for one in published(tx.connection) if one.incident == said.incident]
    incident = next(iter(incidents_of(known)))
    told, after = 0, ""
    while some := find_subscribers(tx.connection, confirmed_only=True, after=after, limit=_AT_ONCE):
        after = some[-1].id
        for one in some:
            if (channel := channel_of(world, one.kind)) is not None:
                message = _news(tx, world, one, said, incident)
                told += _owe(tx, world, one, message, channel=channel)
    return told


def ask_to_confirm(tx: Transaction, world: World, one: Subscriber) -> bool:
    """Owe a subscriber the question whether they want to be written to; False where it is owed already."""
    channel = channel_of(world, one.kind)
    if channel is None:
        return False
    title = page_title(world)
    now = world.clock.now()
    token = token_for(signing_key(tx.connection), Purpose.CONFIRM, subscriber=one.id, now=now)
    link = f"{world.url}{_PATH}/confirm/{token}"
    text = (
        f"Somebody, probably you, asked for the updates of {title} to be sent here.\n\n"
        f"Open this within two days, and press the button, if you want them:\n{link}\n\n"
        "If you do nothing, nothing is sent and the request is forgotten."
    )
    data: dict[str, JSON] = {"meta": {"confirm": link, "text": "POST to this address to confirm."}}
    message = Message(
        id=f"{_key(one)}ask/{int(one.asked_at.timestamp())}",
        room=PURPOSE,
        subject=f"Confirm: updates of {clean(title)}",
        text=text,
        markdown=text,
        data=data,
        to=one.address,
    )
    return _owe(tx, world, one, message, channel=ASKING if channel == WEBHOOK else channel)


def forget_messages(tx: Transaction, subscriber: str) -> None:
    """Delete what was sent to a subscriber, or waits to be: the address stands in it."""
    while some := deliveries.newest_below(tx.connection, prefix=f"{PURPOSE}/{subscriber}/", limit=500):
        deliveries.forget(tx.connection, [one.id for one in some])


def channel_of(world: World, kind: str) -> str | None:
    """Return the channel to subscribers of a kind, None where they can not be written to any more."""
    spec = world.catalog.status
    if kind == "email":
        return MAIL if spec.mail else None
    return WEBHOOK if spec.webhooks else None


def _news(tx: Transaction, world: World, one: Subscriber, said: Update, incident: Incident) -> Message:
    title = page_title(world)
    token = token_for(signing_key(tx.connection), Purpose.LEAVE, subscriber=one.id, now=world.clock.now())
    leave = f"{world.url}{_PATH}/leave/{token}"
    link = address_of(page_url(world), incident.number)
    subject = f"[{title}] {said.stage.value.capitalize()}: {said.title}"
    names = {key: spec.title for key, spec in world.catalog.status.components.items()}
    data: dict[str, JSON] = {
        "meta": {"unsubscribe": leave, "generated_at": _instant(world.clock.now())},
        "page": page_data(title=title, url=page_url(world), zone="Etc/UTC", changed_at=said.at),
        "incident": incident_data(incident, names=names, url=page_url(world), title=title),
    }
    is_mail = one.kind == "email"
    return Message(
        id=f"{_key(one)}{said.incident}/{said.number}",
        room=PURPOSE,
        subject=clean(subject),
        text=f"{clean(said.title)}\n\n{clean(said.text)}\n\n{link}\n\n--\nNo more of these: {leave}",
        markdown="",
        data={} if is_mail else data,
        case=_case(said, incident),
        to=one.address,
        leave=leave,
    )


def _case(said: Update, incident: Incident) -> Case:
    return Case(
        number=said.incident,
        key=f"INC-{said.incident}",
        title=said.title,
        severity=said.severity,
        status=said.stage.value,
        purpose=PURPOSE,
        audience="public",
        is_open=incident.is_open,
    )


def _owe(tx: Transaction, world: World, one: Subscriber, message: Message, *, channel: str) -> bool:
    now = world.clock.now()
    return tx.owe(
        Delivery(
            id=message.id,
            channel=channel,
            room=PURPOSE,
            purpose=PURPOSE,
            message=to_data(message),
            due_at=now,
            created_at=now,
        )
    )


def _key(one: Subscriber) -> str:
    return f"{PURPOSE}/{one.id}/"


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
