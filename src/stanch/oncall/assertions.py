"""Assertions about on-call, kept beside the configuration: "checkout at 2026-12-25T03:00 pages alice, then bob".

Owns their grammar and what they find. Each is one line of `oncall/tests.toml`:

    zone = "Europe/Helsinki"
    assertions = [
      "checkout at 2026-12-25T03:00 pages alice, then bob and carol",
      "checkout at 2026-12-25T03:00 as SEV1 pages alice and bob",
      "night at 2026-12-25T03:00 is carol",
      "night at 2026-12-25T12:00 is nobody",
    ]
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from stanch.catalog.model import Catalog
from stanch.kernel.errors import Invalid
from stanch.kernel.zone import in_zone
from stanch.oncall.levels import DEFAULT_SEVERITY, levels_for
from stanch.oncall.model import NOTHING, Facts
from stanch.oncall.roster import on_call
from stanch.oncall.wallclock import instant_of

_LINE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*) at (?P<at>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?)(?P<offset>Z|[+-]\d\d:\d\d)?"
    r"(?: (?P<zone>[A-Z][\w+-]*(?:/[\w+-]+)*))?(?: as SEV(?P<severity>[1-4]))? (?P<verb>pages|is) (?P<who>.+)"
)
_NOBODY: Final = "nobody"
_FORM: Final = (
    'write it like "checkout at 2026-12-25T03:00 pages alice, then bob" or "night at 2026-12-25T03:00 is carol"'
)


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """One line, taken apart. `expected` are the people of each level; a roster has one level."""

    text: str
    name: str
    at: datetime
    zone: str
    severity: int
    is_roster: bool
    expected: tuple[frozenset[str], ...]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What an assertion found: it holds, or `difference` says what is otherwise."""

    text: str
    holds: bool
    difference: str = ""


def read_assertion(text: str, *, zone: str, catalog: Catalog) -> Assertion:
    """Return the assertion of a line; clock times are of `zone`. Raises `Invalid` for what is not understood."""
    found = _LINE.fullmatch(text.strip())
    if found is None:
        raise Invalid(f"is not understood: {text!r}", field="assertions", hint=_FORM)
    name, is_roster = found["name"], found["verb"] == "is"
    known = catalog.oncall.schedules if is_roster else {**catalog.oncall.schedules, **catalog.services}
    if name not in known:
        raise Invalid(f"{name!r} is no {'schedule' if is_roster else 'service'}: {text!r}", field="assertions")
    is_roster = is_roster or name not in catalog.services
    place = found["zone"] or zone
    expected = tuple(_people(level, catalog, text) for level in re.split(r",? then ", found["who"]))
    if is_roster and len(expected) > 1:
        raise Invalid(f"a schedule has no levels: {text!r}", field="assertions")
    return Assertion(
        text=text.strip(),
        name=name,
        at=_instant(found["at"], found["offset"] or "", place),
        zone=place,
        severity=int(found["severity"] or DEFAULT_SEVERITY),
        is_roster=is_roster,
        expected=() if expected == (frozenset(),) else expected,
    )


def judge(assertion: Assertion, catalog: Catalog, *, facts: Facts = NOTHING) -> Finding:
    """Return whether an assertion holds. Only as many levels are compared as it names; "nobody" means none at all."""
    found = _found(assertion, catalog, facts)
    compared = found[: len(assertion.expected)] if assertion.expected else [level for level in found if level]
    expected = list(assertion.expected)
    if compared == expected:
        return Finding(text=assertion.text, holds=True)
    moment = f"{in_zone(assertion.at, assertion.zone):%Y-%m-%d %H:%M} {assertion.zone}"
    return Finding(
        text=assertion.text,
        holds=False,
        difference=f"expected {_said(expected)}, found {_said(compared)} ({moment})",
    )


def _found(assertion: Assertion, catalog: Catalog, facts: Facts) -> list[frozenset[str]]:
    if assertion.is_roster:
        shift = on_call(catalog, assertion.name, at=assertion.at, facts=facts)
        return [frozenset({shift.person})] if shift else []
    levels = levels_for(catalog, assertion.name, at=assertion.at, severity=assertion.severity, facts=facts)
    return [frozenset(level.people) for level in levels.levels]


def _people(text: str, catalog: Catalog, line: str) -> frozenset[str]:
    names = [name for name in re.split(r",\s*|\s+and\s+", text.strip()) if name]
    if names == [_NOBODY]:
        return frozenset()
    for name in names:
        if name not in catalog.people:
            raise Invalid(f"{name!r} is nobody known: {line!r}", field="assertions")
    return frozenset(names)


def _instant(text: str, offset: str, zone: str) -> datetime:
    try:
        if offset:
            return datetime.fromisoformat(text + offset.replace("Z", "+00:00")).astimezone(UTC)
        return instant_of(datetime.fromisoformat(text), zone)
    except ValueError as error:
        raise Invalid(f"{text}{offset} is no time: {error}", field="assertions") from error


def _said(levels: Sequence[frozenset[str]]) -> str:
    told = [" and ".join(sorted(level)) or _NOBODY for level in levels]
    return ", then ".join(told) if told else _NOBODY
