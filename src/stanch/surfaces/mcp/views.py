"""What an agent is shown of an operation's answer: which fields, marked, cut; and the JSON Schema of that. Pure.

A view names fields: `fields("key! title", hypotheses=fields("id! score"))`. `!` says that the text is an identifier of
ours; every other text is marked as written outside. What is empty is left out: it costs tokens and says nothing.
"""

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, Final, TypeAlias, Union, get_args, get_origin, get_type_hints

from stanch.kernel.event import JSON
from stanch.surfaces.mcp.marking import LONGEST, is_instant, outside, own

PAGE: Final = 20
_DEEPEST: Final = 4
_FIGURES: Final = 4
_NAME: Final = 60


@dataclass(frozen=True, kw_only=True)
class View:
    """Which fields of a record are shown; `None` shows a field as it is, `inner` those of a record in it."""

    own: frozenset[str]
    names: tuple[str, ...]
    inner: Mapping[str, "View"] = field(default_factory=dict)


@dataclass(kw_only=True)
class Cuts:
    """How long a list and a text may be, and what was left out: where, how many, how many are shown."""

    page: int = PAGE
    longest: int = LONGEST
    left: dict[str, tuple[int, int]] = field(default_factory=dict)


def fields(names: str, **inner: View) -> View:
    """Return the view of `names`, separated by spaces, and of the records in `inner`."""
    words = names.split()
    return View(
        own=frozenset(one[:-1] for one in words if one.endswith("!")),
        names=(*(one.rstrip("!") for one in words), *inner),
        inner=inner,
    )


def shown(value: JSON, view: View, cuts: Cuts, *, path: str = "") -> JSON:
    """Return what `view` shows of `value`, a record or a list of records."""
    if isinstance(value, list):
        return [shown(one, view, cuts, path=path) for one in _first(value, cuts, path)]
    if not isinstance(value, dict):
        return _plain(value, cuts, path=path, is_own=False)
    found: dict[str, JSON] = {}
    for name in view.names:
        here = f"{path}.{name}" if path else name
        one = value.get(name)
        if one is None or one in ("", [], {}):
            continue
        inner = view.inner.get(name)
        found[name] = (
            shown(one, inner, cuts, path=here) if inner else _plain(one, cuts, path=here, is_own=name in view.own)
        )
    return found


def _first(value: list[JSON], cuts: Cuts, path: str) -> list[JSON]:
    if len(value) > cuts.page:
        cuts.left[path or "items"] = (len(value) - cuts.page, cuts.page)
    return value[: cuts.page]


def _plain(value: JSON, cuts: Cuts, *, path: str, is_own: bool, depth: int = 0) -> JSON:
    match value:
        case str():
            if is_instant(value):
                return value
            return own(value, most=cuts.longest) if is_own else outside(value, most=cuts.longest)
        case float():
            return float(f"{value:.{_FIGURES}g}")
        case list() | dict() if depth >= _DEEPEST:
            return "…"
        case list():
            return [_plain(one, cuts, path=path, is_own=is_own, depth=depth + 1) for one in _first(value, cuts, path)]
        case dict():
            return {
                own(name, most=_NAME): _plain(one, cuts, path=path, is_own=False, depth=depth + 1)
                for name, one in list(value.items())[: cuts.page]
            }
        case _:
            return value


# JSON Schema

Schema: TypeAlias = dict[str, JSON]


def schema_of(kind: object, view: View, *, depth: int = 2) -> Schema:
    """Return the JSON Schema of what `view` shows of a `kind`, which is a record or a tuple of records.

    Records deeper than `depth` are objects and no more: every tool's schema is in every agent's prompt.
    """
    item = _item(kind)
    if item is not None:
        return {"type": "array", "items": schema_of(item, view, depth=depth)}
    if not depth:
        return {"type": "object"}
    hints = get_type_hints(_bare(kind))
    return {
        "type": "object",
        "properties": {
            name: schema_of(hints[name], view.inner[name], depth=depth - 1)
            if name in view.inner
            else _of_type(hints[name])
            for name in view.names
        },
    }


def _of_type(kind: object) -> Schema:
    kind = _bare(kind)
    item = _item(kind)
    if item is not None:
        inner = _of_type(item)
        # Most lists are of texts: that they are is not said, twenty times over, in every agent's prompt.
        return {"type": "array"} if inner in ({}, {"type": "string"}) else {"type": "array", "items": inner}
    if get_origin(kind) in (dict, Mapping) or is_dataclass(kind):
        return {"type": "object"}
    if isinstance(kind, type):
        for known, word in _WORDS:
            if issubclass(kind, known):
                return {"type": word}
    return {}


_WORDS: Final[Sequence[tuple[type, str]]] = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (str, "string"),
    (datetime, "string"),
    (Enum, "string"),
)


def _item(kind: object) -> object | None:
    """Return what a tuple or list is made of, None for anything else, and for tuples of fixed length."""
    kind = _bare(kind)
    inner = get_args(kind)
    if get_origin(kind) is tuple and len(inner) == 2 and inner[1] is Ellipsis:
        found: object = inner[0]
        return found
    return None


def _bare(kind: object) -> object:
    """Return the type without `| None` and without what msgspec is told about it."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        return _bare(next(one for one in get_args(kind) if one is not type(None)))
    return kind
