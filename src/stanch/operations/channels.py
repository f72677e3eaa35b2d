"""The operation that says how it stands with the channels: what is not set, and whether chats are heard."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from stanch.catalog.channels import CHATS, ChannelSpec
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World

_SOCKET = "socket"


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Nothing needs to be said."""


@dataclass(frozen=True, kw_only=True)
class ChannelLook:
    """One channel. `hears` is how requests come from there: `socket`, `http`, `sync`, or nothing where none do.

    `lacks` is what keeps it from working, a sentence each; `notes` what is worth knowing. `heard_since` is when the
    connection that stands was opened, where there is one.
    """

    name: str
    kind: str
    hears: str
    heard_since: datetime | None
    lacks: tuple[str, ...]
    notes: tuple[str, ...]


@operation("comms.channels", effect=Effect.READ, example={})
def channels(call: Call, request: Ask) -> list[ChannelLook]:
    """Say of every channel what it lacks, and of chats whether they are heard."""
    return [_look(call.world, spec) for spec in call.world.catalog.channels.values()]


def _look(world: World, spec: ChannelSpec) -> ChannelLook:
    listened = world.listening.get(spec.name)
    return ChannelLook(
        name=spec.name,
        kind=spec.kind,
        hears=_way(spec),
        heard_since=listened.since if listened else None,
        lacks=tuple(_lacks(world, spec)),
        notes=tuple(_notes(world, spec)),
    )


def _way(spec: ChannelSpec) -> str:
    if spec.kind == "matrix":
        return "sync"
    return _SOCKET if spec.socket_env else "http" if spec.signing_env and spec.kind in CHATS else ""


def _lacks(world: World, spec: ChannelSpec) -> Iterator[str]:
    for variable in world.unset.get(spec.name, ()):
        yield f"{variable} is not set in the environment of the server"
    listened = world.listening.get(spec.name)
    if listened and listened.trouble:
        yield f"what people ask there is not heard: {listened.trouble}"


def _notes(world: World, spec: ChannelSpec) -> Iterator[str]:
    if spec.kind not in CHATS:
        return
    if not _way(spec):
        ways = "socket_env or signing_env" if spec.kind == "slack" else "signing_env"
        yield f"commands and buttons are not taken from there: set {ways}"
        return
    unknown = [one.id for one in world.catalog.people.values() if not one.chat.get(spec.kind)]
    if unknown:
        shown = ", ".join(unknown[:5]) + (f" and {len(unknown) - 5} more" if len(unknown) > 5 else "")
        yield f"not known there, so not listened to: {shown} ([people.{unknown[0]}] chat.{spec.kind})"
