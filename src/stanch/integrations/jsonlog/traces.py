"""Finds in a stack trace what was raised and where the application's own code raised it. Python, Java, Node, Go.

Small on purpose: enough to tell errors apart at the moment of detection. The diagnosis reads traces in full.
"""

import re
from dataclasses import dataclass
from typing import Final

LONGEST_TRACE: Final = 65_536

_PYTHON_FRAME: Final = re.compile(r'File "([^"\n]{1,512})", line (\d{1,9})(?:, in ([^\n]{1,200}))?')
_AT_FRAME: Final = re.compile(
    r"^\s+at (?:async |new )?(?:([^\s(][^(\n]{0,200}?) ?)?\(?([^()\s]{1,400}?):(\d{1,9})(?::\d{1,9})?\)?\s*$",
    re.MULTILINE,
)
_GO_FRAME: Final = re.compile(r"^([^\s(][^\n]{0,300})\([^\n]*\)\n\t(\S{1,400}\.go):(\d{1,9})", re.MULTILINE)
_TYPED: Final = re.compile(r"^((?:[A-Za-z_$][\w$]{0,100}\.){0,12}[A-Za-z_$][\w$]{0,100})(?::[ \t]*([^\n]*))?$")
_LIBRARY: Final = re.compile(
    r"site-packages|dist-packages|node_modules|lib/python\d|^<frozen|^<string>|^node:|^internal/|/usr/local/go/"
    r"|/go/pkg/mod/|/vendor/"
)
_LIBRARY_CALL: Final = re.compile(
    r"^(?:java|javax|jdk|sun|kotlin|scala|jakarta|org\.springframework|org\.apache|org\.hibernate|io\.netty|runtime"
    r"|net/http|reactor)[./]"
)


@dataclass(frozen=True, kw_only=True)
class Raised:
    """What a trace shows. `place` is `payments/validation.py:16 in card_of`, `site` the same without the line."""

    type: str = ""
    message: str = ""
    place: str = ""
    site: str = ""


def read_trace(text: str) -> Raised:
    """Return what `text` shows; parts that it does not show are empty."""
    text = text[-LONGEST_TRACE:]
    if "Traceback (most recent call last)" in text:
        return _python(text)
    frames = [(found.group(2), found.group(3), found.group(1) or "") for found in _AT_FRAME.finditer(text)]
    if not frames:
        frames = [(found.group(2), found.group(3), found.group(1)) for found in _GO_FRAME.finditer(text)]
    place, site = _where(frames)
    name, message = _typed(text.lstrip().split("\n", 1)[0])
    return Raised(type=name, message=message, place=place, site=site)


def _python(text: str) -> Raised:
    # Of a chain the last block is the one that ended the work.
    block = text[text.rindex("Traceback (most recent call last)") :]
    frames = [(found.group(1), found.group(2), found.group(3) or "") for found in _PYTHON_FRAME.finditer(block)]
    place, site = _where(frames[::-1])
    lines = [line for line in block.split("\n")[1:] if line and not line[0].isspace()]
    name, message = _typed(lines[0]) if lines else ("", "")
    return Raised(type=name, message=message, place=place, site=site)


def _typed(line: str) -> tuple[str, str]:
    found = _TYPED.match(line.strip()[:1000])
    return (found.group(1), (found.group(2) or "").strip()) if found else ("", line.strip()[:300])


def _where(frames: list[tuple[str, str, str]]) -> tuple[str, str]:
    """Return place and site of the innermost of the application's own frames; `frames` are innermost first."""
    if not frames:
        return "", ""
    own = (frame for frame in frames if not _LIBRARY.search(frame[0]) and not _LIBRARY_CALL.match(frame[2]))
    file, line, function = next(own, frames[0])
    # Where a release is installed does not matter: two parts of the path tell files apart.
    short = "/".join(file.replace("\\", "/").rsplit("/", 2)[-2:])
    behind = f" in {function.strip()}" if function.strip() else ""
    return f"{short}:{line}{behind}", f"{short}{behind}"
