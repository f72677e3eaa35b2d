"""Clues about one service: restarts, what its errors are of, and whether it is slow by itself."""

from typing import Final

from stanch.diagnose.clues.clue import Clue, of_fact
from stanch.diagnose.model import Candidate, Fact, Sighting
from stanch.diagnose.origin import explained_share, origins, own_errors, troubles
from stanch.diagnose.phrases import Family, family_of
from stanch.diagnose.picture import Picture
from stanch.kernel.percentage import percent

_LOOP: Final = 3.0


def _restarting(picture: Picture, candidate: Candidate) -> Sighting | None:
    fact = picture.one("restarts", candidate.service)
    if fact is None:
        return None
    # Once may be anything, three times within minutes is a loop.
    return of_fact(fact, strength=min(1.0, fact.value / _LOOP) if fact.raised else 1.0)


def _is_origin(picture: Picture, candidate: Candidate) -> Sighting | None:
    found = origins(picture)
    if not found:
        return None
    own = next((origin for origin in found if origin.service == candidate.service), None)
    shown = own or found[0]
    return Sighting(holds=own is not None, findings=shown.findings, words={"origin": shown.text})


def _moved_first(picture: Picture, candidate: Candidate) -> Sighting | None:
    """Whether its series left their normal before those of every other service; untold where they moved together."""
    return _of_places(picture.of("moved_first"), candidate)


def _stands_out(picture: Picture, candidate: Candidate) -> Sighting | None:
    """Whether the ranking of all series names it; untold where no service stands out."""
    return _of_places([fact for fact in picture.of("suspect") if fact.raised], candidate)


def _of_places(found: list[Fact], candidate: Candidate) -> Sighting | None:
    if not found:
        return None
    shown = found[0]
    holds = shown.service in (candidate.service, candidate.target)
    words = {"which": shown.service, "text": shown.signal.text}
    return Sighting(holds=holds, findings=(shown.finding,), words=words)


def _slow_by_itself(picture: Picture, candidate: Candidate) -> Sighting | None:
    fact = picture.one("latency_p95_ms", candidate.service)
    if fact is None:
        return None
    if not fact.raised:
        return of_fact(fact, holds=False)
    share, by = explained_share(picture, candidate.service, troubles(picture))
    sighting = of_fact(fact, holds=share < 0.5)
    if sighting is None:
        return None
    words = {**sighting.words, "by": f"{by} explains {percent(share)} of it" if by else "nothing it calls explains it"}
    return Sighting(holds=sighting.holds, findings=sighting.findings, words=words)


def _code_errors(picture: Picture, candidate: Candidate) -> Sighting | None:
    return _own(picture, candidate, frozenset({Family.CODE, Family.DATA, Family.SCHEMA}))


def _data_errors(picture: Picture, candidate: Candidate) -> Sighting | None:
    return _own(picture, candidate, frozenset({Family.DATA, Family.SCHEMA, Family.CODE}))


def _lock_errors(picture: Picture, candidate: Candidate) -> Sighting | None:
    return _own(picture, candidate, frozenset({Family.LOCK}))


def _query_errors(picture: Picture, candidate: Candidate) -> Sighting | None:
    return _own(picture, candidate, frozenset({Family.QUERY}))


def _new_fatal(picture: Picture, candidate: Candidate) -> Sighting | None:
    """Its own new errors while it keeps starting again: what it dies of."""
    fresh = [fact for fact in own_errors(picture, candidate.service) if not fact.signal.normal]
    if not fresh:
        return None
    fatal = [fact for fact in fresh if fact.signal.data.get("level") == "fatal"]
    return _worded((fatal or fresh)[0], holds=True, strength=1.0 if fatal else 0.5)


def _long_queries(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(_near(picture, candidate, "long_queries"))


def _locks(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(_near(picture, candidate, "locks_waiting"))


def _scans(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(_near(picture, candidate, "sequential_scans"))


def _latency_creeps(picture: Picture, candidate: Candidate) -> Sighting | None:
    fact = picture.raised("latency_p95_ms", candidate.service)
    if fact is None or not fact.signal.trend:
        return None
    return of_fact(fact, holds=fact.signal.trend == "gradual increase")


def _near(picture: Picture, candidate: Candidate, name: str) -> Fact | None:
    """Return the fact about the service itself, else about a data store that it calls."""
    own = picture.one(name, candidate.service)
    if own is not None:
        return own
    below = [fact for callee in picture.graph.callees(candidate.service) for fact in picture.of(name, callee)]
    return next((fact for fact in below if fact.raised), below[0] if below else None)


def _own(picture: Picture, candidate: Candidate, families: frozenset[Family]) -> Sighting | None:
    groups = own_errors(picture, candidate.service)
    if not groups:
        return None
    hit = next((fact for fact in groups if family_of(fact.signal.text) in families), None)
    return _worded(hit or groups[0], holds=hit is not None)


def _worded(fact: Fact, *, holds: bool, strength: float = 1.0) -> Sighting:
    words = {"error": fact.signal.text, "count": f"{fact.value:,.0f}"}
    return Sighting(holds=holds, findings=(fact.finding,), strength=strength, words=words)


CLUES: Final = (
    Clue(
        name="restarting",
        look=_restarting,
        says="{service} keeps starting again: {reading}",
        denies="{service} does not restart: {reading}",
        test="Count the restarts of {service}",
    ),
    Clue(
        name="is_origin",
        look=_is_origin,
        says="the trouble starts here: {origin}",
        denies="the trouble starts elsewhere: {origin}",
        test="Find out in which service the failures start",
    ),
    Clue(
        name="moved_first",
        look=_moved_first,
        says="{text}",
        denies="another service moved first: {text}",
    ),
    Clue(
        name="stands_out",
        look=_stands_out,
        says="its series stand out most: {text}",
        denies="the series of {which} stand out more: {text}",
    ),
    Clue(
        name="slow_by_itself",
        look=_slow_by_itself,
        says="{service} is slow by itself: {reading}; {by}",
        denies="{service} is not slow by itself: {reading}",
        test="Split the time of a request of {service} into its own and that of its calls",
    ),
    Clue(
        name="code_errors",
        look=_code_errors,
        says="its errors are programming errors: {error}, {count} times",
        denies="its errors are no programming errors: {error}",
    ),
    Clue(
        name="data_errors",
        look=_data_errors,
        says="it stumbles over what it reads: {error}, {count} times",
        denies="its errors do not tell of data: {error}",
        test="Look at one failing request of {service} beside one that works",
    ),
    Clue(
        name="lock_errors",
        look=_lock_errors,
        says="it waits for locks: {error}, {count} times",
        denies="its errors do not tell of locks: {error}",
    ),
    Clue(
        name="query_errors",
        look=_query_errors,
        says="queries run into their limit: {error}, {count} times",
        denies="its errors do not tell of queries: {error}",
    ),
    Clue(
        name="dies_of",
        look=_new_fatal,
        says="it dies of {error}, {count} times, never seen before",
        denies="",
        test="Read the last lines of {service} before it stops",
    ),
    Clue(
        name="long_queries",
        look=_long_queries,
        says="queries run long: {text}",
        denies="no query runs long: {reading}",
        test="List the longest running queries",
    ),
    Clue(
        name="locks_waiting",
        look=_locks,
        says="sessions wait for locks: {text}",
        denies="nobody waits for a lock: {reading}",
        test="Show who blocks whom",
    ),
    Clue(
        name="sequential_scans",
        look=_scans,
        says="tables are read from end to end: {reading}",
        denies="no table is read from end to end more than usual: {reading}",
        test="Explain the slowest query: does it scan a whole table?",
    ),
    Clue(
        name="latency_creeps",
        look=_latency_creeps,
        says="it gets slower little by little: {reading}",
        denies="it became slow at one stroke: {reading}",
    ),
)
