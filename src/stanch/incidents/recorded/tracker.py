"""What was written into a tracker of errors, and what it was asked to analyse: each with how it ended."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


class WritingOutcome(StrEnum):
    """How it ended. Refused: the account may not, or nobody wants it any more; failed: it did not come through."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class WritingEnded:
    """Something was written into a tracker, or was not. `writing` is its id, `detail` quotes the far end."""

    kind: ClassVar[str] = "tracker.writing_ended"
    writing: str
    desk: str
    act: str
    moment: str
    outcome: WritingOutcome
    issue: str = ""
    service: str = ""
    detail: str = ""
    tries: int = 1


class AnalysisOutcome(StrEnum):
    """How an analysis ended. Capped: its cost would be beyond what is configured, so it was not started."""

    COMPLETED = "completed"
    NOT_ENABLED = "not_enabled"
    CAPPED = "capped"
    TIMED_OUT = "timed_out"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class AnalysisAsked:
    """A tracker is to analyse an issue; it is counted against what analyses may cost."""

    kind: ClassVar[str] = "tracker.analysis_asked"
    analysis: str
    desk: str
    issue: str
    service: str = ""


@dataclass(frozen=True, kw_only=True)
class AnalysisStarted:
    """The tracker works on it; `adopted` says that it did so before, and that nothing was started."""

    kind: ClassVar[str] = "tracker.analysis_started"
    analysis: str
    run: str
    adopted: bool = False
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AnalysisEnded:
    """Nothing more is waited for, and why."""

    kind: ClassVar[str] = "tracker.analysis_ended"
    analysis: str
    outcome: AnalysisOutcome
    detail: str = ""
