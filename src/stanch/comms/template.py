"""Templates of messages: a small Markdown with `{variables}`, read into neutral blocks. Pure.

The first line is the subject and the heading. Then blocks, separated by empty lines: lines `- Name: value` are facts,
other lines with a dash a list, `# ` is a heading, a line `[label](address)` a link, anything else a paragraph, in which
`**strong**` and `` `code` `` are known. A line whose variables are all empty is left out, and so is a block without
lines. A variable that holds several lines makes several items of a list. `@SEV1-SEV2 ` at the start of a line keeps it
for these severities.

Markup is taken from the template alone: what is filled in is text and never becomes any.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from stanch.kernel.blocks import Block, Bullets, Fields, Heading, Inline, Link, Mono, Paragraph, Strong, Text, clean

Value: TypeAlias = str | tuple[str, ...]

_VARIABLE: Final = re.compile(r"\{([a-z_]+)\}")
_FACT: Final = re.compile(r"- ([A-Z][^:{}]{0,40}): (.+)")
_ITEM: Final = re.compile(r"- (.+)")
_LINK: Final = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_INLINE: Final = re.compile(r"\*\*(.+?)\*\*|`([^`]+)`")
_ONLY: Final = re.compile(r"@(SEV[1-4])(?:-(SEV[1-4]))? (.*)")


@dataclass(frozen=True, kw_only=True)
class Template:
    """A subject and what stands below it: groups of lines that were separated by empty ones."""

    subject: str
    groups: tuple[tuple[str, ...], ...]


def read_template(text: str) -> Template:
    """Return the template that `text` is; an empty text is one without words."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    groups: list[list[str]] = [[]]
    for line in lines[1:]:
        if line:
            groups[-1].append(line)
        elif groups[-1]:
            groups.append([])
    return Template(
        subject=lines[0].removeprefix("# ") if lines else "",
        groups=tuple(tuple(group) for group in groups if group),
    )


def variables(template: Template) -> tuple[str, ...]:
    """Return the names that a template fills in, each once, in their order."""
    text = "\n".join((template.subject, *("\n".join(group) for group in template.groups)))
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))


def fill(template: Template, values: Mapping[str, Value], *, severity: str) -> tuple[str, tuple[Block, ...]]:
    """Return subject and blocks, the heading first. A name that `values` lacks counts as empty."""
    subject = " ".join(clean(_plain(template.subject, values)).split())
    blocks: list[Block] = [Heading(subject, level=2)]
    for group in template.groups:
        kept = list(_kept(group, severity=severity))
        lines = [line for line in kept if _says_something(line, values)]
        # A heading that nothing is left of stands for nothing.
        if len(lines) == len(kept) or not all(line.startswith("# ") for line in lines):
            blocks += _blocks(lines, values)
    return subject, tuple(blocks)


def _kept(group: Iterable[str], *, severity: str) -> Iterator[str]:
    for line in group:
        only = _ONLY.fullmatch(line)
        if only is None:
            yield line
        elif only[1] <= severity <= (only[2] or only[1]):
            yield only[3]


def _says_something(line: str, values: Mapping[str, Value]) -> bool:
    names = _VARIABLE.findall(line)
    return not names or any(values.get(name) for name in names)


def _blocks(lines: Sequence[str], values: Mapping[str, Value]) -> Iterator[Block]:
    """Yield the blocks that the lines of one group make: neighbours of a kind belong together."""
    facts: list[tuple[str, Text]] = []
    items: list[Text] = []
    words: list[str] = []

    def rest() -> Iterator[Block]:
        if facts:
            yield Fields(tuple(facts))
        if items:
            yield Bullets(tuple(items))
        if words:
            yield Paragraph(_inline("\n".join(words), values))
        for kind in (facts, items, words):
            kind.clear()

    for line in lines:
        if fact := _FACT.fullmatch(line):
            if items or words:
                yield from rest()
            facts += [(fact[1], _text(one)) for one in _each(fact[2], values)]
        elif item := _ITEM.fullmatch(line):
            if facts or words:
                yield from rest()
            items += [_text(one) for one in _each(item[1], values)]
        elif (link := _LINK.fullmatch(line)) or line.startswith("# "):
            yield from rest()
            if link:
                yield Link(_plain(link[2], values), _plain(link[1], values))
            else:
                yield Heading(_plain(line[2:], values), level=3)
        else:
            if facts or items:
                yield from rest()
            words.append(line)
    yield from rest()


def _each(text: str, values: Mapping[str, Value]) -> Iterator[tuple[Inline, ...]]:
    """Yield `text` filled in, once for every line of the one variable that it is, where that holds several."""
    alone = _VARIABLE.fullmatch(text)
    value = values.get(alone[1], "") if alone else None
    if isinstance(value, tuple):
        yield from ((one,) for one in value)
    else:
        yield _inline(text, values)


def _text(inline: tuple[Inline, ...]) -> Text:
    return inline[0] if len(inline) == 1 else inline


def _inline(text: str, values: Mapping[str, Value]) -> tuple[Inline, ...]:
    found: list[Inline] = []
    end = 0
    for mark in _INLINE.finditer(text):
        found.append(_plain(text[end : mark.start()], values))
        found.append(Strong(_plain(mark[1], values)) if mark[1] else Mono(_plain(mark[2], values)))
        end = mark.end()
    found.append(_plain(text[end:], values))
    return tuple(one for one in found if one != "")


def _plain(text: str, values: Mapping[str, Value]) -> str:
    def value(found: re.Match[str]) -> str:
        filled = values.get(found[1], "")
        return filled if isinstance(filled, str) else "\n".join(filled)

    return _VARIABLE.sub(value, text)
