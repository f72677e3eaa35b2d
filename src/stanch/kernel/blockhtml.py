"""Neutral blocks as HTML for mail and for chats that take some: few elements, no styles but the plainest, all text
escaped."""

from collections.abc import Iterable
from html import escape

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


def to_html(blocks: Iterable[Block]) -> str:
    """Render `blocks` as a piece of HTML."""
    return "\n".join(part for part in map(_block, blocks) if part)


def _block(block: Block) -> str:
    match block:
        case Heading(text=text, level=level):
            rank = min(max(level, 1), 6)
            return f"<h{rank}>{_text(text)}</h{rank}>"
        case Paragraph(text=text):
            return f"<p>{_text(text)}</p>"
        case Fields(pairs=pairs):
            items = "".join(f"<li><strong>{_escaped(name)}:</strong> {_text(value)}</li>" for name, value in pairs)
            return f"<ul>{items}</ul>"
        case Bullets(items=items, numbered=numbered):
            kind = "ol" if numbered else "ul"
            return f"<{kind}>{''.join(f'<li>{_text(item)}</li>' for item in items)}</{kind}>"
        case Checklist(items=things):
            marks = (f"<li>{'☑' if done else '☐'} {_text(item)}</li>" for done, item in things)
            return f"<ul>{''.join(marks)}</ul>"
        case Code(text=words):
            return f"<pre><code>{escape(clean(words))}</code></pre>"
        case Quote(text=text):
            return f"<blockquote>{_text(text)}</blockquote>"
        case Link():
            return f"<p>{_text(block)}</p>"
        case Divider():
            return "<hr>"


def _text(text: Text) -> str:
    return "".join(map(_inline, text)) if isinstance(text, tuple) else _inline(text)


def _inline(one: Inline) -> str:
    match one:
        case str():
            return _escaped(one)
        case Strong(text=words):
            return f"<strong>{_escaped(words)}</strong>"
        case Mono(text=words):
            return f"<code>{_escaped(words)}</code>"
        case Link(url=url, label=label):
            target = safe_url(url)
            words = _escaped(label or url)
            return f'<a href="{escape(target)}">{words}</a>' if target else words


def _escaped(text: str) -> str:
    return escape(clean(text)).replace("\n", "<br>")
