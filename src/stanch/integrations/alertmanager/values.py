"""What templates work on: labels, alerts, times, with their methods, and the functions there are.

The functions are those of https://prometheus.io/docs/alerting/latest/notifications/ and of Go's text/template that make
sense in a text about alerts; times are in UTC.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote, unquote

import msgspec

from stanch.integrations.alertmanager.parsing import NoTemplate
from stanch.kernel.pattern import pattern

Method = Callable[..., object]


class Safe(str):
    """A text that is HTML already."""


class Pairs(dict[str, str]):
    """Labels or annotations: one that is not there is an empty text."""


class Record(dict[str, object]):
    """Named fields: one that is not there is a mistake."""


class Alerts(list[Record]):
    """Alerts, of which one can ask for those that fire and those that are over."""


def applied(function: object, given: list[object], *, name: str) -> object:
    """Return what `function` gives. Raises `NoTemplate` for what it cannot be given."""
    if not callable(function):
        raise NoTemplate(f"{name} is no function")
    try:
        found: object = function(*given)
    except NoTemplate:
        raise
    except (TypeError, ValueError, IndexError, KeyError, AttributeError, OverflowError) as error:
        raise NoTemplate(f"{name} cannot be given that: {error}") from None
    return found


def truth_of(value: object) -> bool:
    """Tell whether Go calls a value true: anything but nothing, false, zero and what is empty."""
    return bool(value)


def text_of(value: object) -> str:
    """Return a value as Go prints it, near enough for what stands in alerts."""
    match value:
        case str():
            return value
        case None:
            return "<no value>"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g}"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
        case Record() if set(value) == {"Name", "Value"}:
            return f"{{{value['Name']} {value['Value']}}}"
        case Mapping():
            return "map[" + " ".join(f"{name}:{text_of(one)}" for name, one in sorted(value.items())) + "]"
        case list() | tuple():
            return "[" + " ".join(text_of(one) for one in value) + "]"
        case _ if callable(value):
            return text_of(applied(value, [], name="a method"))
        case _:
            return str(value)


def kind_of(value: object) -> str:
    """Return what a value is, for an error."""
    match value:
        case str():
            return "a text"
        case Alerts() | list():
            return "a list"
        case None:
            return "nothing"
        case _:
            return type(value).__name__


def _pairs(of: Mapping[str, str]) -> list[Record]:
    # As Alertmanager does: the name first, the others by the alphabet.
    ordered = sorted(of.items(), key=lambda pair: (pair[0] != "alertname", pair[0]))
    return [Record(Name=name, Value=value) for name, value in ordered]


def _listed(pairs: Sequence[Record], name: str) -> list[str]:
    return [str(pair[name]) for pair in pairs]


class _PairList(list[Record]):
    """Sorted pairs, of which one can ask for the names or the values."""


_LAYOUT: Final = (
    ("2006", "%Y"), ("January", "%B"), ("Monday", "%A"), ("Jan", "%b"), ("Mon", "%a"), ("MST", "UTC"),
    ("-07:00", "+00:00"), ("-0700", "+0000"), ("Z07:00", "Z"), ("01", "%m"), ("02", "%d"), ("15", "%H"), ("03", "%I"),
    ("04", "%M"), ("05", "%S"), ("06", "%y"), ("PM", "%p"), (".000", ".000"),
)  # fmt: skip


def go_time(instant: datetime, layout: str) -> str:
    """Return an instant as Go's `Format` writes it with `layout`, e.g. `2006-01-02 15:04 MST`; in UTC."""
    found = re.sub(
        "|".join(re.escape(name) for name, _ in _LAYOUT),
        lambda part: next(code for name, code in _LAYOUT if name == part[0]),
        layout.replace("%", "%%"),
    )
    return instant.strftime(found)


METHODS: Final[tuple[tuple[type, Mapping[str, Method]], ...]] = (
    (
        Alerts,
        {
            "Firing": lambda many: Alerts(one for one in many if one["Status"] == "firing"),
            "Resolved": lambda many: Alerts(one for one in many if one["Status"] == "resolved"),
        },
    ),
    (
        _PairList,
        {
            "Names": lambda many: _listed(many, "Name"),
            "Values": lambda many: _listed(many, "Value"),
        },
    ),
    (
        Pairs,
        {
            "SortedPairs": lambda of: _PairList(_pairs(of)),
            "Names": lambda of: _listed(_pairs(of), "Name"),
            "Values": lambda of: _listed(_pairs(of), "Value"),
            "Remove": lambda of, names: Pairs({name: value for name, value in of.items() if name not in names}),
        },
    ),
    (
        datetime,
        {
            "Format": go_time,
            "UTC": lambda instant: instant,
            "Local": lambda instant: instant,
            "Unix": lambda instant: int(instant.timestamp()),
            "IsZero": lambda instant: instant.year == 1,
            "String": lambda instant: text_of(instant),
        },
    ),
)


def _compared(first: object, *others: object) -> bool:
    if not others:
        raise NoTemplate("eq needs two values")
    return any(first == other for other in others)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NoTemplate("numbers are compared with numbers")
    return value


def _index(of: object, *keys: object) -> object:
    found = of
    for key in keys:
        if isinstance(found, Mapping):
            found = found.get(key, "" if isinstance(found, Pairs) else None)
        elif isinstance(found, (list, tuple, str)) and isinstance(key, int):
            found = found[key]
        else:
            raise NoTemplate("index takes a list with a number, or labels with a name")
    return found


def _printf(layout: str, *given: object) -> str:
    """Write `layout` with values; Go's verbs are Python's, but for %v, %q and %t."""
    values = list(given)

    def one(found: re.Match[str]) -> str:
        if found[2] == "%":
            return "%"
        if not values:
            return f"%!{found[2]}(MISSING)"
        value = values.pop(0)
        if found[2] in "vst":
            return f"%{found[1]}s" % text_of(value)
        return '"' + text_of(value) + '"' if found[2] == "q" else f"%{found[1]}{found[2]}" % value

    return re.sub(r"%([-+ 0#]*\d{0,3}(?:\.\d{0,3})?)([vstqdfgex%])", one, layout)


def _title(text: str) -> str:
    return re.sub(r"(?:^|(?<=\s))\w", lambda letter: letter[0].upper(), text)


FUNCTIONS: Final[Mapping[str, Method]] = {
    "toUpper": lambda text: str(text).upper(),
    "toLower": lambda text: str(text).lower(),
    "title": lambda text: _title(str(text)),
    "trimSpace": lambda text: str(text).strip(),
    "join": lambda by, many: str(by).join(text_of(one) for one in many),
    "match": lambda wanted, text: pattern(wanted).is_in(text),
    "reReplaceAll": lambda wanted, by, text: pattern(wanted).replaced(text, by=by),
    "safeHtml": lambda text: Safe(text),
    "safeUrl": lambda text: str(text),
    "stringSlice": lambda *many: list(many),
    "urlUnescape": lambda text: unquote(str(text)),
    "urlquery": lambda text: quote(text_of(text), safe=""),
    "toJson": lambda value: msgspec.json.encode(value).decode(),
    "html": lambda text: Safe(html.escape(text_of(text))),
    "date": lambda layout, instant: go_time(instant, layout),
    "len": lambda of: len(of),
    "index": _index,
    "print": lambda *many: "".join(text_of(one) for one in many),
    "println": lambda *many: " ".join(text_of(one) for one in many) + "\n",
    "printf": _printf,
    "not": lambda value: not truth_of(value),
    "and": lambda *many: next((one for one in many if not truth_of(one)), many[-1]),
    "or": lambda *many: next((one for one in many if truth_of(one)), many[-1]),
    "eq": _compared,
    "ne": lambda one, other: one != other,
    "lt": lambda one, other: _number(one) < _number(other),
    "le": lambda one, other: _number(one) <= _number(other),
    "gt": lambda one, other: _number(one) > _number(other),
    "ge": lambda one, other: _number(one) >= _number(other),
}
