"""Plans as text: the path through the tree, the phases, and every plan with exactly what would run."""

import json
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime

from stanch.surfaces.cli.records import Record, child, children, line_of, moment, text_of, texts
from stanch.surfaces.cli.telling import at, faint, paint, rule, strong


def plan_lines(view: Record) -> Iterator[str]:
    """Yield the path through the decision tree, what to do when, and every plan with its exact commands."""
    proposal = child(view, "proposal")
    actions = children(view, "actions")
    if not proposal and not actions:
        return
    yield rule("What to do")
    for fork in children(proposal, "path"):
        cited = f" [{', '.join(texts(fork, 'findings'))}]" if texts(fork, "findings") else ""
        yield f"  {line_of(fork, 'question')} {line_of(fork, 'answer')}: {line_of(fork, 'reason')}{faint(cited)}"
    if line_of(proposal, "verdict"):
        yield f"  {line_of(proposal, 'verdict')}"
    for phase, todo in child(proposal, "phases").items():
        for place, one in enumerate(todo if isinstance(todo, list) else ()):
            name = phase.capitalize() if place == 0 else ""
            yield f"  {strong(f'{name:16}')} {' '.join(str(one).split())}"
    for action in actions:
        yield from action_lines(action)


def action_lines(action: Record) -> Iterator[str]:
    """Yield one plan: where it stands, what runs, what was said of it, what it printed and what it did."""
    plan = child(action, "plan")
    undone = "reversible" if plan.get("reversible") else "not reversible"
    yield f"  {strong(line_of(plan, 'id'))}  {line_of(plan, 'title')}"
    yield f"      {line_of(action, 'state')}, risk {line_of(plan, 'risk')}, {undone}{_approvals(action)}"
    if line_of(action, "not_run"):
        yield paint(f"      not run: {line_of(action, 'not_run')}", "yellow")
    if line_of(action, "decision"):
        how = "runs by itself" if action.get("automatic") else "does not run by itself"
        yield f"      {how}: {line_of(action, 'decision')}"
    for name, words in (("refusal", "may not be done"), ("unseen", "could not be checked")):
        if line_of(plan, name):
            yield paint(f"      {words}: {line_of(plan, name)}", "red")
    for warning in texts(plan, "warnings"):
        yield paint(f"      warning: {' '.join(warning.split())}", "yellow")
    for step in children(plan, "steps"):
        yield f"      $ {order(step)}"
    expected = line_of(child(plan, "expectation"), "describe")
    if expected:
        yield f"      expected: {expected}"
    for line in text_of(action, "dry_run").splitlines():
        yield f"      dry run: {line}"
    for line in "\n".join(texts(action, "output")).splitlines():
        yield f"      | {line}"
    if line_of(action, "settled_by"):
        yield f"      {line_of(action, 'settled_by')} looked what became of it"
    if line_of(action, "effect"):
        yield f"      {line_of(action, 'verdict').replace('_', ' ')}: {line_of(action, 'effect')}"


def action_of(view: Record, plan: str) -> Record:
    """Return what became of a plan, an empty record where there is no such plan."""
    found = (one for one in children(view, "actions") if text_of(child(one, "plan"), "id") == plan)
    return next(found, {})


def order(step: Record) -> str:
    """Return a step as a line: the command for a shell, or the actuator and what it is told."""
    argv = texts(step, "argv")
    if argv:
        return shlex.join(" ".join(one.splitlines()) for one in argv)
    told = child(step, "data")
    return " ".join(
        [line_of(step, "actuator"), *(f"{name}={shlex.quote(_short(value))}" for name, value in told.items())]
    )


def _short(value: object) -> str:
    # As JSON, not as Python writes it: it may be copied.
    text = " ".join((value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)).split())
    return text if len(text) <= 200 else f"{text[:199]}…"


def _approvals(action: Record) -> str:
    """Return who said yes and for how long that holds; empty where nobody has."""
    spent = action.get("spent")
    standing = children(action, "approvals")[spent if isinstance(spent, int) else 0 :]
    now = datetime.now(UTC)
    said = []
    for one in standing:
        until = moment(one, "expires_at")
        left = int((until - now).total_seconds()) if until else 0
        holds = f"for {left // 60}:{left % 60:02} more, until {at(until)}" if left > 0 else "expired"
        said.append(f"{line_of(child(one, 'person'), 'id')} said yes ({holds})")
    counts = (child(action, "plan").get("approvals_needed"), *(one.get("needed") for one in standing))
    needed = max((one for one in counts if isinstance(one, int)), default=0)
    need = f", needs {needed} people" if needed > 1 else ""
    if line_of(action, "state") not in ("proposed", "approved"):
        return need
    return need + "".join(f", {one}" for one in said)
