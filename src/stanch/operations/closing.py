"""What follows a resolution: the post-mortem drafted from the log, in the same transaction."""

from collections.abc import Sequence
from pathlib import Path

from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Invalid
from stanch.operations import cases
from stanch.operations.world import World
from stanch.review.postmortem import draft
from stanch.review.templating import STANDARD, shipped, template_named, templates
from stanch.store import Transaction


def write_postmortem(
    tx: Transaction, world: World, state: IncidentState, *, template: str = "", lessons: Sequence[str] = ()
) -> int:
    """Draft the post-mortem from the log as the next revision, and return its number.

    `lessons` are what `prevention.lessons` says, asked for before this transaction. `template` names the outline, empty
    for that of the severity. Raises `Invalid` for one that there is not. One of the configuration that is gone or
    cannot be read keeps no incident from being resolved: then it is the standard one.
    """
    root = Path(world.catalog.root)
    outline = template_named(root, template) if template else _outline_of(world, state, root)
    revision = (state.postmortem.revision if state.postmortem else 0) + 1
    events = tx.events(incident=state.number)
    markdown = draft(state, events, url=world.url, now=world.clock.now(), template=outline, lessons=lessons)
    drafted = ev.PostmortemDrafted(revision=revision, markdown=markdown)
    cases.record(tx, state.number, drafted, stream=ev.postmortem_stream(state.number))
    return revision


def _outline_of(world: World, state: IncidentState, root: Path) -> str:
    name = world.catalog.postmortem.templates[int(state.ruling.severity) - 1]
    try:
        return templates(root).get(name, shipped()[STANDARD])
    except Invalid:
        return shipped()[STANDARD]
