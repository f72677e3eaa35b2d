"""What was told to whom, and the write-up."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class MessageOwed:
    """A message to an audience was put on its way; its delivery's attempts are on record under `delivery`.

    `to` is the one recipient, empty for whoever reads the channel, and `stakeholder` the entry that names them.
    """

    kind: ClassVar[str] = "comms.message_owed"
    delivery: str
    channel: str
    audience: str
    purpose: str
    text: str
    next_update_at: datetime | None = None
    to: str = ""
    stakeholder: str = ""
    subject: str = ""


@dataclass(frozen=True, kw_only=True)
class MessageEnded:
    """A delivery reached its end: `sent`, `failed` or `unknown`, in the provider's words."""

    kind: ClassVar[str] = "comms.message_ended"
    delivery: str
    state: str
    attempts: int
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class UpdateMissed:
    """An update that was promised for `due_at` was not sent by whom it was left to: `person`, empty for nobody."""

    kind: ClassVar[str] = "comms.update_missed"
    due_at: datetime
    person: str = ""


@dataclass(frozen=True, kw_only=True)
class PostmortemScheduled:
    """The post-mortem is due."""

    kind: ClassVar[str] = "postmortem.scheduled"
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class Invited:
    """Somebody who is invited to a meeting, and the mail address that the invitation went to."""

    person: str
    address: str


@dataclass(frozen=True, kw_only=True)
class MeetingSet:
    """The meeting on the post-mortem is then (UTC) and there. The same `uid` with a higher `sequence` moved it."""

    kind: ClassVar[str] = "postmortem.meeting_set"
    uid: str
    sequence: int
    starts_at: datetime
    length_s: float
    channel: str
    invited: tuple[Invited, ...]
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class MeetingCalledOff:
    """The meeting on the post-mortem does not take place."""

    kind: ClassVar[str] = "postmortem.meeting_called_off"
    uid: str
    sequence: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class PostmortemDrafted:
    """A version of the post-mortem was written, in Markdown; by Stanch from the log, or by a person."""

    kind: ClassVar[str] = "postmortem.drafted"
    revision: int
    markdown: str


@dataclass(frozen=True, kw_only=True)
class PostmortemReviewed:
    """Somebody read a version of the post-mortem and agrees with it, or says what is to be changed."""

    kind: ClassVar[str] = "postmortem.reviewed"
    revision: int
    agreed: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class PostmortemPublished:
    """A version of the post-mortem was published."""

    kind: ClassVar[str] = "postmortem.published"
    revision: int
