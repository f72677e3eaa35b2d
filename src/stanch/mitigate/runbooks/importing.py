"""Runbooks as other tools export them: HTML and wiki remnants become the Markdown they stand for. Pure.

Every line stays on its line, so that what is said of a runbook names the line in its own file. A block that an export
marks as code in a language keeps its tag; anything else stays text.
"""

import html
import re
from collections.abc import Callable
from typing import Final

_FENCE: Final = re.compile(r"^\s{0,3}(```+|~~~+)")
_HEADING: Final = re.compile(r"<h([1-6])\b[^>]*>(.*?)</h\1>", re.IGNORECASE)
_WIKI_HEADING: Final = re.compile(r"^h([1-6])\.\s+(.+)$")
_EQUALS: Final = re.compile(r"^(={1,6})\s*([^=].*?)\s*\1\s*$")
_BOLD: Final = re.compile(r"(\*\*|__)([^*_].{0,78}?)\1:?")
_ANY_HEADING: Final = re.compile(r"#{1,6}\s|={3,}\s*$|-{3,}\s*$")
_TIGHT: Final = re.compile(r"^(#{1,6})([^#\s].*)$")
_PRE: Final = re.compile(r"<pre\b([^>]*)>\s*(?:<code\b([^>]*)>)?", re.IGNORECASE)
_PRE_END: Final = re.compile(r"(?:</code>)?\s*</pre>", re.IGNORECASE)
_MACRO: Final = re.compile(r"^\s*\{(code|noformat)(?::([^}]*))?\}\s*$", re.IGNORECASE)
_STORED: Final = re.compile(
    r"<ac:structured-macro\b[^>]*ac:name=\"(?:code|noformat)\"[^>]*>(.*?)<!\[CDATA\[", re.IGNORECASE
)
_STORED_END: Final = re.compile(r"\]\]>\s*(?:</ac:plain-text-body>)?\s*(?:</ac:structured-macro>)?", re.IGNORECASE)
_PARAMETER: Final = re.compile(r"<ac:parameter\b[^>]*ac:name=\"language\"[^>]*>(\w+)</ac:parameter>", re.IGNORECASE)
_LANGUAGE: Final = re.compile(
    r"(?:language|lang|brush|class)\s*[:=]\s*[\"']?(?:language-|brush:\s*)?(\w+)", re.IGNORECASE
)
_ITEM: Final = re.compile(r"<li\b[^>]*>", re.IGNORECASE)
_LINK: Final = re.compile(r"<a\b[^>]*href=[\"']([^\"']+)[\"'][^>]*>(.*?)</a>", re.IGNORECASE)
_CODE: Final = re.compile(r"<(?:code|tt|kbd)\b[^>]*>(.*?)</(?:code|tt|kbd)>", re.IGNORECASE)
_CELL: Final = re.compile(r"</t[dh]>\s*<t[dh]\b[^>]*>", re.IGNORECASE)
_TAG: Final = re.compile(r"</?[A-Za-z][A-Za-z0-9:-]*(?:\s[^<>]*)?/?>|<!--.*?-->")
_COMMON_TAGS: Final = re.compile(
    r"</?(?:h[1-6]|p|div|pre|table|t[rdh]|ul|ol|li|br|span|details|summary|ac:|ri:)\b", re.IGNORECASE
)
_KNOWN: Final = frozenset(
    {"sh", "bash", "shell", "console", "sql", "psql", "mysql", "sqlite", "promql", "http", "redis"}
)


def as_markdown(text: str) -> str:
    """Return an export as Markdown with as many lines; Markdown that holds none of these remnants stays as it is."""
    lines = text.replace("\r\n", "\n").split("\n")
    is_html = bool(_COMMON_TAGS.search(text))
    done: list[str] = []
    until: Callable[[str], str | None] | None = None
    fence = ""
    for line in lines:
        if fence:
            done.append(line)
            fence = "" if line.strip().startswith(fence) else fence
        elif until is not None:
            ended = until(line)
            done.append(_text_of(line) if ended is None else ended)
            until = until if ended is None else None
        elif found := _FENCE.match(line):
            fence = found.group(1)[:3]
            done.append(line)
        else:
            began, until = _block(line)
            done.append(began if began is not None else _line(line, is_html=is_html))
    return "\n".join(_with_bold_headings(done))


def _with_bold_headings(lines: list[str]) -> list[str]:
    """Return lines of bold words as headings where a text has no others: the first is its title."""
    if any(_ANY_HEADING.match(line) for line in lines):
        return lines
    level, found = 1, []
    for line in lines:
        bold = _BOLD.fullmatch(line.strip())
        found.append(f"{'#' * level} {bold.group(2)}" if bold else line)
        level = 2 if bold else level
    return found


def _block(line: str) -> tuple[str | None, Callable[[str], str | None] | None]:
    """Return what stands for the first line of a block of code, and what ends it; nothing where none begins."""
    if found := _MACRO.match(line):
        word = found.group(1).lower()
        return f"```{_tag(found.group(2) or '')}".rstrip(), lambda told: "```" if _is_end(told, word) else None
    for begins, ends in ((_STORED, _STORED_END), (_PRE, _PRE_END)):
        if not (found := begins.search(line)):
            continue
        rest = line[found.end() :]
        parameter = _PARAMETER.search(line)
        tag = (parameter.group(1).lower() if parameter else "") or _tag(" ".join(part or "" for part in found.groups()))
        if ends.search(rest):
            # A block on one line stays a word in its sentence: there is no room for its fence.
            return f"`{_text_of(ends.sub('', rest)).strip()}`", None
        # The first line of such a block stands behind its tag, where a fence has its own; only an empty one is lost.
        if rest.strip():
            return None, None
        return f"```{tag if tag in _KNOWN else ''}", _ender(ends)
    return None, None


def _ender(ends: re.Pattern[str]) -> Callable[[str], str | None]:
    return lambda line: "```" if ends.search(line) else None


def _is_end(line: str, word: str) -> bool:
    return line.strip().lower() == f"{{{word}}}"


def _tag(told: str) -> str:
    found = _LANGUAGE.search(told)
    word = (found.group(1) if found else told.split("|")[0]).strip().lower()
    return word if word in _KNOWN else ""


def _line(line: str, *, is_html: bool) -> str:
    if found := _WIKI_HEADING.match(line) or _EQUALS.match(line):
        level, words = found.groups()
        return f"{'#' * (int(level) if level.isdigit() else len(level))} {words}"
    if found := _TIGHT.match(line):
        return f"{found.group(1)} {found.group(2)}"
    if not is_html or "<" not in line:
        return line
    line = _HEADING.sub(lambda found: f"{'#' * int(found.group(1))} {_TAG.sub('', found.group(2)).strip()}", line)
    line = _CODE.sub(lambda found: f"`{found.group(1)}`", line)
    line = _LINK.sub(lambda found: f"[{_TAG.sub('', found.group(2))}]({found.group(1)})", line)
    line = _CELL.sub(" | ", _ITEM.sub("- ", line))
    return (
        html.unescape(_TAG.sub("", line)).strip()
        if line.lstrip().startswith("<")
        else html.unescape(_TAG.sub("", line))
    )


def _text_of(line: str) -> str:
    return html.unescape(_TAG.sub("", line)) if "&" in line or "</" in line else line
