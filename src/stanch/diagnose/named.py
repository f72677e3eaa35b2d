"""Causes that a person named, and what a person said of a cause: as candidates and as evidence beside the measured.

A person's word weighs as much as a likelihood ratio can that is wrong one time in a few hundred; it is shown with the
name and the reason, and it can be taken back by the opposite word. Pure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from stanch.diagnose.kinds import Kind, Subject, log_odds
from stanch.diagnose.model import Candidate
from stanch.diagnose.picture import Picture, is_running
from stanch.incidents.model import Citation, Judged, Judgement
from stanch.ports.changes import Change

THOUGHT_OF: Final = 0.7
"""Nats for a cause that somebody thought of, e^0.7 = 2: people who know a system guess better than a list does."""
WORD: Final = 9.2
"""Nats of a confirmation, and against, of a refutation: e^9.2 = 10,000, above anything that was measured."""
OTHER: Final = Kind(
    name="other",
    subject=Subject.SERVICE,
    title="{service}",
    prior=log_odds(0.05),
    weights=(),
    next_test="Say what would be seen if it were so, and look for that",
    next_command="",
    mitigations=("investigate",),
)
"""What a person named that is none of the kinds."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """A cause as somebody named it. `cause` is a kind's name, empty for none of them; `by` is who.

    `weight` (nats) is what naming it is worth: nothing where a program did, which may have been told to. One that is
    `claimed` was raised by an integration, and findings that contradict it weigh; `about` is the error it explains.
    """

    id: str
    title: str
    reason: str
    by: str
    cause: str = ""
    service: str = ""
    target: str = ""
    weight: float = THOUGHT_OF
    about: str = ""
    claimed: bool = False


def named_candidates(
    named: Sequence[Named], kinds: Sequence[Kind], picture: Picture
) -> Iterator[tuple[Kind, Candidate, Named]]:
    """Yield what people named, with its kind; a kind that blames a change gets the nearest one before the onset."""
    known = {kind.name: kind for kind in kinds}
    for one in named:
        kind = known.get(one.cause, OTHER)
        change = _nearest(kind, one.service, picture) if kind.subject is Subject.CHANGE else None
        yield kind, Candidate(kind=kind.name, service=one.service, target=one.target, change=change), one


def word_of(judged: Judged | None) -> list[Citation]:
    """Return a person's word on a cause as evidence; empty when nobody said anything."""
    if judged is None:
        return []
    is_it = judged.judgement is Judgement.CONFIRMED
    said = "confirmed" if is_it else "refuted"
    return [Citation(finding="", text=f"{judged.by} {said} it: {judged.reason}", weight=WORD if is_it else -WORD)]


def _nearest(kind: Kind, service: str, picture: Picture) -> Change | None:
    fitting = [
        change
        for change in picture.changes
        if change.kind in kind.changes and change.service in ("", service) and not picture.after_onset(change)
    ]
    return max(fitting, key=lambda change: (is_running(change), change.at, change.id), default=None)
