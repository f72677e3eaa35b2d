"""What follows a resolution: the post-mortem drafted from the log, in the same transaction."""

from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.operations import cases
from stanch.operations.world import World
from stanch.review.postmortem import draft
from stanch.store import Transaction


def write_postmortem(tx: Transaction, world: World, state: IncidentState) -> int:
    """Draft the post-mortem from the log as the next revision, and return its number."""
    revision = (state.postmortem.revision if state.postmortem else 0) + 1
    markdown = draft(state, tx.events(incident=state.number), url=world.url, now=world.clock.now())
    drafted = ev.PostmortemDrafted(revision=revision, markdown=markdown)
    cases.record(tx, state.number, drafted, stream=ev.postmortem_stream(state.number))
    return revision
