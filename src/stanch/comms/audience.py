"""Who is told of an incident, through which channel: the channels of the catalog and the stakeholders of its services.

Pure. Every recipient is one delivery, so that what became of it is known of each.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from stanch.catalog.channels import ChannelSpec
from stanch.catalog.model import Catalog
from stanch.comms.words import AMONG_OURSELVES, MEETING, Audience
from stanch.incidents.state import IncidentState


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Who gets one message. `to` is an address at the channel, empty for whoever reads it; `stakeholder` the entry of
    the catalog that names it."""

    channel: str
    audience: Audience
    to: str = ""
    stakeholder: str = ""


def recipients(catalog: Catalog, state: IncidentState, *, purpose: str) -> tuple[Recipient, ...]:
    """Return who is told a message of `purpose`, each once, in the order of the configuration.

    Who was told of it before is told how it goes on, also when it has become less severe or concerns them no more; who
    was only invited to the meeting on it is not.
    """
    told = (
        Recipient(channel=one.channel, audience=Audience(one.audience), to=one.to, stakeholder=one.stakeholder)
        for one in state.messages.values()
        if one.channel in catalog.channels and one.purpose != MEETING
    )
    found = [one for one in (*_all(catalog, state), *told) if _is_told(one.audience, purpose)]
    return tuple({(one.channel, one.audience, one.to): one for one in reversed(found)}.values())[::-1]


def purpose_for(purpose: str, audience: Audience) -> str:
    """Return what a message is for to `audience`: who does not respond is told of a declaration in another way."""
    return "initial" if purpose == "declaration" and audience is not Audience.RESPONDERS else purpose


def room_keepers(catalog: Catalog, state: IncidentState) -> tuple[ChannelSpec, ...]:
    """Return the channels where this incident has a room of its own, in which its facts are pinned."""
    return tuple(
        spec
        for spec in catalog.channels.values()
        if spec.rooms and Audience.RESPONDERS.value in spec.audiences and _concerns(spec.services, spec.severity, state)
    )


def _all(catalog: Catalog, state: IncidentState) -> Iterator[Recipient]:
    for spec in catalog.channels.values():
        if _concerns(spec.services, spec.severity, state):
            for word in spec.audiences:
                # Mail goes to somebody; any other channel is read by whoever does.
                for address in spec.to if spec.kind == "email" else ("",):
                    yield Recipient(channel=spec.name, audience=Audience(word), to=address)
    for one in catalog.stakeholders.values():
        channel = catalog.channels.get(one.channel)
        if channel is not None and _concerns(one.services, one.severity, state):
            for target in one.to:
                address = _address(catalog, target, kind=channel.kind)
                if address:
                    yield Recipient(
                        channel=one.channel, audience=Audience(one.audience), to=address, stakeholder=one.name
                    )


def _concerns(services: tuple[str, ...], severity: str, state: IncidentState) -> bool:
    return state.ruling.severity.label <= severity and (not services or bool(set(services) & _met(state)))


def _met(state: IncidentState) -> set[str]:
    impact = state.impact
    return {*state.services, *(impact.down if impact else ()), *(impact.affected if impact else ())}


def _address(catalog: Catalog, target: str, *, kind: str) -> str:
    who, _, id = target.partition(":")
    if who != "person" or id not in catalog.people:
        return target if who != "person" else ""
    person = catalog.people[id]
    return person.email if kind == "email" else person.chat.get(kind, "")


def _is_told(audience: Audience, purpose: str) -> bool:
    return audience is Audience.RESPONDERS or purpose not in AMONG_OURSELVES
