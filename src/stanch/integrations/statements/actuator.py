"""The actuator of statements: checks the owner's rules, tries what it would do, and does it once."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from stanch.kernel.errors import Refused
from stanch.kernel.readonly import check_change
from stanch.kernel.redaction import redact
from stanch.ports.actuator import Outlook, Say, Step, StepResult, carried_out
from stanch.ports.statements import Statement, StatementServer, Touched

_KEYS: Final = frozenset({"on", "text", "parameters", "most_rows", "dry_run"})
_SHOWN: Final = 20
_LONGEST_ROW: Final = 300
_BOUND: Final = re.compile(r"%\(\w+\)s")


@dataclass(frozen=True, kw_only=True)
class StatementSystem:
    """A system that takes statements, and those that its owner allows."""

    server: StatementServer
    allowed: tuple[str, ...] = ()


class StatementActuator:
    """Carries out statements on the systems it is given, by their names.

    A step's data: `on` (the system), `text`, `parameters` (bound, by name), `most_rows`.
    """

    def __init__(self, systems: Mapping[str, StatementSystem]) -> None:
        self._systems = systems

    @property
    def name(self) -> str:
        """Return `statement`."""
        return "statement"

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return why it may not run: no such system, no rule that allows it, not one statement on rows."""
        found = [f"{name!r} is no setting" for name in sorted(step.data.keys() - _KEYS)]
        system = self._systems.get(str(step.data.get("on", "")))
        if system is None:
            known = ", ".join(sorted(self._systems)) or "none"
            return (*found, f"there is no system {step.data.get('on')!r} that takes statements; there are {known}")
        if not isinstance(step.data.get("parameters"), dict):
            # Without them what is not the owner's would stand in the text.
            found.append("it has no parameters: a statement comes from a runbook, where its variables are bound")
        statement = _statement(step)
        try:
            check_change(_BOUND.sub("''", statement.text))
        except Refused as refusal:
            found.append(refusal.message)
        if not any(allows(rule, statement.text) for rule in system.allowed):
            found.append(f"no rule of {step.data.get('on')} allows it: add it to its `statements`")
        return tuple(found)

    def look(self, step: Step) -> Outlook:
        """Try the statement and say how many rows it would touch; what it would do is taken back."""
        if found := self.problems(step):
            return Outlook(step=step, refusal="; ".join(found))
        statement = _statement(step)
        try:
            touched = self._systems[str(step.data["on"])].server.attempt(statement)
        except Refused as refusal:
            return Outlook(step=step, refusal=refusal.message)
        most = statement.most_rows
        too_many = f"it would touch {touched.rows:,} rows, and may touch {most:,}" if touched.rows > most else ""
        return Outlook(step=step, warnings=touched.warnings, preview=_told(statement, touched), refusal=too_many)

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Carry the statement out once; with `dry_run`, only try it."""
        return carried_out(lambda say: self._carry_out(step, say), emit=emit, shown=str)

    def _carry_out(self, step: Step, say: Say) -> int:
        statement = _statement(step)
        server = self._systems[str(step.data["on"])].server
        is_try = step.data.get("dry_run") is True
        # Where the far end says no, or nothing, the transaction is gone with the connection.
        touched = server.attempt(statement) if is_try else server.carry_out(statement)
        for line in _told(statement, touched):
            say(line)
        if is_try or touched.kept:
            return 0
        say(f"taken back: it may touch {statement.most_rows:,} rows")
        return 1


def allows(rule: str, text: str) -> bool:
    """Tell whether an owner's rule allows a statement: its own text, `?` for what is bound, `*` for anything.

    Blanks and case do not matter. `*` never reaches over the end of a statement, for there is only one.
    """
    pattern = "".join(".*" if part == "*" else re.escape(part) for part in re.split(r"(\*)", _plain(rule)))
    return re.fullmatch(pattern, _plain(_BOUND.sub("?", text).replace("%%", "%")), re.DOTALL) is not None


def _plain(text: str) -> str:
    return " ".join(text.strip().rstrip(";").split()).casefold()


def _statement(step: Step) -> Statement:
    parameters, most = step.data.get("parameters"), step.data.get("most_rows")
    return Statement(
        text=str(step.data.get("text", "")),
        parameters={name: str(value) for name, value in parameters.items()} if isinstance(parameters, dict) else {},
        most_rows=most if isinstance(most, int) and not isinstance(most, bool) else 1000,
        timeout_s=step.timeout_s,
    )


def _told(statement: Statement, touched: Touched) -> tuple[str, ...]:
    rows = f"{touched.rows:,} row{'' if touched.rows == 1 else 's'}"
    head = f"{rows} changed" if touched.kept else f"{rows} would change; nothing has"
    shown = [redact(json.dumps(row, ensure_ascii=False, default=str))[:_LONGEST_ROW] for row in touched.shown[:_SHOWN]]
    bound = [f"with {name} = {value!r}" for name, value in statement.parameters.items()]
    return (*(redact(line) for line in statement.text.splitlines()), *map(redact, bound), head, *shown)
