"""Reactions as buttons: Matrix has none, so a message says which reaction does what, and carries the same for us to
find when somebody reacts. Only what our own account wrote is believed."""

from collections.abc import Sequence
from typing import Final

from stanch.kernel.event import JSON
from stanch.ports.channel import Button

KEY: Final = "org.stanch.reactions"
"""Where in a message's content it stands what each reaction asks."""

_EMOJI: Final = {"ack": "👀", "approve": "✅", "assign": "🙋", "catchup": "📋"}
REACTIONS: Final = frozenset(_EMOJI.values())
"""Those that do something on a message that says so."""

_APPROVE: Final = "approve"
# Newer than this when somebody reacts, an edit may not have been on their screen.
_SEEN_AFTER_MS: Final = 10_000
_TONES: Final = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")


def plain(reaction: str) -> str:
    """Return a reaction without the skin tone and the sign that asks for a picture."""
    return "".join(sign for sign in reaction if sign not in _TONES and sign != "\ufe0f")


def line(buttons: Sequence[Button]) -> str:
    """Return the line that says which reaction does what; empty where none does anything."""
    said = [f"{_EMOJI[one.verb]} {one.label}" for one in buttons if one.verb in _EMOJI]
    return f"React with {' · '.join(said)} · 📌 on a message puts it into the log" if said else ""


def content(buttons: Sequence[Button]) -> dict[str, str]:
    """Return what each reaction asks, as it would be typed."""
    return {_EMOJI[one.verb]: f"{one.verb} {one.value}".strip() for one in buttons if one.verb in _EMOJI}


def asked_by(reaction: str, message: dict[str, JSON], *, me: str, reacted_ms: float) -> str:
    """Return what a reaction to `message` asks; empty where it asks nothing, or the message is not ours.

    `reacted_ms` is when, in milliseconds of the homeserver's clock. An approval is bound to the plan that was shown:
    one that an edit put there just before loses its digest, and so shows the plan instead.
    """
    if not me or message.get("sender") != me:
        return ""
    edit = part(part(part(message.get("unsigned")).get("m.relations")).get("m.replace"))
    is_edited = edit.get("sender") == me
    shown = part(part(edit.get("content")).get("m.new_content")) if is_edited else part(message.get("content"))
    asks = part(shown.get(KEY)).get(plain(reaction))
    if not isinstance(asks, str):
        return ""
    edited_ms = edit.get("origin_server_ts") if is_edited else None
    words = asks.split()
    if words[:1] == [_APPROVE] and isinstance(edited_ms, int | float) and reacted_ms - edited_ms < _SEEN_AFTER_MS:
        return " ".join(word for place, word in enumerate(words) if place != 2)
    return asks


def part(value: JSON) -> dict[str, JSON]:
    """Return a part of an event; empty where it is none."""
    return value if isinstance(value, dict) else {}
