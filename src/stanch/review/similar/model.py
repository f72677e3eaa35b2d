"""The words of similarity: what is known of an incident that others can be compared by, and one that is like it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Traits:
    """What an incident can be compared by; what is not known is empty.

    `error` is the error that stood out, without what differs from one sighting to the next. `change_kind` is that of
    the change that explains it best, `cause_kind` a kind of `diagnose.kinds`. `words` are those of title, report and
    alerts, as often as they came up. `cause` and `mitigation` are as they were recorded when it was resolved.
    """

    number: int
    title: str
    status: str
    drill: bool
    declared_at: datetime
    started_at: datetime
    resolved_at: datetime | None
    service: str = ""
    services: frozenset[str] = frozenset()
    error: str = ""
    change_kind: str = ""
    cause_kind: str = ""
    shape: str = ""
    metrics: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    cause: str = ""
    mitigation: str = ""


@dataclass(frozen=True, kw_only=True)
class Alike:
    """A past incident with how like it is, 0 to 1, and why: a sentence each, what weighs most first."""

    traits: Traits
    score: float
    reasons: tuple[str, ...]
