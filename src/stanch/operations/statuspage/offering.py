"""Makes updates for the public status page ready, in the transaction that tells the public anything, and
publishes them.

What stands there is what the public audience is told, composed from its templates with the names that the page has for
the services; nothing else of an incident gets there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.comms.messages import compose
from stanch.comms.status.model import Stage, Update
from stanch.comms.status.rules import digest_of, service_states, stage_of
from stanch.comms.status.tables import last_number, read_update
from stanch.comms.template import Value
from stanch.comms.words import AMONG_OURSELVES, Audience
from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import Actor, Via
from stanch.kernel.blocks import to_plain
from stanch.kernel.errors import Bug
from stanch.operations import cases
from stanch.operations.statuspage.telling import tell_subscribers
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

KIND: Final = "status"
"""The kind of the timer that writes the static copy and forgets who never confirmed."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """An update as the page would show it: states by service, of those that are shown and not well."""

    purpose: str
    stage: Stage
    title: str
    text: str
    components: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Return what a yes is said to."""
        return digest_of(stage=self.stage, title=self.title, text=self.text, components=self.components)


def offer_of(
    tx: Transaction,
    world: World,
    state: IncidentState,
    *,
    purpose: str,
    public_note: str,
    next_update_at: datetime | None,
    more: Mapping[str, Value],
) -> Offer | None:
    """Return what the page would say now; None for an incident that does not concern it.

    One that was on it, or waits to be, goes on being told, also when it has become less severe.
    """
    spec = world.catalog.status
    purpose = "initial" if purpose == "declaration" else purpose
    if not spec.is_shown or purpose in AMONG_OURSELVES:
        return None
    states = service_states(state)
    shown = {key: how for key, how in states.items() if key in spec.components}
    known = last_number(tx.connection, state.number) > 0
    if not known and not (shown and state.ruling.severity.label <= spec.severity):
        return None
    names = ", ".join(spec.components[key].title for key in shown) or spec.title or world.catalog.name
    # Stage and start stand on the page beside the words: a line that says nothing else is left out.
    words = {"title": f"problems with {names}", "services": names, "status": "", "started": ""}
    said = compose(
        state,
        purpose=purpose,
        audience=Audience.PUBLIC.value,
        now=world.clock.now(),
        url="",
        next_update_at=next_update_at,
        public_note=public_note,
        own=world.templates,
        more={**more, **words},
    )
    exercise = "Exercise: " if state.drill else ""
    return Offer(
        purpose=purpose,
        stage=stage_of(state),
        title=f"{exercise}Problems with {names}",
        # Its heading is the page's own.
        text=to_plain(said.blocks[1:]).strip(),
        components={key: how.value for key, how in shown.items()} if state.is_open else {},
    )


def offer(
    tx: Transaction,
    world: World,
    state: IncidentState,
    *,
    purpose: str,
    public_note: str,
    next_update_at: datetime | None,
    more: Mapping[str, Value],
    approved: bool,
    actor: Actor,
    via: Via,
) -> bool:
    """Make an update ready and, where nobody need be asked, publish it; False where the page says nothing of it.

    `approved` says that a person who saw these words sends them.
    """
    ready = offer_of(
        tx, world, state, purpose=purpose, public_note=public_note, next_update_at=next_update_at, more=more
    )
    if ready is None:
        return False
    number = last_number(tx.connection, state.number) + 1
    record = ev.StatusOffered(
        number=number,
        purpose=ready.purpose,
        stage=ready.stage.value,
        title=ready.title,
        text=ready.text,
        severity=state.ruling.severity.label,
        started_at=state.started_at,
        digest=ready.digest,
        components=dict(ready.components),
    )
    cases.record(tx, state.number, record, actor=actor, via=via, stream=ev.status_stream(state.number))
    automatic = world.catalog.status.publish == "automatic"
    if approved or automatic:
        publish_now(tx, world, state.number, number, automatic=not approved, actor=actor, via=via)
    return True


def publish_now(
    tx: Transaction,
    world: World,
    incident: int,
    number: int,
    *,
    text: str = "",
    automatic: bool = False,
    actor: Actor,
    via: Via,
) -> Update:
    """Put an update on the page, tell its subscribers, and have the static copy written."""
    known = read_update(tx.connection, incident, number)
    if known is None:
        raise Bug(f"update {number} of INC-{incident} is not on record")
    record = ev.StatusPublished(number=number, stage=known.stage.value, text=text, automatic=automatic)
    cases.record(tx, incident, record, actor=actor, via=via, stream=ev.status_stream(incident))
    said = read_update(tx.connection, incident, number)
    if said is None or said.by == "":
        raise Bug(f"update {number} of INC-{incident} was published and is not on the page")
    tell_subscribers(tx, world, said)
    write_soon(tx, world)
    return said


def write_soon(tx: Transaction, world: World, *, at: datetime | None = None) -> None:
    """Have the static copy written at `at` (UTC), by default now."""
    tx.schedule(Timer(id=KIND, kind=KIND, due_at=at or world.clock.now()), replace=True)


def speaks_to_public(audiences: Sequence[str]) -> bool:
    """Tell whether a message narrowed to these audiences is for the public too."""
    return not audiences or Audience.PUBLIC.value in audiences
