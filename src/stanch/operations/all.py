"""Every operation there is: importing this module registers them all."""

from stanch.operations import change, incident, investigation, mitigation, postmortem, senders, silencing
from stanch.operations.board import groups, listing, selecting, showing
from stanch.operations.oncall import pages
from stanch.operations.registry import Operation, registered
from stanch.operations.runbooks import finding, running

MODULES = (
    incident,
    investigation,
    mitigation,
    postmortem,
    change,
    silencing,
    senders,
    listing,
    showing,
    groups,
    selecting,
    finding,
    running,
    pages,
)


def all_operations() -> dict[str, Operation[object, object]]:
    """Return every operation by name."""
    return registered()
