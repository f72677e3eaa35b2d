"""Neutral blocks as JSON values and back, so that a message that waits to be sent keeps what it is made of."""

from collections.abc import Iterable
from typing import Final, TypeAlias

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
)
from stanch.kernel.errors import Bug
from stanch.kernel.event import JSON

_Object: TypeAlias = dict[str, JSON]
_WORDS: Final = "is"


def write_blocks(blocks: Iterable[Block]) -> tuple[JSON, ...]:
    """Return `blocks` as JSON values."""
    return tuple(map(_write, blocks))


def read_blocks(data: Iterable[JSON]) -> tuple[Block, ...]:
    """Return the blocks that `write_blocks` wrote. Raises `Bug` for anything else: we wrote it ourselves."""
    try:
        return tuple(map(_read, data))
    except (KeyError, TypeError, ValueError) as error:
        raise Bug(f"stored data is no block: {error!r}") from error


def _write(block: Block) -> JSON:
    match block:
        case Heading(text=text, level=level):
            return {_WORDS: "heading", "text": _text(text), "level": level}
        case Paragraph(text=text):
            return {_WORDS: "paragraph", "text": _text(text)}
        case Fields(pairs=pairs):
            return {_WORDS: "fields", "pairs": [[name, _text(value)] for name, value in pairs]}
        case Bullets(items=items, numbered=numbered):
            return {_WORDS: "bullets", "items": [_text(item) for item in items], "numbered": numbered}
        case Checklist(items=things):
            return {_WORDS: "checklist", "items": [[done, _text(item)] for done, item in things]}
        case Code(text=words, language=language):
            return {_WORDS: "code", "text": words, "language": language}
        case Quote(text=text):
            return {_WORDS: "quote", "text": _text(text)}
        case Link():
            return _inline(block)
        case Divider():
            return {_WORDS: "divider"}


def _text(text: Text) -> JSON:
    return [_inline(one) for one in text] if isinstance(text, tuple) else _inline(text)


def _inline(text: Inline) -> JSON:
    match text:
        case str():
            return text
        case Strong(text=words):
            return {_WORDS: "strong", "text": words}
        case Mono(text=words):
            return {_WORDS: "mono", "text": words}
        case Link(url=url, label=label):
            return {_WORDS: "link", "url": url, "label": label}


def _read(data: JSON) -> Block:
    one = _object(data)
    match one[_WORDS]:
        case "heading":
            level = one["level"]
            return Heading(_read_text(one["text"]), level=level if isinstance(level, int) else 2)
        case "paragraph":
            return Paragraph(_read_text(one["text"]))
        case "fields":
            return Fields(tuple((str(name), _read_text(value)) for name, value in map(_pair, _list(one["pairs"]))))
        case "bullets":
            return Bullets(tuple(map(_read_text, _list(one["items"]))), numbered=bool(one["numbered"]))
        case "checklist":
            return Checklist(tuple((bool(done), _read_text(item)) for done, item in map(_pair, _list(one["items"]))))
        case "code":
            return Code(str(one["text"]), language=str(one["language"]))
        case "quote":
            return Quote(_read_text(one["text"]))
        case "link":
            return Link(str(one["url"]), str(one["label"]))
        case "divider":
            return Divider()
    raise ValueError(f"there is no block {one[_WORDS]!r}")


def _read_text(data: JSON) -> Text:
    return tuple(map(_read_inline, data)) if isinstance(data, list) else _read_inline(data)


def _read_inline(data: JSON) -> Inline:
    if isinstance(data, str):
        return data
    one = _object(data)
    match one[_WORDS]:
        case "strong":
            return Strong(str(one["text"]))
        case "mono":
            return Mono(str(one["text"]))
    return Link(str(one["url"]), str(one["label"]))


def _object(data: JSON) -> _Object:
    if not isinstance(data, dict):
        raise TypeError(f"{data!r} is no object")
    return data


def _list(data: JSON) -> list[JSON]:
    if not isinstance(data, list):
        raise TypeError(f"{data!r} is no list")
    return data


def _pair(data: JSON) -> tuple[JSON, JSON]:
    first, second = _list(data)
    return first, second
