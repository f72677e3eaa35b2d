"""Turns Markdown that people and the log wrote into HTML that can do no harm."""

import re
from collections.abc import Callable
from html import escape, unescape
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
# A task of a list, "- [ ] fix it"; the reader of Markdown leaves its box as text.
_BOXES: Final = re.compile(r"(<li>(?:\s*<p>)?)\[([ xX])\] ")
_ATTRIBUTES: Final = {"a": {"href", "title"}, "th": {"align"}, "td": {"align"}, "ol": {"start"}}


# What has just been cleaned has one form only: an attribute in double quotes, its value escaped.
_PICTURE: Final = re.compile(r'(<img[^>]*? src=")([^"]*)(")')


def as_html(text: str, *, picture: Callable[[str], str] | None = None) -> Markup:
    """Return `text` rendered; raw HTML in it is shown as text, and links lead to web pages and this page only.

    `picture` returns where a picture is shown from, given its address in the text; empty leaves its description alone.
    Without it there are no pictures.
    """
    rendered = nh3.clean(
        _BOXES.sub(_box, _READER.render(text)),
        tags=set(_TAGS) | ({"img"} if picture else set()),
        attributes=_ATTRIBUTES | ({"img": {"src", "alt"}} if picture else {}),
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
    )
    if picture:
        shown = picture
        rendered = _PICTURE.sub(lambda found: f"{found[1]}{escape(shown(unescape(found[2])))}{found[3]}", rendered)
    return Markup(rendered)  # noqa: S704  # nh3 has just made it safe


def _box(match: re.Match[str]) -> str:
    return match[1] + ("☐ " if match[2] == " " else "☑ ")
