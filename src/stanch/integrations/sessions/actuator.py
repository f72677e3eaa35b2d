"""The actuator that ends sessions of a database: asks first, cancels, and terminates only what a cancel did not settle.

Which sessions is decided when it is looked at and stands in the plan, each by its number, its connection and its
transaction; approved are these and no others. Who else comes and goes meanwhile is no other world: a session that is
gone, or does something else by then, is left alone when it is run. Nothing brings an ended transaction back.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from stanch.integrations.sessions.order import (
    Named,
    Order,
    problems_of,
    read_order,
    told_of,
    was_doing,
    who_of,
    written,
)
from stanch.kernel.errors import Refused
from stanch.ports.actuator import Outlook, Say, Step, StepResult, carried_out
from stanch.ports.sessions import (
    Console,
    DatabaseSession,
    Ending,
    SessionServer,
    Trouble,
    choose,
    is_settled,
    trouble_of,
)

_POLL_S: Final = 0.1
_AFTER_TERMINATE_S: Final = 5.0
_MOST_SHOWN: Final = 20
_FINAL: Final = "what a session has not committed is lost, its client gets an error, and nothing brings it back"


class KillSessions:
    """Ends sessions on servers of one kind."""

    def __init__(self, name: str, servers: Mapping[str, SessionServer]) -> None:
        self._name = name
        self._servers = servers

    @property
    def name(self) -> str:
        """Return the actuator's name, e.g. `postgresql.kill`."""
        return self._name

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return what is wrong with the settings: an unknown system, a bound out of its range."""
        return problems_of(step, tuple(self._servers))

    def look(self, step: Step) -> Outlook:
        """Return the step with the sessions it would end; of one that names them, whether they are as they were."""
        if found := self.problems(step):
            return Outlook(step=step, refusal="; ".join(found))
        order = read_order(step)
        try:
            with self._servers[order.system].open() as console:
                sessions = console.sessions()
                chosen = _still(order.named, sessions, order) if order.named else choose(sessions, order.bounds)
                denial, server = console.denial([session for session, _ in chosen]), console.server()
        except Refused as error:
            return Outlook(step=step, refusal=error.message)
        return replace(_outlook(step, order, sessions, chosen, denial), fingerprint=server)

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """End the sessions that the step names, one by one; those that are gone or do something else are left alone."""
        return carried_out(lambda say: self._carry_out(step, say=say), emit=emit, shown=str)

    def _carry_out(self, step: Step, *, say: Say) -> int:
        if step.data.get("dry_run") is True:
            outlook = self.look(step)
            for line in (*outlook.preview, *outlook.warnings, *([outlook.refusal] if outlook.refusal else [])):
                say(line)
            return 1 if outlook.refusal else 0
        if found := self.problems(step):
            say("; ".join(found))
            return 1
        order = read_order(step)
        if not order.named:
            say("the plan names no sessions: it has to be looked at first, so that one sees whom it ends")
            return 1
        with self._servers[order.system].open() as console:
            left = [one for one in order.named if not _ended(console, one, order, say=say)]
        say(f"{len(order.named) - len(left)} of {len(order.named)} are settled")
        return 1 if left else 0


def _ended(console: Console, named: Named, order: Order, *, say: Say) -> bool:
    """End one session and tell whether what it was to be ended for is over."""
    session = next((one for one in console.sessions() if one.identity == named.identity), None)
    if session is None:
        say(f"{named.who}: gone by itself, or at something else; nothing was done")
        return True
    if session.protected:
        say(f"{named.who}: left alone, {session.protected}")
        return False
    if trouble_of(session, order.bounds) is None:
        say(f"{told_of(session)}: left alone, it no longer is what it was to be ended for")
        return True
    # A cancel does nothing to one that runs no query.
    steps = (Ending.CANCEL, Ending.TERMINATE) if named.why is not Trouble.IDLE_IN_TRANSACTION else (Ending.TERMINATE,)
    for how in steps:
        if not console.end(named.identity, how):
            say(f"{named.who}: gone in the meantime")
            return True
        wait_s = order.grace_s if how is Ending.CANCEL else _AFTER_TERMINATE_S
        if _settles(console, named, within_s=wait_s):
            say(f"{named.who}: {'its query was cancelled' if how is Ending.CANCEL else 'terminated'}")
            return True
    say(f"{named.who}: was told to end and is still there")
    return False


def _settles(console: Console, named: Named, *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not is_settled(named.identity, named.why, console.sessions()):
        if time.monotonic() > deadline:
            return False
        pause.wait(_POLL_S)
    return True


def _still(
    named: Sequence[Named], sessions: Sequence[DatabaseSession], order: Order
) -> list[tuple[DatabaseSession, Trouble]]:
    """Return which of the named ones are there and still what they were named for."""
    there = {session.identity: session for session in sessions if not session.protected}
    found = [(there[one.identity], one.why) for one in named if one.identity in there]
    return [(session, why) for session, why in found if trouble_of(session, order.bounds) is not None]


def _outlook(
    step: Step,
    order: Order,
    sessions: Sequence[DatabaseSession],
    chosen: Sequence[tuple[DatabaseSession, Trouble]],
    denial: str,
) -> Outlook:
    exact = step if order.named else replace(step, data={**step.data, "sessions": written(chosen)})
    named = read_order(exact).named or ()
    preview = [f"end for {why.value.replace('_', ' ')}: {told_of(session)}" for session, why in chosen]
    ends = {session.identity for session, _ in chosen}
    others = [session for session in sessions if session.identity not in ends and was_doing(session)]
    others.sort(key=lambda one: -max(one.for_s, one.waiting_s))
    preview += [f"left alone: {told_of(one)}{_because(one)}" for one in others[:_MOST_SHOWN]]
    gone = [one.who for one in named if one.identity not in ends]
    warnings = [_FINAL, *(f"no longer there, or at something else: {who}" for who in gone)]
    warnings += [f"ends a session of {who_of(session)}" for session, _ in chosen]
    refusal = denial
    if not chosen and not denial:
        what = " or ".join(sorted(one.value.replace("_", " ") for one in order.bounds.troubles))
        refusal = f"on {order.system} no session that may be ended is {what} for {order.bounds.at_least_s:g} s"
    return Outlook(
        step=exact,
        undo=None,
        warnings=tuple(warnings),
        preview=tuple(preview),
        refusal=refusal,
    )


def _because(session: DatabaseSession) -> str:
    return f" ({session.protected})" if session.protected else ""
