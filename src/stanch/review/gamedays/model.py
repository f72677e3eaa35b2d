"""The records of a scored game day."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Skill(StrEnum):
    """What a game day asks of those who respond."""

    DETECT = "detect"
    ACKNOWLEDGE = "acknowledge"
    SOMEBODY_ELSE = "somebody_else"
    HYPOTHESIS = "hypothesis"
    MITIGATE = "mitigate"
    UPDATES = "updates"


class Standing(StrEnum):
    """How something that is expected stands: `open` while there is time, `not_asked` where nothing is expected."""

    HELD = "held"
    MISSED = "missed"
    OPEN = "open"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One expectation and what the log says of it. `seconds` is how long it took, None where it did not happen.

    `seq` is the event that it rests on, 0 for none; `words` is a sentence.
    """

    skill: Skill
    standing: Standing
    words: str
    seconds: float | None = None
    limit_s: float = 0.0
    seq: int = 0


@dataclass(frozen=True, kw_only=True)
class Promise:
    """An update that was promised to an audience for `due_at`, and when the next one went out, None for never."""

    audience: str
    due_at: datetime
    sent_at: datetime | None
    seq: int


@dataclass(frozen=True, kw_only=True)
class Score:
    """How a game day went. `held` of `asked` expectations were met; those that are open still count in neither."""

    marks: tuple[Mark, ...]
    held: int
    asked: int

    @property
    def missed(self) -> tuple[Mark, ...]:
        """Return what was expected and did not come about."""
        return tuple(mark for mark in self.marks if mark.standing is Standing.MISSED)

    @property
    def is_settled(self) -> bool:
        """Tell whether nothing is open any more."""
        return all(mark.standing is not Standing.OPEN for mark in self.marks)
