"""Reads the shipped scenarios and the folder `gamedays` of the configuration, and says all that is wrong at once.

`targets.toml` there says what may be broken; every other `.toml` file is a scenario, and replaces a shipped one of its
name. Nothing is broken by reading.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from stanch.catalog.gamedays.keys import EXPECT, SCENARIO, STEP, TARGET
from stanch.catalog.gamedays.model import ACTS, Act, Gamedays, Scenario, Target, TargetKind
from stanch.catalog.key import Key, Type
from stanch.catalog.reader import Reader, did_you_mean
from stanch.kernel.codec import from_data
from stanch.kernel.errors import Problem
from stanch.kernel.percentage import percent

FOLDER: Final = "gamedays"
TARGETS: Final = "targets.toml"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_MOST_FILES: Final = 500
_TARGETS: Final = (Key(name="targets", type=Type.TABLES, doc="Targets by their names."),)

# What a target of each kind cannot do without.
_NEEDS: Final[dict[TargetKind, tuple[str, ...]]] = {
    TargetKind.PROCESS: ("pid_files",),
    TargetKind.PODS: ("selector",),
    TargetKind.PROXY: ("control",),
    TargetKind.TOXIPROXY: ("control", "proxy"),
    TargetKind.FOLDER: ("folder", "most_bytes"),
    TargetKind.ADDRESS: ("address", "most_connections"),
    TargetKind.COMMAND: ("do",),
    TargetKind.PERSON: ("person",),
}
# What a step cannot do without.
_ASKS: Final[dict[Act, str]] = {Act.DELAY: "delay_ms", Act.FILL: "bytes", Act.EXHAUST: "connections"}


def read_gamedays(
    root: Path, *, services: Collection[str] = (), people: Collection[str] = (), kinds: Collection[str] = ()
) -> Gamedays:
    """Return the scenarios and targets for the configuration in `root`, with what is wrong in `problems`.

    `services` and `people` are the catalog's, `kinds` those of hypotheses that exist; where empty, not looked at.
    """
    problems: list[Problem] = []
    folder = root / FOLDER
    targets = _targets(folder / TARGETS, root=root, services=services, people=people, problems=problems)
    scenarios = {
        name: _scenario(tomllib.loads(entry.read_text(encoding="utf-8")), name=name, problems=problems, shipped=True)
        for entry in sorted((files("stanch.catalog.gamedays") / "shipped").iterdir(), key=lambda one: one.name)
        if (name := entry.name.removesuffix(".toml")) != entry.name
    }
    own = sorted(folder.glob("*.toml"))[:_MOST_FILES] if folder.is_dir() else []
    for path in own:
        document = _document(path, problems) if path.name != TARGETS else None
        if document is None:
            continue
        where = f"{FOLDER}/{path.name}"
        if not _NAME.fullmatch(path.stem):
            problems.append(Problem(field=where, message="is not a name: use letters, digits, dots and dashes"))
        scenario = _scenario(document, name=path.stem, problems=problems, shipped=False)
        if scenario is not None:
            problems += _mismatches(scenario, targets, where=where, services=services, kinds=kinds)
        scenarios[path.stem] = scenario
    known = {name: one for name, one in scenarios.items() if one is not None}
    return Gamedays(targets=targets, scenarios=known, problems=tuple(problems))


def mismatches(scenario: Scenario, targets: Mapping[str, Target]) -> tuple[Problem, ...]:
    """Return what keeps a scenario from being played with these targets: missing ones, acts they do not know."""
    return tuple(_mismatches(scenario, targets, where=scenario.name, services=(), kinds=()))


def _targets(
    path: Path, *, root: Path, services: Collection[str], people: Collection[str], problems: list[Problem]
) -> dict[str, Target]:
    document = _document(path, problems) if path.is_file() else None
    if document is None:
        return {}
    at = f"{FOLDER}/{TARGETS}"
    top = Reader(document, at=at, keys=_TARGETS, problems=problems)
    found = {}
    for name, table in top.table("targets").items():
        before = len(problems)
        if not _NAME.fullmatch(name):
            top.complain(f"targets.{name}", "is not a name: use letters, digits, dots and dashes, at most 63")
        if isinstance(table, dict):
            reader = Reader(table, at=f"{at}.targets.{name}", keys=TARGET, problems=problems)
            _complain_of_target(reader, services=services, people=people)
            if len(problems) == before:
                found[name] = _target(reader, name=name, root=root)
    return found


def _complain_of_target(reader: Reader, *, services: Collection[str], people: Collection[str]) -> None:
    kind = reader.text("kind")
    if kind in tuple(TargetKind):
        for needed in _NEEDS[TargetKind(kind)]:
            if needed not in reader.written:
                reader.complain(needed, f"is missing: a target of kind {kind} needs it")
    for service in reader.texts("services"):
        if services and service not in services:
            reader.complain("services", f"names no service: {service!r}{did_you_mean(service, tuple(services))}")
    if kind == TargetKind.PERSON and people and reader.text("person") not in people:
        reader.complain("person", f"names nobody: {reader.text('person')!r}")
    if kind == TargetKind.COMMAND and bool(reader.texts("undo")) == bool(reader.text("lasting").strip()):
        reader.complain("undo", "say how it is taken back, or in `lasting` why there is nothing to take back")
    if kind in (TargetKind.PROXY, TargetKind.TOXIPROXY) and not _is_url(reader.text("control")):
        reader.complain("control", "must be a URL such as http://127.0.0.1:8475")
    if kind == TargetKind.ADDRESS and not re.fullmatch(r"\S+:[0-9]{1,5}", reader.text("address")):
        reader.complain("address", "must be a host and a port, such as 127.0.0.1:5432")
    if reader.number("most_share", default=1.0) <= 0:
        reader.complain("most_share", "must be above 0")


def _target(reader: Reader, *, name: str, root: Path) -> Target:
    given = reader.given()
    given["pid_files"] = tuple(str(root / one) for one in reader.texts("pid_files"))
    if folder := reader.text("folder"):
        given["folder"] = str(root / folder)
    return from_data({**given, "name": name}, Target)


def _scenario(document: Mapping[str, object], *, name: str, problems: list[Problem], shipped: bool) -> Scenario | None:
    before = len(problems)
    top = Reader(document, at=f"{FOLDER}/{name}.toml", keys=SCENARIO, problems=problems)
    within_s = top.number("within_s", default=Scenario(name="", title="").within_s)
    steps = []
    for number, table in enumerate(top.tables("steps")):
        step = top.inner(table, at=f"steps.{number}", keys=STEP)
        if step.number("at_s", default=0.0) >= within_s:
            step.complain("at_s", f"must be before the end, within_s ({within_s:g} s)")
        needed = _ASKS.get(Act(step.text("do"))) if step.text("do") in tuple(Act) else None
        if needed and needed not in step.written:
            step.complain(needed, f"is missing: {step.text('do')} needs it")
        steps.append(step.given())
    if not steps and "steps" in top.written:
        top.complain("steps", "must not be empty")
    expect = top.inner(top.table("expect"), at="expect", keys=EXPECT).given()
    if len(problems) > before:
        return None
    data = {**top.given(), "name": name, "steps": steps, "expect": expect, "shipped": shipped}
    scenario = from_data(data, Scenario)
    if len(scenario.targets) > scenario.most_targets:
        count = len(scenario.targets)
        top.complain("most_targets", f"is {scenario.most_targets}, and the steps hit {count} targets")
        return None
    return scenario


def _mismatches(
    scenario: Scenario,
    targets: Mapping[str, Target],
    *,
    where: str,
    services: Collection[str],
    kinds: Collection[str],
) -> list[Problem]:
    found = []
    for number, step in enumerate(scenario.steps):
        target = targets.get(step.target)
        at = f"{where}.steps.{number}"
        if target is None:
            hint = did_you_mean(step.target, tuple(targets))
            found.append(Problem(field=f"{at}.target", message=f"is no declared target: {step.target!r}{hint}"))
            continue
        if step.do not in ACTS[target.kind]:
            can = ", ".join(ACTS[target.kind])
            told = f"{step.do} cannot be done to a target of kind {target.kind}: {can}"
            found.append(Problem(field=f"{at}.do", message=told))
        if step.do is Act.FILL and step.bytes > target.most_bytes:
            told = f"is more than {target.name} allows: {target.most_bytes:,}"
            found.append(Problem(field=f"{at}.bytes", message=told))
        if step.do is Act.EXHAUST and step.connections > target.most_connections:
            told = f"is more than {target.name} allows: {target.most_connections:,}"
            found.append(Problem(field=f"{at}.connections", message=told))
        most = min(target.most_share, scenario.most_share)
        if step.share > most:
            found.append(Problem(field=f"{at}.share", message=f"is more than {target.name} allows: {percent(most)}"))
    for field, given, known in (
        ("services", scenario.services, services),
        ("expect.about", scenario.expect.about, services),
        ("expect.kinds", scenario.expect.kinds, kinds),
    ):
        strange = [one for one in given if known and one not in known]
        found += [
            Problem(field=f"{where}.{field}", message=f"is not known: {one!r}{did_you_mean(one, tuple(known))}")
            for one in strange
        ]
    return found


def _document(path: Path, problems: list[Problem]) -> dict[str, object] | None:
    where = f"{FOLDER}/{path.name}"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(field=where, message=f"cannot be read: {error}"))
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(field=where, message=f"is not TOML: {error}"))
    return None


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.netloc)
