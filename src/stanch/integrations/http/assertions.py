"""What an answer must be like, and what is taken out of it for later. Pure."""

import re
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Final

import msgspec

from stanch.integrations.http.asking import Answer
from stanch.kernel.event import JSON
from stanch.kernel.pattern import pattern
from stanch.ports.checks import HttpRequest

_LONGEST_SHOWN: Final = 80


def broken(wanted: HttpRequest, answer: Answer) -> str:
    """Return what about `answer` is not as wanted, in words: the first thing; empty when all is well."""
    if answer.trouble:
        return answer.trouble
    if not _is_status(answer.status, wanted.status):
        said = f": {answer.excerpt}" if answer.excerpt else ""
        return f"answered {answer.status}, where {' or '.join(wanted.status)} is right{said}"
    for name, expression in wanted.answers.items():
        value = answer.headers.get(name.lower())
        if value is None:
            return f"the answer has no header {name}"
        if not pattern(expression).is_in(value):
            return f"the header {name} is {_shown(value)}, which does not match {_shown(expression)}"
    return _broken_body(wanted, answer) or _slow(wanted, answer)


def _broken_body(wanted: HttpRequest, answer: Answer) -> str:
    text = answer.text
    for part in wanted.contains:
        if part not in text:
            return f"the body does not hold {_shown(part)}"
    for part in wanted.lacks:
        if part in text:
            return f"the body holds {_shown(part)}"
    if wanted.matches and not pattern(wanted.matches).is_in(text):
        return f"the body does not match {_shown(wanted.matches)}"
    if not wanted.json:
        return ""
    try:
        document: JSON = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, RecursionError):
        return "the body is not JSON"
    for pointer, value in wanted.json.items():
        try:
            found = at(document, pointer)
        except LookupError:
            return f"the body has nothing at {pointer}"
        if found != value:
            return f"{pointer or 'the body'} is {_shown(found)}, where {_shown(value)} is right"
    return ""


def _slow(wanted: HttpRequest, answer: Answer) -> str:
    if wanted.below_ms is None or answer.took_ms <= wanted.below_ms:
        return ""
    return f"the answer took {answer.took_ms:,.0f} ms, where {wanted.below_ms:,.0f} ms is the limit"


def taken(how: str, answer: Answer) -> str:
    """Return what `how` says to save of an answer. Raises `LookupError` saying what is not there."""
    kind, _, what = how.partition(":")
    match kind:
        case "json":
            try:
                document: JSON = msgspec.json.decode(answer.body)
            except (msgspec.DecodeError, RecursionError):
                raise LookupError("the body is not JSON") from None
            return at(document, what)
        case "regex":
            found = pattern(what).find(answer.text)
            if found is None:
                raise LookupError(f"nothing in the body matches {_shown(what)}")
            return found.first
        case "header":
            if what.lower() not in answer.headers:
                raise LookupError(f"the answer has no header {what}")
            return answer.headers[what.lower()]
        case _:
            return _cookie(what, answer.headers)


def at(document: JSON, pointer: str) -> str:
    """Return the value at a JSON pointer (RFC 6901) as a text; true and null as JSON has them. Raises `LookupError`."""
    value = document
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            raise LookupError(f"the body has nothing at {pointer}")
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _cookie(name: str, headers: Mapping[str, str]) -> str:
    # Several are told in one header, as the client shows them; each begins anew after a comma.
    for part in re.split(r",\s*(?=[!#-'*+.0-9A-Z^_`a-z|~-]+=)", headers.get("set-cookie", "")):
        try:
            found = SimpleCookie(part)
        except CookieError:
            continue
        if name in found:
            return found[name].value
    raise LookupError(f"the answer sets no cookie {name}")


def _is_status(status: int, wanted: Sequence[str]) -> bool:
    return any(one == str(status) or (one.endswith("xx") and one[0] == str(status)[0]) for one in wanted)


def _shown(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…")
