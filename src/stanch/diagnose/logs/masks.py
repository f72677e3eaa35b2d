"""Generic masks: which parts of a line are values, judged by their look alone. No settings, no names of any system.

`mask` works on any text; the miner works token by token with `mask_token` and remembers the answers.
"""

import re
from typing import Final

WILDCARD: Final = "<*>"

# What a value may be glued from. Brackets, quotes, commas, semicolons, `=` and `|` end it.
_GLUE = r"[\w.:/@#$+\-~%*\\]"
_KNOWN = re.compile(
    r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s\"'<>)\]},;]+"  # URL
    r"|[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+"  # e-mail address
    r"|(?:[A-Za-z]:\\|\\\\)[^\s\"'<>|,;)\]]+"  # Windows path
    r"|(?<![\w<])/(?:[\w.@+\-~%$:]+/)+[\w.@+\-~%$:]*"  # path of two parts or more
)
_NUMBERED = re.compile(rf"(?<![\w]){_GLUE}*\d{_GLUE}*")
_LABEL = re.compile(r"([A-Za-z][A-Za-z_\-]*(?:\[\w*\])?[:#@])(?=[^A-Za-z:/\\]*\d)")
_AGAIN = re.compile(r"<\*>(?:[.:/,\-+*x~#@_]*<\*>)+")


def mask(text: str) -> str:
    """Replace the values in `text` by `<*>` and leave its words: `took 35 ms for /a/b` -> `took <*> ms for <*>`."""
    return " ".join(mask_token(token) for token in text.split())


def mask_token(token: str) -> str:
    """Replace the values in one token (no white space) by `<*>`."""
    if token.isalpha():
        return token
    masked = _KNOWN.sub(WILDCARD, token)
    masked = _NUMBERED.sub(_masked_number, masked)
    return _AGAIN.sub(WILDCARD, masked) if WILDCARD in masked else masked


def _masked_number(found: re.Match[str]) -> str:
    """Mask a run with a digit in it, but keep a leading `label:` and a closing full stop or colon."""
    text = found.group(0)
    tail = ""
    while text and text[-1] in ".:-*":
        text, tail = text[:-1], text[-1] + tail
    label = _LABEL.match(text)
    if label is not None:
        return label.group(1) + WILDCARD + tail
    return WILDCARD + tail
