"""Records of the board: an alert as a list shows it, what a list is narrowed by, and where its next page begins."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from stanch.alerts.intake.matchers import Matcher, matches_all
from stanch.alerts.model import Alert
from stanch.kernel.errors import Invalid, NotFound

OUTSIDE: Final = "x"
"""What the id of an alert from outside begins with; its number follows. Own alerts have 26 letters and digits."""

_SPLIT: Final = "~"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LONGEST_NUMBER: Final = 18


@dataclass(frozen=True, kw_only=True)
class Placed:
    """An alert's row. `ref` is the number of one from outside; title and labels are stored for own alerts alone."""

    id: str
    ref: int | None
    source: str
    service: str
    severity: str
    name: str
    starts_at: datetime
    ended_at: datetime | None
    title: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Mark:
    """A place in the list: what comes after it started earlier, or at the same instant with a lower id."""

    starts_at: datetime
    id: str

    @property
    def place(self) -> tuple[datetime, str]:
        """Return what it is ordered by."""
        return (self.starts_at, self.id)

    def text(self) -> str:
        """Return it as an address carries it."""
        return f"{(self.starts_at - _EPOCH) // _MICROSECOND}{_SPLIT}{self.id}"


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """What a list is narrowed to. Empty texts and None narrow nothing; `fires` is whether it still does."""

    fires: bool | None = None
    service: str = ""
    source: str = ""
    severity: str = ""
    name: str = ""
    text: str = ""
    matchers: tuple[Matcher, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    after: Mark | None = None

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Tell whether an alert with these labels is in the list, as far as labels decide."""
        return matches_all(self.matchers, labels)

    def wants(self, one: "Found", *, said: str) -> bool:
        """Tell whether an alert is in the list; `said` is everything that its sender wrote."""
        exact = all(
            not value or value == getattr(one, name)
            for name, value in (
                ("service", self.service),
                ("source", self.source),
                ("severity", self.severity),
                ("name", self.name),
            )
        )
        fires = self.fires is None or self.fires is (one.ended_at is None)
        in_time = (self.since is None or one.starts_at >= self.since) and (
            self.until is None or one.starts_at < self.until
        )
        later = self.after is None or one.mark.place < self.after.place
        return exact and fires and in_time and later and self.text.lower() in said.lower() and self.takes(one.labels)


@dataclass(frozen=True, kw_only=True)
class Found:
    """An alert on a list, with what is stored of it now. `ended_at` is None while it fires."""

    id: str
    ref: int | None
    source: str
    service: str
    severity: str
    name: str
    title: str
    labels: Mapping[str, str]
    starts_at: datetime
    ended_at: datetime | None

    @property
    def mark(self) -> Mark:
        """Return its place."""
        return Mark(starts_at=self.starts_at, id=self.id)


@dataclass(frozen=True, kw_only=True)
class Page:
    """Part of a list. `next` is where to go on, None at the end.

    `searched_to` is set where the search stopped before the page was full: so far back it has looked.
    """

    alerts: tuple[Found, ...]
    next: Mark | None = None
    searched_to: datetime | None = None


def parse_mark(text: str) -> Mark | None:
    """Return the place that an address carries, None for an empty text. Raises `Invalid` on `after`."""
    if not text:
        return None
    stamp, split, id = text.partition(_SPLIT)
    if not split or not id or not stamp.isascii() or not stamp.isdecimal() or len(stamp) > _LONGEST_NUMBER:
        raise Invalid("is no place in the list: take it from the page before", field="after")
    try:
        return Mark(starts_at=_EPOCH + int(stamp) * _MICROSECOND, id=id[:64])
    except OverflowError:
        raise Invalid("is no place in the list: take it from the page before", field="after") from None


def outside_id(ref: int) -> str:
    """Return the id of the alert from outside with this number."""
    return f"{OUTSIDE}{ref}"


def outside_ref(id: str) -> int | None:
    """Return the number of an alert from outside, None for the id of an own alert."""
    number = id.removeprefix(OUTSIDE)
    if number == id or not number.isascii() or not number.isdecimal():
        return None
    if len(number) > _LONGEST_NUMBER:
        raise NotFound(f"there is no alert {id[:40]!r}")
    return int(number)


NameService = Callable[[Mapping[str, str]], str]
"""Says by its labels which service an alert from outside is about, empty for none."""


def by_label(labels: Mapping[str, str]) -> str:
    """Return what the label `service` says."""
    return labels.get("service", "")


def placed_outside(
    ref: int, labels: Mapping[str, str], *, starts_at: datetime, ended_at: datetime | None, service: str
) -> Placed:
    """Return the row of an alert from outside that is about `service`."""
    return Placed(
        id=outside_id(ref),
        ref=ref,
        source=labels.get("source", "alertmanager"),
        service=service,
        severity=labels.get("severity", "").lower(),
        name=labels.get("alertname", ""),
        starts_at=starts_at,
        ended_at=ended_at,
    )


def placed_own(alert: Alert) -> Placed:
    """Return the row of an alert of an own check."""
    labels = own_labels(alert)
    return Placed(
        id=alert.id,
        ref=None,
        source=alert.source,
        service=alert.service,
        severity=labels.get("severity", ""),
        name=alert.metric.value,
        starts_at=alert.starts_at,
        ended_at=alert.ended_at,
        title=alert.summary or alert.title,
        labels=labels,
    )


def own_labels(alert: Alert) -> dict[str, str]:
    """Return the labels by which an alert of an own check is found, like one from outside."""
    named = {"alertname": alert.metric.value, "service": alert.service, "source": alert.source}
    return {**named, **dict(alert.labels)}
