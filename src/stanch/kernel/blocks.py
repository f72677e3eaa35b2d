"""Messages as neutral blocks, and how they read as plain text and as Markdown.

Owns what a message is made of. Every `str` in a block counts as untrusted: a renderer escapes it, so that the text of
an alert can never become a heading, a link, a mention of a person, or a control code of a terminal. Markup exists
only as `Strong`, `Mono` and `Link`. Other channels bring their renderers in their integrations.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote, urlsplit


@dataclass(frozen=True)
class Strong:
    """Words that stand out."""

    text: str


@dataclass(frozen=True)
class Mono:
    """A short piece of code: a command, an identifier, a path."""

    text: str


@dataclass(frozen=True)
class Link:
    """A link to `url` (http, https or mailto; anything else is shown and not linked). Also a block of its own."""

    url: str
    label: str = ""


Inline: TypeAlias = str | Strong | Mono | Link
Text: TypeAlias = Inline | tuple[Inline, ...]


@dataclass(frozen=True)
class Heading:
    """A heading; level 1 is the title of the message, 3 the deepest."""

    text: Text
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Running text. Line breaks stay."""

    text: Text


@dataclass(frozen=True)
class Fields:
    """Facts: pairs of a name and a value, in order."""

    pairs: tuple[tuple[str, Text], ...]


@dataclass(frozen=True)
class Bullets:
    """A list; `numbered` when the order matters."""

    items: tuple[Text, ...]
    numbered: bool = False


@dataclass(frozen=True)
class Checklist:
    """Things to do: each with whether it is done."""

    items: tuple[tuple[bool, Text], ...]


@dataclass(frozen=True)
class Code:
    """A block of code or output, shown as it is. `language` is a word such as `sh` or `sql`."""

    text: str
    language: str = ""


@dataclass(frozen=True)
class Quote:
    """What somebody or something else said."""

    text: Text


@dataclass(frozen=True)
class Divider:
    """A line between two parts."""


Block: TypeAlias = Heading | Paragraph | Fields | Bullets | Checklist | Code | Quote | Link | Divider

# Control codes (a terminal would obey them) and the marks that turn the direction of text around, which can make a
# line read as something else (CVE-2021-42574). Tab and line feed stay.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]"
)
_ESCAPE_SEQUENCE: Final = re.compile(
    "\x1b(?:\\[[0-?]{0,64}[ -/]{0,16}[@-~]|\\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\\\)|[@-_])"
)
_NEWLINES: Final = re.compile("\r\n?|\x85|\u2028|\u2029")

# Every ASCII sign that can open markup anywhere in a line of CommonMark, GFM or a chat's dialect of them.
_MARKUP: Final = re.compile(r"[\\`*_\[\]<|~&@$]")
# Signs that matter at the start of a line only: headings, quotes, rules, lists and tables.
_LINE_START: Final = re.compile(r"^([ \t]*)([+\-:#>=])")
_NUMBERED: Final = re.compile(r"^([ \t]*[0-9]{1,12})([.)])")
# GFM links bare addresses; an escaped sign inside keeps them text, also where two pieces meet.
_AUTOLINK: Final = re.compile(
    r"(?i)(?:(?<=http)|(?<=https)|(?<=ftp)|(?<=mailto)|(?<=xmpp)):|(?<=www)\.|^:(?=/)|^\.(?=[a-z0-9])"
)
_LANGUAGE: Final = re.compile(r"[A-Za-z0-9_+-]{1,20}")


def clean(text: str) -> str:
    """Return `text` without control codes, escape sequences and marks that reverse its direction."""
    return _HIDDEN.sub("", _NEWLINES.sub("\n", _ESCAPE_SEQUENCE.sub("", text)))


def without_hidden(text: str) -> str:
    """Return `text` without the signs that are not seen, one by one: for what is made of many texts, such as a page.

    There `clean` would be wrong: an escape sequence could begin in one text and end in another, and take what stands
    between them.
    """
    return _HIDDEN.sub("", text)


def safe_url(url: str) -> str:
    """Return `url` fit for a link, percent-encoded where needed, or an empty string when it is not to be linked."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    known = parts.netloc if parts.scheme in ("http", "https") else parts.scheme == "mailto" and parts.path
    return quote(clean(url.strip()), safe=":/?#[]@!$&'*+,;=%-._~") if known else ""


def to_plain(blocks: Iterable[Block]) -> str:
    """Render `blocks` as plain text for a terminal, a log or an SMS; ends without a line break."""
    return "\n\n".join(part for part in map(_plain_block, blocks) if part)


def _plain_block(block: Block) -> str:
    match block:
        case Heading(text=text, level=level):
            line = _one_line(_plain(text))
            return f"{line}\n{('=' if level == 1 else '-') * len(line)}" if line else ""
        case Paragraph(text=text):
            return _plain(text).strip()
        case Fields(pairs=pairs):
            names = [_one_line(clean(name)) for name, _ in pairs]
            width = max(map(len, names), default=0)
            lines = (f"{name}:{' ' * (width - len(name) + 1)}" for name in names)
            return "\n".join(_hang(line, _plain(text)) for line, (_, text) in zip(lines, pairs, strict=True))
        case Bullets(items=items, numbered=numbered):
            return "\n".join(
                _hang(f"{number}. " if numbered else "- ", _plain(item)) for number, item in enumerate(items, start=1)
            )
        case Checklist(items=items):
            return "\n".join(_hang("[x] " if done else "[ ] ", _plain(item)) for done, item in items)
        case Code(text=text):
            return "\n".join(f"    {line}" if line else "" for line in clean(text).strip("\n").split("\n"))
        case Quote(text=text):
            return "\n".join(f"> {line}".rstrip() for line in _plain(text).strip().split("\n"))
        case Link():
            return _plain(block)
        case Divider():
            return "-" * 40


def _plain(text: Text) -> str:
    if isinstance(text, tuple):
        return "".join(map(_plain, text))
    if isinstance(text, Link):
        url, label = _one_line(clean(text.url)), _one_line(clean(text.label))
        return f"{label} ({url})" if label and label != url else url
    return clean(text if isinstance(text, str) else text.text)


def to_markdown(blocks: Iterable[Block]) -> str:
    """Render `blocks` as CommonMark that GitHub, GitLab and chats understand; ends with a line break."""
    return "\n\n".join(part for part in map(_markdown_block, blocks) if part) + "\n"


def _markdown_block(block: Block) -> str:
    match block:
        case Heading(text=text, level=level):
            line = _one_line(_markdown(text))
            return f"{'#' * min(max(level, 1), 6)} {line}" if line else ""
        case Paragraph(text=text):
            return _broken(_markdown(text))
        case Fields(pairs=pairs):
            return "\n".join(
                _hang("- ", _broken(f"**{_one_line(_escaped(name)) or '-'}:** {_markdown(text)}"), indent="  ")
                for name, text in pairs
            )
        case Bullets(items=items, numbered=numbered):
            return "\n".join(
                _hang(f"{number}. " if numbered else "- ", _broken(_markdown(item)))
                for number, item in enumerate(items, start=1)
            )
        case Checklist(items=items):
            return "\n".join(
                _hang("- ", f"[{'x' if done else ' '}] {_broken(_markdown(item))}") for done, item in items
            )
        case Code(text=text, language=language):
            return _fenced(clean(text).strip("\n"), language)
        case Quote(text=text):
            return "\n".join(f"> {line}".rstrip() for line in _broken(_markdown(text)).split("\n"))
        case Link():
            return _markdown(block)
        case Divider():
            return "---"


def _markdown(text: Text) -> str:
    match text:
        case tuple():
            return "".join(map(_markdown, text))
        case str():
            return _escaped(text)
        case Strong(text=words):
            inside = _one_line(_escaped(words))
            return f"**{inside}**" if inside else ""
        case Mono(text=words):
            return _mono(_one_line(clean(words)))
        case Link(url=url, label=label):
            target = safe_url(url)
            shown = _one_line(_escaped(label or url))
            if not target:
                return f"{shown} ({_one_line(_escaped(url))})" if label else shown
            return f"[{shown}](<{target}>)"


def escape_markdown(text: str) -> str:
    """Return `text` such that Markdown shows its characters and takes none of them as markup."""
    return "\n".join(map(_escaped_start, _escaped(text).split("\n")))


def _escaped(text: str) -> str:
    return _AUTOLINK.sub(r"\\\g<0>", _MARKUP.sub(r"\\\g<0>", clean(text)))


def _escaped_start(line: str) -> str:
    return _NUMBERED.sub(r"\1\\\2", _LINE_START.sub(r"\1\\\2", line))


def _broken(text: str) -> str:
    """Keep line breaks as hard breaks, and drop empty lines, which would end the block."""
    lines = (line.strip() for line in text.split("\n"))
    return "\\\n".join(_escaped_start(line) for line in lines if line)


def _hang(lead: str, text: str, *, indent: str | None = None) -> str:
    pad = " " * len(lead) if indent is None else indent
    first, *rest = text.split("\n")
    return "\n".join([f"{lead}{first}".rstrip(), *(f"{pad}{line}".rstrip() for line in rest if line)])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _mono(text: str) -> str:
    if not text:
        return ""
    ticks = "`" * (_longest_run(text) + 1)
    pad = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def _fenced(text: str, language: str) -> str:
    fence = "`" * max(3, _longest_run(text) + 1)
    word = language if _LANGUAGE.fullmatch(language) else ""
    return f"{fence}{word}\n{text}\n{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
