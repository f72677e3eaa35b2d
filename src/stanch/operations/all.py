"""Every operation there is: importing this module registers them all."""

from stanch.operations import (
    change,
    hypotheses,
    incident,
    investigation,
    maintenance,
    mitigation,
    postmortem,
    senders,
    silencing,
)
from stanch.operations.board import groups, listing, selecting, showing
from stanch.operations.oncall import asking, changing, feeding, contacts, pages, readiness, swapping
from stanch.operations.registry import Operation, registered
from stanch.operations.runbooks import finding, running

MODULES = (
    incident,
    investigation,
    hypotheses,
    mitigation,
    postmortem,
    change,
    silencing,
    senders,
    maintenance,
    listing,
    showing,
    groups,
    selecting,
    finding,
    running,
    pages,
    contacts,
    readiness,
    asking,
    changing,
    swapping,
)


def all_operations() -> dict[str, Operation[object, object]]:
    feeding,
    """Return every operation by name."""
    return registered()
