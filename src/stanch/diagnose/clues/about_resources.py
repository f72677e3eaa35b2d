"""Clues about what runs out: pools, memory, disk, processors, and whether load or a leak fills them."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Final

from stanch.alerts.shape import Shape
from stanch.diagnose.clues.clue import Clue, findings_of, of_fact
from stanch.diagnose.model import Candidate, Fact, Sighting
from stanch.diagnose.phrases import Family, family_of
from stanch.diagnose.picture import Picture, is_raised
from stanch.diagnose.wording import clock, distance

# A filling that takes this long is no jump: a burst of load fills a pool within a few requests' time.
_SLOW_RISE_S: Final = 10.0
_PLACES: Final = re.compile(r"slot|worker|thread|in_flight|inflight|concurren|queue", re.IGNORECASE)
"""Resources that hold a request each; a disk or a processor does not fill because others wait."""
_OOM: Final = frozenset({Family.MEMORY})


def is_gradual(fact: Fact) -> bool | None:
    """Tell whether a series crept up (True) or jumped (False); None where its shape is not known."""
    rise_s = fact.signal.data.get("rise_s")
    if isinstance(rise_s, int | float) and not isinstance(rise_s, bool):
        return rise_s >= _SLOW_RISE_S
    if fact.signal.trend == Shape.GRADUAL_INCREASE.value:
        return True
    return False if fact.signal.trend in (Shape.STEP.value, Shape.SPIKING.value) else None


def _resource(picture: Picture, candidate: Candidate) -> Fact | None:
    return picture.one("saturation", candidate.service, candidate.target)


def _full(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(_resource(picture, candidate))


def _fills_by_waiting(picture: Picture, candidate: Candidate) -> Sighting | None:
    """Places in use are requests a second times seconds a request (Little's law): slowness alone fills them.

    Without more requests, full places are what slow requests look like and not why they are slow.
    """
    fact, load = _resource(picture, candidate), picture.one("request_rate", candidate.service)
    if fact is None or not fact.raised or _PLACES.search(candidate.target) is None or load is None or load.raised:
        return None
    # A pool is taken and not given back before anything is slow; that has kinds of its own.
    slow = picture.one("latency_p95_ms", candidate.service)
    if slow is None or slow.signal.normal is None:
        return None
    held = slow.signal.data.get("held")
    worst = max(slow.value, held) if isinstance(held, int | float) else slow.value
    words = {"times": f"{worst / slow.signal.normal:,.1f}" if slow.signal.normal else "many"}
    holds = slow.raised or is_raised(replace(slow.signal, value=worst, data={}))
    return Sighting(holds=holds, findings=findings_of([fact, slow, load]), words=words)


def _gradual(picture: Picture, candidate: Candidate) -> Sighting | None:
    fact = _resource(picture, candidate)
    creeping = is_gradual(fact) if fact is not None and fact.raised else None
    return None if creeping is None else of_fact(fact, holds=creeping)


def _before_errors(picture: Picture, candidate: Candidate) -> Sighting | None:
    """The resource began to fill well before the first failure: nothing but a leak does that under steady load."""
    fact = _resource(picture, candidate)
    groups = [
        each for each in picture.of("error_group", candidate.service) if each.raised and each.signal.at is not None
    ]
    if fact is None or not fact.raised or fact.signal.at is None:
        return None
    starts = [each.signal.at for each in groups if each.signal.at is not None]
    # Where nothing fails yet, it has been filling up to now.
    first = min(starts) if starts else picture.now
    ahead = first - fact.signal.at
    words = {"ahead": distance(ahead), "since": clock(fact.signal.at)}
    words["first"] = "the first failure" if starts else "now, and nothing fails yet"
    return Sighting(
        holds=ahead >= timedelta(seconds=_SLOW_RISE_S), findings=findings_of([fact, *groups[:1]]), words=words
    )


def _pool_errors(picture: Picture, candidate: Candidate) -> Sighting | None:
    return _errors(picture, candidate, frozenset({Family.POOL}))


def _load_raised(picture: Picture, candidate: Candidate) -> Sighting | None:
    own = picture.one("request_rate", candidate.service)
    if own is None:
        return None
    return of_fact(own, holds=own.raised)


def _calls_slow(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(picture.one("dependency_latency_p95_ms", candidate.service))


def _exhaustion_errors(picture: Picture, candidate: Candidate) -> Sighting | None:
    return _errors(picture, candidate, frozenset({Family.MEMORY, Family.DISK, Family.FILES, Family.OVERLOAD}))


def _overload_errors(picture: Picture, candidate: Candidate) -> Sighting | None:
    return _errors(picture, candidate, frozenset({Family.OVERLOAD}))


def _anything_full(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(picture.one("saturation", candidate.service))


def _memory_grows(picture: Picture, candidate: Candidate) -> Sighting | None:
    fact = picture.one("memory_bytes", candidate.service) or picture.one("saturation", candidate.service, "memory")
    if fact is None:
        return None
    creeping = is_gradual(fact)
    return of_fact(fact, holds=fact.raised and creeping is not False)


def _out_of_memory(picture: Picture, candidate: Candidate) -> Sighting | None:
    kills = picture.raised("oom_kills", candidate.service) or picture.raised("oom_kills")
    if kills is not None:
        return Sighting(
            holds=True, findings=(kills.finding,), words={"error": f"{kills.value:,.0f} killed by the kernel"}
        )
    return _errors(picture, candidate, _OOM)


def _errors(picture: Picture, candidate: Candidate, families: frozenset[Family]) -> Sighting | None:
    groups = [fact for fact in picture.of("error_group", candidate.service) if fact.raised]
    if not groups:
        return None
    hits = [fact for fact in groups if family_of(fact.signal.text) in families]
    shown = (hits or groups)[0]
    words = {"error": shown.signal.text, "count": f"{shown.value:,.0f}"}
    return Sighting(holds=bool(hits), findings=(shown.finding,), words=words)


CLUES: Final = (
    Clue(
        name="resource_full",
        look=_full,
        says="{service}: {reading}",
        denies="{service} has room: {reading}",
        test="Look at how much of {target} is in use in {service}",
    ),
    Clue(
        name="fills_by_waiting",
        look=_fills_by_waiting,
        says="{target} is full because each request takes {times} times as long, with no more of them than ever",
        denies="{target} is full although requests take no longer",
    ),
    Clue(
        name="filled_gradually",
        look=_gradual,
        says="{target} filled little by little",
        denies="{target} filled at one stroke",
        test="Plot {target} of {service}: a slope or a step?",
    ),
    Clue(
        name="filled_before_errors",
        look=_before_errors,
        says="{target} began to fill at {since}, {ahead} before {first}",
        denies="{target} filled no earlier than the failures began",
    ),
    Clue(
        name="pool_errors",
        look=_pool_errors,
        says="{error}: {count} times",
        denies="no error tells of a pool; most frequent is {error}",
        test="Read the log of {service} for time-outs of a pool",
    ),
    Clue(
        name="load_raised",
        look=_load_raised,
        says="{service} gets more requests: {reading}",
        denies="{service} gets no more requests than usual: {reading}",
        test="Compare the request rate of {service} with the same time yesterday",
    ),
    Clue(
        name="calls_slow",
        look=_calls_slow,
        says="what {service} calls is slow, so everything is held longer: {reading}",
        denies="what {service} calls is as fast as ever: {reading}",
    ),
    Clue(
        name="exhaustion_errors",
        look=_exhaustion_errors,
        says="{error}: {count} times",
        denies="no error tells of memory, disk, files or workers; most frequent is {error}",
    ),
    Clue(
        name="overload_errors",
        look=_overload_errors,
        says="{error}: {count} times",
        denies="no error tells of overload; most frequent is {error}",
    ),
    Clue(
        name="anything_full",
        look=_anything_full,
        says="{service}: {reading}",
        denies="nothing is full in {service}: {reading}",
    ),
    Clue(
        name="memory_grows",
        look=_memory_grows,
        says="memory of {service} grows: {reading}",
        denies="memory of {service} does not grow: {reading}",
        test="Plot the memory of {service} over the last day",
    ),
    Clue(
        name="out_of_memory",
        look=_out_of_memory,
        says="memory ran out: {error}",
        denies="no error tells of memory",
        test="Ask the kernel for processes it killed",
    ),
)
