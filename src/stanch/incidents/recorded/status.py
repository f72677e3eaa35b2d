"""What the status page says: an update that was made ready, and what a person, or the configuration, made of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class StatusOffered:
    """An update for the public status page is ready: the words for the public, and how the components are.

    `stage` is investigating, identified, monitoring or resolved; `components` are states by service, of those that are
    shown and not well; `digest` is what a yes is said to. It takes the place of one that still waits.
    """

    kind: ClassVar[str] = "status.offered"
    number: int
    purpose: str
    stage: str
    title: str
    text: str
    severity: str
    started_at: datetime
    digest: str
    components: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StatusPublished:
    """An update stands on the public page; `text` is what stands there where a person put it in other words."""

    kind: ClassVar[str] = "status.published"
    number: int
    stage: str
    text: str = ""
    automatic: bool = False


@dataclass(frozen=True, kw_only=True)
class StatusDiscarded:
    """An update will not stand on the public page."""

    kind: ClassVar[str] = "status.discarded"
    number: int
    reason: str = ""
