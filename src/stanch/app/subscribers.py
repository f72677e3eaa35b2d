"""The channels to subscribers of the status page: mail through a configured channel's server, and webhooks.

They stand beside the configured channels under names of their own, so that a thousand subscribers do not stand in line
before those who respond.
"""

import os
from typing import Final

from stanch.catalog.model import Catalog
from stanch.integrations.smtp import MailChannel
from stanch.integrations.webhook import SubscribedWebhook
from stanch.operations.statuspage.telling import ASKING, MAIL, WEBHOOK
from stanch.ports.channel import Channel, ChannelSettings, Message, NotTaken, Receipt

_HIDDEN: Final = "…"


class Discreet:
    """A channel whose errors do not name who was written to: servers repeat the address, and errors are kept."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    @property
    def name(self) -> str:
        """Return the channel's name."""
        return self._channel.name

    @property
    def idempotent(self) -> bool:
        """Tell what the channel tells."""
        return self._channel.idempotent

    def post(self, message: Message) -> Receipt:
        """Post `message`."""
        try:
            return self._channel.post(message)
        except NotTaken as error:
            local = message.to.partition("@")[0]
            said = error.message.replace(message.to, _HIDDEN).replace(f"{local}@", f"{_HIDDEN}@")
            raise NotTaken(said, failure=error.failure, retry_after_s=error.retry_after_s) from None


def subscriber_channels(catalog: Catalog) -> dict[str, Channel]:
    """Return the channels to subscribers by name, those that are configured."""
    spec = catalog.status
    found: dict[str, Channel] = {}
    if spec.mail:
        via = catalog.channels[spec.mail]
        settings = ChannelSettings(
            name=MAIL,
            kind=via.kind,
            url=via.url,
            account=via.account,
            sender=via.sender,
            secret=os.environ.get(via.secret_env, "").strip() if via.secret_env else "",
            root=catalog.root,
        )
        found[MAIL] = Discreet(MailChannel(settings))
    if spec.webhooks:
        for name in (WEBHOOK, ASKING):
            found[name] = Discreet(SubscribedWebhook(name=name, private=spec.private_webhooks))
    return found
