"""The records of change ranking: a change, what is known of the incident, and the ranked outcome with its reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from stanch.diagnose.logs.model import Frame

_NO_SHARES: Mapping[str, float] = MappingProxyType({})


class ChangeKind(StrEnum):
    """What was changed."""

    DEPLOY = "deploy"
    CONFIG = "config"
    FLAG = "flag"
    MIGRATION = "migration"
    INFRASTRUCTURE = "infrastructure"
    TRAFFIC = "traffic"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A candidate. `at` is when it took effect, aware; `id` is unique among the candidates.

    `service` is empty where it is not known. `live` is False for a commit that no deploy is known to have carried out.
    `diff` is unified-diff text; without it the paths and the title are all there is to judge by.
    """

    id: str
    at: datetime
    kind: ChangeKind
    service: str = ""
    version: str = ""
    previous: str = ""
    commit: str = ""
    paths: tuple[str, ...] = ()
    title: str = ""
    author: str = ""
    diff: str | None = None
    live: bool = True


@dataclass(frozen=True, kw_only=True)
class Start:
    """When the trouble began, held to lie in `low`..`high`; all aware."""

    at: datetime
    low: datetime
    high: datetime


@dataclass(frozen=True, kw_only=True)
class Mover:
    """Something that left its normal: a metric, a log template or an end point of a service, and when it did.

    `rose` is None where the direction is not known.
    """

    service: str
    what: str
    at: datetime | None = None
    rose: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Message:
    """A failure's words: a new or spiking log template, an exception's title, a span's error. `count` of lines."""

    service: str
    text: str
    count: int = 1


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of the incident besides its start. Every part may be empty.

    `usual` are templates that are as frequent as ever: words that also stand there say little. `failing_versions` are
    the shares of failures by version, `traffic_versions` those of all requests, each summing to about 1.
    """

    movers: tuple[Mover, ...] = ()
    messages: tuple[Message, ...] = ()
    usual: tuple[str, ...] = ()
    frames: tuple[Frame, ...] = ()
    failing_versions: Mapping[str, float] = field(default_factory=lambda: _NO_SHARES)
    traffic_versions: Mapping[str, float] = field(default_factory=lambda: _NO_SHARES)


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One argument in plain language; `weight` is in log-odds, positive for, negative against."""

    text: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class RankedChange:
    """A change with its score in log-odds, its share of belief among all outcomes, and the reasons, heaviest first.

    `change` is None for the outcome "no change explains this".
    """

    change: Change | None
    score: float
    probability: float
    reasons: tuple[Reason, ...]

    @property
    def title(self) -> str:
        """Return what to call the outcome."""
        if self.change is None:
            return "no change explains this"
        return self.change.title or f"{self.change.kind.value} of {self.change.service or 'an unknown service'}"
