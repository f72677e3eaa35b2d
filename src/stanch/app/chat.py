"""Puts the chat surface together: the chats that are configured, and the terminal's words for its answers."""

import os
from collections.abc import Callable, Mapping
from typing import Final

from stanch.catalog.channels import ChannelSpec
from stanch.integrations.mattermost.chat import MattermostChat
from stanch.integrations.slack.chat import SlackChat
from stanch.kernel.event import JSON
from stanch.operations.all import all_operations
from stanch.operations.world import World
from stanch.ports.chat import Chat
from stanch.surfaces.chat.desk import Desk
from stanch.surfaces.cli.comms_text import catchup_lines, told_lines
from stanch.surfaces.cli.incident_text import incident_lines
from stanch.surfaces.cli.overview_text import overview_lines
from stanch.surfaces.cli.records import child, children, line_of, record_of, records_of

CHATS: Final[Mapping[str, Callable[[ChannelSpec], Chat]]] = {
    "slack": lambda one: SlackChat(
        name=one.name, token=_secret(one.secret_env), secret=_secret(one.signing_env), url=one.url
    ),
    "mattermost": lambda one: MattermostChat(
        name=one.name, secret=_secret(one.signing_env), token=_secret(one.secret_env), url=one.url
    ),
}

_MOST_ENTRIES: Final = 15


def chats_of(world: World) -> dict[str, Chat]:
    """Return the chats that may ask, by their channel: those that say what proves their requests."""
    return {
        spec.name: CHATS[spec.kind](spec)
        for spec in world.catalog.channels.values()
        if spec.signing_env and spec.kind in CHATS
    }


def chat_desk(world: World, *, wake: Callable[[], None] = lambda: None) -> Desk:
    """Return what answers the chats of `world`."""
    return Desk(world=world, operations=all_operations(), say=in_words, wake=wake)


def in_words(shows: str, answer: JSON) -> str:
    """Return an answer as the terminal says it."""
    match shows:
        case "overview":
            lines = list(overview_lines(record_of(answer)))
        case "incident" | "opened":
            lines = list(incident_lines(record_of(answer)))
        case "catchup":
            lines = list(catchup_lines(record_of(answer)))
        case "told":
            lines = list(told_lines(record_of(answer)))
        case "list":
            words = ("key", "severity", "status", "title")
            lines = ["  ".join(line_of(card, word) for word in words) for card in records_of(answer)]
            lines = lines or ["no incident"]
        case "timeline":
            entries = records_of(answer)[-_MOST_ENTRIES:]
            lines = [f"{line_of(one, 'at')}  {line_of(one, 'actor')}: {line_of(one, 'title')}" for one in entries]
        case "sent":
            sent = record_of(answer)
            lines = [f"{line_of(sent, 'key')} sent to {len(children(sent, 'messages'))} recipients"]
        case _:
            lines = _done(answer, shows)
    return "\n".join(line.rstrip() for line in lines)


def _done(answer: JSON, shows: str) -> list[str]:
    view = record_of(answer)
    card = child(view, "card")
    what = {
        "acknowledged": f"acknowledged by {line_of(view, 'acknowledged_by')}",
        "severity": f"is {line_of(child(view, 'severity'), 'label')}",
    }.get(shows, shows)
    return [f"{line_of(card, 'key')} {what}: {line_of(card, 'title')}", line_of(card, "url")]


def _secret(variable: str) -> str:
    return os.environ.get(variable, "").strip() if variable else ""
