"""Makes a plan of a declared action: every argument filled in, a digest over all that decides what would run."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

import msgspec

from stanch.catalog.acting import Approvals
from stanch.catalog.actuators import IN_REPOSITORY
from stanch.catalog.model import ActionSpec, Catalog, Service
from stanch.incidents.events import Expectation, Plan
from stanch.incidents.model import Hypothesis, Severity
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Refused
from stanch.kernel.event import JSON
from stanch.mitigate.code import check_filled
from stanch.ports.actuator import Step

RISKS: Final = ("read", "low", "high", "irreversible")
SHIPPED_APPROVALS: Final = Approvals()
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_NUMBER: Final = re.compile(r"(?:.*\D)?(\d{1,18})")
# Which cause names the versions that a mitigation goes between: a configuration's revision is no release to roll to.
_GOES_BACK: Final = {
    "rollback": frozenset({"bad_deploy"}),
    "rollback_config": frozenset({"bad_config"}),
    "rollback_migration": frozenset({"migration", "missing_index"}),
    "flag_off": frozenset({"flag_change"}),
    "revert": frozenset({"bad_deploy"}),
}
_FORM: Final = "application/x-www-form-urlencoded"


def approvals_needed(risk: str, severity: Severity, approvals: Approvals = SHIPPED_APPROVALS) -> int:
    """Return how many different people must approve, as is configured by risk and severity; nobody for reading."""
    if risk == "read":
        return 0
    by_severity = {"low": approvals.low, "high": approvals.high}.get(risk, approvals.irreversible)
    return by_severity[severity.value - 1]


def make_plan(
    state: IncidentState,
    catalog: Catalog,
    spec: ActionSpec,
    *,
    service: Service,
    hypothesis: Hypothesis | None,
    expectation: Expectation | None,
    given: Mapping[str, str] | None = None,
) -> Plan:
    """Return the plan that carries `spec` out for this incident.

    `given` are words that somebody knows and the diagnosis does not.
    Raises `Refused` (`missing_argument`) when an argument needs something that the diagnosis does not know.
    """
    words = {**words_of(spec.mitigation, service=service.name, hypothesis=hypothesis), **(given or {})}
    steps, dry_run, undo = _steps(spec, catalog, service, words | {"incident": state.key})
    title = _fill(spec.title or spec.name, words)
    plan = Plan(
        id=f"{spec.name}-{service.name}",
        mitigation=spec.mitigation,
        title=title,
        why=hypothesis.title if hypothesis else "proposed by the decision tree",
        target=service.name,
        steps=steps,
        dry_run=dry_run,
        undo=undo,
        risk=spec.risk,
        reversible=bool(undo),
        expectation=expectation,
        approvals_needed=approvals_needed(spec.risk, state.ruling.severity, catalog.approvals),
        digest="",
        hypothesis=hypothesis.id if hypothesis else "",
        world={name: value for name, value in words.items() if value},
    )
    return replace(plan, digest=digest_of(plan))


def words_of(mitigation: str, *, service: str, hypothesis: Hypothesis | None) -> dict[str, str]:
    """Return what the placeholders of an action stand for; empty where the diagnosis does not say.

    What changed, from and to what, is given only to a mitigation that takes such a change back. Of a change from
    `schema 2` to `schema 3` the numbers are 2 and 3; of a flag set from `fast=off` to `fast=on` the name is `fast` and
    the values are `off` and `on`.
    """
    words = {"service": service}
    if hypothesis is None:
        return words
    words["target"] = hypothesis.target
    if hypothesis.kind not in _GOES_BACK.get(mitigation, {hypothesis.kind}):
        return words
    flag, is_set, value = hypothesis.version.partition("=")
    former, was_set, former_value = hypothesis.previous.partition("=")
    both = bool(is_set and was_set) and flag == former
    return words | {
        "version": hypothesis.version,
        "previous": hypothesis.previous,
        "change": hypothesis.change,
        "commit": hypothesis.commit,
        "version_number": _number(hypothesis.version),
        "previous_number": _number(hypothesis.previous),
        "flag": flag.strip(),
        "value": value if both else "",
        "previous_value": former_value if both else "",
    }


def digest_of(plan: Plan) -> str:
    """Return the SHA-256 of everything in a plan that decides what would run, as 64 hexadecimal digits."""
    decisive = (
        plan.id,
        plan.mitigation,
        plan.target,
        plan.steps,
        plan.undo,
        plan.risk,
        plan.approvals_needed,
        plan.world,
        plan.warnings,
        plan.undo_of,
    )
    return hashlib.sha256(msgspec.json.encode(decisive, order="sorted")).hexdigest()


def command_line(step: Step) -> str:
    """Return a step as a line that a person can copy into a shell, or what an actuator is told."""
    if step.argv:
        return " ".join(_quoted(argument) for argument in step.argv)
    # What is no text as JSON, not as Python writes it: it may be copied.
    told = {
        name: one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for name, one in step.data.items()
    }
    return " ".join((step.actuator, *(f"{name}={_quoted(one)}" for name, one in told.items())))


def _steps(
    spec: ActionSpec, catalog: Catalog, service: Service, words: dict[str, str]
) -> tuple[tuple[Step, ...], tuple[Step, ...], tuple[Step, ...]]:
    """Return what is run, what only tries it, and what takes it back."""
    if spec.uses == "command":
        return (
            tuple(_step(spec, arguments, catalog, words) for arguments in (spec.run, *spec.then)),
            (_step(spec, spec.dry_run, catalog, words),) if spec.dry_run else (),
            (_taken_back(_step(spec, spec.undo, catalog, words)),) if spec.undo else (),
        )
    own = {"repository": service.repository} if spec.uses in IN_REPOSITORY else {}
    step = _told(spec, own | spec.settings, catalog, words)
    undo: tuple[Step, ...] = ()
    if spec.undo_settings:
        undo = (_taken_back(_told(spec, own | spec.undo_settings, catalog, words)),)
    elif spec.uses in IN_REPOSITORY:
        # A branch that was made is taken back by deleting it.
        undo = (_taken_back(replace(step, data={**step.data, "undo": True})),)
    return (step,), (replace(step, data={**step.data, "dry_run": True}),), undo


def _taken_back(step: Step) -> Step:
    # It must not read as what it takes back: both stand side by side where a person decides.
    return replace(step, describe=f"Undo: {step.describe}")


def _told(spec: ActionSpec, settings: Mapping[str, str], catalog: Catalog, words: dict[str, str]) -> Step:
    # A word stays a word of its language: in a URL it is encoded, in a body of JSON it stays inside its quotes.
    data: dict[str, JSON] = {
        name: _fill(value, {word: _encoder(name, settings)(filling) for word, filling in words.items()})
        for name, value in settings.items()
    }
    for name, value in settings.items():
        if _is_body(name) and not _keeps_its_shape(value, str(data[name]), settings):
            raise Refused(f"what the diagnosis knows would change the {name} itself", reason="unsafe_argument")
    title = _fill(spec.title or spec.name, words)
    cwd = spec.cwd or catalog.root
    return Step(actuator=spec.uses, cwd=cwd, timeout_s=spec.timeout_s, describe=title, data=data)


def _step(spec: ActionSpec, arguments: tuple[str, ...], catalog: Catalog, words: dict[str, str]) -> Step:
    # Each argument stays one argument, whatever a version or a title contains; no shell ever reads it.
    argv = tuple(_fill(argument, words) for argument in arguments)
    check_filled(arguments, argv, tuple(value for value in words.values() if value))
    return Step(
        actuator="command",
        argv=argv,
        cwd=spec.cwd or catalog.root,
        timeout_s=spec.timeout_s,
        describe=_fill(spec.title or spec.name, words),
    )


def _is_body(name: str) -> bool:
    return name == "body" or name.endswith("_body")


def _encoder(name: str, settings: Mapping[str, str]) -> Callable[[str], str]:
    if name == "url" or name.endswith("_url") or (_is_body(name) and settings.get("type") == _FORM):
        return lambda text: quote(text, safe="")
    return (lambda text: json.dumps(text)[1:-1]) if _is_body(name) else str


def _keeps_its_shape(template: str, filled: str, settings: Mapping[str, str]) -> bool:
    """Tell whether a body that was filled in is the owner's body still: a value outside quotes could end it."""
    if template == filled or settings.get("type") == _FORM:
        return True
    try:
        return _shape(json.loads(_PLACEHOLDER.sub("0", template))) == _shape(json.loads(filled))
    except ValueError:
        # No JSON: what its language would read into a value is not known, so a value must be a plain word.
        plain = _PLACEHOLDER.sub("\0", template).split("\0")
        pattern = r"[\w.:/@+-]*".join(re.escape(part) for part in plain)
        return re.fullmatch(pattern, filled, re.ASCII) is not None


def _shape(found: object) -> object:
    if isinstance(found, dict):
        # Names may be filled in, too; that there are as many says that none was added.
        return tuple(_shape(value) for value in found.values())
    return [_shape(one) for one in found] if isinstance(found, list) else None


def _fill(template: str, words: dict[str, str]) -> str:
    # In one pass: a value that looks like `{previous}` itself must not be filled again.
    return _PLACEHOLDER.sub(lambda match: _word(match.group(1), template, words), template)


def _word(name: str, template: str, words: dict[str, str]) -> str:
    value = words.get(name, "")
    if not value:
        raise Refused(f"the diagnosis knows no {name} to fill {template!r} with", reason="missing_argument")
    if value.startswith("-"):
        # A tag named `--force` must not turn into an option.
        raise Refused(f"{name} {value!r} looks like an option", reason="unsafe_argument")
    return value


def _number(text: str) -> str:
    """Return the number that `text` ends with, empty when it ends with none."""
    found = _NUMBER.fullmatch(text)
    return found.group(1) if found else ""


def _quoted(argument: str) -> str:
    plain = argument and all(character.isalnum() or character in "-_./:=@%+," for character in argument)
    return argument if plain else "'" + argument.replace("'", "'\\''") + "'"
