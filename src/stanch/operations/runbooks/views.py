"""What operations on runbooks answer with."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class RunbookCard:
    """A runbook in a list. `complaints` is how many things about it will not work.

    `tested_at` is when it was tried last (UTC), None when it never was; `rotten` is what that trial found.
    """

    id: str
    title: str
    shipped: bool
    services: tuple[str, ...]
    alerts: tuple[str, ...]
    kinds: tuple[str, ...]
    owner: str
    blocks: int
    complaints: int
    tested_at: datetime | None = None
    rotten: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class BlockView:
    """A block that can be run; `text` has its variables filled in where the incident knows them.

    `why_not` says why it cannot be run as it stands; `last` is how it ended when it was run last in this incident.
    """

    number: int
    language: str
    text: str
    line: int
    part: str
    heading: str
    on: str
    expects: str
    changes: bool
    risk: str
    undo: str
    why_not: str
    last: "CheckView | None" = None


@dataclass(frozen=True, kw_only=True)
class SectionView:
    """A section as it was written, in Markdown."""

    part: str
    heading: str
    markdown: str


@dataclass(frozen=True, kw_only=True)
class RunbookView:
    """One runbook, whole."""

    card: RunbookCard
    sections: tuple[SectionView, ...]
    blocks: tuple[BlockView, ...]
    trials: tuple["TrialView", ...] = ()


@dataclass(frozen=True, kw_only=True)
class MatchView:
    """A runbook that fits an incident, with why; `score` only orders."""

    runbook: str
    title: str
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CheckView:
    """How one block ended. `outcome` is `as_expected`, `not_as_expected`, `told` (nothing was expected) or `failed`.

    `asked` is exactly what was asked, `on` who, `answer` what came back, redacted and at most 8 KiB.
    """

    runbook: str
    block: int
    heading: str
    asked: str
    on: str
    outcome: str
    answer: str
    expects: str
    took_s: float


@dataclass(frozen=True, kw_only=True)
class LintView:
    """Something about a runbook: where and what. `advice` is not an error."""

    runbook: str
    line: int
    message: str
    advice: bool


@dataclass(frozen=True, kw_only=True)
class TrialView:
    """How one part of a runbook was tried: `part` is the number of its block, or the address of a link.

    `verdict` is `held`, `not_held`, `told`, `ready`, `failed`, `unknown`, `skipped` or `rotten`; `rot` says why then.
    """

    runbook: str
    part: str
    line: int
    verdict: str
    rot: str
    detail: str
    tried_at: datetime
    tries: int
    held_at: datetime | None
