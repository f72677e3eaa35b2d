"""What findings say against a cause that a program claimed. Pure.

A claim is told what it is about and reasons from that alone; what was measured around it is what it did not see. A
contradiction weighs as a clue's does, and nothing here weighs for a claim: what it would cite is what it was made from.
"""

from typing import Final

from stanch.diagnose.named import Named
from stanch.diagnose.origin import origins
from stanch.diagnose.picture import Picture
from stanch.incidents.model import Citation

AS_EVER: Final = -2.3
"""Nats where the error it explains comes no more often than before the onset: one in ten, ln 0.1. By judgement."""
ELSEWHERE: Final = -1.6
"""Nats where the trouble starts at other services than its own: one in five, ln 0.2. By judgement."""


def contradictions(named: Named, picture: Picture) -> list[Citation]:
    """Return the findings against a claim, strongest first; empty for what a person named."""
    if not named.claimed:
        return []
    found = []
    seen = picture.of("error_group", key=named.about) if named.about else []
    if seen and not any(fact.raised for fact in seen):
        text = "the error that it explains comes no more often since the onset than before"
        found.append(Citation(finding=seen[0].finding, text=text, weight=AS_EVER))
    starts = origins(picture)
    if named.service and starts and named.service not in {one.service for one in starts}:
        text = f"the trouble starts at {starts[0].service}, not at {named.service}"
        found.append(Citation(finding=next(iter(starts[0].findings), ""), text=text, weight=ELSEWHERE))
    return found
