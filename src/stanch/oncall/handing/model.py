"""Records of a handoff."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class HandoffState(StrEnum):
    """How a handoff stands: written, and read by whoever is next."""

    DRAFT = "draft"
    ACCEPTED = "accepted"


@dataclass(frozen=True, kw_only=True)
class Handoff:
    """What `giver` leaves `taker` of `schedule` at `at`. `text` is Markdown; `revision` counts edits from 1."""

    id: str
    schedule: str
    giver: str
    taker: str
    at: datetime
    text: str
    revision: int
    state: HandoffState
    drafted_at: datetime
    edited_by: str = ""
    edited_at: datetime | None = None
    accepted_by: str = ""
    accepted_at: datetime | None = None
    sent_at: datetime | None = None
    sent_to: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Tick:
    """An item of the checklist that was done before the shift that begins at `shift`."""

    schedule: str
    person: str
    shift: datetime
    item: str
    done_by: str
    done_at: datetime
