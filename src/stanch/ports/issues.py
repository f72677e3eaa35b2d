"""The issues port: write into a tracker of errors what an incident means for its issues, and have one analysed there.

A desk is one configured tracker. What it may write is configuration (`may`), and empty means nothing. Every write has
an id of its own; one that may have arrived before carries `again`, and is looked for before it is made a second time.
What comes back is untrusted text, within the bounds of `told`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from stanch.kernel.blocks import clean
from stanch.kernel.redaction import redact

LONGEST_LINE: Final = 500
LONGEST_TEXT: Final = 4_000
_CUT: Final = "…"


class Act(StrEnum):
    """What can be written."""

    STATUS = "status"
    ASSIGN = "assign"
    NOTE = "note"
    DEPLOY = "deploy"


class Moment(StrEnum):
    """When it is written: an incident was declared, it was resolved, Stanch rolled a service back."""

    DECLARED = "declared"
    RESOLVED = "resolved"
    ROLLED_BACK = "rolled_back"


@dataclass(frozen=True, kw_only=True)
class Writing:
    """One thing to write. `issue` is the tracker's own number, empty for a deploy; `text` is Markdown.

    `value` is the status, the team's slug or the version; `mark` stands in a note and is the name of a deploy, by which
    it is found again.
    """

    id: str
    act: Act
    issue: str = ""
    value: str = ""
    text: str = ""
    mark: str = ""
    service: str = ""
    environment: str = ""
    url: str = ""
    again: bool = False


class Stage(StrEnum):
    """How far an analysis is. Unknown words of a far end count as running; `none` says that there is no analysis."""

    NONE = "none"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """What an analysis says: claims, not facts. Texts are cut, redacted and without control characters."""

    stage: Stage
    run: str = ""
    cause: str = ""
    whys: tuple[str, ...] = ()
    reproduction: tuple[str, ...] = ()
    repository: str = ""
    solution: str = ""
    steps: tuple[str, ...] = ()
    detail: str = ""

    @property
    def says_something(self) -> bool:
        """Tell whether there is a cause or a solution in it."""
        return bool(self.cause or self.solution)


@dataclass(frozen=True, kw_only=True)
class AnalysisNews:
    """What a tracker tells by itself about an analysis of one of its issues."""

    issue: str
    analysis: Analysis


class IssueDesk(Protocol):
    """One tracker of errors.

    `write` and the two calls of an analysis raise `Refused` where the account may not (naming what it lacks) or the
    tracker does not have it, and `Unavailable` otherwise; one with `retry` may be tried again with `again`.
    """

    @property
    def name(self) -> str:
        """Return the configured name."""
        ...

    @property
    def kind(self) -> str:
        """Return what it is, e.g. `sentry`: the source of the alerts whose issues it has."""
        ...

    def may(self, act: Act) -> bool:
        """Tell whether this is to be written, by configuration."""
        ...

    def value_of(self, act: Act, moment: Moment, *, team: str) -> str:
        """Return what is set at a moment: a status, the team for a service's `team`; empty where nothing is."""
        ...

    def serves(self, service: str) -> bool:
        """Tell whether the issues of a service are there."""
        ...

    def write(self, writing: Writing) -> str:
        """Write it within ten seconds, and return in words what was done."""
        ...

    @property
    def analyses(self) -> "AnalysisLimits | None":
        """Return what its analyses may cost, None where none is ever to be started."""
        ...

    def analysis(self, issue: str, *, started: bool) -> Analysis:
        """Return the analysis that there is of an issue; never starts one unless it was `started` by `analyse`."""
        ...

    def analyse(self, issue: str, *, context: str) -> str:
        """Start an analysis of an issue and return the number of its run. It costs money."""
        ...


@dataclass(frozen=True, kw_only=True)
class AnalysisLimits:
    """What analyses may cost: runs for one incident and on one day, and for how long an answer is waited for (s)."""

    runs_per_incident: int
    runs_per_day: int
    wait_s: float


def told(text: str, *, longest: int = LONGEST_TEXT) -> str:
    """Return what a far end wrote so that it can be kept: no control characters, no secrets, not longer than this."""
    # Cut first: what is beyond it is not worth looking through for secrets.
    kept = redact(clean(text[: longest * 2])).strip()
    return kept if len(kept) <= longest else f"{kept[: longest - 1].rstrip()}{_CUT}"


def line(text: str) -> str:
    """Return the same on one line."""
    return told(" ".join(text[: LONGEST_LINE * 4].split()), longest=LONGEST_LINE)
