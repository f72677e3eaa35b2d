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
class OnsetEstimated:
    """The start was estimated from the data (UTC); it is held to lie in `low`..`high`.

    `text` says from what, `first` which service moved first where that can be told apart.
    """

    kind: ClassVar[str] = "investigation.onset_estimated"
    at: datetime
    low: datetime
    high: datetime
    text: str
    first: str = ""


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
    next_clue: str = ""
    next_about: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NextTestAsked:
    """The next test of a hypothesis (all of them where `hypothesis` is empty) was asked for.

    `collectors` are those that are sent, `clue` what is looked for, `about` the services they are asked about.
    """

    kind: ClassVar[str] = "investigation.test_asked"
    test: str
    hypothesis: str
    text: str
    clue: str
    collectors: tuple[str, ...]
    about: tuple[str, ...] = ()
    command: str = ""


@dataclass(frozen=True, kw_only=True)
class ScoreMoved:
    """One hypothesis whose score a test moved; None where it was not among those shown."""

    hypothesis: str
    title: str
    before: float | None
    after: float | None


@dataclass(frozen=True, kw_only=True)
class NextTestEnded:
    """A test came back: the findings it brought, and what they did to the ranking, in words and as scores."""

    kind: ClassVar[str] = "investigation.test_ended"
    test: str
    findings: tuple[str, ...]
    summary: str
    moved: tuple[ScoreMoved, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HypothesisAdded:
    """Somebody thought of a cause. `cause` is the name of a kind in `diagnose.kinds`, empty for none of them.

    `cites` are the ids of the findings that it rests on, `about` the fingerprint of the one error that it explains.
    """

    kind: ClassVar[str] = "investigation.hypothesis_added"
    hypothesis: str
    title: str
    reason: str
    cause: str = ""
    service: str = ""
    target: str = ""
    cites: tuple[str, ...] = ()
    about: str = ""


@dataclass(frozen=True, kw_only=True)
class HypothesisConfirmed:
    """A person says that this is the cause, and why."""

    kind: ClassVar[str] = "investigation.hypothesis_confirmed"
    hypothesis: str
    title: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class HypothesisRefuted:
    """A person says that this is not the cause, and why."""

    kind: ClassVar[str] = "investigation.hypothesis_refuted"
    hypothesis: str
    title: str
    reason: str
