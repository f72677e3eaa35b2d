"""Records of a runbook: its sections, its blocks, what a check expects."""

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What a section is for, told by its heading."""

    SYMPTOMS = "symptoms"
    CHECKS = "checks"
    MITIGATION = "mitigation"
    VERIFICATION = "verification"
    PREVENTION = "prevention"
    OTHER = "other"


class Language(StrEnum):
    """What a tagged block is written in; a block without one of these tags is text."""

    SH = "sh"
    SQL = "sql"
    PROMQL = "promql"
    HTTP = "http"


class Comparison(StrEnum):
    """How an expectation compares."""

    BELOW = "below"
    AT_MOST = "at most"
    ABOVE = "above"
    AT_LEAST = "at least"
    EQUALS = "equals"
    NOT = "not"
    CONTAINS = "contains"
    EMPTY = "empty"


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a healthy answer looks like: `below 100`, `contains ok`, `empty`. `words` is how it was written."""

    comparison: Comparison
    value: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block that can be run. `number` counts from 1 in its runbook; `line` is where it begins in the file.

    `on` names the system that is asked; empty means whatever of the fitting kind the service uses. `changes` tells
    that it does more than read; such a block needs an approval. `why_not` says why it cannot be run, empty when it can.
    """

    number: int
    language: Language
    text: str
    line: int
    part: Part
    heading: str
    on: str = ""
    expects: Expectation | None = None
    changes: bool = False
    risk: str = "high"
    undo: str = ""
    why_not: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A heading with what stands below it, as it was written."""

    part: Part
    heading: str
    text: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Runbook:
    """One runbook. `id` is its file's name without the ending; what follows the title is what it is matched by.

    `services` and `alerts` are names, in which `*` stands for anything; `kinds` are kinds of hypotheses. `unknown` are
    keys of its front matter that mean nothing here.
    """

    id: str
    title: str
    services: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    owner: str = ""
    sections: tuple[Section, ...] = ()
    blocks: tuple[Block, ...] = ()
    shipped: bool = False
    unknown: tuple[str, ...] = ()

    @property
    def symptoms(self) -> str:
        """Return the text of its sections on symptoms."""
        return "\n".join(section.text for section in self.sections if section.part is Part.SYMPTOMS)


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """Something in a runbook that will not work: where, and what to do about it; `advice` is no error."""

    line: int
    message: str
    advice: bool = False
