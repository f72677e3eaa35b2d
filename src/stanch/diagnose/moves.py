"""What new evidence did to a ranking: which scores moved, and the sentence that says so. Pure."""

from collections.abc import Sequence
from typing import Final

from stanch.incidents.events import ScoreMoved
from stanch.incidents.model import Hypothesis
from stanch.kernel.percentage import percent

_LEAST: Final = 0.01
_SAID: Final = 3


def moves(before: Sequence[Hypothesis], after: Sequence[Hypothesis]) -> tuple[ScoreMoved, ...]:
    """Return the hypotheses whose score moved by a hundredth or more, the largest move first."""
    was, now = ({one.id: one for one in ranked} for ranked in (before, after))
    found = []
    for id in dict.fromkeys((*now, *was)):
        old, new = was.get(id), now.get(id)
        one = new or old
        if one is not None and abs((new.score if new else 0.0) - (old.score if old else 0.0)) >= _LEAST:
            found.append(
                ScoreMoved(
                    hypothesis=id,
                    title=one.title,
                    before=old.score if old else None,
                    after=new.score if new else None,
                )
            )
    return tuple(sorted(found, key=lambda one: (-abs((one.after or 0.0) - (one.before or 0.0)), one.hypothesis)))


def told(moved: Sequence[ScoreMoved], *, findings: int, trouble: int) -> str:
    """Say what a test did: `Bad deploy: payments v3.2.1 54 % → 93 %`, or that it changed nothing."""
    if moved:
        return "; ".join(f"{one.title} {_score(one.before)} → {_score(one.after)}" for one in moved[:_SAID])
    if findings and trouble >= findings:
        return "It could not look: see the finding"
    return "It moved nothing: what it saw was known" if findings else "It found nothing to look at"


def _score(score: float | None) -> str:
    return percent(score) if score is not None else "under 2 %"
