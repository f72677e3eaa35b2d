"""Past incidents that were like one: asked for while it runs, with what ended them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.incidents.rules import NOT_KNOWN
from stanch.kernel.errors import Invalid, NotFound
from stanch.kernel.percentage import percent
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.review.similar.model import Alike
from stanch.review.similar.rules import Corpus
from stanch.review.similar.tables import changed_since, last_traits, read_traits, traits_of
from stanch.store import Transaction

# What lies further back is about another system by now.
_MOST_COMPARED: Final = 2_000
# So that one of the last 2,000 is compared with as many before it. They take some 10 MB in memory.
_MOST_HELD: Final = 2 * _MOST_COMPARED
# Reading so many again one by one takes as long as all.
_MOST_CHANGED: Final = 500
_MOST: Final = 20


@dataclass(frozen=True, kw_only=True)
class AskSimilar:
    """Like which incident, and how many at the most."""

    incident: int
    limit: int = 5


@dataclass(frozen=True, kw_only=True)
class SimilarIncident:
    """A past incident that is like the one asked about: `score` is 0 to 1, `reasons` say why, what weighs most first.

    `cause` and `mitigation` are what was recorded when it was resolved, empty where nobody said; `lasted_s` is from its
    start to its resolution, None while it is open.
    """

    number: int
    key: str
    title: str
    status: str
    declared_at: datetime
    service: str
    score: float
    reasons: tuple[str, ...]
    cause: str
    mitigation: str
    lasted_s: float | None
    url: str


@operation("incident.similar", effect=Effect.READ, example={"incident": 1})
def similar(call: Call, request: AskSimilar) -> tuple[SimilarIncident, ...]:
    """List past incidents that were like this one, the likest first, with why and with what ended them."""
    if not 1 <= request.limit <= _MOST:
        raise Invalid(f"must be from 1 to {_MOST}", field="limit")
    with call.world.store.reading() as view:
        found = alike(view, request.incident)
    if found is None:
        raise NotFound(f"there is no incident INC-{request.incident}", hint="see the list: stanch incident list")
    return tuple(_view(one, call.world) for one in found[: request.limit])


def alike(tx: Transaction, number: int) -> tuple[Alike, ...] | None:
    """Return the incidents before this one that were like it; None when there is no such incident.

    A page asks every few seconds: the answer is kept until the log goes on, and what is compared with for longer.
    """
    seq = tx.last_seq()
    known = tx.memory.recall(("similar", number))
    if known and known[0] == seq and isinstance(known[1], tuple):
        return known[1]
    one = read_traits(tx.connection, number)
    if one is None:
        return None
    corpus = _corpus(tx, seq)
    if len(corpus.held) >= _MOST_HELD and number <= min(corpus.held) + _MOST_COMPARED:
        # So old that what came before it is not all held.
        corpus = Corpus.of(last_traits(tx.connection, before=number, most=_MOST_COMPARED))
    found = corpus.like(one, most=_MOST, before=number, last=_MOST_COMPARED)
    if tx.reads_only:
        tx.memory.keep(("similar", number), seq, found)
    return found


def _corpus(tx: Transaction, seq: int) -> Corpus:
    """Return the incidents to compare with, as the log says at `seq`: what it has told of since is read again."""
    known = tx.memory.recall("similar")
    corpus = known[1] if known and isinstance(known[1], Corpus) else None
    if known is not None and corpus is not None and known[0] == seq:
        return corpus
    changed = changed_since(tx.connection, known[0]) if known is not None and corpus is not None else []
    if corpus is None or len(changed) > _MOST_CHANGED or len(corpus.held) > _MOST_HELD + _MOST_CHANGED:
        corpus = Corpus.of(last_traits(tx.connection, most=_MOST_HELD))
    elif changed:
        corpus = corpus.changed(changed, traits_of(tx.connection, changed))
    if tx.reads_only:
        tx.memory.keep("similar", seq, corpus)
    return corpus


def in_words(one: Alike) -> str:
    """Return a similar incident as a sentence for somebody who joins: which, how like, what ended it."""
    ended = _recorded(one.traits.mitigation)
    how = f", ended by: {ended}" if ended else ""
    return f"Like INC-{one.traits.number} {one.traits.title} ({percent(one.score)}){how}"


def _view(one: Alike, world: World) -> SimilarIncident:
    was = one.traits
    return SimilarIncident(
        number=was.number,
        key=f"INC-{was.number}",
        title=was.title,
        status=was.status,
        declared_at=was.declared_at,
        service=was.service,
        score=round(one.score, 3),
        reasons=one.reasons,
        cause=_recorded(was.cause),
        mitigation=_recorded(was.mitigation),
        lasted_s=(was.resolved_at - was.started_at).total_seconds() if was.resolved_at else None,
        url=f"{world.url}/i/{was.number}",
    )


def _recorded(text: str) -> str:
    return "" if text in (NOT_KNOWN, "none recorded") else text
