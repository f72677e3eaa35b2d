"""What a clue is."""

from collections.abc import Callable
from dataclasses import dataclass

from stanch.diagnose.model import Candidate, Fact, Sighting
from stanch.diagnose.picture import Picture
from stanch.diagnose.wording import clock, compared

Look = Callable[[Picture, Candidate], Sighting | None]


@dataclass(frozen=True, kw_only=True)
class Clue:
    """One kind of evidence.

    `says` and `denies` are the sentences for "it holds" and "it was looked for and is absent"; they are filled with
    `service`, `target`, `change` and the words of the sighting. `test` asks for it where nobody has looked yet.
    """

    name: str
    look: Look
    says: str
    denies: str
    test: str = ""


def of_fact(fact: Fact | None, *, holds: bool | None = None, strength: float = 1.0) -> Sighting | None:
    """Return a sighting of one fact: it holds when the fact is raised; None when there is no fact."""
    if fact is None:
        return None
    words = {"reading": compared(fact.signal), "text": fact.signal.text or compared(fact.signal)}
    if fact.signal.at is not None:
        words["since"] = clock(fact.signal.at)
    return Sighting(
        holds=fact.raised if holds is None else holds, findings=(fact.finding,), strength=strength, words=words
    )


def findings_of(facts: list[Fact]) -> tuple[str, ...]:
    """Return the findings behind some facts, each once."""
    return tuple(dict.fromkeys(fact.finding for fact in facts))
