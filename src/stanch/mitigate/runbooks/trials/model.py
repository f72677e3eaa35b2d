"""Records of trials: one part of one runbook, how it was tried last, and what is wrong with it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What a trial says of one part of a runbook. `UNKNOWN` and `SKIPPED` are not rot: nothing could be tried."""

    HELD = "held"
    NOT_HELD = "not_held"
    TOLD = "told"
    READY = "ready"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    ROTTEN = "rotten"


class Rot(StrEnum):
    """Why a part of a runbook will not work any more; `NONE` where it will."""

    NONE = ""
    CANNOT_RUN = "cannot_run"
    SYSTEM_GONE = "system_gone"
    NOT_ALLOWED = "not_allowed"
    PROGRAM_MISSING = "program_missing"
    NOBODY_SETS = "nobody_sets"
    NEVER_HELD = "never_held"
    LINK_DEAD = "link_dead"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How one part of a runbook was tried: `part` is the number of its block, or the address of a link.

    `digest` is that of its text: a part that was edited begins anew. `tries` counts those in which something was
    asked, `held_at` is when its expectation held last (UTC), None where it never has.
    """

    runbook: str
    part: str
    line: int
    digest: str
    verdict: Verdict
    rot: Rot
    detail: str
    tried_at: datetime
    tries: int = 0
    held_at: datetime | None = None
