"""Which values of which fields the failures have in common: "all failures are region=eu and version=3.2.1". Pure.

For a slice, one value or several together, with F failures and N requests in all, f and n of them within it:

    coverage = f / F,   share of traffic = n / N,   lift = coverage / share

A value is worth naming when it holds nearly all failures (95 %) and clearly less of the traffic (at most 80 %). Values
are joined while the whole still holds 95 % of the failures and each takes another tenth off the traffic. Worked: of
1,000 requests 400 are region=eu and 500 version=3.2.1, 200 are both; 98 of 100 failures are both: coverage 0.98 at a
share of 0.2, lift 4.9.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_COVERAGE: Final = 0.95
_MOST_TRAFFIC: Final = 0.8
_GAIN: Final = 0.9
_LEAST_FAILURES: Final = 5
_MOST_VALUES: Final = 20
"""A field with more values tells requests apart and not kinds of requests."""
_MOST_JOINED: Final = 3
_MOST_KEPT: Final = 20_000
"""Requests that are kept, 0.5 KB each: 10 MB. Of more, every second one is dropped, and so on."""
_MOST_USERS: Final = 200_000
_OUTCOME: Final = re.compile(
    r"(?:^|[._-])(?:status\w*|code|le|level|duration\w*|latency\w*|elapsed\w*|took\w*|bytes|size|time|ts|error\w*"
    r"|exception\w*|message|msg|trace\w*|span\w*|id|uuid|pid|thread\w*|line|port|attempt|retry|logger|caller|result"
    r"|outcome|reason|quantile)$|_id$|_ms$|_s$",
    re.IGNORECASE,
)
"""Fields that say how a request ended, or which one it was: they explain nothing."""
_STATUS: Final = ("status", "status_code", "http.status_code", "http_status", "response_code", "code")
_USER: Final = re.compile(
    r"^(?:user|customer|account|member|client|enduser)(?:[._-]?(?:id|uid|uuid))$|^(?:uid|userid|usr\.id)$",
    re.IGNORECASE,
)
_REGION: Final = re.compile(r"(?:^|[._-])(?:region|zone|country|datacenter|dc|az|cluster)$", re.IGNORECASE)
_VERSION: Final = re.compile(r"(?:^|[._-])(?:version|release|revision)$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Row:
    """Requests that are alike: their fields, how many there were and how many failed."""

    labels: Mapping[str, str]
    requests: float
    failed: float


@dataclass(frozen=True, kw_only=True)
class Slice:
    """What the failures have in common. `coverage` is the slice's share of failures, `share` its share of requests."""

    labels: tuple[tuple[str, str], ...]
    coverage: float
    share: float
    failed: int
    requests: int

    @property
    def text(self) -> str:
        """Say it: `all failures are region=eu and version=3.2.1, which is 20 % of the requests`."""
        named = " and ".join(f"{name}={value}" for name, value in self.labels)
        how = "all" if self.coverage >= 0.995 else f"{self.coverage * 100:.0f} % of the"
        return f"{how} failures are {named}, which is {self.share * 100:.0f} % of the requests"


@dataclass(frozen=True, kw_only=True)
class Breadth:
    """How wide it is, as far as rows tell: what failures share, the versions and regions they are in."""

    failed: int
    requests: int
    slice: Slice | None = None
    regions: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()


def breadth_of(rows: Iterable[Row]) -> Breadth:
    """Return what the failures among `rows` have in common; without at least five failures nothing is named."""
    kept = [row for row in rows if row.requests > 0]
    failed, requests = sum(row.failed for row in kept), sum(row.requests for row in kept)
    plain = Breadth(failed=round(failed), requests=round(requests))
    if failed < _LEAST_FAILURES or requests <= failed * 1.02:
        # Where everything fails, or nothing but failures is known, no value explains anything.
        return Breadth(
            failed=plain.failed, requests=plain.requests, regions=_named(kept, _REGION), versions=_named(kept, _VERSION)
        )
    return Breadth(
        failed=plain.failed,
        requests=plain.requests,
        slice=_slice(kept, failed=failed, requests=requests),
        regions=_named(kept, _REGION),
        versions=_named(kept, _VERSION),
    )


class RequestCounter:
    """Takes the fields of requests one by one, as an access log has them, in bounded memory."""

    def __init__(self) -> None:
        self._rows: list[tuple[frozenset[tuple[str, str]], bool]] = []
        self._every, self._seen = 1, 0
        self._users: set[int] = set()

    def add(self, fields: Mapping[str, str]) -> None:
        """Count one record if it says how a request ended."""
        status = next((fields[name] for name in _STATUS if name in fields), "")
        if not (status.isascii() and status.isdecimal() and len(status) == 3):
            return
        failed = status.startswith("5")
        if failed:
            user = next((value for name, value in fields.items() if value and _USER.match(name)), "")
            if user and len(self._users) < _MOST_USERS:
                self._users.add(hash(user))
        self._seen += 1
        if self._seen % self._every == 0:
            self._rows.append((frozenset(pair for pair in fields.items() if not _OUTCOME.search(pair[0])), failed))
            if len(self._rows) >= _MOST_KEPT:
                self._rows = self._rows[::2]
                self._every *= 2

    @property
    def users(self) -> int | None:
        """Return how many different users had a failure; None where no record of a failure names one."""
        return len(self._users) or None

    def rows(self) -> list[Row]:
        """Return what was counted, requests with the same fields together."""
        counted: dict[frozenset[tuple[str, str]], list[float]] = {}
        for labels, failed in self._rows:
            pair = counted.setdefault(labels, [0.0, 0.0])
            pair[0] += self._every
            pair[1] += self._every * failed
        return [Row(labels=dict(labels), requests=pair[0], failed=pair[1]) for labels, pair in counted.items()]


def _slice(rows: Sequence[Row], *, failed: float, requests: float) -> Slice | None:
    chosen: tuple[tuple[str, str], ...] = ()
    inside = list(rows)
    share = _MOST_TRAFFIC / _GAIN
    while len(chosen) < _MOST_JOINED:
        best = _narrowest(inside, taken=chosen, failed=failed, requests=requests)
        if best is None or best[1] > _GAIN * share:
            break
        pair, share = best
        chosen = (*chosen, pair)
        inside = [row for row in inside if row.labels.get(pair[0]) == pair[1]]
    if not chosen:
        return None
    within_failed, within = sum(row.failed for row in inside), sum(row.requests for row in inside)
    return Slice(
        labels=tuple(sorted(chosen)),
        coverage=within_failed / failed,
        share=within / requests,
        failed=round(within_failed),
        requests=round(within),
    )


def _narrowest(
    rows: Sequence[Row], *, taken: Sequence[tuple[str, str]], failed: float, requests: float
) -> tuple[tuple[str, str], float] | None:
    """Return the value that holds nearly all failures with the least traffic, and its share of it."""
    failures: Counter[tuple[str, str]] = Counter()
    traffic: Counter[tuple[str, str]] = Counter()
    values: dict[str, set[str]] = {}
    for row in rows:
        for pair in row.labels.items():
            failures[pair] += row.failed  # type: ignore[assignment]  # counts are weighted, so they are floats
            traffic[pair] += row.requests  # type: ignore[assignment]  # the same
            values.setdefault(pair[0], set()).add(pair[1])
    names = {name for name, _ in taken}
    fitting = [
        (traffic[pair] / requests, pair)
        for pair in failures
        if failures[pair] / failed >= _COVERAGE
        and pair[0] not in names
        and len(values[pair[0]]) <= _MOST_VALUES
        and not _OUTCOME.search(pair[0])
    ]
    if not fitting:
        return None
    share, pair = min(fitting)
    return pair, share


def _named(rows: Sequence[Row], pattern: re.Pattern[str]) -> tuple[str, ...]:
    """Return the values of a field among the failures, most failures first; at most eight."""
    found: Counter[str] = Counter()
    for row in rows:
        for name, value in row.labels.items():
            if row.failed and pattern.search(name):
                found[value] += row.failed  # type: ignore[assignment]  # counts are weighted, so they are floats
    return tuple(value for value, _ in found.most_common(8))
