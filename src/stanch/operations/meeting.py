"""The meeting on a post-mortem: called when an incident is resolved, moved and called off, each told once by mail."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from typing import Final

from stanch.catalog.channels import SEVERITIES, ChannelSpec
from stanch.catalog.reader import did_you_mean
from stanch.comms.audience import Recipient
from stanch.comms.messages import Audience
from stanch.comms.words import MEETING
from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import SYSTEM, Actor, Via
from stanch.kernel.codec import to_data
from stanch.kernel.errors import Invalid, NotFound, Refused
from stanch.kernel.zone import in_zone
from stanch.oncall.feeds.text import uid
from stanch.operations import cases
from stanch.operations.casework import case_of
from stanch.operations.oncall.facts import facts_between
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.ports.channel import Message
from stanch.review.meeting.rules import Invitation, invitation_text, meeting_at
from stanch.store import Transaction
from stanch.store.model import Delivery

PURPOSE: Final = MEETING
_SHORTEST_S: Final = 300.0
_LONGEST_S: Final = 86_400.0
_LONGEST: Final = 500
_MOST_NAMED: Final = 30
# Thirty working days, with the holidays that there may be among them.
_AHEAD: Final = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Meet:
    """The meeting on a post-mortem; what is left out stays. `at` is UTC, `length_s` in seconds; people by their ids."""

    incident: int
    at: datetime | None = None
    length_s: float | None = None
    invite: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()
    place: str | None = None


@dataclass(frozen=True, kw_only=True)
class CallOff:
    """The incident whose meeting does not take place, and why."""

    incident: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class MeetingView:
    """A meeting: when (UTC), where, who is invited, and who took part and has no mail address. None is none."""

    incident: int
    key: str
    starts_at: datetime | None
    ends_at: datetime | None
    place: str
    invited: tuple[str, ...]
    not_invited: tuple[str, ...]


@operation("postmortem.meet", effect=Effect.WRITE, example={"incident": 1, "at": "2026-11-26T09:00:00Z"})
def meet(call: Call, request: Meet) -> MeetingView:
    """Call the meeting on a post-mortem, or move it; who is invited has the change in their calendar."""
    world = call.world
    with world.store.writing() as tx:
        state = cases.load(tx, request.incident, lock=True)
        spec = mail_channel(world)
        if spec is None:
            raise Refused(
                "no channel of kind email is configured", reason="no_mail", hint="docs/postmortem.md says how"
            )
        if state.is_open:
            raise Refused(
                f"{state.key} is {state.status.value}: there is no post-mortem to meet on yet",
                reason="not_over",
                hint=f"stanch resolve {state.key}, once it is over",
            )
        before = state.meeting or _usual(tx, world, state, spec)
        after = replace(
            before,
            starts_at=_future(call, request.at) or before.starts_at,
            length_s=before.length_s if request.length_s is None else _length(request.length_s),
            place=before.place if request.place is None else _line(request.place),
            invited=_invited(call, before, request),
        )
        if after != state.meeting:
            if state.meeting is not None:
                after = replace(after, sequence=before.sequence + 1)
            _set(tx, world, state, after, actor=call.actor, via=call.via)
        return _view(tx, world, request.incident)


@operation("postmortem.call_off", effect=Effect.WRITE, example={"incident": 1, "reason": "nobody has the time"})
def call_off(call: Call, request: CallOff) -> MeetingView:
    """Call the meeting on a post-mortem off; it goes from the calendars of those who are invited."""
    with call.world.store.writing() as tx:
        state = cases.load(tx, request.incident, lock=True)
        if state.meeting is None:
            raise NotFound(f"{state.key} has no meeting", hint=f"stanch postmortem meet {state.key}")
        take_back(tx, call.world, state, reason=_line(request.reason), actor=call.actor, via=call.via)
        return _view(tx, call.world, request.incident)


def call_meeting(tx: Transaction, world: World, state: IncidentState) -> None:
    """Invite those who took part in a resolved incident, where that is configured and can be told."""
    rule, spec = world.catalog.postmortem, mail_channel(world)
    if spec is None or not rule.meetings or state.meeting is not None:
        return
    if int(state.ruling.severity) > SEVERITIES.index(rule.meeting_severity) + 1:
        return
    meeting = _usual(tx, world, state, spec)
    if meeting.invited:
        _set(tx, world, state, meeting, actor=SYSTEM, via=Via.ENGINE)


def take_back(
    tx: Transaction, world: World, state: IncidentState, *, reason: str, actor: Actor = SYSTEM, via: Via = Via.ENGINE
) -> None:
    """Call the meeting of an incident off, where there is one that is not over."""
    meeting = state.meeting
    if meeting is None or meeting.starts_at + timedelta(seconds=meeting.length_s) <= world.clock.now():
        return
    sequence = meeting.sequence + 1
    record = ev.MeetingCalledOff(uid=meeting.uid, sequence=sequence, reason=reason)
    stream = ev.postmortem_stream(state.number)
    cases.record(tx, state.number, record, actor=actor, via=via, stream=stream)
    _tell(tx, world, state, replace(meeting, sequence=sequence), meeting.invited, called_off=True, why=reason)


def mail_channel(world: World) -> ChannelSpec | None:
    """Return the channel that invitations go through, None where there is none."""
    named = world.catalog.postmortem.meeting_channel
    mails = (one for one in world.catalog.channels.values() if one.kind == "email")
    return next((one for one in mails if one.name == named or not named), None)


def _usual(tx: Transaction, world: World, state: IncidentState, spec: ChannelSpec) -> ev.MeetingSet:
    """Return the meeting as the configuration has it, with those who took part and can be written to."""
    rule, catalog = world.catalog.postmortem, world.catalog
    now = world.clock.now()
    zone = rule.meeting_zone or catalog.zone
    return ev.MeetingSet(
        uid=uid(f"{world.url}/i/{state.number}/meeting/{state.seq}"),
        sequence=0,
        starts_at=meeting_at(
            now, days=rule.meeting_after_days, clock=rule.meeting_at, zone=zone, holidays=_days_off(tx, world)
        ),
        length_s=rule.meeting_s,
        channel=spec.name,
        place=rule.meeting_place or catalog.war_room,
        invited=tuple(
            ev.Invited(person=one, address=catalog.people[one].email)
            for one in took_part(tx, state)
            if one in catalog.people and catalog.people[one].email
        ),
    )


def _days_off(tx: Transaction, world: World) -> frozenset[date]:
    """Return the days on which nobody meets; a calendar that can not be read has none."""
    rule, now = world.catalog.postmortem, world.clock.now()
    if not rule.holiday_calendars:
        return rule.days_off
    known = facts_between(world, tx.connection, start=now, end=now + _AHEAD).facts.holidays
    return rule.days_off.union(*(known.get(place, frozenset()) for place in rule.holiday_calendars))


def took_part(tx: Transaction, state: IncidentState) -> tuple[str, ...]:
    """Return the people whose acts are in an incident's log or who had a role in it, each once, by id."""
    acted = {event.actor.id for event in tx.events(incident=state.number) if event.actor.is_person}
    return tuple(sorted(acted | {one for one in state.roles.values() if one}))


def _set(
    tx: Transaction, world: World, state: IncidentState, meeting: ev.MeetingSet, *, actor: Actor, via: Via
) -> None:
    stream = ev.postmortem_stream(state.number)
    cases.record(tx, state.number, meeting, actor=actor, via=via, stream=stream)
    _tell(tx, world, state, meeting, meeting.invited)
    before = state.meeting.invited if state.meeting else ()
    left_out = tuple(one for one in before if one not in meeting.invited)
    _tell(tx, world, state, meeting, left_out, called_off=True, why="it takes place without you")


def _tell(
    tx: Transaction,
    world: World,
    state: IncidentState,
    meeting: ev.MeetingSet,
    to: tuple[ev.Invited, ...],
    *,
    called_off: bool = False,
    why: str = "",
) -> None:
    """Owe everybody one mail. Its id has the meeting's sequence in it, so that each change is told once."""
    now, spec = world.clock.now(), world.catalog.channels.get(meeting.channel)
    if spec is None:
        return
    said = _said(world, state, meeting, spec)
    what = "Called off" if called_off else "Moved" if meeting.sequence else "Invitation"
    text = f"{what}: {said.title}\n\n{said.description}" + (f"\n\n{why[:1].upper()}{why[1:]}." if why else "")
    for one in to:
        id = f"inc{state.number}/{PURPOSE}/{meeting.uid.partition('@')[0]}/{meeting.sequence}/{spec.name}/{one.address}"
        recipient = Recipient(channel=spec.name, audience=Audience.RESPONDERS, to=one.address)
        message = Message(
            id=id,
            room=state.channel,
            subject=f"{what}: {said.title}",
            text=text,
            markdown=text,
            incident=state.number,
            case=case_of(world, state, recipient, purpose=PURPOSE),
            to=one.address,
            # One who is left out is told of themselves alone.
            calendar=invitation_text(
                meeting, (one,) if called_off else meeting.invited, said, now=now, called_off=called_off
            ),
        )
        delivery = Delivery(
            id=id,
            channel=spec.name,
            room=state.channel,
            purpose=PURPOSE,
            message=to_data(message),
            due_at=now,
            created_at=now,
            incident=state.number,
        )
        if tx.owe(delivery):
            owed = ev.MessageOwed(
                delivery=id,
                channel=spec.name,
                audience=Audience.RESPONDERS.value,
                purpose=PURPOSE,
                text=text,
                to=one.address,
                subject=message.subject,
            )
            cases.record(tx, state.number, owed)


def _said(world: World, state: IncidentState, meeting: ev.MeetingSet, spec: ChannelSpec) -> Invitation:
    zone = world.catalog.postmortem.meeting_zone or world.catalog.zone
    local = in_zone(meeting.starts_at, zone)
    url = f"{world.url}/postmortem/{state.number}"
    when = f"{local:%A %d %B %Y, %H:%M} {zone}, {meeting.length_s / 60:.0f} minutes"
    where = [f"Where: {meeting.place}"] if meeting.place else []
    people = world.catalog.people
    return Invitation(
        organizer=parseaddr(spec.sender)[1],
        organizer_name=world.catalog.name,
        title=f"Post-mortem of {state.key}: {state.title}",
        description="\n".join([f"When: {when}", *where, f"What happened: {url}"]),
        url=url,
        names={one.person: people[one.person].name for one in meeting.invited if one.person in people},
    )


def _invited(call: Call, before: ev.MeetingSet, request: Meet) -> tuple[ev.Invited, ...]:
    people = call.world.catalog.people
    for field, names in (("invite", request.invite), ("leave_out", request.leave_out)):
        for name in names:
            if name not in people:
                near = did_you_mean(name, tuple(people))
                raise Invalid(f"{name!r} is not in the catalog{near}", field=field, hint=_who(call))
            if field == "invite" and not people[name].email:
                said = f"{name} has no mail address: write [people.{name}] email = ..."
                raise Invalid(said, field=field, hint=_who(call))
    known = {one.person: one for one in before.invited}
    known |= {name: ev.Invited(person=name, address=people[name].email) for name in request.invite}
    left = tuple(one for name, one in sorted(known.items()) if name not in request.leave_out)
    if not left:
        raise Invalid("nobody is invited: say whom", field="invite")
    return left


def _who(call: Call) -> str:
    """Return who can be invited, in words."""
    able = sorted(name for name, one in call.world.catalog.people.items() if one.email)
    more = f" and {len(able) - _MOST_NAMED} more" if len(able) > _MOST_NAMED else ""
    return f"who can be invited: {', '.join(able[:_MOST_NAMED])}{more}" if able else "nobody has a mail address"


def _future(call: Call, at: datetime | None) -> datetime | None:
    if at is not None and at <= call.now:
        raise Invalid("must lie ahead", field="at")
    return at


def _length(length_s: float) -> float:
    if not _SHORTEST_S <= length_s <= _LONGEST_S:
        raise Invalid("is from 5 minutes to a day", field="length_s")
    return length_s


def _line(text: str) -> str:
    line = " ".join(text.split())
    if len(line) > _LONGEST:
        raise Invalid(f"at most {_LONGEST} characters", field="reason")
    return line


def _view(tx: Transaction, world: World, number: int) -> MeetingView:
    state = cases.load(tx, number)
    meeting = state.meeting
    invited = tuple(one.person for one in meeting.invited) if meeting else ()
    return MeetingView(
        incident=number,
        key=state.key,
        starts_at=meeting.starts_at if meeting else None,
        ends_at=meeting.starts_at + timedelta(seconds=meeting.length_s) if meeting else None,
        place=meeting.place if meeting else "",
        invited=invited,
        not_invited=tuple(
            one for one in took_part(tx, state) if not (found := world.catalog.people.get(one)) or not found.email
        ),
    )
