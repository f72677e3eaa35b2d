"""Carries an export over: reads it, drops what ends nowhere, relaxes rules that it breaks, writes and checks it."""

import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from stanch.catalog.load import FILE_NAME, load_catalog, read_catalog
from stanch.catalog.load_oncall import FOLDER
from stanch.catalog.model import Catalog
from stanch.oncall.rules import Rule, breaks
from stanch.operations.oncall.checking import configured_facts
from stanch.operations.oncall.moving.export import read_export
from stanch.operations.oncall.moving.writing import documents, write
from stanch.ports.calendars import Calendars
from stanch.ports.migration import Missed, Moved, OtherTool

_AHEAD = timedelta(days=90)
_SWITCHES = {
    Rule.GAP: ("gaps_on_purpose = [{}]", "gaps"),
    Rule.DAYS_IN_A_ROW: ("max_days = 0", "max_days"),
    Rule.REST: ("rest_hours = 0", "rest_hours"),
}


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What was written, how much of what, and what was not carried over."""

    files: tuple[str, ...]
    people: int
    schedules: int
    policies: int
    services: int
    missed: tuple[Missed, ...]


def carry(
    tool: OtherTool,
    export: Path,
    folder: Path,
    *,
    now: datetime,
    over: bool = False,
    calendars_for: Callable[[Catalog], Calendars | None],
) -> Carried:
    """Write the configuration that `export` says below `folder`. What it writes passes `stanch check`.

    Raises `Invalid` and `NotFound` as reading does, `Conflict` where files would be overwritten.
    """
    moved = _whole(tool.moved(read_export(export), now=now))
    zone = Counter(one.zone for one in moved.schedules if one.zone).most_common(1)
    place = zone[0][0] if zone else "UTC"
    strict = _parsed(documents(moved, zone=place, relaxed={}), folder)
    relaxed, told = _relaxed(strict, calendars_for(strict), now=now)
    written = write(folder, documents(moved, zone=place, relaxed=relaxed), over=over)
    # What stood there before and what was written must be right together.
    load_catalog(folder)
    return Carried(
        files=tuple(str(file) for file in written),
        people=len(moved.people),
        schedules=len(moved.schedules),
        policies=len(moved.policies),
        services=len(moved.services),
        missed=(*moved.missed, *told),
    )


def _whole(moved: Moved) -> Moved:
    """Return what was moved without policies that page nobody, and services without policies that are gone."""
    missed = list(moved.missed)
    schedules = {one.name: one for one in moved.schedules}
    services = list(moved.services)
    teams = {team for one in moved.people for team in one.teams} | {one.team for one in services if one.team}
    kept = []
    for policy in moved.policies:
        levels = [(tuple(one for one in targets if _known(one, teams)), wait_s) for targets, wait_s in policy.steps]
        steps = tuple((targets, wait_s) for targets, wait_s in levels if targets)
        if steps:
            kept.append(replace(policy, steps=steps))
        else:
            missed.append(
                Missed(where=f"policies {policy.title}", what="all of it", why="no level of it pages anybody")
            )
    for schedule in schedules.values():
        if not schedule.layers and not schedule.overrides:
            why = "it has no rotation here, so nobody is ever on call"
            missed.append(Missed(where=f"schedules {schedule.title}", what="its rotations", why=why))
    names = {one.name for one in kept}
    for number, service in enumerate(services):
        if service.policy and service.policy not in names:
            missed.append(Missed(where=f"services {service.title}", what="its policy", why="that policy pages nobody"))
        services[number] = replace(service, policy=service.policy if service.policy in names else "")
    return replace(moved, policies=tuple(kept), services=tuple(services), missed=tuple(missed))


def _known(target: str, teams: set[str]) -> bool:
    kind, _, name = target.partition(":")
    return kind != "team" or name in teams


def _parsed(files: dict[str, str], folder: Path) -> Catalog:
    parsed = {name: tomllib.loads(text) for name, text in files.items()}
    beside = {name: document for name, document in parsed.items() if name.startswith(FOLDER)}
    return read_catalog(parsed[FILE_NAME], root=folder, files=beside)


def _relaxed(
    catalog: Catalog, calendars: Calendars | None, *, now: datetime
) -> tuple[dict[str, list[str]], list[Missed]]:
    """Return the lines that switch broken rules off, by schedule, and what to say about each."""
    known, _ = configured_facts(catalog, calendars, start=now - _AHEAD, end=now + 2 * _AHEAD)
    lines: dict[str, list[str]] = {}
    told = []
    for one in breaks(catalog, start=now, end=now + _AHEAD, facts=known.facts):
        line, word = _SWITCHES.get(one.rule, ("", ""))
        if line and line not in lines.setdefault(one.schedule, []):
            lines[one.schedule].append(line)
            why = f"{one.message.partition(': ')[2]}; switched off by `{line}` until you decide"
            told.append(Missed(where=f"schedules {one.schedule}", what=f"rule {word}", why=why))
    return lines, told
