"""Reads where messages go, who is told and how often, and says what is wrong with it."""

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from stanch.catalog.channels import AUDIENCES, CHATS, COMMS, WITH_ROOMS
from stanch.catalog.load_checks import complain_of_url
from stanch.catalog.reader import Reader, did_you_mean
from stanch.kernel.errors import Problem

_NEEDED: Final = {
    "file": ("target",),
    "webhook": ("target",),
    "slack": ("secret_env",),
    "matrix": ("url", "secret_env"),
    "mattermost": ("url", "secret_env"),
    "teams": ("secret_env",),
    "discord": ("secret_env",),
    "email": ("url", "sender"),
    "apprise": ("secret_env",),
    "statuspage": ("target", "secret_env"),
}
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ADDRESS: Final = re.compile(r"[^@\s<>,;\"]{1,64}@[^@\s<>,;\"]{1,255}")


def read_channel(reader: Reader, *, name: str, services: Sequence[str]) -> dict[str, object]:
    """Return the fields of a channel; complain of what its kind lacks."""
    kind = reader.text("kind")
    for key in _NEEDED.get(kind, ()):
        if not reader.text(key):
            reader.complain(key, "is missing" if key == "target" else f"is missing: a channel of kind {kind} needs it")
    if kind == "webhook" and (target := reader.text("target")):
        complain_of_url(reader, "target", target)
    url = reader.text("url")
    if url and not urlsplit(url).netloc:
        reader.complain("url", f"is no URL: {url!r}")
    for key in ("secret_env", "signing_env", "socket_env"):
        if (variable := reader.text(key)) and not _VARIABLE.fullmatch(variable):
            reader.complain(key, "names an environment variable, and never holds the secret itself")
    if reader.text("socket_env") and kind != "slack":
        reader.complain("socket_env", "only slack has sockets")
    rooms = bool(reader.given().get("rooms"))
    if rooms and kind not in WITH_ROOMS:
        reader.complain("rooms", f"only {', '.join(WITH_ROOMS)} have rooms")
    if kind in WITH_ROOMS and not rooms and not reader.text("target"):
        reader.complain("target", "say which room, or write rooms = true for one of its own for every incident")
    if kind == "mattermost" and rooms and not reader.text("account"):
        reader.complain("account", "rooms are made in a team: its id")
    for audience in reader.texts("audiences"):
        if audience not in AUDIENCES:
            reader.complain("audiences", f"there is no audience {audience!r}{did_you_mean(audience, AUDIENCES)}")
    for address in reader.texts("to"):
        if kind == "email" and not _ADDRESS.fullmatch(address):
            reader.complain("to", f"is no mail address: {address!r}")
    _complain_of_services(reader, reader.texts("services"), services, key="services")
    components = reader.table("components")
    _complain_of_services(reader, tuple(components), services, key="components")
    return {**reader.given(), "name": name, "components": {one: str(id) for one, id in components.items()}}


def read_stakeholder(
    reader: Reader,
    *,
    name: str,
    services: Sequence[str],
    channels: Mapping[str, str],
    mails: Mapping[str, str],
) -> dict[str, object]:
    """Return the fields of a stakeholder; `channels` are kinds by name, `mails` people's addresses by id."""
    channel = reader.text("channel")
    if channel and channel not in channels:
        reader.complain("channel", f"names no channel: {channel!r}{did_you_mean(channel, tuple(channels))}")
    for address in reader.texts("to"):
        kind, _, person = address.partition(":")
        if kind == "person":
            if person not in mails:
                reader.complain("to", f"names nobody: {address!r}{did_you_mean(person, tuple(mails))}")
            elif channels.get(channel) == "email" and not mails[person]:
                reader.complain("to", f"{person} has no mail address: write [people.{person}] email = ...")
        elif channels.get(channel) == "email" and not _ADDRESS.fullmatch(address):
            reader.complain("to", f"is no mail address: {address!r}")
    _complain_of_services(reader, reader.texts("services"), services, key="services")
    return {**reader.given(), "name": name, "title": reader.text("title") or name}


def read_comms(top: Reader, problems: list[Problem]) -> dict[str, object]:
    """Return the fields of the table `comms`."""
    return Reader(top.table("comms"), at="comms", keys=COMMS, problems=problems).given()


def _complain_of_services(reader: Reader, named: Sequence[str], services: Sequence[str], *, key: str) -> None:
    for one in named:
        if one not in services:
            reader.complain(key, f"names no service: {one!r}{did_you_mean(one, services)}")


def read_chat(reader: Reader) -> dict[str, str]:
    """Return somebody's names in chats; complain of a chat that there is not."""
    found = reader.table("chat")
    for kind, name in found.items():
        if kind not in CHATS:
            reader.complain(f"chat.{kind}", f"is no chat: {', '.join(CHATS)} are{did_you_mean(kind, CHATS)}")
        elif not isinstance(name, str) or not name.strip():
            reader.complain(f"chat.{kind}", "must be their id there, such as U012AB3CD or @alice:example.org")
    return {kind: name for kind, name in found.items() if isinstance(name, str)}
