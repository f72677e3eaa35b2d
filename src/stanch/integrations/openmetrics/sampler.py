"""The metrics sampler: fetches a page, compares it with the one before, and says what happened in between."""

import time
import weakref
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

import httpx2
import msgspec

from stanch.integrations.openmetrics.choosing import Choosing, Chosen, gained_per_second
from stanch.integrations.openmetrics.deltas import SAME_START_S, Gained, gained, is_other_process
from stanch.integrations.openmetrics.kinds import Kinds, Tally
from stanch.integrations.openmetrics.page import TooManySeries, read_page
from stanch.integrations.openmetrics.totals import Calls, Totals, totals_of
from stanch.kernel.event import JSON
from stanch.ports.checks import MetricsCheck
from stanch.ports.sampler import KindOfRequest, Look, Sample

TIMEOUT_S: Final = 4.0
LARGEST_PAGE: Final = 8 * 1024 * 1024
"""About 80,000 series; a page that is larger belongs to Prometheus."""

LONGEST_GAP_S: Final = 600.0
"""After a longer pause what was gained says nothing about now."""

_ACCEPT: Final = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """What a look hands on to the next: the totals it saw, when, and the newest process start it ever saw.

    `counters` are the values of the series that rules take the rate of.
    """

    at: float
    newest_start: float = 0.0
    totals: Totals
    counters: dict[str, float] = {}


class CannotSee(Exception):
    """The page could not be read; the message says why."""


class OpenMetricsSampler:
    """Reads metrics pages. Knows no service by name, only the usual names of what is counted."""

    def __init__(self, settings: MetricsCheck | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._series = settings.series if settings else ()
        self._timeout_s = timeout_s
        self._kinds = Kinds()
        self._client = httpx2.Client(
            timeout=timeout_s,
            trust_env=False,
            # An answer is read as it is: what arrives is then also what it costs in memory.
            headers={"User-Agent": "stanch", "Accept": _ACCEPT, "Accept-Encoding": "identity"},
        )
        weakref.finalize(self, self._client.close)

    @property
    def kind(self) -> str:
        """Return `openmetrics`."""
        return "openmetrics"

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Fetch `target` once. The first look gives gauges only; counters need two."""
        before = _memory(cursor)
        choosing = Choosing(self._series)
        try:
            totals = self._totals(target, before, choosing, now=now)
        except CannotSee as reason:
            # What was seen last is kept: the next page tells what happened in between, if it comes soon.
            return Look(cursor=cursor, trouble=str(reason))
        at = now.timestamp()
        newest = max(before.newest_start if before else 0.0, totals.started_at or 0.0)
        chosen = choosing.chosen()
        counters = {one.key: one.value for one in chosen if one.is_rate}
        memory = Memory(at=at, newest_start=newest, totals=totals, counters=counters)
        found = [*_samples(totals, before, at=at), *_chosen(chosen, before, at=at)]
        return Look(
            samples=tuple(
                Sample(service=service, metric=metric, value=value, at=now, labels=labels)
                for metric, value, labels in found
            ),
            cursor=msgspec.to_builtins(memory, str_keys=True),
        )

    def kinds_since(self, target: str, start: datetime) -> tuple[KindOfRequest, ...]:
        """Return the requests by label that `target` counted since `start`; empty where no look before it is known."""
        return self._kinds.since(target, start.timestamp())

    def _totals(self, target: str, before: Memory | None, choosing: Choosing, *, now: datetime) -> Totals:
        text = self._fetch(target)
        tally = Tally()
        try:
            families = before.totals.families if before else {}
            points = choosing.pick(read_page(text, wanted=choosing.is_wanted))
            totals = totals_of(points, families=families, tally=tally)
        except TooManySeries as error:
            raise CannotSee(f"{target} holds {error}") from error
        if not totals.says_something and not choosing.chosen():
            raise CannotSee(f"{target} holds no metrics by the usual names (see docs/configuration.md)")
        family = totals.families.get("counter", "")
        self._kinds.note(target, family, tally.of(family), at=now.timestamp())
        return totals

    def _fetch(self, target: str) -> str:
        give_up_at = time.monotonic() + self._timeout_s
        try:
            with self._client.stream("GET", target, follow_redirects=False) as answer:
                if answer.status_code != 200:
                    raise CannotSee(f"{target} answered {answer.status_code}")
                if answer.headers.get("Content-Encoding", "identity") != "identity":
                    raise CannotSee(f"{target} answered packed, which was not asked for")
                return self._body(answer, target, give_up_at=give_up_at).decode("utf-8", "replace")
        except httpx2.TimeoutException:
            raise CannotSee(f"{target} did not answer within {self._timeout_s:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
            raise CannotSee(f"{target} cannot be reached: {str(error) or type(error).__name__}"[:300]) from error

    def _body(self, answer: httpx2.Response, target: str, *, give_up_at: float) -> bytes:
        parts, size = [], 0
        for chunk in answer.iter_raw():
            size += len(chunk)
            if size > LARGEST_PAGE:
                raise CannotSee(f"{target} is larger than {LARGEST_PAGE // 2**20} MiB")
            if time.monotonic() > give_up_at:
                raise CannotSee(f"{target} had not answered completely after {self._timeout_s:g} s")
            parts.append(chunk)
        return b"".join(parts)


_Found = tuple[str, float, tuple[tuple[str, str], ...]]


def _samples(totals: Totals, before: Memory | None, *, at: float) -> Iterator[_Found]:
    if totals.memory_bytes is not None:
        yield "memory_bytes", totals.memory_bytes, ()
    for resource, share in totals.saturation.items():
        yield "saturation", share, (("resource", resource),)
    if totals.version:
        yield "build_info", 1.0, (("version", totals.version),)
    # A clock that was moved, or a long pause: there is nothing to compare with.
    if before is None or not 0 < at - before.at <= LONGEST_GAP_S:
        return
    was = before.totals
    restarted = is_other_process(totals.started_at, was.started_at)
    start_known = totals.started_at is not None and was.started_at is not None
    if start_known:
        yield "restarts", float(_is_restart(totals, before)), ()
    elapsed_s = at - before.at
    if totals.families.get("counter") == was.families.get("counter"):
        yield from _own(gained(totals.calls, was.calls, restarted=restarted, start_known=start_known), elapsed_s)
    for target, calls in totals.clients.items():
        known = was.clients.get(target, Calls())
        change = gained(calls, known, restarted=restarted, start_known=start_known)
        yield from _dependency(change, (("target", target),))


def _chosen(chosen: Iterable[Chosen], before: Memory | None, *, at: float) -> Iterator[_Found]:
    for one in chosen:
        if not one.is_rate:
            yield "rule", one.value, one.labels
        elif before is not None and 0 < at - before.at <= LONGEST_GAP_S:
            rate = gained_per_second(one.value, before.counters.get(one.key), at - before.at)
            if rate is not None:
                yield "rule", rate, one.labels


def _is_restart(totals: Totals, before: Memory) -> bool:
    """Tell whether the process began anew with the same release; a deploy is none.

    Behind a load balancer processes take turns: only a start later than any seen before counts.
    """
    is_newer = (totals.started_at or 0.0) > before.newest_start + SAME_START_S
    return is_newer and totals.version == before.totals.version


def _own(change: Gained, elapsed_s: float) -> Iterator[_Found]:
    if change.requests is not None:
        yield "request_rate", change.requests / elapsed_s, ()
    if change.requests is not None and change.failed is not None:
        yield "requests", change.requests, ()
        yield "failed_requests", change.failed, ()
        if change.requests > 0:
            yield "error_ratio", change.failed / change.requests, ()
    if change.p95_ms is not None:
        yield "latency_p95_ms", change.p95_ms, ()


def _dependency(change: Gained, labels: tuple[tuple[str, str], ...]) -> Iterator[_Found]:
    if change.requests and change.failed is not None:
        yield "dependency_error_ratio", change.failed / change.requests, labels
    if change.p95_ms is not None:
        yield "dependency_latency_p95_ms", change.p95_ms, labels


def _memory(cursor: dict[str, JSON]) -> Memory | None:
    try:
        return msgspec.convert(cursor, Memory, strict=False) if cursor else None
    except msgspec.ValidationError:
        # Written by another version: as good as none.
        return None
