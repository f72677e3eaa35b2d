"""Records of on-call that are computed or decided while the product runs. All instants are UTC, intervals half-open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta


@dataclass(frozen=True, kw_only=True)
class Span:
    """From `start` to `end`, without the end."""

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """Return how long it really is, whatever the clocks on the wall say."""
        return self.end - self.start

    def has(self, at: datetime) -> bool:
        """Tell whether `at` is inside."""
        return self.start <= at < self.end


@dataclass(frozen=True, kw_only=True)
class Shift(Span):
    """`person` is on call. `layer` says by which layer (`override` for one), `turn` which turn of its rotation;
    `why` is empty for an ordinary turn, else a sentence."""

    person: str
    layer: str
    turn: int = 0
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Override(Span):
    """`person` is on instead of whoever it is, or only instead of `instead_of`. Later ones win over earlier ones."""

    id: str
    schedule: str
    person: str
    instead_of: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Absence(Span):
    """`person` is away."""

    person: str
    what: str = ""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the configuration does not know by itself.

    `entries` holds what calendars say, by the path or URL that a layer names; `holidays` the days off by the country
    or file that a person or schedule names.
    """

    overrides: tuple[Override, ...] = ()
    off: tuple[Absence, ...] = ()
    entries: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)
    holidays: Mapping[str, frozenset[date]] = field(default_factory=dict)


NOTHING = Facts()
"""No overrides, nobody away, no calendars."""
