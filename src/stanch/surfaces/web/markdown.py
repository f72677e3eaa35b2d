"""Turns Markdown that people and the log wrote into HTML that can do no harm."""

from typing import Final

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

_READER: Final = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
_TAGS: Final = frozenset(
    [
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "code",
        "em",
        "strong",
        "s",
        "hr",
        "br",
        "a",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    ]
)
_ATTRIBUTES: Final = {"a": {"href", "title"}, "th": {"align"}, "td": {"align"}, "ol": {"start"}}


def as_html(text: str) -> Markup:
    """Return `text` rendered; raw HTML in it is shown as text, and links lead to web pages and this page only."""
    rendered = nh3.clean(
        _READER.render(text),
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    return Markup(rendered)  # noqa: S704  # nh3 has just made it safe
