"""The Teams channel: one Adaptive Card a message (https://adaptivecards.io/explorer/). A workflow answers that it took
a card and not whether it was shown, keeps no key, and can be read back by nobody: a lost answer stays unknown."""

import json
import weakref
from collections.abc import Iterable, Iterator
from typing import Final

import httpx2

from stanch.kernel.blockdata import read_blocks
from stanch.kernel.blocks import (
    Block,
    Bullets,
    Checklist,
    Code,
    Divider,
    Fields,
    Heading,
    Inline,
    Link,
    Mono,
    Paragraph,
    Quote,
    Strong,
    Text,
    clean,
    safe_url,
)
from stanch.ports.bounded import bounds
from stanch.ports.channel import ChannelSettings, Message, Receipt, hidden, lost, refused

_TIMEOUT: Final = httpx2.Timeout(8.0, connect=3.0)
# 28 KB are taken; the rest is for the frame and for how JSON writes what is not ASCII.
_MOST_BYTES: Final = 24_000
_WORDS: Final = 2_000
_CUT: Final = "… the rest is on the incident's page"

Part = dict[str, object]


class TeamsChannel:
    """Posts cards into whatever chat or channel the workflow writes to."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._client = httpx2.Client(timeout=_TIMEOUT, follow_redirects=False, event_hooks=bounds())
        weakref.finalize(self, self._client.close)

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._settings.name

    @property
    def idempotent(self) -> bool:
        """There is no key."""
        return False

    def post(self, message: Message) -> Receipt:
        """Post `message` as a card."""
        try:
            answer = self._client.post(self._settings.secret, json=card_of(message))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self.name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self.name, error, begun=True) from None
        if not answer.is_success:
            raise refused(
                self.name,
                status=answer.status_code,
                words=hidden(answer.text, secret=self._settings.secret),
                headers=answer.headers,
            )
        return Receipt(detail="the workflow took it")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def card_of(message: Message) -> Part:
    """Return what is posted for `message`, cut to what is taken."""
    blocks = read_blocks(message.blocks) or (Heading(message.subject), Paragraph(message.text))
    body: list[Part] = []
    room = _MOST_BYTES
    for part in _parts(blocks):
        room -= len(json.dumps(part))
        if room < 0:
            body.append(_rich([_run(_CUT)]))
            break
        body.append(part)
    url = message.case.url if message.case else ""
    content: Part = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
    }
    if url:
        content["actions"] = [{"type": "Action.OpenUrl", "title": "Open", "url": url}]
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": content}
    return {"type": "message", "attachments": [card]}


def _parts(blocks: Iterable[Block]) -> Iterator[Part]:
    for block in blocks:
        match block:
            case Heading(text=text):
                yield _rich([{**_run(_flat(text)), "size": "Large", "weight": "Bolder"}])
            case Paragraph(text=text) | Quote(text=text):
                yield _rich(_runs(text))
            case Fields(pairs=pairs):
                for name, value in pairs:
                    yield _rich([{**_run(f"{name}: "), "weight": "Bolder"}, *_runs(value)])
            case Bullets(items=items, numbered=numbered):
                for number, item in enumerate(items, start=1):
                    yield _rich([_run(f"{number}. " if numbered else "• "), *_runs(item)])
            case Checklist(items=things):
                for done, item in things:
                    yield _rich([_run("☑ " if done else "☐ "), *_runs(item)])
            case Code(text=words):
                yield _rich([{**_run(words), "fontType": "Monospace"}])
            case Link():
                yield _rich(_runs(block))
            case Divider():
                yield {"type": "TextBlock", "text": " ", "separator": True}


def _rich(runs: list[Part]) -> Part:
    # Text in a TextBlock is read as Markdown; in a RichTextBlock it is only text.
    return {"type": "RichTextBlock", "inlines": runs}


def _runs(text: Text) -> list[Part]:
    return [_piece(one) for one in (text if isinstance(text, tuple) else (text,))]


def _piece(one: Inline) -> Part:
    match one:
        case str():
            return _run(one)
        case Strong(text=words):
            return {**_run(words), "weight": "Bolder"}
        case Mono(text=words):
            return {**_run(words), "fontType": "Monospace"}
        case Link(url=url, label=label):
            target = safe_url(url)
            made = _run(label or url)
            return {**made, "selectAction": {"type": "Action.OpenUrl", "url": target}} if target else made


def _run(text: str) -> Part:
    return {"type": "TextRun", "text": clean(text)[:_WORDS] or " "}


def _flat(text: Text) -> str:
    pieces = text if isinstance(text, tuple) else (text,)
    words = [
        one if isinstance(one, str) else one.label or one.url if isinstance(one, Link) else one.text for one in pieces
    ]
    return "".join(words)
