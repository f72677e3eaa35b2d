"""Looks at the far ends of a plan before it is shown and again before it runs. Outside transactions; decides nothing.

Each plan is looked at in a thread of its own, so that one far end that hangs holds up no other plan than its own.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import structlog

from stanch.incidents import events as ev
from stanch.kernel.errors import StanchError
from stanch.mitigate.foresight import Seen, made_exact
from stanch.operations.world import World
from stanch.ports.actuator import Foreseeing, Step

LOOK_WITHIN_S: Final = 15.0
"""Longer than a far end's own time-outs; who asks for an approval does not wait for longer than this."""

log = structlog.get_logger("stanch.look")


def can_be_looked_at(world: World, plan: ev.Plan) -> bool:
    """Tell whether anything of the plan has a far end that says beforehand what would happen."""
    return any(_foreseer(world, step) for step in plan.asked or plan.steps)


def look_at(world: World, *plans: ev.Plan) -> tuple[ev.Plan, ...]:
    """Return the plans made exact, each as its far ends are now, in their order.

    What does not answer in time, or with an error, stands in the plan's `unseen`; nothing is raised for it.
    """
    found: dict[int, list[Seen]] = {place: [] for place in range(len(plans))}
    threads = [
        threading.Thread(
            target=_look, args=(world, plan.asked or plan.steps, found[place]), name="stanch-look", daemon=True
        )
        for place, plan in enumerate(plans)
        if can_be_looked_at(world, plan)
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + LOOK_WITHIN_S
    for thread in threads:
        thread.join(timeout=max(0.0, until - time.monotonic()))
    return tuple(_exact(world, plan, tuple(found[place])) for place, plan in enumerate(plans))


def look_at_proposal(world: World, proposal: ev.MitigationProposed) -> ev.MitigationProposed:
    """Return the proposal with every plan in it made exact."""
    plans = (*((proposal.plan,) if proposal.plan else ()), *proposal.alternatives)
    exact = look_at(world, *plans)
    if proposal.plan is None:
        return replace(proposal, alternatives=exact)
    return replace(proposal, plan=exact[0], alternatives=exact[1:])


def _exact(world: World, plan: ev.Plan, seen: Sequence[Seen]) -> ev.Plan:
    if not can_be_looked_at(world, plan):
        return plan
    missing = len(plan.asked or plan.steps) - len(seen)
    late = Seen(unseen=f"it did not answer within {LOOK_WITHIN_S:.0f} s")
    return made_exact(plan, (*seen, *([late] * missing)))


def _foreseer(world: World, step: Step) -> Foreseeing | None:
    found: object = world.actuators.get(step.actuator)
    return found if isinstance(found, Foreseeing) else None


def _look(world: World, steps: Sequence[Step], found: list[Seen]) -> None:
    for step in steps:
        actuator = _foreseer(world, step)
        if actuator is None:
            found.append(Seen())
            continue
        try:
            found.append(Seen(outlook=actuator.look(step)))
        except StanchError as error:
            found.append(Seen(unseen=error.message))
        except Exception as error:  # boundary "integration": a defect there keeps its plan from being approved
            log.exception("look_failed", actuator=step.actuator)
            found.append(Seen(unseen=f"{step.actuator} failed: {type(error).__name__}"))
