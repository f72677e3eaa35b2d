"""What Slack's requests say: pressed buttons, the shortcut on a message, reactions
(https://docs.slack.dev/interactivity). They read the same whether Slack posts them or sends them down a socket."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from stanch.kernel.event import JSON
from stanch.ports.chat import Asked, AskedBy, HeardChat

MARKS: Final = frozenset({"pushpin", "round_pushpin", "memo", "spiral_note_pad"})
"""The reactions that put a message into the log."""

_PREFIX: Final = "stanch/"


def interaction(payload: Mapping[str, JSON]) -> HeardChat:
    """Return what a button or the shortcut says; nothing for any other."""
    user, place = str(_dict(payload.get("user")).get("id", "")), str(_dict(payload.get("channel")).get("id", ""))
    reply_to = str(payload.get("response_url", ""))
    match payload.get("type"):
        case "block_actions":
            actions = payload.get("actions")
            action = _dict(actions[0]) if isinstance(actions, list) and actions else {}
            verb = str(action.get("action_id", "")).removeprefix(_PREFIX)
            # A button that is a link is told too.
            if verb == "open" or not str(action.get("action_id", "")).startswith(_PREFIX):
                return HeardChat()
            text = f"{verb} {action.get('value', '')}".strip()
            return HeardChat(asked=Asked(by=AskedBy.BUTTON, user=user, place=place, text=text, reply_to=reply_to))
        case "message_action":
            message = _dict(payload.get("message"))
            asked = Asked(
                by=AskedBy.MARK,
                user=user,
                place=place,
                text=str(message.get("text", "")),
                author=str(message.get("user", "")),
                at=_instant(message.get("ts")),
                reply_to=reply_to,
            )
            return HeardChat(asked=asked)
    return HeardChat()


def event(body: Mapping[str, JSON]) -> HeardChat:
    """Return what an event says; nothing unless it marks a message."""
    if body.get("type") == "url_verification":
        return HeardChat(answer={"challenge": str(body.get("challenge", ""))})
    told = _dict(body.get("event"))
    item = _dict(told.get("item"))
    if told.get("type") != "reaction_added" or told.get("reaction") not in MARKS or item.get("type") != "message":
        return HeardChat()
    asked = Asked(
        by=AskedBy.MARK,
        user=str(told.get("user", "")),
        place=str(item.get("channel", "")),
        author=str(told.get("item_user", "")),
        at=_instant(item.get("ts")),
    )
    return HeardChat(asked=asked)


def _instant(stamp: JSON) -> datetime | None:
    """Return when a message was written: its id is that in seconds, with six digits to tell neighbours apart."""
    whole, _, part = str(stamp or "").partition(".")
    if not (whole.isascii() and whole.isdecimal() and part.isascii() and part.isdecimal() and len(whole) < 12):
        return None
    return datetime.fromtimestamp(int(whole), UTC).replace(microsecond=int(part[:6].ljust(6, "0")))


def _dict(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}
