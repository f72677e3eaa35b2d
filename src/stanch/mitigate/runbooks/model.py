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
    REDIS = "redis"
    OWN = "stanch"


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
    STATUS = "status"
    NORMAL = "normal"


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What a healthy answer looks like: `below 100`, `contains ok`, `empty`. `words` is how it was written.

    `of` names what of the answer is meant: a column, or a JSON pointer (RFC 6901) into a body; empty means all of it.
    """

    comparison: Comparison
    value: str
    words: str
    of: str = ""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A block that can be run. `number` counts from 1 in its runbook; `line` is where it begins in the file.

    `on` names the system that is asked; empty means whatever of the fitting kind the service uses; `kinds` are the
    kinds of systems that understand its language. `changes` tells that it does more than read; such a block needs an
    approval. `most_rows` is how many rows a change may touch. `why_not` says why it cannot be run, empty when it can.
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
    kinds: tuple[str, ...] = ()
    most_rows: int = 1000


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

    `services` and `alerts` are names, in which `*` stands for anything; `kinds` are kinds of hypotheses; `headed` are
    alerts that its headings name. `unknown` are keys of its front matter that mean nothing here. `links` are the
    addresses it points to, with the line each stands in.
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
    headed: tuple[str, ...] = ()
    links: tuple[tuple[int, str], ...] = ()

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
