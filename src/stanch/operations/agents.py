"""Operations on agents: give one a token, revoke it, list them with what they did. Tokens are a person's: a way in."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.catalog.agents.model import Agent, Limits, OwnLimits, Spent
from stanch.catalog.agents.rules import LIMITED, PREFIX, complaints, hash_of, left_of, merged
from stanch.catalog.agents.tables import add_agent, agent_named_by, all_agents, end_agent, seen_agents, spent_by
from stanch.kernel.actor import agent, check_name
from stanch.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from stanch.operations.registry import Effect, operation
from stanch.operations.showing import timeline
from stanch.operations.world import Call, World
from stanch.store import Transaction

_TOKEN_BYTES: Final = 32
_MOST_ACTS: Final = 50
_LONGEST: Final = 300


@dataclass(frozen=True, kw_only=True)
class CreateAgent:
    """The name that the log will call it, what it is for, and what its token limits in an hour by itself."""

    name: str
    about: str = ""
    calls: int | None = None
    writes: int | None = None
    executions: int | None = None
    seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class OneAgent:
    """An agent by its name."""

    name: str


@dataclass(frozen=True, kw_only=True)
class ListAgents:
    """Those whose token is good; with `revoked` the others as well, with `nameless` those that have none and acted.

    `acts` is how many of their newest acts are told of each.
    """

    revoked: bool = False
    nameless: bool = False
    acts: int = 0


@dataclass(frozen=True, kw_only=True)
class CreatedAgent:
    """A new agent with its token, which is shown this once and stored nowhere."""

    name: str
    token: str


@dataclass(frozen=True, kw_only=True)
class Act:
    """One entry of an incident's log that an agent wrote. `text` is its own words."""

    seq: int
    at: datetime
    incident: int
    title: str
    text: str
    via: str
    url: str


@dataclass(frozen=True, kw_only=True)
class AgentView:
    """An agent, who answers for it, what it spent in the last hour, what is left, and what it did last.

    `own` names the limits that its token has by itself; `made_at` is None for one that acts by a name alone.
    """

    name: str
    about: str
    made_by: str
    made_at: datetime | None
    made_via: str
    revoked_by: str
    revoked_at: datetime | None
    seen_at: datetime | None
    spent: Spent
    limits: Limits
    left: Limits
    own: tuple[str, ...] = ()
    acts: tuple[Act, ...] = ()


@operation("agent.create", effect=Effect.WRITE, example={"name": "triage", "about": "looks first"})
def create(call: Call, request: CreateAgent) -> CreatedAgent:
    """Give an agent a token of its own. It is shown once; its hash is stored."""
    _require_a_person(call)
    name = check_name(request.name, field="name")
    own = OwnLimits(**{limit: getattr(request, limit) for limit in LIMITED})
    if problems := complaints(own):
        raise Invalid(problems=problems, hint="leave it out for what holds for all agents")
    token = PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    with call.world.store.writing() as tx:
        tx.lock("agents")
        if any(one.name == name and one.ended_at is None for one in all_agents(tx.connection)):
            raise Conflict(f"{name} has a token", reason="exists", hint=f"revoke it first: stanch agent revoke {name}")
        made = Agent(
            name=name,
            about=request.about.strip(),
            made_by=call.actor.id,
            made_at=call.now,
            made_via=call.via.value,
            own=own,
        )
        add_agent(tx.connection, made, token_hash=hash_of(token))
    return CreatedAgent(name=name, token=token)


@operation("agent.revoke", effect=Effect.WRITE, example={"name": "triage"})
def revoke(call: Call, request: OneAgent) -> AgentView:
    """Take an agent's token back; its next call is refused."""
    _require_a_person(call)
    with call.world.store.writing() as tx:
        if not end_agent(tx.connection, request.name, by=call.actor.id, via=call.via.value, at=call.now):
            raise NotFound(f"there is no agent {request.name!r} with a token", hint="stanch agent list")
        found = max((one for one in all_agents(tx.connection) if one.name == request.name), key=lambda one: one.made_at)
        return _view(call, tx, found)


@operation("agent.list", effect=Effect.READ, example={"acts": 5})
def list_agents(call: Call, request: ListAgents) -> tuple[AgentView, ...]:
    """List agents that have a token: who gave it, what they spent in the last hour, what is left, what they did."""
    with call.world.store.reading() as view:
        every = all_agents(view.connection)
        found = [one for one in every if request.revoked or one.ended_at is None]
        if request.nameless:
            held = {one.name for one in every if one.ended_at is None}
            seen = seen_agents(view.connection)
            found += [_nameless(name, at) for name, at in sorted(seen.items()) if name not in held]
        return tuple(_view(call, view, one, acts=min(request.acts, _MOST_ACTS)) for one in found)


def agent_of(world: World, token: str) -> str:
    """Return the name of the agent whose token this is, empty where it is nobody's."""
    with world.store.reading() as view:
        return agent_named_by(view.connection, hash_of(token))


def _require_a_person(call: Call) -> None:
    if not call.actor.is_person:
        raise Forbidden(
            f"{call.actor.label} cannot give or take a way in",
            reason="agents_need_a_person",
            hint="a person does it: stanch agent create NAME",
        )


def _nameless(name: str, at: datetime) -> Agent:
    """Return an agent that has no token, as it was last seen."""
    return Agent(name=name, about="", made_by="", made_at=at, made_via="", seen_at=at)


def _view(call: Call, view: Transaction, one: Agent, *, acts: int = 0) -> AgentView:
    spent = spent_by(view.connection, one.name, now=call.now)
    limits = merged(one.own, call.world.agent_limits)
    return AgentView(
        name=one.name,
        about=one.about,
        made_by=one.made_by,
        made_at=one.made_at if one.made_by else None,
        made_via=one.made_via,
        revoked_by=one.ended_by,
        revoked_at=one.ended_at,
        seen_at=one.seen_at,
        spent=spent,
        limits=limits,
        left=left_of(spent, limits),
        own=tuple(limit for limit in LIMITED if getattr(one.own, limit) is not None),
        acts=_acts(call.world, view, one.name, acts) if acts and one.ended_at is None else (),
    )


def _acts(world: World, view: Transaction, name: str, count: int) -> tuple[Act, ...]:
    events = view.events_of_agent(agent(name).id, limit=count)
    of = {event.seq: event.incident or 0 for event in events}
    return tuple(
        Act(
            seq=one.seq,
            at=one.at,
            incident=of[one.seq],
            title=one.title,
            text=one.text[:_LONGEST],
            via=one.via,
            url=one.url,
        )
        for one in sorted(timeline(events, world), key=lambda entry: entry.seq, reverse=True)
    )
