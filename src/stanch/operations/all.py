"""Every operation there is: importing this module registers them all."""

from stanch.operations import (
    agents,
    automatic,
    beating,
    change,
    communicating,
    figures,
    hypotheses,
    incident,
    investigation,
    items,
    looking,
    maintenance,
    mitigation,
    postmortem,
    proposing,
    query,
    reporting,
    routing,
    senders,
    silencing,
    similar,
    writeups,
)
from stanch.operations.board import groups, listing, selecting, showing
from stanch.operations.oncall import (
    asking,
    changing,
    contacts,
    feeding,
    handing,
    loading,
    pages,
    readiness,
    replaying,
    swapping,
)
from stanch.operations.registry import Operation, registered
from stanch.operations.runbooks import finding, running, testing
from stanch.operations.statuspage import publishing

MODULES = (
    incident,
    communicating,
    investigation,
    hypotheses,
    mitigation,
    proposing,
    automatic,
    postmortem,
    writeups,
    items,
    figures,
    similar,
    change,
    query,
    silencing,
    routing,
    senders,
    reporting,
    maintenance,
    looking,
    beating,
    listing,
    showing,
    groups,
    selecting,
    finding,
    running,
    testing,
    pages,
    contacts,
    readiness,
    asking,
    changing,
    swapping,
    feeding,
    handing,
    loading,
    replaying,
    publishing,
    agents,
)


def all_operations() -> dict[str, Operation[object, object]]:
    """Return every operation by name."""
    return registered()
