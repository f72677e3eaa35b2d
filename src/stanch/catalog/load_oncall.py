"""Reads what the configuration says about on-call: schedules, policies, how people are reached; and files in `oncall/`.

Owns what these values must mean together: people, schedules, policies and targets that exist. Whether a schedule
leaves a gap or tires somebody out is `stanch.oncall.rules`', which looks at the calendar.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Final

from stanch.catalog.key import Key
from stanch.catalog.oncall import DAY_WORDS, METHOD_KINDS, PERSONS_ZONE, shipped_severities
from stanch.catalog.oncall_keys import (
    FILE,
    LAYER,
    ONCALL,
    POLICY,
    RULE,
    SCHEDULE,
    SEVERITY,
    STEP,
    STINT,
    WINDOW,
)
from stanch.catalog.reader import NOTHING_BELOW, Reader, did_you_mean
from stanch.kernel.errors import Invalid, Problem
from stanch.kernel.pattern import pattern
from stanch.kernel.zone import check_zone

FOLDER: Final = "oncall"
TESTS: Final = "tests.toml"
"""The file in the folder that holds assertions and no configuration."""

HAND_OVER: Final = time(9)
_WHOLE: Final = ("schedules", "policies", "severities", "people", "services")
_SINGLE: Final = ("policy", "check_days", "keep_days", "time_off")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, kw_only=True)
class Known:
    """The names that on-call may speak of."""

    people: Sequence[str]
    teams: Sequence[str]
    schedules: Sequence[str]
    policies: Sequence[str]


def read_folder(root: Path) -> dict[str, dict[str, object]]:
    """Return the documents of the folder `oncall` in `root`, by file name, in the order of the names.

    Raises `Invalid` for a file that cannot be read or is not TOML.
    """
    found = {}
    for file in sorted((root / FOLDER).glob("*.toml")):
        if file.name == TESTS:
            continue
        try:
            found[f"{FOLDER}/{file.name}"] = tomllib.loads(file.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"cannot read it: {error}", field=str(file)) from error
        except tomllib.TOMLDecodeError as error:
            raise Invalid(f"is not TOML: {error}", field=str(file)) from error
    return found


def merged(
    document: Mapping[str, object], files: Mapping[str, Mapping[str, object]], problems: list[Problem]
) -> dict[str, object]:
    """Return `document` with what the files in `oncall/` add to it. A name in two places is a problem."""
    base = document.get("oncall", {})
    oncall: dict[str, object] = dict(base) if isinstance(base, dict) else {}
    whole: dict[str, object] = {**document, "oncall": oncall} if isinstance(base, dict) else dict(document)
    for file, given in files.items():
        reader = Reader(given, at=file, keys=FILE, problems=problems)
        for section in _WHOLE:
            place = whole if section in ("people", "services") else oncall
            _add(place, section, reader, file=file)
        for single in _SINGLE:
            if single in given:
                if single in oncall:
                    reader.complain(single, "is said in another place already")
                oncall[single] = given[single]
    if not oncall and "oncall" not in document:
        whole.pop("oncall", None)
    return whole


def _add(place: dict[str, object], section: str, reader: Reader, *, file: str) -> None:
    there = place.get(section, {})
    if not isinstance(there, dict):
        return
    for name in reader.table(section):
        if name in there:
            reader.complain(f"{section}.{name}", "is declared in another place already")
    if reader.table(section):
        place[section] = {**there, **reader.table(section)}


def read_oncall(top: Reader, known: Known) -> dict[str, object]:
    """Return the data of the record `OnCall` that the table `oncall` describes."""
    reader = top.inner(top.table("oncall"), at="oncall", keys=ONCALL)
    _complain_of_name(reader, "policy", reader.text("policy"), known.policies, "policy")
    for word in reader.texts("time_off"):
        try:
            pattern(word)
        except ValueError as error:
            reader.complain("time_off", f"{word!r} is no regular expression: {error}")
    severities = {
        name: _severity(one, name=name, known=known) for name, one in _each(reader, "severities", SEVERITY).items()
    }
    return {
        **reader.given(),
        "schedules": {
            name: _schedule(one, name=name, known=known)
            for name, one in _each(reader, "schedules", SCHEDULE, below={"layers": LAYER}).items()
        },
        "policies": {
            name: _policy(one, name=name, known=known)
            for name, one in _each(reader, "policies", POLICY, below={"steps": STEP}).items()
        },
        "severities": {**shipped_severities(), **severities},
    }


def read_person(reader: Reader, *, name: str) -> dict[str, object]:
    """Return the data of the record `Person` that a table below `people` describes."""
    _complain_of_zone(reader, "zone", reader.text("zone"))
    methods = [_method(reader, name=key, value=value) for key, value in reader.table("methods").items()]
    names = [str(method["id"]) for method in methods]
    rules = []
    for number, table in enumerate(reader.tables("rules")):
        rule = reader.inner(table, at=f"rules.{number}", keys=RULE)
        _complain_of_name(rule, "method", rule.text("method"), names, "method of theirs")
        rules.append(rule.given())
    return {**reader.given(), "id": name, "name": reader.text("name") or name, "methods": methods, "rules": rules}


def complain_of_targets(reader: Reader, key: str, targets: Sequence[str], known: Known) -> None:
    """Complain of each target that is none, or names what does not exist."""
    for target in targets:
        kind, _, name = target.partition(":")
        names = {"person": known.people, "schedule": known.schedules, "team": known.teams}.get(kind)
        if names is None or not name:
            reader.complain(key, f"is no target: {target!r}; write person:alice, schedule:checkout or team:commerce")
            continue
        if kind == "schedule":
            name = name.removesuffix("/all")
        _complain_of_name(reader, key, name, names, kind)


def _each(
    reader: Reader, section: str, keys: Sequence[Key], *, below: Mapping[str, Sequence[Key]] = NOTHING_BELOW
) -> dict[str, Reader]:
    found = {}
    for name, table in reader.table(section).items():
        if not _NAME.fullmatch(name):
            reader.complain(f"{section}.{name}", "is not a name: use letters, digits, dots, dashes, at most 63")
        if isinstance(table, dict):
            found[name] = reader.inner(table, at=f"{section}.{name}", keys=keys, below=below)
    return found


def _schedule(reader: Reader, *, name: str, known: Known) -> dict[str, object]:
    _complain_of_zone(reader, "zone", reader.text("zone"))
    _complain_of_name(reader, "secondary", reader.text("secondary"), known.schedules, "schedule")
    if reader.text("secondary") == name:
        reader.complain("secondary", "names the schedule itself")
    layers = [
        _layer(reader.inner(table, at=f"layers.{number}", keys=LAYER), number=number, known=known)
        for number, table in enumerate(reader.tables("layers"))
    ]
    return {
        **reader.given(),
        "name": name,
        "title": reader.text("title") or name,
        "layers": layers,
        "gaps_on_purpose": _windows(reader, "gaps_on_purpose"),
        "overrides": [
            _stint(reader.inner(table, at=f"overrides.{number}", keys=STINT), known=known)
            for number, table in enumerate(reader.tables("overrides"))
        ],
    }


def _layer(reader: Reader, *, number: int, known: Known) -> dict[str, object]:
    _complain_of_zone(reader, "zone", reader.text("zone"))
    for person in reader.texts("people"):
        _complain_of_name(reader, "people", person, known.people, "person")
    if not reader.text("calendar"):
        for key in ("people", "start"):
            if key not in reader.written:
                reader.complain(key, "is missing: a layer has people who take turns from a start, or a calendar")
    rotation = reader.text("rotation")
    if (rotation == "custom") != bool(reader.number("length_s", default=0)):
        reader.complain("length_s", "belongs to a custom rotation, which needs it")
    if reader.text("hand_over_day") and rotation not in ("", "weekly"):
        reader.complain("hand_over_day", f"belongs to a weekly rotation, not to a {rotation} one")
    hand_over = reader.text("hand_over")
    start, end = (_dated(reader.local(key), hand_over) for key in ("start", "end"))
    if start and end and end <= start:
        reader.complain("end", "must be after start")
    return {
        **reader.given(),
        "name": reader.text("name") or str(number + 1),
        "start": start,
        "end": end,
        "restrictions": _windows(reader, "restrictions"),
    }


def _dated(local: datetime | None, hand_over: str) -> datetime | None:
    """Return a local date-time; a date alone is taken at hand-over (09:00 where that is not said either)."""
    if local is None or not local.fold:
        return local
    return datetime.combine(local.date(), time.fromisoformat(hand_over) if hand_over else HAND_OVER, tzinfo=None)


def _windows(reader: Reader, section: str) -> list[dict[str, object]]:
    found = []
    for number, table in enumerate(reader.tables(section)):
        one = reader.inner(table, at=f"{section}.{number}", keys=WINDOW)
        for day in one.texts("days"):
            if day not in DAY_WORDS:
                one.complain("days", f"{day!r} is none of {', '.join(DAY_WORDS)}{did_you_mean(day, DAY_WORDS)}")
        if one.text("end_day") and len(one.texts("days")) != 1:
            one.complain("end_day", "needs exactly one day in days")
        if one.text("zone") != PERSONS_ZONE:
            _complain_of_zone(one, "zone", one.text("zone"))
        elif section != "restrictions":
            one.complain("zone", "can be that of a person in a layer's restrictions only")
        found.append(one.given())
    return found


def _stint(reader: Reader, *, known: Known) -> dict[str, object]:
    _complain_of_name(reader, "person", reader.text("person"), known.people, "person")
    start, end = (_dated(reader.local(key), "00:00") for key in ("start", "end"))
    if start and end and end <= start:
        reader.complain("end", "must be after start")
    return {**reader.given(), "start": start, "end": end}


def _policy(reader: Reader, *, name: str, known: Known) -> dict[str, object]:
    steps = []
    for number, table in enumerate(reader.tables("steps")):
        step = reader.inner(table, at=f"steps.{number}", keys=STEP)
        complain_of_targets(step, "targets", step.texts("targets"), known)
        steps.append(step.given())
    if not steps:
        reader.complain("steps", "must not be empty: this policy would page nobody")
    complain_of_targets(reader, "fallback", reader.texts("fallback"), known)
    return {**reader.given(), "name": name, "title": reader.text("title") or name, "steps": steps}


def _severity(reader: Reader, *, name: str, known: Known) -> dict[str, object]:
    if name not in shipped_severities():
        reader.complain("", f"is no severity: SEV1 to SEV4 are{did_you_mean(name, tuple(shipped_severities()))}")
    complain_of_targets(reader, "also", reader.texts("also"), known)
    _complain_of_name(reader, "policy", reader.text("policy"), known.policies, "policy")
    return {**reader.given(), "severity": name}


def _method(reader: Reader, *, name: str, value: object) -> dict[str, object]:
    if isinstance(value, str):
        value = {"kind": name, "address": value}
    if not isinstance(value, dict) or not all(isinstance(value.get(key), str) for key in ("kind", "address")):
        reader.complain(f"methods.{name}", 'must be an address, or {kind = "sms", address = "+358..."}')
        return {"id": name, "kind": "", "address": ""}
    kind = str(value["kind"])
    if kind not in METHOD_KINDS:
        near = did_you_mean(kind, METHOD_KINDS)
        reader.complain(f"methods.{name}", f"{kind!r} is none of {', '.join(METHOD_KINDS)}{near}")
    if not str(value["address"]).strip():
        reader.complain(f"methods.{name}", "has no address")
    return {"id": name, "kind": kind, "address": str(value["address"]).strip()}


def _complain_of_name(reader: Reader, key: str, name: str, names: Sequence[str], what: str) -> None:
    if name and name not in names:
        reader.complain(key, f"names no {what}: {name!r}{did_you_mean(name, tuple(names))}")


def _complain_of_zone(reader: Reader, key: str, zone: str) -> None:
    if zone:
        try:
            check_zone(zone)
        except Invalid:
            reader.complain(key, f"is not a time zone: {zone!r}; write an IANA name such as Europe/Berlin")
