"""Checks the on-call part of a configuration folder without a store: the rules ahead, and the assertions beside it."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from stanch.catalog.load_oncall import FOLDER, TESTS
from stanch.catalog.model import Catalog
from stanch.kernel.errors import Invalid, Problem, Unavailable
from stanch.kernel.zone import check_zone
from stanch.oncall.assertions import Assertion, Finding, judge, read_assertion
from stanch.oncall.calendars import is_url
from stanch.oncall.rules import breaks
from stanch.operations.oncall.facts import Gathered, gathered, text_at
from stanch.ports.calendars import Calendars

# The first break of a rule shows what is wrong; a rotation that is too short breaks it every week again.
_MOST: Final = 3
_PAST: Final = timedelta(days=40)


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What is wrong with on-call ahead; `notes` are worth knowing and no mistakes."""

    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()


def check_roster(catalog: Catalog, calendars: Calendars | None, *, now: datetime) -> Checked:
    """Return what breaks a rule within `check_days`, and calendars that cannot be read."""
    if not catalog.oncall.schedules:
        return Checked(problems=())
    end = now + timedelta(days=catalog.oncall.check_days)
    known, notes = configured_facts(catalog, calendars, start=now - _PAST, end=end + _PAST)
    problems = list(known.problems)
    counts: dict[tuple[str, str, str], int] = {}
    for one in breaks(catalog, start=now, end=end, facts=known.facts):
        key = (one.schedule, one.rule, one.person)
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= _MOST:
            problems.append(Problem(field=f"oncall.schedules.{one.schedule}", message=one.message.partition(": ")[2]))
    for (schedule, rule, person), count in counts.items():
        if count > _MOST:
            whom = f" ({person})" if person else ""
            told = f"{rule}{whom}: {count - _MOST} more times within {catalog.oncall.check_days} days"
            problems.append(Problem(field=f"oncall.schedules.{schedule}", message=told))
    return Checked(problems=tuple(problems), notes=notes)


def check_folder(catalog: Catalog, calendars: Calendars | None, folder: Path, *, now: datetime) -> Checked:
    """Return what breaks a rule from `now` on, and what the assertions beside the configuration find otherwise."""
    checked = check_roster(catalog, calendars, now=now)
    wrong = [
        Problem(field=f"{FOLDER}/{TESTS}", message=f"{one.text}: {one.difference}")
        for one in judge_folder(catalog, calendars, folder)
        if not one.holds
    ]
    return Checked(problems=(*checked.problems, *wrong), notes=checked.notes)


def judge_folder(catalog: Catalog, calendars: Calendars | None, folder: Path) -> tuple[Finding, ...]:
    """Return what each assertion in a configuration folder found. Raises `Invalid` as `read_assertions` does."""
    return judge_all(read_assertions(folder, catalog), catalog, calendars)


def read_assertions(root: Path, catalog: Catalog) -> tuple[Assertion, ...]:
    """Return the assertions of `oncall/tests.toml` in `root`; none where there is no such file.

    Raises `Invalid` with one problem for each line that is not understood.
    """
    file = root / FOLDER / TESTS
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"cannot read it: {error}", field=str(file)) from error
    unknown = sorted(set(document) - {"zone", "assertions"})
    lines = document.get("assertions", [])
    if unknown or not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        where = unknown[0] if unknown else "assertions"
        raise Invalid("must be `zone`, a text, and `assertions`, a list of texts", field=f"{FOLDER}/{TESTS}.{where}")
    zone = check_zone(str(document.get("zone", catalog.zone)))
    found, problems = [], []
    for number, line in enumerate(lines):
        try:
            found.append(read_assertion(line, zone=zone, catalog=catalog))
        except Invalid as error:
            problems.append(Problem(field=f"{FOLDER}/{TESTS}.assertions.{number}", message=error.problems[0].message))
    if problems:
        raise Invalid(problems=problems, hint="docs/oncall.md shows how assertions are written")
    return tuple(found)


def judge_all(assertions: Sequence[Assertion], catalog: Catalog, calendars: Calendars | None) -> tuple[Finding, ...]:
    """Return what each assertion found, in order. Overrides that were made while the product ran are left aside."""
    if not assertions:
        return ()
    moments = [one.at for one in assertions]
    look = timedelta(days=400)
    known, _ = configured_facts(catalog, calendars, start=min(moments) - look, end=max(moments) + look)
    return tuple(judge(one, catalog, facts=known.facts) for one in assertions)


def configured_facts(
    catalog: Catalog, calendars: Calendars | None, *, start: datetime, end: datetime
) -> tuple[Gathered, tuple[str, ...]]:
    """Return what calendars and holidays say, and notes on those that could not be reached."""
    notes: list[str] = []

    def text_of(place: str) -> str:
        if not is_url(place) or calendars is None:
            return text_at(place, root=catalog.root, fetched={})
        try:
            return calendars.fetch(place)
        except Unavailable as error:
            notes.append(f"{place}: {error.message}; checked without it")
            return _EMPTY

    return gathered(catalog, calendars, start=start, end=end, text_of=text_of), tuple(notes)


_EMPTY: Final = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Stanch//EN\r\nEND:VCALENDAR\r\n"
