"""The status page as `stanch.toml` declares it: what of the catalog is shown, under which name, and who may publish."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from stanch.catalog.channels import SEVERITIES
from stanch.catalog.key import Key, Type
from stanch.catalog.load_checks import complain_of_url
from stanch.catalog.reader import Reader, complain_of_zone, did_you_mean
from stanch.kernel.errors import Problem

PUBLISHING: Final = ("ask", "automatic")
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f]{1,120}")

STATUS: Final = (
    Key(name="title", type=Type.TEXT, doc="What the page is called; by default the installation's name."),
    Key(
        name="publish",
        type=Type.TEXT,
        doc="`ask`: a person says yes to every update; `automatic`: it stands there at once.",
        words=PUBLISHING,
    ),
    Key(name="public", type=Type.BOOLEAN, doc="Whether it is open to everyone who reaches the server, without token."),
    Key(
        name="severity", type=Type.TEXT, doc="From which severity on it is told, this one and worse.", words=SEVERITIES
    ),
    Key(name="folder", type=Type.TEXT, doc="Where it is written as static files at every change; without it, not."),
    Key(name="url", type=Type.TEXT, doc="Where customers read it; by default this server's `/status`."),
    Key(name="zone", type=Type.TEXT, doc="The time zone that instants are shown in, with UTC; by default `zone`."),
    Key(name="mail", type=Type.TEXT, doc="The channel of kind `email` that subscribers are written through."),
    Key(name="webhooks", type=Type.BOOLEAN, doc="Whether one may subscribe with a webhook."),
    Key(
        name="private_webhooks",
        type=Type.BOOLEAN,
        doc="Whether webhooks may lead to private addresses, and need no https.",
    ),
    Key(
        name="per_address",
        type=Type.INTEGER,
        doc="Requests to subscribe that one address may send in ten minutes.",
        low=1,
        high=1000,
    ),
    Key(
        name="overall",
        type=Type.INTEGER,
        doc="Requests to subscribe that all together may send in ten minutes.",
        low=1,
        high=100_000,
    ),
    Key(name="components", type=Type.TABLES, doc="What is shown, `[status.components.checkout]`; nothing else is."),
)

COMPONENT: Final = (
    Key(name="title", type=Type.TEXT, doc="What customers know the service as; by default its title."),
    Key(name="group", type=Type.TEXT, doc="Under which heading it stands."),
    Key(name="description", type=Type.TEXT, doc="A sentence on what it is."),
)


@dataclass(frozen=True, kw_only=True)
class ComponentSpec:
    """A service that customers see, by the service's name: what it is called there, and under which heading."""

    service: str
    title: str
    group: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class StatusSpec:
    """The status page, `[status]`. There is a public one where it has components."""

    title: str = ""
    publish: str = "ask"
    public: bool = False
    severity: str = "SEV3"
    folder: str = ""
    url: str = ""
    zone: str = ""
    mail: str = ""
    webhooks: bool = False
    private_webhooks: bool = False
    per_address: int = 5
    overall: int = 60
    components: dict[str, ComponentSpec] = field(default_factory=dict)

    @property
    def is_shown(self) -> bool:
        """Tell whether there is a public page."""
        return bool(self.components)


def read_status(
    top: Reader, problems: list[Problem], *, titles: Mapping[str, str], channels: Mapping[str, str]
) -> dict[str, object]:
    """Return `[status]` as data; `titles` are the services' by name, `channels` kinds by name."""
    reader = Reader(top.table("status"), at="status", keys=STATUS, problems=problems)
    if url := reader.text("url"):
        complain_of_url(reader, "url", url)
    complain_of_zone(reader, "zone")
    mail = reader.text("mail")
    if mail and channels.get(mail) != "email":
        mails = tuple(name for name, kind in channels.items() if kind == "email")
        reader.complain("mail", f"names no channel of kind email: {mail!r}{did_you_mean(mail, mails)}")
    components = {
        name: _component(reader, name, table, titles=titles)
        for name, table in reader.table("components").items()
        if isinstance(table, dict)
    }
    return {**reader.given(), "components": components}


def _component(top: Reader, name: str, table: Mapping[str, object], *, titles: Mapping[str, str]) -> dict[str, object]:
    reader = top.inner(table, at=f"components.{name}", keys=COMPONENT)
    names: Sequence[str] = tuple(titles)
    if name not in titles:
        reader.complain("", f"is no service: {name!r}{did_you_mean(name, names)}")
    for key in ("title", "group"):
        if (said := reader.text(key)) and not _NAME.fullmatch(said):
            reader.complain(key, "is one line of at most 120 characters")
    return {**reader.given(), "service": name, "title": reader.text("title") or titles.get(name, "") or name}
