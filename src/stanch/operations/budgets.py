"""What the door does for agents alone: what is none of theirs, what they spend, what has a key and is done once."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

import msgspec

from stanch.catalog.agents.rules import again_at, lacking, merged
from stanch.catalog.agents.tables import begin_key, end_key, kept_under, own_limits, spend, spent_by
from stanch.kernel.errors import Conflict, Invalid, Refused, Unavailable
from stanch.operations.world import Call

A = TypeVar("A")

EXECUTES: Final = frozenset(
    {
        "check.try",
        "investigate.analyse",
        "investigate.errors",
        "investigate.performance",
        "investigate.query",
        "investigate.releases",
        "investigate.run",
        "investigate.test",
        "mitigation.dry_run",
        "mitigation.look",
        "query.run",
        "runbook.check",
        "runbook.test",
    }
)
"""Operations that make something run outside, though they change nothing there."""

PEOPLES: Final = frozenset(
    {
        "contact.code",
        "contact.verify",
        "feed.end",
        "feed.make",
        "handoff.accept",
        "incident.assign",
        "incident.handover",
        "incident.severity",
        "incident.status",
        "investigate.analyse",
        "maintenance.create",
        "maintenance.end",
        "oncall.check",
        "oncall.override",
        "oncall.override_cancel",
        "oncall.timeoff",
        "oncall.timeoff_cancel",
        "page.test",
        "silence.create",
        "silence.expire",
        "silence.extend",
        "swap.accept",
        "swap.decline",
        "swap.propose",
    }
)
"""Writes that no agent does: they hide alerts, say who is paged, how many must say yes, or what is spent.

What needs a person for reasons of its own, an approval or a publication, says so itself.
"""

_LONGEST_KEY: Final = 200


def within_budget(call: Call, name: str, *, writes: bool, run: Callable[[], A]) -> A:
    """Return what `run` answers, counted. Raises `Refused` when the hour's budget of the agent is spent."""
    store, executes = call.world.store, name in EXECUTES
    with store.writing() as tx:
        tx.lock(f"agents/{call.actor.name}")
        spent = spent_by(tx.connection, call.actor.name, now=call.now)
        limits = merged(own_limits(tx.connection, call.actor.name), call.world.agent_limits)
        part = lacking(spent, limits, writes=writes, executes=executes)
        if part:
            raise Refused(
                f"{part} in an hour are spent",
                reason="budget_spent",
                hint=f"go on at {again_at(spent, now=call.now):%H:%M} UTC, or ask a person to go on",
            )
        spend(tx.connection, call.actor.name, now=call.now, calls=1, writes=int(writes), executions=int(executes))
    began = time.perf_counter()
    try:
        return run()
    finally:
        took = int((time.perf_counter() - began) * 1e6)
        with store.writing() as tx:
            spend(tx.connection, call.actor.name, now=call.now, micros=took)


def once(call: Call, *, same: str, answer: type[A], run: Callable[[], A]) -> A:
    """Return what `run` answers, or what it answered before under the call's key. `same` is the call in one text.

    Raises `Conflict` when the key stands for another call, and when the call was begun and its end is not on record:
    whether it was done is then for the caller to look up, for nothing is done twice here.
    """
    store, who, key = call.world.store, call.actor.name, call.key
    if len(key) > _LONGEST_KEY:
        raise Invalid(f"has more than {_LONGEST_KEY} characters", field="key")
    with store.writing() as tx:
        tx.lock(f"agents/{who}")
        before = kept_under(tx.connection, who, key, now=call.now)
        if before is None:
            begin_key(tx.connection, who, key, same=same, now=call.now)
    if before is not None:
        return _told(before, same=same, answer=answer)
    try:
        found = run()
    except (Refused, Invalid, Unavailable):
        # What is said no to has done nothing, and may be asked again. Of any other end nobody knows what it left done:
        # the key then stays as one that was begun.
        with store.writing() as tx:
            end_key(tx.connection, who, key, answer="")
        raise
    told = msgspec.json.encode(found).decode()
    with store.writing() as tx:
        end_key(tx.connection, who, key, answer=told)
    return found


def _told(before: tuple[str, str], *, same: str, answer: type[A]) -> A:
    was, told = before
    if was != same:
        raise Conflict("this key stands for another call", reason="key_reused", hint="take a new key")
    if not told:
        raise Conflict(
            "the call with this key was begun, and its end is not on record",
            reason="key_under_way",
            hint="look whether it was done; ask again, or take a new key",
        )
    return msgspec.json.decode(told, type=answer)
