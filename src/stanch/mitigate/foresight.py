"""Plans made exact by what a look at the far end said, and what has changed there since. Pure: others do the looking.

A step is looked at as it was asked for, now and again before it runs; what it acts on has changed when the fingerprint
is another one, or, where a far end has nothing to name its state by, when the exact step has become another one.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from stanch.incidents.events import Plan
from stanch.kernel.redaction import redact
from stanch.mitigate.plan import digest_of
from stanch.ports.actuator import Outlook, Step

_LONGEST: Final = 500
"""A warning is a sentence; and a preview is cut where it fills a screen some ten times over."""
_MOST_LINES: Final = 400
STATE: Final = "state of step "
"""What a plan's `world` names fingerprints by, with the number of the step after it."""
_AGAIN: Final = re.compile(r"(.+?)(?:~[0-9]+)?")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What looking at one step brought: an outlook, `unseen` with the reason, or neither where nobody can look."""

    outlook: Outlook | None = None
    unseen: str = ""


def made_exact(plan: Plan, seen: Sequence[Seen]) -> Plan:
    """Return `plan` as its far ends say that it would run, with fingerprints, warnings, preview and undo.

    `seen` is one for each step as it was asked for. The undo is what the looks computed where they all did, last step
    first; else what was declared.
    """
    asked = plan.asked or plan.steps
    outlooks = [one.outlook for one in seen]
    if not any(outlooks) and not any(one.unseen for one in seen):
        return plan
    steps = tuple(outlook.step if outlook else step for step, outlook in zip(asked, outlooks, strict=True))
    # What a look computed is of that look alone: it is not kept when the next one says that nothing takes it back.
    undo = _undo(outlooks) or (() if plan.asked and all(outlooks) else plan.undo)
    exact = replace(
        plan,
        asked=asked,
        steps=steps,
        undo=undo,
        reversible=bool(undo),
        world={
            **{name: value for name, value in plan.world.items() if not name.startswith(STATE)},
            **{f"{STATE}{place}": one.fingerprint for place, one in enumerate(outlooks, 1) if one and one.fingerprint},
        },
        warnings=_lines((text for one in outlooks if one for text in one.warnings), most=20),
        preview=_lines((text for one in outlooks if one for text in one.preview), most=_MOST_LINES),
        refusal=_first(one.refusal for one in outlooks if one),
        unseen=_first(one.unseen for one in seen),
    )
    return replace(exact, digest=digest_of(exact))


def what_changed(before: Plan, now: Plan) -> str:
    """Return what is no longer as it was when the plan was made, in words; empty when all is. Both are exact."""
    found = []
    for place, (was, is_now) in enumerate(zip(before.steps, now.steps, strict=True), 1):
        name = f"{STATE}{place}"
        old, new = before.world.get(name, ""), now.world.get(name, "")
        if old != new:
            found.append(f"{told(was)}: it was at {old or 'nothing known'}, and is at {new or 'nothing known'} now")
        elif not old and was != is_now:
            found.append(f"{told(was)}: what would be done is not the same any more")
    return "; ".join(found)


def told(step: Step) -> str:
    """Return how a step is spoken of."""
    return step.describe or " ".join(step.argv) or step.actuator


def same_wish(one: Plan, other: Plan) -> bool:
    """Tell whether two plans ask for the same, whatever looking at the far ends has made of them."""
    return _wish(one) == _wish(other)


def root_of(id: str) -> str:
    """Return the name of a plan without the number of its attempt: `rollback-payments~2` is `rollback-payments`."""
    found = _AGAIN.fullmatch(id)
    return found.group(1) if found else id


def fresh_id(id: str, taken: Iterable[str]) -> str:
    """Return an id for another attempt at plan `id` that is none of `taken`."""
    used, root = set(taken), root_of(id)
    number = 2
    while f"{root}~{number}" in used:
        number += 1
    return root if root not in used else f"{root}~{number}"


def _wish(plan: Plan) -> str:
    world = {name: value for name, value in plan.world.items() if not name.startswith(STATE)}
    steps = plan.asked or plan.steps
    return digest_of(replace(plan, id=root_of(plan.id), steps=steps, undo=(), world=world, warnings=()))


def _undo(outlooks: Sequence[Outlook | None]) -> tuple[Step, ...]:
    found = [one.undo for one in outlooks if one and one.undo]
    return tuple(reversed(found)) if len(found) == len(outlooks) else ()


def _lines(texts: Iterable[str], *, most: int) -> tuple[str, ...]:
    clean = [redact(line)[:_LONGEST] for text in texts for line in text.splitlines() or [""]]
    left = len(clean) - most
    return tuple(clean[:most]) + ((f"... and {left:,} lines more",) if left > 0 else ())


def _first(texts: Iterable[str]) -> str:
    return redact(next((text for text in texts if text), ""))[:_LONGEST]
