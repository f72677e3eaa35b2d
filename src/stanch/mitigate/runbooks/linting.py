"""What will not work in a runbook, found before somebody needs it. Pure."""

from typing import Final

from stanch.mitigate.runbooks.markdown import KEYS
from stanch.mitigate.runbooks.model import Block, Complaint, Part, Runbook
from stanch.mitigate.runbooks.variables import variables_of

# What an incident and the catalog know; labels of the incident's alerts come beside them.
KNOWN: Final = (
    "service",
    "namespace",
    "environment",
    "version",
    "previous",
    "target",
    "endpoint",
    "instance",
    "pod",
    "container",
    "job",
    "host",
    "database",
    "mountpoint",
    "redis_host",
    "redis_port",
    "queue",
)

_SAY: Final = 'does not say what to expect: add expect="below 100" to the fence, or a line Expect: ...'


def lint(runbook: Runbook) -> tuple[Complaint, ...]:
    """Return what is wrong with a runbook, by line; empty when nothing is."""
    parts = {section.part for section in runbook.sections}
    found = [
        Complaint(line=1, message=f"has no section on {part.value}")
        for part in (Part.SYMPTOMS, Part.CHECKS, Part.MITIGATION, Part.VERIFICATION)
        if part not in parts
    ]
    if runbook.unknown:
        keys = ", ".join(sorted(KEYS))
        found.append(Complaint(line=1, message=f"{runbook.unknown[0]} is no key of a runbook: {keys}", advice=True))
    found += [Complaint(line=block.line, message=message) for block in runbook.blocks for message in _messages(block)]
    found += [Complaint(line=block.line, message=_SAY, advice=True) for block in runbook.blocks if _says_nothing(block)]
    return tuple(sorted(found, key=lambda complaint: complaint.line))


def _says_nothing(block: Block) -> bool:
    looking = block.part in (Part.CHECKS, Part.VERIFICATION)
    return looking and not block.changes and not block.why_not and block.expects is None


def _messages(block: Block) -> list[str]:
    if block.why_not:
        return [block.why_not]
    messages = []
    looking = block.part in (Part.CHECKS, Part.VERIFICATION)
    if block.changes and looking:
        messages.append(f"changes something under {block.heading!r}: a check runs by itself, this one will ask")
    unknown = [name for name in variables_of(block.text) if name not in KNOWN]
    if unknown:
        known = ", ".join(KNOWN)
        messages.append(f"{unknown[0]} is filled only where an alert has such a label; always known are {known}")
    return messages
