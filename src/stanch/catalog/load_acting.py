"""Reads what may be done to a service: its actions, with what they are told and when they run by themselves."""

import re
from collections.abc import Mapping
from typing import Final

from stanch.catalog.acting import GUARD, read_guard
from stanch.catalog.actuators import NEVER_LOW, system_kind, wrong_settings
from stanch.catalog.keys import ACTION
from stanch.catalog.reader import Reader, did_you_mean

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
PLACEHOLDERS: Final = (
    "service",
    "version",
    "previous",
    "change",
    "commit",
    "target",
    "version_number",
    "previous_number",
    "flag",
    "value",
    "previous_value",
    "incident",
)
"""What is filled into the arguments of an action."""


def read_actions(reader: Reader) -> list[dict[str, object]]:
    """Return the actions of a service; complain of what is missing, unknown or cannot be filled in."""
    return [_action(reader, number, table) for number, table in enumerate(reader.tables("actions"))]


def _action(service: Reader, number: int, table: dict[str, object]) -> dict[str, object]:
    one = service.inner(table, at=f"actions.{number}", keys=ACTION)
    commands = [(command, one.texts(command)) for command in ("run", "dry_run", "undo")]
    commands += [("then", arguments) for arguments in one.commands("then")]
    settings = {key: _settings(one, key) for key in ("settings", "undo_settings")}
    commands += [(key, tuple(values.values())) for key, values in settings.items()]
    uses = one.text("uses") or "command"
    if uses == "command" and not one.texts("run"):
        one.complain("run", "is missing: the command, or say with `uses` what carries it out")
    if uses != "command" and not one.table("settings"):
        one.complain("settings", f"is missing: what {uses} is told")
    for key, told in settings.items():
        # What takes it back may be told less: the actuator says what it lacks.
        for wrong in wrong_settings(uses, told) if told else ():
            one.complain(key, wrong)
    for command, arguments in commands:
        _complain_of_words(service, f"actions.{number}.{command}", arguments)
    if uses in NEVER_LOW and one.text("risk") in ("read", "low"):
        one.complain("risk", f"must be high or irreversible: nothing takes back what {uses} does")
    guard = read_guard(one.inner(one.table("guard"), at="guard", keys=GUARD))
    _complain_of_automatic(one)
    return {
        **one.given(),
        **settings,
        "guard": guard,
        "name": one.text("name"),
        "title": one.text("title") or one.text("name"),
    }


def complain_of_systems(service: Reader, systems: Mapping[str, str]) -> None:
    """Complain of each action of a service that is to happen on a system that there is not; `systems` are kinds."""
    for number, action in enumerate(service.tables("actions")):
        wanted = system_kind(str(action.get("uses", "")))
        fitting = [name for name, kind in systems.items() if kind == wanted]
        for key in ("settings", "undo_settings"):
            told = action.get(key)
            on = told.get("on") if isinstance(told, dict) else None
            if not wanted or not isinstance(on, str) or on in fitting or _PLACEHOLDER.search(on):
                continue
            there = f"there are {', '.join(fitting)}" if fitting else "none is configured"
            said = f"on names no system of kind {wanted}: {on!r}; {there}{did_you_mean(on, fitting)}"
            service.complain(f"actions.{number}.{key}", said)


def _complain_of_words(service: Reader, field: str, arguments: tuple[str, ...]) -> None:
    for argument in arguments:
        for word in _PLACEHOLDER.findall(argument):
            if word not in PLACEHOLDERS:
                known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
                service.complain(field, f"{{{word}}} is not filled in; {known} are{did_you_mean(word, PLACEHOLDERS)}")


def _complain_of_automatic(one: Reader) -> None:
    """Complain of what would never run by itself, or must not."""
    automatic = one.given().get("automatic") is True
    risk = one.text("risk") or "high"
    if "guard" in one.written and not automatic:
        one.complain("guard", "guards nothing: the action is not automatic")
    if not automatic:
        return
    if risk == "irreversible":
        one.complain("automatic", "what cannot be taken back never runs by itself")
    elif risk == "high" and one.table("guard").get("risk") != "high":
        one.complain("automatic", 'it is of high risk: say guard.risk = "high", or that its risk is low')


def _settings(reader: Reader, key: str) -> dict[str, str]:
    table = reader.table(key)
    for name, value in table.items():
        if not isinstance(value, str):
            reader.complain(key, f"{name} must be a text")
    return {name: value for name, value in table.items() if isinstance(value, str)}
