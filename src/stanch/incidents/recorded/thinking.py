"""What is on record of a language model that was asked: the question's size, who asked, the answer, what was dropped.

The question itself is not kept: it is made of this log, and `digest` says which. An answer is kept as what was believed
of it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class Use(StrEnum):
    """What a model is asked for. `contrary` is the second pass over the hypotheses of the first."""

    SUMMARY = "summary"
    UPDATE = "update"
    HYPOTHESES = "hypotheses"
    CONTRARY = "contrary"


class Outcome(StrEnum):
    """How a question ended. Only `answered` brings anything."""

    ANSWERED = "answered"
    REFUSED = "refused"
    CUT_OFF = "cut_off"
    UNREADABLE = "unreadable"
    FAILED = "failed"
    LOST = "lost"
    UNKNOWN = "unknown"


class Standing(StrEnum):
    """What became of a hypothesis of the model: whether a second pass was made, and whether it found anything."""

    UNCHECKED = "unchecked"
    STANDS = "stands"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """A sentence of the model that cites entries of the log that exist. `title` is a hypothesis' own, `about` the place
    of the hypothesis that it speaks against, counted from 1."""

    text: str
    cites: tuple[str, ...]
    title: str = ""
    about: int = 0


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A hypothesis of the model, with what its second pass found against it."""

    title: str
    reason: str
    cites: tuple[str, ...]
    standing: Standing
    objections: tuple[Statement, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ThoughtAsked:
    """Somebody asked. What it may cost is set aside until the answer says what it did cost.

    `redacted` counts by kind what was taken out of what leaves, `left_out` the entries for which there was no room.
    `upto` is the newest entry of the log that the question knew; `after` is the call whose hypotheses the second pass
    looks at.
    """

    kind: ClassVar[str] = "thinker.asked"
    call: int
    use: Use
    provider: str
    place: str
    model: str
    digest: str
    characters: int
    reserved_tokens: int
    reserved_money: float = 0.0
    redacted: dict[str, int] = field(default_factory=dict)
    left_out: int = 0
    upto: int = 0
    after: int = 0


@dataclass(frozen=True, kw_only=True)
class ThoughtSent:
    """The question is about to leave; on record before it does, so that no node sends it twice."""

    kind: ClassVar[str] = "thinker.sent"
    call: int


@dataclass(frozen=True, kw_only=True)
class ThoughtEnded:
    """What came back. `dropped` counts by reason what was not believed; tokens are estimated unless `counted`."""

    kind: ClassVar[str] = "thinker.ended"
    call: int
    use: Use
    outcome: Outcome
    digest: str
    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    counted: bool = False
    money: float = 0.0
    took_s: float = 0.0
    detail: str = ""
    statements: tuple[Statement, ...] = ()
    claims: tuple[Claim, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)
