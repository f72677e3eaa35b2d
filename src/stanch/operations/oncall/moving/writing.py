"""Writes what was carried over as configuration files: `oncall/people.toml`, `schedules.toml` and so on. Pure but one.

The rules of a roster are switched off where the schedules of the old tool break them, and that is said: an import must
not stop at what was so for years, and must not hide it either.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from stanch.catalog.load import FILE_NAME
from stanch.catalog.load_oncall import FOLDER
from stanch.kernel.errors import Conflict
from stanch.ports.migration import Moved, MovedLayer, MovedSchedule, MovedWindow

Lines = Iterator[str]
HEAD = "# Carried over from another tool by `stanch import`. It is yours now: edit it.\n"


def documents(moved: Moved, *, zone: str, relaxed: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Return the files by name. `relaxed` has the lines that switch rules off, by schedule."""
    return {
        FILE_NAME: "".join(_line(line) for line in _main(moved, zone)),
        f"{FOLDER}/people.toml": _joined(_people(moved)),
        f"{FOLDER}/schedules.toml": _joined(
            line for one in moved.schedules for line in _schedule(one, tuple(relaxed.get(one.name, ())))
        ),
        f"{FOLDER}/policies.toml": _joined(_policies(moved)),
        f"{FOLDER}/services.toml": _joined(_services(moved)),
    }


def write(folder: Path, files: Mapping[str, str], *, over: bool) -> list[Path]:
    """Write the files below `folder`; a `stanch.toml` that is there stays. Raises `Conflict` for others, not `over`."""
    there = [name for name in files if name != FILE_NAME and (folder / name).exists()]
    if there and not over:
        raise Conflict(f"{', '.join(there)} in {folder} would be overwritten", reason="exists", hint="say --force")
    written = []
    for name, text in files.items():
        file = folder / name
        if name == FILE_NAME and file.exists():
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        written.append(file)
    return written


def _main(moved: Moved, zone: str) -> Lines:
    yield HEAD.strip()
    yield 'name = "stanch"'
    yield f"zone = {_text(zone)}"
    yield ""
    yield "# Checks, logs and repositories of the services are said here or in oncall/services.toml."


def _people(moved: Moved) -> Lines:
    for one in moved.people:
        yield from ("", f"[people.{_key(one.name)}]", f"name = {_text(one.title)}")
        if one.email:
            yield f"email = {_text(one.email)}"
        if one.zone:
            yield f"zone = {_text(one.zone)}"
        if one.teams:
            yield f"teams = {_texts(one.teams)}"
        for name, kind, address in one.methods:
            value = _text(address) if name == kind else f"{{kind = {_text(kind)}, address = {_text(address)}}}"
            yield f"methods.{_key(name)} = {value}"
        if one.rules:
            told = ", ".join(
                f"{{method = {_text(method)}, after_s = {after_s:g}, urgency = {_text(urgency)}}}"
                for method, after_s, urgency in one.rules
            )
            yield f"rules = [{told}]"


def _schedule(one: MovedSchedule, relaxed: tuple[str, ...]) -> Lines:
    yield from ("", f"[schedules.{_key(one.name)}]", f"title = {_text(one.title)}")
    for name, value in (("team", one.team), ("zone", one.zone)):
        if value:
            yield f"{name} = {_text(value)}"
    yield from relaxed
    for layer in one.layers:
        yield from _layer(one.name, layer)
    for stint in one.overrides:
        yield from ("", f"[[schedules.{_key(one.name)}.overrides]]", f"person = {_text(stint.person)}")
        yield from (f"start = {_text(stint.start)}", f"end = {_text(stint.end)}")
        if stint.why:
            yield f"why = {_text(stint.why)}"


def _layer(schedule: str, layer: MovedLayer) -> Lines:
    yield from ("", f"[[schedules.{_key(schedule)}.layers]]", f"name = {_text(layer.name)}")
    if layer.calendar:
        yield f"calendar = {_text(layer.calendar)}"
        return
    yield f"people = {_texts(layer.people)}"
    yield f"rotation = {_text(layer.rotation)}"
    if layer.rotation == "custom":
        yield f"length_s = {layer.length_s}"
    elif layer.length != 1:
        yield f"length = {layer.length}"
    for name, value in (
        ("start", layer.start),
        ("end", layer.end),
        ("hand_over", layer.hand_over),
        ("hand_over_day", layer.hand_over_day),
        ("zone", layer.zone),
    ):
        if value:
            yield f"{name} = {_text(value)}"
    if layer.restrictions:
        yield f"restrictions = [{', '.join(_window(one) for one in layer.restrictions)}]"


def _window(one: MovedWindow) -> str:
    parts = [f"days = {_texts(one.days)}"] if one.days else []
    parts += [f"start = {_text(one.start)}", f"end = {_text(one.end)}"]
    if one.end_day and len(one.days) == 1:
        parts.append(f"end_day = {_text(one.end_day)}")
    return "{" + ", ".join(parts) + "}"


def _policies(moved: Moved) -> Lines:
    for one in moved.policies:
        yield from (
            "",
            f"[policies.{_key(one.name)}]",
            f"title = {_text(one.title)}",
            f"repeat = {min(20, one.repeat)}",
        )
        steps = ",\n  ".join(f"{{targets = {_texts(targets)}, wait_s = {wait_s:g}}}" for targets, wait_s in one.steps)
        yield f"steps = [\n  {steps},\n]"


def _services(moved: Moved) -> Lines:
    for one in moved.services:
        yield from ("", f"[services.{_key(one.name)}]", f"title = {_text(one.title)}")
        for name, value in (("description", one.description), ("team", one.team), ("policy", one.policy)):
            if value:
                yield f"{name} = {_text(value)}"


def _joined(lines: Iterable[str]) -> str:
    return HEAD + "".join(_line(line) for line in lines)


def _line(text: str) -> str:
    return f"{text}\n"


def _key(name: str) -> str:
    return name if name.replace("-", "").isalnum() else _text(name)


def _text(value: str) -> str:
    # A JSON string is a basic string of TOML, but for the one control code that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _texts(values: Iterable[str]) -> str:
    return f"[{', '.join(_text(value) for value in values)}]"
