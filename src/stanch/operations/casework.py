"""What a channel is told of the incident behind a message: who belongs into its room, what may be done from there, how
the parts of a status page are."""

from collections.abc import Iterator
from typing import Final

from stanch.catalog.channels import ChannelSpec
from stanch.comms.audience import Recipient
from stanch.comms.status.rules import service_states
from stanch.comms.words import Audience
from stanch.incidents.model import Role
from stanch.incidents.state import ActionState, IncidentState
from stanch.operations.world import World
from stanch.ports.channel import Button, Case

# Slack's limit for a topic is the shortest.
_LONGEST_TOPIC: Final = 250


def case_of(world: World, state: IncidentState, whom: Recipient, *, purpose: str) -> Case:
    """Return the incident as a message of `purpose` to `whom` is about it."""
    spec = world.catalog.channels.get(whom.channel)
    inside = whom.audience is Audience.RESPONDERS
    url = f"{world.url}/i/{state.number}"
    return Case(
        number=state.number,
        key=state.key,
        title=state.title if whom.audience is not Audience.PUBLIC else f"Problems with {', '.join(state.services)}",
        severity=state.ruling.severity.label,
        status=state.status.value,
        purpose=purpose,
        audience=whom.audience.value,
        is_open=state.is_open,
        topic=_topic(state, url) if inside else "",
        url=url if whom.audience is not Audience.PUBLIC else "",
        invite=tuple(dict.fromkeys(_invited(world, state, spec.kind))) if spec and inside else (),
        components=_components(spec, state) if spec else (),
        buttons=tuple(_buttons(state, url, acts=bool(spec and spec.hears))) if inside else (),
    )


def _topic(state: IncidentState, url: str) -> str:
    commander = state.roles.get(Role.COMMANDER, "nobody yet")
    words = f"{state.ruling.severity.label} · {state.status.value} · commander: {commander} · {url}"
    return words[:_LONGEST_TOPIC]


def _invited(world: World, state: IncidentState, kind: str) -> Iterator[str]:
    """Yield who belongs into the room, as the far end knows them: who has a role, and the services' teams."""
    people = world.catalog.people
    teams = {service.team for name in state.services if (service := world.catalog.services.get(name)) and service.team}
    for person in people.values():
        if person.chat.get(kind) and (person.id in state.roles.values() or teams & set(person.teams)):
            yield person.chat[kind]


def _buttons(state: IncidentState, url: str, *, acts: bool) -> Iterator[Button]:
    """Yield what can be done from a message; where the far end's answers can not be checked, only a link."""
    if acts and state.is_open:
        if state.acknowledged_at is None:
            yield Button(label="Acknowledge", verb="ack", value=state.key, primary=True)
        plan = state.proposal.plan if state.proposal else None
        action = state.actions.get(plan.id) if plan else None
        if plan and action and action.state is ActionState.PROPOSED:
            # The yes is to what this message shows: it carries the plan's digest.
            exactly = f"{plan.id} {plan.digest} -i {state.key}"
            yield Button(label=f"Approve: {plan.title}", verb="approve", value=exactly)
        if Role.COMMANDER not in state.roles:
            yield Button(label="I am commander", verb="assign", value=f"commander me -i {state.key}")
        yield Button(label="Catch up", verb="catchup", value=state.key)
    yield Button(label="Open", url=url)


def _components(spec: ChannelSpec, state: IncidentState) -> tuple[tuple[str, str], ...]:
    """Return how the parts of a status page are, by Statuspage's words; all are well when it is over."""
    states = service_states(state)
    return tuple(
        (component, states[service].value) for service, component in spec.components.items() if service in states
    )
