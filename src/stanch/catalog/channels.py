"""Where messages go and who is told: the records of channels, stakeholders and the cadence, their keys."""

from dataclasses import dataclass, field
from typing import Final

from stanch.catalog.key import Key, Type

CHANNEL_KINDS: Final = (
    "file",
    "webhook",
    "slack",
    "matrix",
    "mattermost",
    "teams",
    "discord",
    "email",
    "apprise",
    "statuspage",
)
WITH_ROOMS: Final = ("slack", "matrix", "mattermost")
"""Those where an incident can have a room of its own, with its facts pinned."""

CHATS: Final = ("slack", "matrix", "mattermost")
"""Those where people are known by a name of their own: `[people.alice.chat]`."""

AUDIENCES: Final = ("responders", "stakeholders", "public")
SEVERITIES: Final = ("SEV1", "SEV2", "SEV3", "SEV4")
UPDATES: Final = ("lead", "automatic", "by-hand")

CHANNEL: Final = (
    Key(name="kind", type=Type.TEXT, doc="What is spoken there.", required=True, words=CHANNEL_KINDS),
    Key(
        name="target",
        type=Type.TEXT,
        doc="Where in it: a folder for `file`, a URL for `webhook`, the page for `statuspage`, a room for a chat.",
    ),
    Key(name="audiences", type=Type.TEXTS, doc="Who reads it: `responders`, `stakeholders`, `public`."),
    Key(name="severity", type=Type.TEXT, doc="From which severity on, this one and worse.", words=SEVERITIES),
    Key(name="services", type=Type.TEXTS, doc="Only incidents of these services; by default all."),
    Key(name="rooms", type=Type.BOOLEAN, doc="Every incident has a room of its own there, with its facts pinned."),
    Key(name="url", type=Type.TEXT, doc="The server, where it is not the vendor's own; `smtps://...` for `email`."),
    Key(name="account", type=Type.TEXT, doc="The account there: a team's id for `mattermost`, a login for `email`."),
    Key(name="sender", type=Type.TEXT, doc="The address that mail comes from."),
    Key(name="to", type=Type.TEXTS, doc="Addresses that mail goes to."),
    Key(name="secret_env", type=Type.TEXT, doc="The environment variable with the token, or with the URL that is one."),
    Key(name="signing_env", type=Type.TEXT, doc="The variable with what proves requests of the far end: commands."),
    Key(
        name="socket_env",
        type=Type.TEXT,
        doc="The variable with the app's token (`xapp-`): Slack's requests come down a socket that the server opens.",
    ),
    Key(name="components", type=Type.TABLE, doc='What the status page shows of a service, `checkout = "kctbh9vr"`.'),
)

STAKEHOLDER: Final = (
    Key(name="title", type=Type.TEXT, doc="Who they are; by default the key."),
    Key(name="channel", type=Type.TEXT, doc="The channel that they are told through.", required=True),
    Key(name="to", type=Type.TEXTS, doc="Their addresses there, or `person:alice`.", required=True),
    Key(name="audience", type=Type.TEXT, doc="As whom they are told.", words=AUDIENCES),
    Key(name="services", type=Type.TEXTS, doc="Of which services they are told; by default of all."),
    Key(name="severity", type=Type.TEXT, doc="From which severity on, this one and worse.", words=SEVERITIES),
)

COMMS: Final = (
    Key(
        name="updates",
        type=Type.TEXT,
        doc="Who keeps the promise of the next update: the communications `lead` where there is one, else Stanch; "
        "`automatic` is always Stanch, `by-hand` always a person.",
        words=UPDATES,
    ),
    Key(name="remind_before_s", type=Type.SECONDS, doc="How long before an update is due its lead is reminded.", low=0),
    Key(name="templates", type=Type.TEXT, doc="Folder of own templates, which replace the shipped ones."),
)


@dataclass(frozen=True, kw_only=True)
class ChannelSpec:
    """Where messages go. `severity` is the least one that is told there; no `services` means all of them.

    Secrets are in the environment variables that `secret_env`, `signing_env` and `socket_env` name.
    """

    name: str
    kind: str
    target: str = ""
    audiences: tuple[str, ...] = ("responders",)
    severity: str = "SEV4"
    services: tuple[str, ...] = ()
    rooms: bool = False
    url: str = ""
    account: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    secret_env: str = ""
    signing_env: str = ""
    socket_env: str = ""
    components: dict[str, str] = field(default_factory=dict)

    @property
    def hears(self) -> bool:
        """Tell whether what is pressed there reaches this server, and can be believed; a homeserver is always asked."""
        return self.kind == "matrix" or bool(self.signing_env or self.socket_env)


@dataclass(frozen=True, kw_only=True)
class StakeholderSpec:
    """Somebody who is told of some services' incidents through `channel`, each address in `to` by itself."""

    name: str
    channel: str
    to: tuple[str, ...]
    title: str = ""
    audience: str = "stakeholders"
    services: tuple[str, ...] = ()
    severity: str = "SEV2"


@dataclass(frozen=True, kw_only=True)
class Comms:
    """How updates are kept up: see the keys. `remind_before_s` is in seconds."""

    updates: str = "lead"
    remind_before_s: float = 300.0
    templates: str = "templates"
