"""Reads a reply to a page that went out as mail: what its first lines ask for. Pure.

What a program answers by itself is never an answer of a person: RFC 3834 marks, older marks that are still met, reports
of mail servers, and subjects by which programs say so.
"""

import email.policy
import re
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from enum import StrEnum
from typing import Final

from stanch.integrations.email.reading import header_of, text_of
from stanch.kernel.errors import Invalid

_LINES: Final = 3
_LONGEST_LINE: Final = 200
_MOST_MINUTES: Final = 24 * 60
_WORDS: Final = re.compile(
    r"[\s\"'*_]*(?:(?P<ack>ack(?:nowledged?)?|on it|mine|taken)"
    r"|(?P<escalate>escalate|next|pass)"
    r"|(?P<snooze>snooze)(?:\s+(?:for\s+)?(?P<number>\d{1,4})\s*(?P<unit>m|min|minutes?|h|hours?)?)?)[\s.!]*",
    re.IGNORECASE,
)
# What mail programs put above the mail that is answered.
_QUOTE: Final = re.compile(
    r"\s*(?:>|-{2,}\s*\w[\w ]*-{2,}|_{10,}|on .{4,200} wrote:|am .{4,200} schrieb|le .{4,200} a écrit"
    r"|(?:from|von|de):\s)",
    re.IGNORECASE,
)
_AUTOMATIC_SUBJECT: Final = re.compile(
    r"\s*(?:auto(?:matic|mated)?[- ]?(?:reply|response|antwort)|automatische antwort|réponse automatique"
    r"|out of (?:the )?office|abwesen\w*|undeliver\w*|delivery (?:status|failure)|mail delivery|returned mail"
    r"|vacation)\b",
    re.IGNORECASE,
)
_AUTOMATIC_HEADERS: Final = (
    "x-autoreply",
    "x-autorespond",
    "x-autoresponse",
    "x-auto-reply",
    "list-id",
    "x-failed-recipients",
)
_BULK: Final = ("bulk", "junk", "list", "auto_reply", "auto-reply")


class Word(StrEnum):
    """What a reply asks for."""

    ACKNOWLEDGE = "ack"
    ESCALATE = "escalate"
    SNOOZE = "snooze"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """A reply: what it asks for, for how many minutes where that matters, and whether a program wrote it."""

    word: Word
    minutes: int = 0
    automatic: bool = False


def read_reply(raw: bytes, *, sender: str) -> Reply:
    """Return what a reply says; `sender` is the address of its envelope, empty for reports of mail servers.

    Raises `Invalid` for what is no mail.
    """
    try:
        message = message_from_bytes(raw, policy=email.policy.default)
    except (MessageError, ValueError) as error:
        raise Invalid(f"is no mail: {error}", field="mail") from error
    if not isinstance(message, EmailMessage) or not message.keys():
        raise Invalid("has no headers", field="mail")
    if _is_automatic(message, sender):
        return Reply(word=Word.NOTHING, automatic=True)
    return _said(text_of(message))


def _is_automatic(message: EmailMessage, sender: str) -> bool:
    submitted = header_of(message, "auto-submitted").partition(";")[0].strip().lower()
    return (
        not sender
        or submitted not in ("", "no")
        or message.get_content_type() in ("multipart/report", "message/delivery-status")
        or any(name in message for name in _AUTOMATIC_HEADERS)
        or header_of(message, "precedence").strip().lower() in _BULK
        or _AUTOMATIC_SUBJECT.match(header_of(message, "subject")) is not None
    )


def _said(text: str) -> Reply:
    """Return what the first lines say, above what is quoted; a line that says more than one of the words is not it."""
    lines = 0
    for line in text.splitlines():
        if not line.strip():
            continue
        if _QUOTE.match(line) or lines == _LINES:
            break
        lines += 1
        found = _WORDS.fullmatch(line[:_LONGEST_LINE])
        if found is None:
            continue
        if found["ack"]:
            return Reply(word=Word.ACKNOWLEDGE)
        if found["escalate"]:
            return Reply(word=Word.ESCALATE)
        hours = (found["unit"] or "m").lower().startswith("h")
        minutes = int(found["number"] or 30) * (60 if hours else 1)
        return Reply(word=Word.SNOOZE, minutes=max(1, min(minutes, _MOST_MINUTES)))
    return Reply(word=Word.NOTHING)
