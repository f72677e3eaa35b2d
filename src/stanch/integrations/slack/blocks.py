"""Neutral blocks as Slack's (https://docs.slack.dev/reference/block-kit). Text goes into `rich_text`, which knows no
markup: nothing that comes from outside can mention a channel or become a link."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

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
from stanch.ports.channel import Button

Part = dict[str, object]

# A message has at most 50 blocks; all of them together fail near 13,000 characters with `msg_blocks_too_long`.
_MOST_BLOCKS: Final = 45
_MOST_CHARACTERS: Final = 9_000
_HEADER: Final = 150
_TEXT: Final = 2_500
_BUTTON: Final = 75
_VALUE: Final = 2_000
_MOST_BUTTONS: Final = 5
_CUT: Final = "… the rest is on the incident's page"


def slack_blocks(blocks: Iterable[Block], *, buttons: Sequence[Button] = ()) -> list[Part]:
    """Return `blocks` with `buttons` below them, cut to what one message holds."""
    made: list[Part] = []
    room = _MOST_CHARACTERS
    for part in (part for block in blocks for part in _block(block)):
        room -= _length(part)
        if room < 0 or len(made) >= _MOST_BLOCKS:
            made.append(_rich([_section([_words(_CUT)])]))
            break
        made.append(part)
    if buttons:
        made.append({"type": "actions", "elements": [_button(one) for one in buttons[:_MOST_BUTTONS]]})
    return made


def escaped(text: str) -> str:
    """Return `text` for the field that notifications show: its three signs are the only markup there."""
    return clean(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _block(block: Block) -> Iterator[Part]:
    match block:
        case Heading(text=text, level=level) if level <= 2:
            words = _flat(text)[:_HEADER]
            if words:
                yield {"type": "header", "text": {"type": "plain_text", "text": words, "emoji": False}}
        case Heading(text=text):
            yield _rich([_section([_words(_flat(text), bold=True)])])
        case Paragraph(text=text):
            yield _rich([_section(_inline(text))])
        case Fields(pairs=pairs):
            lines = [[_words(f"{name}: ", bold=True), *_inline(value)] for name, value in pairs]
            yield _rich([{"type": "rich_text_list", "style": "bullet", "elements": [_section(one) for one in lines]}])
        case Bullets(items=items, numbered=numbered):
            style = "ordered" if numbered else "bullet"
            parts = [_section(_inline(item)) for item in items]
            yield _rich([{"type": "rich_text_list", "style": style, "elements": parts}])
        case Checklist(items=things):
            parts = [_section([_words("☑ " if done else "☐ "), *_inline(item)]) for done, item in things]
            yield _rich([{"type": "rich_text_list", "style": "bullet", "elements": parts}])
        case Code(text=words):
            yield _rich([{"type": "rich_text_preformatted", "elements": [_words(words)]}])
        case Quote(text=text):
            yield _rich([{"type": "rich_text_quote", "elements": _inline(text)}])
        case Link():
            yield _rich([_section(_inline(block))])
        case Divider():
            yield {"type": "divider"}


def _rich(elements: list[Part]) -> Part:
    return {"type": "rich_text", "elements": elements}


def _section(elements: list[Part]) -> Part:
    return {"type": "rich_text_section", "elements": elements}


def _inline(text: Text) -> list[Part]:
    pieces: tuple[Inline, ...] = text if isinstance(text, tuple) else (text,)
    return [_piece(one) for one in pieces] or [_words("")]


def _piece(one: Inline) -> Part:
    match one:
        case str():
            return _words(one)
        case Strong(text=words):
            return _words(words, bold=True)
        case Mono(text=words):
            return _words(words, code=True)
        case Link(url=url, label=label):
            target = safe_url(url)
            if not target:
                return _words(f"{label} ({url})" if label else url)
            return {"type": "link", "url": target, "text": clean(label or url)[:_TEXT]}


def _words(text: str, **style: bool) -> Part:
    # An empty text element is refused.
    made: Part = {"type": "text", "text": clean(text)[:_TEXT] or " "}
    return made | ({"style": style} if style else {})


def _flat(text: Text) -> str:
    pieces: tuple[Inline, ...] = text if isinstance(text, tuple) else (text,)
    words = [
        one if isinstance(one, str) else one.label or one.url if isinstance(one, Link) else one.text for one in pieces
    ]
    return " ".join(clean("".join(words)).split())


def _button(one: Button) -> Part:
    made: Part = {"type": "button", "text": {"type": "plain_text", "text": clean(one.label)[:_BUTTON], "emoji": False}}
    if one.url:
        made["url"] = one.url
    # Pressing a link is told too; its name says that nothing is to be done.
    made["action_id"] = f"stanch/{one.verb}" if one.verb else "stanch/open"
    if one.value:
        made["value"] = one.value[:_VALUE]
    return made | ({"style": "primary"} if one.primary else {})


def _length(part: object) -> int:
    if isinstance(part, dict):
        return 20 + sum(_length(value) for value in part.values())
    if isinstance(part, list):
        return sum(map(_length, part))
    return len(part) if isinstance(part, str) else 0
