"""Runs approved plans: marks before it runs, shows output as it comes, never runs one twice.

A plan whose run was begun by a node that died has an unknown outcome; a person looks, and nothing is repeated.
Just before it runs its far ends are looked at again: where they are no longer as they were when it was approved it is
not run, and another plan, for how they are now, is proposed in its place.
"""

import threading
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from stanch.engine.loop import Effect, nothing
from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.incidents.state import Action, ActionState, IncidentState
from stanch.kernel.errors import Bug
from stanch.kernel.redaction import redact
from stanch.mitigate.approval import may_run
from stanch.mitigate.foresight import fresh_id, what_changed
from stanch.mitigate.plan import digest_of
from stanch.operations import cases
from stanch.operations.acting import consider, ended, paused_by, stop_and_page
from stanch.operations.announcing import announce
from stanch.operations.foreseeing import look_at
from stanch.operations.world import World
from stanch.operations.writeback import owe_marker
from stanch.ports.actuator import Step
from stanch.store import Transaction
from stanch.store.model import Timer

_OUTPUT_EVERY_S: Final = 0.2
_MOST_OUTPUT: Final = 64 * 1024
_CHECK_EFFECT_AFTER: Final = timedelta(seconds=2)

log = structlog.get_logger("stanch.run")


def run(timer: Timer, world: World) -> Effect:
    """Run the approved plan that `timer` names, and return what follows from how it ended."""
    number, plan = _subject(timer)
    with world.store.reading() as view:
        approved = cases.load(view, number).actions[plan]
    now = _looked_at(world, approved)
    with world.store.writing() as tx:
        state = cases.load(tx, number, lock=True)
        action = state.actions[plan]
        if action.state is ActionState.RUNNING:
            return lambda tx: _lost(tx, world, number, plan)
        if action.state is not ActionState.APPROVED:
            return nothing
        refusal = _why_not(state, action, now, world, paused=paused_by(tx))
        if refusal:
            return lambda tx: _refused(tx, world, number, refusal, now)
        # On record before anything happens: a death from here on leaves an unknown outcome, never a second run.
        started = ev.RunStarted(plan=plan, node=world.node)
        stream = ev.action_stream(number, plan)
        cases.record(tx, number, started, stream=stream, expected=action.version or None)
        if state.status is not Status.MITIGATING:
            cases.record(tx, number, ev.StatusChanged(status=Status.MITIGATING, reason=action.plan.title))
    began = time.monotonic()
    code = _carry_out(world, number, action.plan)
    took_s = time.monotonic() - began
    return lambda tx: _finished(tx, world, number, action.plan, code=code, took_s=took_s)


def _subject(timer: Timer) -> tuple[int, str]:
    plan = timer.data.get("plan")
    if timer.incident is None or not isinstance(plan, str):
        raise Bug(f"timer {timer.id} names no plan")
    return timer.incident, plan


def _looked_at(world: World, action: Action) -> ev.Plan:
    """Return the plan as its far ends are now; itself where it is not about to run or nobody can look."""
    return look_at(world, action.plan)[0] if action.state is ActionState.APPROVED else action.plan


def _why_not(state: IncidentState, action: Action, now: ev.Plan, world: World, *, paused: str) -> ev.RunRefused | None:
    """Return why an approved plan is not run after all, None when it is."""
    plan = action.plan
    found = {
        "not_open": "" if state.is_open else f"{state.key} is {state.status.value}",
        "paused": paused if action.automatic else "",
        "expired": may_run(action, now=world.clock.now()),
        "far_end_down": now.unseen,
        "may_not": now.refusal,
        "world_changed": "" if now.unseen else what_changed(plan, now),
        "cannot_run": _problems(plan, world),
    }
    reason = next((name for name, why in found.items() if why), "")
    return ev.RunRefused(plan=plan.id, reason=reason, detail=redact(found[reason])) if reason else None


def _problems(plan: ev.Plan, world: World) -> str:
    for step in plan.steps:
        actuator = world.actuators.get(step.actuator)
        if actuator is None:
            return f"there is no actuator {step.actuator!r}"
        problems = actuator.problems(step)
        if problems:
            return "; ".join(problems)
    return ""


def _carry_out(world: World, number: int, plan: ev.Plan) -> int:
    for index, step in enumerate(plan.steps):
        code = _step(world, number, plan, index, step)
        if code:
            return code
    return 0


def _step(world: World, number: int, plan: ev.Plan, index: int, step: Step) -> int:
    output = _LiveOutput(world, number, plan.id, index)
    try:
        return world.actuators[step.actuator].run(step, emit=output.add).code
    finally:
        output.close()


def _lost(tx: Transaction, world: World, number: int, plan: str) -> None:
    detail = "the process that ran it died; look at the target before anything is tried again"
    record = ev.RunOutcomeUnknown(plan=plan, detail=detail)
    cases.record(tx, number, record, stream=ev.action_stream(number, plan))
    # Not ended: while nobody has looked, nothing else runs by itself at the service.
    stop_and_page(tx, world, number, plan, detail=detail)
    _watch_recovery(tx, number, plan, due_in=_CHECK_EFFECT_AFTER)


def _refused(tx: Transaction, world: World, number: int, refusal: ev.RunRefused, now: ev.Plan) -> None:
    cases.record(tx, number, refusal, stream=ev.action_stream(number, refusal.plan))
    ended(tx, world, number, refusal.plan, outcome="refused")
    if refusal.reason != "world_changed":
        return
    state = cases.load(tx, number)
    fresh = replace(now, id=fresh_id(now.id, state.actions), replaces=refusal.plan)
    fresh = replace(fresh, digest=digest_of(fresh))
    cases.record(tx, number, ev.PlanAdded(plan=fresh, reason=refusal.detail))
    consider(tx, world, number)


def _finished(tx: Transaction, world: World, number: int, plan: ev.Plan, *, code: int, took_s: float) -> None:
    record = ev.RunFinished(plan=plan.id, code=code, took_s=took_s)
    cases.record(tx, number, record, stream=ev.action_stream(number, plan.id))
    if code:
        ended(tx, world, number, plan.id, outcome="failed", detail=f"it ended with code {code}")
    if not code:
        owe_marker(tx, world, cases.load(tx, number), plan)
    if code:
        return
    if not cases.load(tx, number).is_open:
        ended(tx, world, number, plan.id, outcome="over")
        return
    cases.record(tx, number, ev.StatusChanged(status=Status.MONITORING, reason=f"{plan.title} is done"))
    announce(tx, world, cases.load(tx, number), purpose="mitigation")
    _watch_recovery(tx, number, plan.id, due_in=_CHECK_EFFECT_AFTER)


def _watch_recovery(tx: Transaction, number: int, plan: str, *, due_in: timedelta) -> None:
    due_at = tx.clock.now() + due_in
    tx.schedule(
        Timer(
            id=f"inc{number}/effect/{plan}",
            kind="effect",
            due_at=due_at,
            incident=number,
            data={"plan": plan, "since": tx.clock.now().isoformat()},
        ),
        replace=True,
    )
    tx.schedule(Timer(id=f"inc{number}/verify", kind="verify", due_at=due_at, incident=number), replace=True)


class _LiveOutput:
    """Gathers a step's lines and writes them into the log at most five times a second, redacted.

    The first 64 KiB are kept; what comes then is counted, and the last entry says how much it was.
    """

    def __init__(self, world: World, number: int, plan: str, step: int) -> None:
        self._world = world
        self._record = partial(ev.RunOutput, plan=plan, step=step)
        self._number = number
        self._stream = ev.action_stream(number, plan)
        self._lines: list[str] = []
        self._room = _MOST_OUTPUT
        self._left_out = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        # Writes on its own beat, so that a line is seen while the command that printed it goes on in silence.
        self._writer = threading.Thread(target=self._write_on, name="stanch-output", daemon=True)
        self._writer.start()

    def add(self, line: str) -> None:
        """Take one line."""
        with self._lock:
            if len(line) >= self._room:
                self._room = 0
                self._left_out += 1
                return
            self._room -= len(line) + 1
            self._lines.append(line)

    def close(self) -> None:
        """Write the rest."""
        self._over.set()
        self._writer.join()
        if self._left_out:
            self._lines.append(f"... and {self._left_out:,} lines more, beyond {_MOST_OUTPUT // 1024} KiB")
        self._write()

    def _write_on(self) -> None:
        while not self._over.wait(_OUTPUT_EVERY_S):
            self._write()

    def _write(self) -> None:
        with self._lock:
            lines = self._lines
            self._lines = []
        if not lines:
            return
        try:
            with self._world.store.writing() as tx:
                cases.record(tx, self._number, self._record(text=redact("\n".join(lines))), stream=self._stream)
        except Exception:  # boundary "engine loop": a command must not be cut short because its output is not stored
            log.exception("output_lost", stream=self._stream, lines=len(lines))
