"""The desk behind every chat: knows who asks, calls the operation, and says the answer as the terminal would.

Who asks is a person of the configuration: `[people.alice.chat] slack = "U012AB3CD"`. Anybody else is refused, whatever
they ask: a chat has guests.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import msgspec
import structlog

from stanch.comms.tables import incident_at
from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import Actor, Via, person
from stanch.kernel.errors import Forbidden, Invalid, NotFound, Refused, StanchError
from stanch.kernel.event import JSON
from stanch.operations import cases, registry
from stanch.operations.oncall import answers
from stanch.operations.registry import Operation
from stanch.operations.world import Call, World
from stanch.ports.chat import Asked, AskedBy, Reply
from stanch.surfaces.chat.verbs import Line, Verb, names, read_line, usage, verb_of

log = structlog.get_logger("stanch.chat")

Say = Callable[[str, JSON], str]
"""Returns an answer in words: how it is shown, and the answer as JSON."""

_LEAST_DIGEST = 6
_ANSWER = "answer "


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Answers what is asked from chats. `wake` is called when something may be due at once."""

    world: World
    operations: Mapping[str, Operation[object, object]]
    say: Say
    wake: Callable[[], None] = lambda: None

    def answer(self, asked: Asked, *, channel: str, kind: str) -> Reply:
        """Do what was asked in `channel`, and say how that went; what was refused is said to who asked alone."""
        try:
            if asked.by is AskedBy.BUTTON and asked.text.startswith(_ANSWER):
                return self._answered(asked.text.removeprefix(_ANSWER).strip(), kind)
            actor = self._who(asked.user, kind)
            reply = self._mark(asked, actor, channel) if asked.by is AskedBy.MARK else self._do(asked, actor, channel)
        except StanchError as error:
            return Reply(text="\n".join(word for word in (error.message, error.hint) if word))
        except Exception:  # the surface's outermost frame
            log.exception("chat.bug", channel=channel, by=asked.by.value)
            return Reply(text="an unexpected error; it is in the server's log")
        self.wake()
        return reply

    def _answered(self, token: str, kind: str) -> Reply:
        """Take on the page whose button was pressed: its token says whose it is, as with a link."""
        found = answers.take(self.world, token, how=f"{kind} button")
        self.wake()
        if found.done or found.acknowledged_by == found.person:
            said = "You have it. Paging has stopped."
        elif found.acknowledged_by and found.acknowledged_at is not None:
            said = f"{found.acknowledged_by} has it since {found.acknowledged_at:%H:%M} UTC."
        else:
            said = "This page is over: nobody is looked for any more."
        return Reply(text=f"{found.severity} {found.title}\n{said}", private=False, replaces=True)

    def _who(self, user: str, kind: str) -> Actor:
        for known in self.world.catalog.people.values():
            if user and known.chat.get(kind) == user:
                return person(known.id, name=known.name)
        raise Forbidden(
            "I do not know who you are",
            reason="unmapped",
            hint=f'write [people.<you>.chat] {kind} = "{user}" into stanch.toml',
        )

    def _do(self, asked: Asked, actor: Actor, channel: str) -> Reply:
        line = read_line(asked.text)
        if line.verb in ("help", "-h", "--help"):
            return Reply(text=usage())
        verb = verb_of(line)
        if verb is None:
            near = get_close_matches(line.verb, names(), n=1)
            raise Invalid(
                f"there is no verb {line.verb[:40]!r}" + (f"; did you mean {near[0]}?" if near else ""),
                hint=usage(),
            )
        body = dict(verb.fill(line))
        if verb.about_one:
            body["incident"] = self._number(line, asked, channel)
        if body.get("person") == "me":
            body["person"] = actor.id
        if verb.name == "approve":
            shown = self._plan_to_show(body)
            if shown is not None:
                return shown
        answer = self._call(verb, body, actor)
        return Reply(text=self.say(verb.shows, answer), private=not verb.is_public)

    def _call(self, verb: Verb, body: Mapping[str, object], actor: Actor) -> JSON:
        entry = self.operations[verb.operation]
        answer = registry.call(entry, Call(world=self.world, actor=actor, via=Via.CHAT), registry.decode(entry, body))
        found: JSON = msgspec.json.decode(msgspec.json.encode(answer))
        return found

    def _number(self, line: Line, asked: Asked, channel: str) -> int:
        """Return the incident that a line is about: the one it names, the room's, the only one that is open."""
        if line.incident is not None:
            return line.incident
        with self.world.store.reading() as view:
            found = incident_at(view.connection, channel=channel, place=asked.place) if asked.place else None
        if found is not None:
            return found
        cards = self._call_list()
        if len(cards) == 1:
            return cards[0]
        if not cards:
            raise NotFound("no incident is open", hint="declare one: declare WORDS")
        raise Invalid(f"several incidents are open: {', '.join(f'INC-{one}' for one in cards)}", hint="name one")

    def _call_list(self) -> list[int]:
        entry = self.operations["incident.list"]
        call = Call(world=self.world, actor=person("stanch"), via=Via.CHAT)
        answer = registry.call(entry, call, registry.decode(entry, {"open_only": True}))
        cards = msgspec.json.decode(msgspec.json.encode(answer))
        return [int(card["number"]) for card in cards]

    def _plan_to_show(self, body: dict[str, object]) -> Reply | None:
        """Complete an approval, or return the plan where it was not said what exactly is approved.

        Nobody approves what they have not seen: the digest of the plan, or its beginning, goes with every yes.
        """
        with self.world.store.reading() as view:
            number = body["incident"]
            state = cases.load(view, number if isinstance(number, int) else 0)
        plan = str(body.get("plan") or "") or (state.proposal.plan.id if state.proposal and state.proposal.plan else "")
        action = state.actions.get(plan)
        if action is None:
            known = ", ".join(state.actions) or "none is proposed yet"
            raise NotFound(f"there is no plan {plan[:60]!r}" if plan else "no plan is proposed", hint=f"plans: {known}")
        digest = str(body.get("digest") or "")
        if not digest:
            return Reply(text=_shown(state, plan))
        if len(digest) < _LEAST_DIGEST or not action.plan.digest.startswith(digest):
            raise Refused("the plan is not the one that you saw", reason="digest_differs", hint="look again: approve")
        body["plan"], body["digest"] = plan, action.plan.digest
        return None

    def _mark(self, asked: Asked, actor: Actor, channel: str) -> Reply:
        """Put a message into the log of the room's incident, with its author and its link, once."""
        with self.world.store.writing() as tx:
            found = incident_at(tx.connection, channel=channel, place=asked.place)
            if found is None:
                raise NotFound("this room belongs to no incident", hint="write it down with: note -i INC-1 WORDS")
            state = cases.load(tx, found, lock=True)
            author = self._name(asked.author, channel)
            link = f" ({asked.link})" if asked.link else ""
            text = f"{author} in chat: {asked.text.strip() or 'a message without words'}{link}"
            for event in tx.events(incident=state.number):
                if event.kind == ev.NoteAdded.kind and asked.link and asked.link in str(event.data.get("text", "")):
                    return Reply(text=f"It is in the log of {state.key} already")
            entry = self.operations["incident.note"]
            clean = registry.decode(entry, {"incident": state.number, "text": text[:20_000]})
            record = ev.NoteAdded(text=str(getattr(clean, "text", text)), pinned=True)
            at = asked.at if asked.at and asked.at <= self.world.clock.now() else None
            cases.record(tx, state.number, record, actor=actor, via=Via.CHAT, at=at)
        return Reply(text=f"{state.key}: in the log")

    def _name(self, user: str, channel: str) -> str:
        spec = self.world.catalog.channels.get(channel)
        for known in self.world.catalog.people.values():
            if spec and user and known.chat.get(spec.kind) == user:
                return known.name or known.id
        return user or "somebody"


def _shown(state: IncidentState, plan: str) -> str:
    one = state.actions[plan].plan
    steps = [f"  {' '.join(step.argv)}" for step in one.steps]
    return "\n".join(
        (
            f"{one.title} (risk {one.risk}, on {one.target})",
            *steps,
            f"Approve it: approve {one.id} {one.digest[:12]} -i {state.key}",
        )
    )
