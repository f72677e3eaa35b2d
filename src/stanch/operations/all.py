"""Every operation there is: importing this module registers them all."""

from stanch.operations import change, incident, investigation, mitigation, postmortem, senders, silencing
from stanch.operations.registry import Operation, registered

MODULES = (incident, investigation, mitigation, postmortem, change, silencing, senders)


def all_operations() -> dict[str, Operation[object, object]]:
    """Return every operation by name."""
    return registered()
