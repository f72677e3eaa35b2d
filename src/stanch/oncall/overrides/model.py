"""Records of overrides, swaps and time off, each with who decided it, when and through which surface."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stanch.oncall.model import Absence, Override, Span


class SwapState(StrEnum):
    """How a swap stands. Only an accepted one changes who is on call."""

    PROPOSED = "proposed"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, kw_only=True)
class OverrideRecord:
    """An override as it was made, and when it was taken back. `swap` is the swap that it came from."""

    override: Override
    made_by: str
    made_at: datetime
    via: str
    swap: str = ""
    cancelled_at: datetime | None = None
    cancelled_by: str = ""


@dataclass(frozen=True, kw_only=True)
class AbsenceRecord:
    """Time off that was told here and stands in no calendar."""

    id: str
    absence: Absence
    made_by: str
    made_at: datetime
    via: str
    cancelled_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Swap:
    """`giver` offers `taker` the time `give` of a schedule, and takes `take` of theirs, if any."""

    id: str
    schedule: str
    giver: str
    taker: str
    give: Span
    take: Span | None
    why: str
    proposed_by: str
    proposed_at: datetime
    via: str
    state: SwapState = SwapState.PROPOSED
    decided_by: str = ""
    decided_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CalendarText:
    """What was last read from a calendar that is fetched, and what went wrong since; `text` is empty if never."""

    place: str
    text: str
    fetched_at: datetime | None
    tried_at: datetime
    error: str = ""
