"""Messages as blocks: how they read in plain text and Markdown, and that untrusted text never becomes markup."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from stanch.kernel.blocks import (
    Block,
    Bullets,
    Checklist,
    Code,
    Divider,
    Fields,
    Heading,
    Link,
    Mono,
    Paragraph,
    Quote,
    Strong,
    clean,
    safe_url,
    to_markdown,
    to_plain,
)

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])

MESSAGE: tuple[Block, ...] = (
    Heading("SEV1: checkout down", level=1),
    Paragraph(("Since ", Strong("14:30 UTC"), ", see ", Link("https://stanch.example/i/42", "incident 42"), ".")),
    Fields((("Severity", "SEV1"), ("Commander", "Alice"))),
    Bullets(("roll back", ("run ", Mono("stanch ack 42"))), numbered=True),
    Checklist(((True, "declare"), (False, "assign roles"))),
    Code("SELECT 1;", language="sql"),
    Quote("TypeError"),
    Divider(),
    Link("https://stanch.example/i/42"),
)

PLAIN = """\
SEV1: checkout down
===================

Since 14:30 UTC, see incident 42 (https://stanch.example/i/42).

Severity:  SEV1
Commander: Alice

1. roll back
2. run stanch ack 42

[x] declare
[ ] assign roles

    SELECT 1;

> TypeError

----------------------------------------

https://stanch.example/i/42"""

IN_MARKDOWN = """\
# SEV1: checkout down

Since **14:30 UTC**, see [incident 42](<https://stanch.example/i/42>).

- **Severity:** SEV1
- **Commander:** Alice

1. roll back
2. run `stanch ack 42`

- [x] declare
- [ ] assign roles

```sql
SELECT 1;
```

> TypeError

---

[https\\://stanch.example/i/42](<https://stanch.example/i/42>)
"""


def test_a_message_in_plain_text() -> None:
    """Plain text has underlined headings, aligned facts and indented code."""
    assert PLAIN == to_plain(MESSAGE)


def test_a_message_in_markdown() -> None:
    """Markdown has headings, bold names, fenced code and links."""
    assert IN_MARKDOWN == to_markdown(MESSAGE)


class Shown(HTMLParser):
    """Collects the elements and the text of a rendered page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Note an element; a line break is text."""
        if tag == "br":
            self.text += "\n"
        else:
            self.elements.append(tag)

    def handle_data(self, data: str) -> None:
        """Note text; the line break after `br` belongs to the source only."""
        self.text += data.removeprefix("\n") if self.text.endswith("\n") else data


def rendered(block: Block) -> Shown:
    """Return what a CommonMark renderer shows of `block`."""
    shown = Shown()
    shown.feed(MARKDOWN.render(to_markdown([block])))
    return shown


MARKUP = st.text(alphabet="ab 1\n\t`*_~#>+-=|[](){}!<>&;.:/\\\"'@$^\x1b\u202e", max_size=40)
PIECES = st.sampled_from(
    [
        *(
            "# ",
            "- ",
            "1. ",
            "1) ",
            "> ",
            "    ",
            "```",
            "~~~",
            "***",
            "---",
            "===",
            "\n",
            "\n\n",
            "|a|b|\n|-|-|\n",
            "a",
        ),
        *(
            "<script>",
            "<!-- ",
            "&lt;",
            "[x](y)",
            "![i](http://e)",
            "http://e.example",
            "www.e.example",
            "`",
            "\\",
            "\t",
        ),
        *("<http://e.example>", "[a]: http://e", "**b**", "_i_", "~~s~~", ": ", "+ ", " ", "\r", "a@b.example"),
    ]
)
HOSTILE = MARKUP | st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=40)


def visible(text: str) -> str:
    """Return the lines of `text` that a reader sees, without the blank ones and the spaces around them."""
    lines = (line.strip() for line in clean(text).split("\n"))
    return "\n".join(line for line in lines if line)


@settings(max_examples=500, deadline=None)
@given(HOSTILE)
@example("1. a\n2. b")
@example("\xa0")
@example("a\xa0\n\xa0b")
@example("    code")
@example("a\n===")
@example("[a]: http://e")
def test_untrusted_text_is_shown_as_it_is_in_markdown(text: str) -> None:
    """A paragraph of any text renders as one paragraph that holds exactly this text and no other element."""
    shown = rendered(Paragraph(text))
    expected = visible(text)

    assert (["p"] if expected else [], expected) == (shown.elements, shown.text.strip())


@settings(max_examples=300, deadline=None)
@given(st.lists(HOSTILE, min_size=2, max_size=4))
@example(["1", ". a"])
@example(["http", "://e.example"])
@example(["a\n", "- b"])
def test_untrusted_pieces_cannot_join_into_markup(pieces: list[str]) -> None:
    """Pieces of text next to one another render as text too, and make no address that GFM would link."""
    paragraph = Paragraph(tuple(pieces))
    linked = {start for start in ("http://", "https://", "www.e") if start in to_markdown([paragraph])}

    assert (set(), set()) == (linked, set(rendered(paragraph).elements) - {"p"})


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
def test_untrusted_text_stays_inside_its_block(text: str) -> None:
    """A list item, a fact, a heading, a quote and code hold any text without opening anything else."""
    shown = [rendered(block).elements for block in (Bullets((text,)), Fields(((text, text),)), Quote(text), Code(text))]
    allowed = [{"ul", "li"}, {"ul", "li", "strong"}, {"blockquote", "p"}, {"pre", "code"}]

    assert [set(found) - expected for found, expected in zip(shown, allowed, strict=True)] == [set()] * 4


@settings(max_examples=300, deadline=None)
@given(HOSTILE, HOSTILE)
def test_untrusted_text_stays_inside_its_span(text: str, url: str) -> None:
    """Strong, code and link text open no other element."""
    shown = rendered(Paragraph(("x ", Strong(text), " ", Mono(text), " ", Link(url, text))))

    assert set(shown.elements) <= {"p", "strong", "code", "a"}


@settings(deadline=None)
@given(st.text(alphabet="ab `\\", min_size=1, max_size=30))
def test_code_is_shown_as_it_is(text: str) -> None:
    """A code block shows its text to the letter, however many backticks it holds."""
    assert text.strip("\n") == rendered(Code(text)).text.removesuffix("\n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\x07\x00b", "ab"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("abc\u202edef", "abcdef"),
        ("tab\tstays", "tab\tstays"),
        ("naïve 日本 👩‍🚒", "naïve 日本 👩‍🚒"),
    ],
)
def test_control_codes_leave_text(text: str, expected: str) -> None:
    """Terminal sequences and marks that reverse the direction are dropped; letters of any language stay."""
    assert expected == clean(text)


@settings(deadline=None)
@given(st.text())
def test_plain_text_never_controls_a_terminal(text: str) -> None:
    """No escape code of any text reaches a terminal."""
    blocks = (Heading(text), Paragraph(text), Fields(((text, text),)), Bullets((text,)), Code(text), Link(text, text))

    assert not {letter for letter in to_plain(blocks) if ord(letter) < 32 or 127 <= ord(letter) < 160} - {"\n", "\t"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x?y=1&z=(2)", "https://a.example/x?y=1&z=%282%29"),
        ("https://a.example/<b> c", "https://a.example/%3Cb%3E%20c"),
        ("mailto:a@b.example", "mailto:a@b.example"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//a.example", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_only_ordinary_addresses_are_linked(url: str, expected: str) -> None:
    """Web and mail addresses become links, percent-encoded; other schemes never do."""
    assert expected == safe_url(url)


def test_a_link_that_is_not_allowed_shows_its_address() -> None:
    """What is not linked is shown with its address, as text."""
    assert "click (javascript:alert(1))\n" == to_markdown([Link("javascript:alert(1)", "click")])


def test_empty_blocks_leave_no_gap() -> None:
    """A block without text is left out."""
    assert ("a", "a\n") == (to_plain([Paragraph(""), Paragraph("a")]), to_markdown([Paragraph(" \n "), Paragraph("a")]))
