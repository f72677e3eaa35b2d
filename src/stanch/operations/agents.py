"""Operations on agents: give one a token of its own, revoke it, list them. A person's alone: a token is a way in."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.catalog.agents.model import Agent, Limits, Spent
from stanch.catalog.agents.rules import PREFIX, hash_of
from stanch.catalog.agents.tables import add_agent, agent_named_by, all_agents, end_agent, spent_by
from stanch.kernel.actor import check_name
from stanch.kernel.errors import Conflict, Forbidden, NotFound
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World

_TOKEN_BYTES: Final = 32


@dataclass(frozen=True, kw_only=True)
class CreateAgent:
    """The name that the log will call it, and what it is for."""

    name: str
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class OneAgent:
    """An agent by its name."""

    name: str


@dataclass(frozen=True, kw_only=True)
class ListAgents:
    """Those whose token is good; with `revoked` the others as well."""

    revoked: bool = False


@dataclass(frozen=True, kw_only=True)
class CreatedAgent:
    """A new agent with its token, which is shown this once and stored nowhere."""

    name: str
    token: str


@dataclass(frozen=True, kw_only=True)
class AgentView:
    """An agent, who answers for it, and what it spent in the last hour."""

    name: str
    about: str
    made_by: str
    made_at: datetime
    made_via: str
    revoked_by: str
    revoked_at: datetime | None
    seen_at: datetime | None
    spent: Spent
    limits: Limits


@operation("agent.create", effect=Effect.WRITE, example={"name": "triage", "about": "looks first"})
def create(call: Call, request: CreateAgent) -> CreatedAgent:
    """Give an agent a token of its own. It is shown once; its hash is stored."""
    _require_a_person(call)
    name = check_name(request.name, field="name")
    token = PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    with call.world.store.writing() as tx:
        tx.lock("agents")
        if any(one.name == name and one.ended_at is None for one in all_agents(tx.connection)):
            raise Conflict(f"{name} has a token", reason="exists", hint=f"revoke it first: stanch agent revoke {name}")
        made = Agent(
            name=name, about=request.about.strip(), made_by=call.actor.id, made_at=call.now, made_via=call.via.value
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
        return _view(call, found, spent_by(tx.connection, found.name, now=call.now))


@operation("agent.list", effect=Effect.READ, example={})
def list_agents(call: Call, request: ListAgents) -> tuple[AgentView, ...]:
    """List agents that have a token, who gave it, and what they spent in the last hour."""
    with call.world.store.reading() as view:
        return tuple(
            _view(call, one, spent_by(view.connection, one.name, now=call.now))
            for one in all_agents(view.connection)
            if request.revoked or one.ended_at is None
        )


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


def _view(call: Call, one: Agent, spent: Spent) -> AgentView:
    return AgentView(
        name=one.name,
        about=one.about,
        made_by=one.made_by,
        made_at=one.made_at,
        made_via=one.made_via,
        revoked_by=one.ended_by,
        revoked_at=one.ended_at,
        seen_at=one.seen_at,
        spent=spent,
        limits=call.world.agent_limits,
    )
