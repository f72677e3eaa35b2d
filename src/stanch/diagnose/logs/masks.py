"""Generic masks: which parts of a line are values, judged by their look alone. No settings, no names of any system.

`mask` works on any text. The parts are open so that the miner can remember what it has seen: `mask_phrases` for values
that span several tokens, `mask_token` for one token, `join` for the template.
"""

import re
from collections.abc import Iterable
from typing import Final

WILDCARD: Final = "<*>"
_LONGEST: Final = 512
"""Characters of a token that are looked at: the cost grows with the square of them, and no word is that long."""

# What a value may be glued from. Brackets, quotes, commas, semicolons, `=` and `|` end it.
_GLUE = r"[\w.:/@#$+\-~%*\\]"
_DIGITS_TO_0 = bytes.maketrans(b"123456789", b"000000000")
_HEXADECIMAL = re.compile(rb"\b(?=[a-f\-]{0,80}+0)[0a-f\-]{6,80}+\b")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^\s\"'<>)\]},;]+")
_MAIL = re.compile(r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+")
_WINDOWS_PATH = re.compile(r"(?:[A-Za-z]:\\|\\\\)[^\s\"'<>|,;)\]]+")
_PATH = re.compile(r"(?<![\w<])/(?:[\w.@+\-~%$:]+/)+[\w.@+\-~%$:]*")
# Lower case, and a well-known ending; not a Java package, which begins with one.
_HOST = re.compile(
    r"(?<![\w.@/\-])(?!(?:com|org|net|java|javax|io|edu)\.)(?:[a-z0-9\-]+\.)+"
    r"(?:com|net|org|edu|gov|mil|io|dev|local|localdomain|internal|lan)(?![\w.\-]*\w\()"
    r"(?:\.[a-z]{2})?(?::\d+)?(?![\w\-])"
)
_STARS = re.compile(r"\*{2,}")  # a number that could not be printed, or a secret
_NUMBERED = re.compile(rf"(?<![\w]){_GLUE}*\d{_GLUE}*")
# What stays in front of a value: `label:`, `Class#`, `register.....`.
_LABEL = re.compile(
    r"([A-Za-z][A-Za-z_\-]*(?:\[\w*\])?[:#@]|[A-Za-z][A-Za-z_.]*#|[A-Za-z][A-Za-z_\-]*\.{2,})(?=[^A-Zg-z:/\\]*\d)"
)
_NAMED = rf"\1{WILDCARD}"
_LAST_WORD = re.compile(r"(?<=\d):[A-Za-z]{3,}$")
_NAME = re.compile(r"(?=.*[g-zG-Z])[A-Za-z_:]{2,}\d+[a-z_]{2,}(?:[A-Z:][A-Za-z_:]*)?")
_DIGITS = re.compile(r"\d+")
_AGAIN = re.compile(r"<\*>(?:[.:/,\-+*x~#@_]*<\*>)+")
_AGAIN_SPACED = re.compile(r"<\*>(?:[ ,]+<\*>)+")

_UNIT = (
    r"(?:[KMGTP]i?B|[kM]?[Bb]ytes?|[KMG]?B|[mun]?s(?:ecs?)?|millis(?:econds)?|sec(?:ond)?s?|min(?:ute)?s?|h(?:ou)?rs?"
    r"|days?)"
)
# A measure, maybe once more in another unit behind it: `9780 bytes (9.55 KB)`.
_MEASURE = re.compile(rf"\d(?<![\w.\-]\d)[\d.,]*+ ?{_UNIT}(?![\w/])(?: \(\d[\d.,]* ?{_UNIT}\))?")
_BELOW = re.compile(rf"< ?{re.escape(WILDCARD)}")  # `<1 sec`
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CLOCK = r"\d+:\d+(?::\d+(?:[.,]\d+)?)?(?: ?[AP]M)?"
_MONTH = rf"(?:{'|'.join(_MONTHS)})[a-z]{{0,6}}"
_REST = rf"(?: +\d+)?(?: +{_CLOCK}(?: +[A-Z]{{3,4}})?(?: +\d+)?)?(?![\w:])"
# A date in words: `Jul 25 23:24:09 2005`, `Dec 3 17:14:21 EST 2004`, `25 Jul 2005`; the day's name goes with it.
_DATE = re.compile(rf"\b{_MONTH} +\d+,?{_REST}|\b\d+ +{_MONTH}{_REST}")
_DAY = re.compile(rf"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{{0,6}},? +{re.escape(WILDCARD)}")
# A name behind `user`, which is somebody's whatever it looks like.
_USER = re.compile(
    r"\b(user )(?!by|is|was|has|from|for|with|not|in|to|on|at|and|or|unknown|name|id|does)[A-Za-z][\w.\-]*(?=\s|$)"
)


def mask(text: str) -> str:
    """Replace the values in `text` by `<*>` and leave its words: `took 35 ms for /a/b` -> `took <*> for <*>`."""
    blanked = blank_hexadecimal(blank(text)).decode("utf-8", "surrogatepass")
    return join(mask_token(token) for token in mask_phrases(blanked).split())


def blank(text: str) -> bytes:
    """Replace every run of digits by a single 0: lines that differ in numbers only become equal.

    On bytes, which is ten times as fast as on text; a digit is one byte in UTF-8 and part of no other letter.
    """
    blanked = text.encode("utf-8", "surrogatepass").translate(_DIGITS_TO_0)
    for run in (b"00000000", b"0000", b"00", b"00"):
        blanked = blanked.replace(run, b"0")
    while b"00" in blanked:
        blanked = blanked.replace(b"00", b"0")
    return blanked


def blank_hexadecimal(blanked: bytes) -> bytes:
    """Replace what looks like a UUID or a digest by a single 0 too; costs more than `blank`, so it comes second."""
    return _HEXADECIMAL.sub(b"0", blanked)


def mask_phrases(text: str) -> str:
    """Replace the values that span tokens: measures with their units, dates in words, the names of users."""
    # Dates first: the day of `Jul 25 ...` is no measure, but `5 s` inside a date would be one.
    if any(month in text for month in _MONTHS):
        text = _DATE.sub(WILDCARD, text)
        if WILDCARD in text:
            text = _DAY.sub(WILDCARD, text)
    masked = _MEASURE.sub(WILDCARD, text)
    if masked != text and "<" in text:
        masked = _BELOW.sub(WILDCARD, masked)
    return _USER.sub(_NAMED, masked) if "user " in masked else masked


def mask_token(token: str) -> str:
    """Replace the values in one token (no white space) by `<*>`."""
    if token.isalpha() or token == WILDCARD:
        return token
    if token in ("()", "[]"):  # a value that is empty here stands there elsewhere
        return token[0] + WILDCARD + token[1]
    if len(token) > _LONGEST:
        return mask_token(token[:_LONGEST]) + WILDCARD
    masked = _mask_known(token)
    if not masked.isalpha():
        masked = _NUMBERED.sub(_masked_number, masked)
    return _AGAIN.sub(WILDCARD, masked) if WILDCARD in masked else masked


def _mask_known(token: str) -> str:
    """Replace what is a value without a digit too. Each look is cheap; each substitution would cost ten times that."""
    if "://" in token:
        token = _URL.sub(WILDCARD, token)
    if "@" in token:
        token = _MAIL.sub(WILDCARD, token)
    if "\\" in token:
        token = _WINDOWS_PATH.sub(WILDCARD, token)
    if token.count("/") > 1:
        token = _PATH.sub(WILDCARD, token)
    if "." in token:
        token = _HOST.sub(WILDCARD, token)
    return _STARS.sub(WILDCARD, token) if "**" in token else token


def join(tokens: Iterable[str]) -> str:
    """Join masked tokens to a template; a run of values counts as one, so that a list of any length is one variable."""
    text = " ".join(tokens)
    return _AGAIN_SPACED.sub(WILDCARD, text) if "<*> <*>" in text or "<*>, <*>" in text else text


def _masked_number(found: re.Match[str]) -> str:
    """Mask a run with a digit in it.

    What stays: a leading `label:`, a word after the last colon, a closing full stop or colon, and the letters of an
    identifier that has one or two digits between them (`jk2_init`, `utf8mb`).
    """
    text = found.group(0)
    if _NAME.fullmatch(text):
        return _DIGITS.sub(WILDCARD, text)
    head, tail = "", ""
    while text and text[-1] in ".:-*":
        text, tail = text[:-1], text[-1] + tail
    last = _LAST_WORD.search(text)
    if last is not None:
        text, tail = text[: last.start()], last.group(0) + tail
    label = _LABEL.match(text)
    if label is not None:
        head = label.group(1)
    return head + WILDCARD + tail
