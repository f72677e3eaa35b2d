"""Requests by the labels of their series, since an instant: which values the failures have in common.

What is stored of a page is added up over all labels; here the counts by label are kept in memory, for a while and in
bounds, so that at an incident the difference can be told. After a restart nothing is known before the first look.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from stanch.integrations.openmetrics import conventions
from stanch.ports.sampler import KindOfRequest

Labels = tuple[tuple[str, str], ...]
Counts = dict[Labels, tuple[float, float]]

MOST_KINDS: Final = 200
"""Label sets of one page; with more of them labels tell requests apart and not kinds of requests."""
_EVERY_S: Final = 15.0
_MOST_LOOKS: Final = 80
"""Looks that are kept of a page: 20 minutes at one every 15 s. At 200 label sets of 100 bytes that is 1.6 MB."""
_LONGEST_VALUE: Final = 80


class Tally:
    """Counts the series of one page by their labels, the status left out; gives up beyond the bound."""

    def __init__(self) -> None:
        self._families: dict[str, Counts] = {}
        self._full: set[str] = set()

    def take(self, family: str, labels: Mapping[str, str], value: float) -> None:
        """Count one series of requests."""
        status = conventions.status_of(labels)
        if status is None or family in self._full:
            return
        kept = tuple(
            sorted((key, text[:_LONGEST_VALUE]) for key, text in labels.items() if not conventions.is_outcome(key))
        )
        counts = self._families.setdefault(family, {})
        if kept not in counts and len(counts) >= MOST_KINDS:
            self._full.add(family)
            self._families[family] = {}
            return
        requests, failed = counts.get(kept, (0.0, 0.0))
        counts[kept] = (requests + value, failed + (value if conventions.is_failure(status) else 0.0))

    def of(self, family: str) -> Counts:
        """Return the counts of one family, none where there were too many."""
        return self._families.get(family, {})


@dataclass
class _Page:
    family: str = ""
    looks: deque[tuple[float, Counts]] = field(default_factory=lambda: deque(maxlen=_MOST_LOOKS))
    newest: tuple[float, Counts] | None = None


class Kinds:
    """The counts of several pages over the last twenty minutes. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: dict[str, _Page] = {}

    def note(self, target: str, family: str, counts: Counts, *, at: float) -> None:
        """Keep what a look at `target` counted; one every quarter of a minute, and the newest."""
        with self._lock:
            page = self._pages.get(target)
            if page is None or page.family != family:
                page = self._pages[target] = _Page(family=family)
            page.newest = (at, counts)
            if not page.looks or at - page.looks[-1][0] >= _EVERY_S:
                page.looks.append((at, counts))

    def since(self, target: str, start: float) -> tuple[KindOfRequest, ...]:
        """Return the requests by label that came after `start` (seconds since 1970), counted from the look before it.

        Empty where no look before it is known. A counter that fell began anew, and all it says came since.
        """
        with self._lock:
            page = self._pages.get(target)
            if page is None or page.newest is None:
                return ()
            before = [counts for at, counts in page.looks if at <= start]
            newest = page.newest[1]
        if not before:
            return ()
        found = []
        for labels, (requests, failed) in newest.items():
            was_requests, was_failed = before[-1].get(labels, (0.0, 0.0))
            if requests < was_requests or failed < was_failed:
                was_requests = was_failed = 0.0
            if requests > was_requests:
                one = KindOfRequest(labels=dict(labels), requests=requests - was_requests, failed=failed - was_failed)
                found.append(one)
        return tuple(found)
