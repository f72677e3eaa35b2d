"""Matchers: one comparison of a label with a value or a regular expression, and the text form they are written in.

A label that an alert does not have counts as an empty one, so `x=""` matches alerts without `x`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from stanch.kernel.errors import Invalid
from stanch.kernel.pattern import Pattern, pattern

_LONGEST: Final = 8192
# The value reaches to the end: a filter is often written without quotes, `alertname=test1`.
_MATCHER: Final = re.compile(
    r'\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<name>[^\s"=!~{},]+))\s*(?P<op>=~|!~|!=|=)\s*(?P<value>.*?)\s*', re.S
)
_ESCAPES: Final = {"n": "\n", '"': '"', "\\": "\\"}


class Op(StrEnum):
    """How a label is compared. Regular expressions match the whole value."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"

    @property
    def is_regex(self) -> bool:
        """Tell whether the value is a regular expression."""
        return self in (Op.REGEX, Op.NOT_REGEX)

    @property
    def is_equal(self) -> bool:
        """Tell whether a value that compares equal matches."""
        return self in (Op.EQUAL, Op.REGEX)


@dataclass(frozen=True, kw_only=True, order=True)
class Matcher:
    """`name op value`. Raises `Invalid` on `value` for a regular expression that is none."""

    name: str
    value: str
    op: Op = Op.EQUAL
    _pattern: Pattern | None = field(default=None, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.op.is_regex:
            object.__setattr__(self, "_pattern", compile_regex(self.value))

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Tell whether an alert with these labels matches."""
        return self.matches_value(labels.get(self.name, ""))

    def matches_value(self, value: str) -> bool:
        """Tell whether a label with this value matches."""
        if self._pattern is None:
            return (value == self.value) is (self.op is Op.EQUAL)
        return (self._pattern.fits(value)) is (self.op is Op.REGEX)

    def __str__(self) -> str:
        return f"{self.name}{self.op.value}{quoted(self.value)}"


def compile_regex(text: str) -> Pattern:
    """Return the pattern that matches whole values. Raises `Invalid` on `value`."""
    if len(text) > _LONGEST:
        raise Invalid(f"a regular expression has at most {_LONGEST} characters", field="value")
    try:
        return pattern(text)
    except ValueError as error:
        raise Invalid(f"{text!r} is no regular expression: {error}", field="value") from error


def matches_all(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Tell whether every matcher matches; no matcher at all matches everything."""
    return all(one.matches(labels) for one in matchers)


def shown(matchers: Sequence[Matcher]) -> str:
    """Return matchers in the form of a label set, `{a="b",c=~"d"}`."""
    return "{" + ",".join(str(one) for one in matchers) + "}"


def quoted(text: str) -> str:
    """Return `text` in double quotes, with what needs it escaped."""
    return msgspec.json.encode(text).decode()


def parse_matchers(text: str) -> tuple[Matcher, ...]:
    """Return the matchers of a list such as `{a="b", c!~"d.*"}`; braces and a comma at the end may be there.

    Raises `Invalid` on `matcher`.
    """
    stripped = text.strip()
    if stripped.startswith("{"):
        if not stripped.endswith("}"):
            raise _no_matcher(text, "the brace is not closed")
        stripped = stripped[1:-1]
    elif stripped.endswith("}"):
        raise _no_matcher(text, "a closing brace without an opening one")
    return tuple(parse_matcher(part) for part in _split(stripped))


def parse_matcher(text: str) -> Matcher:
    """Return one matcher such as `alertname="DiskFull"`; the quotes may be left out. Raises `Invalid` on `matcher`."""
    found = _MATCHER.fullmatch(text)
    if found is None:
        raise _no_matcher(text, "it has the form name=value, name!=value, name=~regex or name!~regex")
    name = found["name"] if found["quoted"] is None else _unescaped(found["quoted"])
    if not name:
        raise _no_matcher(text, "the name is empty")
    value = _value(found["value"], text)
    try:
        return Matcher(name=name, op=Op(found["op"]), value=value)
    except Invalid as error:
        raise Invalid(f"{_short(text)!r}: {error.message}", field="matcher") from error


def _value(raw: str, text: str) -> str:
    if not raw.startswith('"'):
        if re.search(r'(?<!\\)"', raw):
            raise _no_matcher(text, 'a double quote inside a value is written \\"')
        return _unescaped(raw)
    inner = raw[1:-1]
    if len(raw) < 2 or not raw.endswith('"') or re.fullmatch(r'(?:[^"\\]|\\.)*+', inner, re.S) is None:
        raise _no_matcher(text, "the quotes of the value are not closed")
    return _unescaped(inner)


def _unescaped(text: str) -> str:
    # A backslash before anything else stands for itself: regular expressions are full of them.
    return re.sub(r'\\(["n\\])', lambda found: _ESCAPES[found[1]], text)


def _split(text: str) -> list[str]:
    """Return the parts between commas that stand outside quotes; an empty last part is left out."""
    parts, start, inside, position = [], 0, False, 0
    while position < len(text):
        character = text[position]
        if inside and character == "\\":
            position += 1
        elif character == '"':
            inside = not inside
        elif character == "," and not inside:
            parts.append(text[start:position])
            start = position + 1
        position += 1
    parts.append(text[start:])
    return parts[:-1] if not parts[-1].strip() else parts


def _no_matcher(text: str, why: str) -> Invalid:
    return Invalid(f"{_short(text)!r} is no matcher: {why}", field="matcher")


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:99] + "…"


def selects(matchers: Iterable[Matcher], named: Mapping[str, str]) -> bool:
    """Tell whether a filter selects something with the named values: alerts by labels, silences by their matchers.

    Unlike `matches_all`, `x=""` selects what has no `x` and `x!=""` what has one.
    """
    for one in matchers:
        present = one.name in named
        if not one.value and present is not one.op.is_equal:
            continue
        if not one.matches_value(named.get(one.name, "")):
            return False
    return True
