"""What an investigation records: who was sent, what was found, how it was ranked."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from stanch.incidents.model import Hypothesis
from stanch.ports.changes import Change
from stanch.ports.evidence import Finding


@dataclass(frozen=True, kw_only=True)
class InvestigationStarted:
    """Collectors were sent out."""

    kind: ClassVar[str] = "investigation.started"
    round: int
    collectors: tuple[str, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class FindingRecorded:
    """A collector came back."""

    kind: ClassVar[str] = "investigation.finding_recorded"
    round: int
    finding: Finding


@dataclass(frozen=True, kw_only=True)
class RankedChange:
    """A change with how well it explains the onset. `score` is in nats; `verdict` is a sentence."""

    change: Change
    score: float
    verdict: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChangesRanked:
    """What changed near the onset, best explanation first; `none_explains` says that none does."""

    kind: ClassVar[str] = "investigation.changes_ranked"
    round: int
    changes: tuple[RankedChange, ...]
    none_explains: bool
    verdict: str


@dataclass(frozen=True, kw_only=True)
class HypothesesRanked:
    """What may have caused it, likeliest first. `known` is False below the floor: "not known yet"."""

    kind: ClassVar[str] = "investigation.hypotheses_ranked"
    round: int
    hypotheses: tuple[Hypothesis, ...]
    known: bool
    verdict: str
    next_test: str = ""
