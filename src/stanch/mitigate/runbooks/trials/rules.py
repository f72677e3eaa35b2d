"""What a trial adds to what was known before: an expectation that never held is rot too. Pure."""

from dataclasses import replace
from typing import Final

from stanch.mitigate.runbooks.trials.model import Rot, Trial, Verdict

LEAST_TRIES: Final = 3
"""So often an expectation may fail before it counts as one that never holds: with a trial a day, three days."""

_ASKED: Final = frozenset({Verdict.HELD, Verdict.NOT_HELD, Verdict.TOLD})


def followed(now: Trial, before: Trial | None) -> Trial:
    """Return a trial with the tries before it counted, and rot where its expectation has never held in all of them."""
    same = before is not None and before.digest == now.digest
    tries = (before.tries if before and same else 0) + (now.verdict in _ASKED)
    held_at = now.tried_at if now.verdict is Verdict.HELD else (before.held_at if before and same else None)
    found = replace(now, tries=tries, held_at=held_at)
    if now.verdict is Verdict.NOT_HELD and held_at is None and tries >= LEAST_TRIES:
        detail = f"what it expects has not held in any of {tries} trials: {now.detail}"
        return replace(found, verdict=Verdict.ROTTEN, rot=Rot.NEVER_HELD, detail=detail)
    return found
