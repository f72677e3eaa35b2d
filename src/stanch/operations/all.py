"""Every operation there is: importing this module registers them all."""

from stanch.operations import (
    beating,
    change,
    hypotheses,
    incident,
    investigation,
    looking,
    maintenance,
    mitigation,
    postmortem,
    query,
    reporting,
    routing,
    senders,
    silencing,
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
from stanch.operations.runbooks import finding, running

MODULES = (
    incident,
    investigation,
    hypotheses,
    mitigation,
    postmortem,
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
)


def all_operations() -> dict[str, Operation[object, object]]:
    """Return every operation by name."""
    return registered()
