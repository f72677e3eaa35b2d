"""The language of the cases: what is posted when, and which notification is to arrive at which hook between when.

Times are seconds after the server is ready. A case is told once and run twice: against a server in real time, and on
a clock that is moved by hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Said:
    """An alert as it is posted or expected. `start` None is left out when posting; `end` None means it fires."""

    labels: Mapping[str, str]
    start: float | None = None
    end: float | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)


def said(labels: str, start: float | None = None, end: float | None = None, **annotations: str) -> Said:
    """Return an alert; labels are written `a=b,c=d`."""
    return Said(dict(pair.split("=", 1) for pair in labels.split(",")), start, end, annotations)


@dataclass(frozen=True)
class Post:
    """Alerts posted in one request."""

    at: float
    alerts: tuple[Said, ...]


@dataclass(frozen=True)
class Silence:
    """A silence that is put; `key` is what later steps call it. `matchers` are `name=value` or `name=~regex`."""

    at: float
    key: str
    start: float
    end: float
    matchers: tuple[str, ...]


@dataclass(frozen=True)
class Unsilence:
    """A silence that is ended."""

    at: float
    key: str


@dataclass(frozen=True)
class Reload:
    """The configuration is read again; with `config`, another one."""

    at: float
    config: str = ""


Step = Post | Silence | Unsilence | Reload


@dataclass(frozen=True)
class Expect:
    """One notification with exactly these alerts at `hook`, between `low` and `high`."""

    hook: int
    low: float
    high: float
    alerts: tuple[Said, ...]


@dataclass(frozen=True)
class Hook:
    """How a webhook answers: with `status` until `until`, then 200. What it refuses counts as not received.

    With `counts` false it answers 200 from the start, and what comes before `until` does not count.
    """

    until: float
    status: int = 500
    counts: bool = True


@dataclass(frozen=True)
class Case:
    """A story and what must come of it. `hooks` are those that do not answer 200 from the start."""

    name: str
    config: str
    steps: Sequence[Step]
    expects: Sequence[Expect]
    hooks: Mapping[int, Hook] = field(default_factory=dict)
    until: float = 0.0

    @property
    def end(self) -> float:
        """Return when the case is over: after its last interval."""
        return max([self.until, *(one.high for one in self.expects)])

    @property
    def total(self) -> int:
        """Return how many alerts all notifications hold together."""
        return sum(len(one.alerts) for one in self.expects)


@dataclass(frozen=True)
class Got:
    """An alert in a notification that arrived; times in seconds after readiness, `end` None when it fires."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    start: float
    end: float | None


@dataclass(frozen=True)
class Arrived:
    """A notification that arrived."""

    hook: int
    at: float
    alerts: tuple[Got, ...]


_NEAR_S = 0.15


def faults(case: Case, arrived: Sequence[Arrived]) -> list[str]:
    """Return what is not as the case wants it, in words; nothing when all is well."""
    within = [one for one in arrived if one.at <= case.end]
    found = []
    for want in case.expects:
        seen = [one for one in within if one.hook == want.hook and want.low <= one.at <= want.high]
        if not any(_same(want.alerts, one.alerts) for one in seen):
            found.append(f"hook {want.hook} in [{want.low}, {want.high}]: no {_told(want.alerts)}")
    total = sum(len(one.alerts) for one in within)
    if total != case.total:
        found.append(f"{total} alerts in all notifications, not {case.total}")
    if any(not one.alerts for one in within):
        found.append("a notification without alerts")
    if found:
        found += [f"  arrived at hook {one.hook} at {one.at:.2f}: {_told(one.alerts)}" for one in within]
    return found


def _same(wanted: Sequence[Said], got: Sequence[Got]) -> bool:
    left = list(got)
    for want in wanted:
        match = next((one for one in left if _matches(want, one)), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _matches(want: Said, got: Got) -> bool:
    return (
        dict(want.labels) == dict(got.labels)
        and dict(want.annotations) == dict(got.annotations)
        and want.start is not None
        and abs(want.start - got.start) <= _NEAR_S
        and (want.end is None) == (got.end is None)
        and (want.end is None or got.end is None or abs(want.end - got.end) <= _NEAR_S)
    )


def _told(alerts: Sequence[Said] | Sequence[Got]) -> str:
    return "; ".join(f"{dict(one.labels)}{dict(one.annotations) or ''}[{one.start}:{one.end}]" for one in alerts)
