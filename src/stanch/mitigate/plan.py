"""Makes a plan of a declared action: every argument filled in, a digest over all that decides what would run."""

import hashlib
import re
from dataclasses import replace
from typing import Final

import msgspec

from stanch.catalog.model import ActionSpec, Catalog, Service
from stanch.incidents.events import Expectation, Plan
from stanch.incidents.model import Hypothesis, Severity
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Refused
from stanch.ports.actuator import Step

RISKS: Final = ("read", "low", "high", "irreversible")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")


def approvals_needed(risk: str, severity: Severity) -> int:
    """Return how many people must approve: nobody for reading, two for the irreversible below SEV1, else one.

    While everything is down one person's word is enough; what cannot be undone is worth a second look otherwise.
    """
    if risk == "read":
        return 0
    return 2 if risk == "irreversible" and severity is not Severity.SEV1 else 1


def make_plan(
    state: IncidentState,
    catalog: Catalog,
    spec: ActionSpec,
    *,
    service: Service,
    hypothesis: Hypothesis | None,
    expectation: Expectation | None,
) -> Plan:
    """Return the plan that carries `spec` out for this incident.

    Raises `Refused` (`missing_argument`) when an argument needs something that the diagnosis does not know.
    """
    words = {
        "service": service.name,
        "version": hypothesis.version if hypothesis else "",
        "previous": hypothesis.previous if hypothesis else "",
        "change": hypothesis.change if hypothesis else "",
        "commit": hypothesis.commit if hypothesis else "",
        "target": hypothesis.target if hypothesis else "",
    }
    steps = (_step(spec, spec.run, catalog, words),)
    dry_run = (_step(spec, spec.dry_run, catalog, words),) if spec.dry_run else ()
    undo = (_step(spec, spec.undo, catalog, words),) if spec.undo else ()
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
        approvals_needed=approvals_needed(spec.risk, state.ruling.severity),
        digest="",
        hypothesis=hypothesis.id if hypothesis else "",
        world={name: value for name, value in words.items() if value},
    )
    return replace(plan, digest=digest_of(plan))


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
    )
    return hashlib.sha256(msgspec.json.encode(decisive, order="sorted")).hexdigest()


def command_line(step: Step) -> str:
    """Return a step as a line that a person can copy into a shell."""
    return " ".join(_quoted(argument) for argument in step.argv)


def _step(spec: ActionSpec, arguments: tuple[str, ...], catalog: Catalog, words: dict[str, str]) -> Step:
    # Each argument stays one argument, whatever a version or a title contains; no shell ever reads it.
    argv = tuple(_fill(argument, words) for argument in arguments)
    return Step(
        actuator="command",
        argv=argv,
        cwd=spec.cwd or catalog.root,
        timeout_s=spec.timeout_s,
        describe=_fill(spec.title or spec.name, words),
    )


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


def _quoted(argument: str) -> str:
    plain = argument and all(character.isalnum() or character in "-_./:=@%+," for character in argument)
    return argument if plain else "'" + argument.replace("'", "'\\''") + "'"
