"""Operations on a language model: ask for a summary, a draft of the next update, possible causes; see what came of it.

Off unless the configuration names a model and what it may be asked for, and then only a person can ask. What comes back
is shown beside the log and moves nothing: a draft is sent by a person, a cause is taken up by one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.diagnose.thinking.ledger import Ledger, Thought
from stanch.incidents.recorded.thinking import Claim, Outcome, Standing, Statement, Use
from stanch.kernel.errors import Forbidden, Refused
from stanch.operations import cases
from stanch.operations.incident import ById
from stanch.operations.registry import Effect, operation
from stanch.operations.thought import ledger_on, look_twice, question_for, set_aside
from stanch.operations.world import Call, World
from stanch.ports.thinker import Thinker
from stanch.store import Transaction

_OFF: Final = "docs/thinker.md says how a model is configured and what then leaves"


@dataclass(frozen=True, kw_only=True)
class CallView:
    """One call: who asked whom for what, how it ended, what it cost, what was taken out of it and not believed of it.

    Tokens and money are what was set aside while its end is not known. `characters` is how much left.
    """

    call: int
    seq: int
    use: str
    at: datetime
    by: str
    provider: str
    place: str
    model: str
    outcome: str
    detail: str
    characters: int
    left_out: int
    tokens: int
    tokens_in: int
    tokens_out: int
    counted: bool
    money: float
    took_s: float
    redacted: dict[str, int]
    dropped: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class ThoughtView:
    """What is kept of an answer: sentences with what they cite. `stale` says that the log says more since."""

    call: int
    at: datetime
    by: str
    model: str
    text: str
    statements: tuple[Statement, ...]
    stale: bool


@dataclass(frozen=True, kw_only=True)
class ThinkerView:
    """What a model was asked about one incident. `uses` are those that are allowed, none where it is off; limits are
    the incident's, `money_limit` 0 for none. `claims` are hypotheses, of which none is in the ranking."""

    incident: int
    key: str
    provider: str
    model: str
    place: str
    uses: tuple[str, ...]
    under_way: str
    calls: int
    calls_limit: int
    tokens: int
    tokens_limit: int
    money: float
    money_limit: float
    currency: str
    summary: ThoughtView | None
    update: ThoughtView | None
    claims: tuple[Claim, ...]
    claims_by: str
    history: tuple[CallView, ...]


@operation("thinker.show", effect=Effect.READ, example={"incident": 1})
def show(call: Call, request: ById) -> ThinkerView:
    """Show what a language model was asked about an incident, by whom, what it cost, and what is believed of it."""
    with call.world.store.reading() as view:
        return _view(view, call.world, cases.load(view, request.incident).number)


@operation("thinker.summary", effect=Effect.WRITE, example={"incident": 1})
def summary(call: Call, request: ById) -> ThinkerView:
    """Ask the configured model for a summary; each sentence of it cites the log."""
    return _ask(call, request.incident, Use.SUMMARY, open_only=False)


@operation("thinker.update", effect=Effect.WRITE, example={"incident": 1})
def update(call: Call, request: ById) -> ThinkerView:
    """Ask the configured model for a draft of the next update, which a person edits and sends, or does not."""
    return _ask(call, request.incident, Use.UPDATE)


@operation("thinker.hypotheses", effect=Effect.WRITE, example={"incident": 1})
def hypotheses(call: Call, request: ById) -> ThinkerView:
    """Ask the configured model for possible causes, then what speaks against each; none of it enters the ranking."""
    return _ask(call, request.incident, Use.HYPOTHESES)


def _ask(call: Call, number: int, use: Use, *, open_only: bool = True) -> ThinkerView:
    thinker = _allowed(call, use)
    with call.world.store.writing() as tx:
        if open_only:
            cases.load_open(tx, number)
        else:
            cases.load(tx, number, lock=True)
        events = tx.events(incident=number)
        ledger = ledger_on(tx, number)
        if (busy := ledger.under_way) is not None:
            raise Refused(
                f"{busy.asked.model} is being asked already, by {busy.by.label}",
                reason="thinker_busy",
                hint="its answer appears as it comes",
            )
        question = question_for(events, use=use, spec=call.world.catalog.thinker)
        same = ledger.same(question.digest)
        if same is None:
            why = set_aside(tx, call.world, thinker, number, question, ledger=ledger, actor=call.actor, via=call.via)
        elif use is Use.HYPOTHESES and _unchecked(ledger, same):
            why = look_twice(tx, call.world, thinker, number, same.asked.call, actor=call.actor, via=call.via)
        else:
            why = ""  # The very same was answered before: that answer is shown, and nothing is spent.
        if why:
            raise Refused(why, reason="thinker_budget", hint="the limits stand under [thinker]")
        return _view(tx, call.world, number)


def _allowed(call: Call, use: Use) -> Thinker:
    """Return the model. Raises `Refused` where it may not be asked for this, `Forbidden` where nobody does."""
    thinker = call.world.thinker
    if thinker is None or use.value not in call.world.catalog.thinker.uses:
        raise Refused(f"no model may be asked for: {use.value}", reason="thinker_off", hint=_OFF)
    if not call.actor.is_person:
        raise Forbidden(
            f"{call.actor.label} may read what a model said, not ask one",
            reason="thinker_needs_a_person",
            hint="what leaves and what it costs is a person's decision",
        )
    return thinker


def _unchecked(ledger: Ledger, first: Thought) -> bool:
    claims, _ = _claims(ledger, first)
    return any(one.standing is Standing.UNCHECKED for one in claims)


def _claims(ledger: Ledger, first: Thought) -> tuple[tuple[Claim, ...], Thought]:
    """Return the hypotheses of a first pass as far as they were looked at, and the call that says so."""
    seconds = [
        one
        for one in ledger.thoughts
        if one.asked.after == first.asked.call and one.ended is not None and one.ended.outcome is Outcome.ANSWERED
    ]
    newest = seconds[-1] if seconds else first
    return newest.ended.claims if newest.ended is not None else (), newest


def _view(tx: Transaction, world: World, number: int) -> ThinkerView:
    spec, thinker = world.catalog.thinker, world.thinker
    ledger = ledger_on(tx, number)
    first = ledger.answered(Use.HYPOTHESES)
    busy = ledger.under_way
    return ThinkerView(
        incident=number,
        key=f"INC-{number}",
        provider=spec.provider,
        model=spec.model,
        place=thinker.place if thinker else "",
        uses=spec.uses if thinker else (),
        under_way=busy.asked.use.value if busy else "",
        calls=len(ledger.thoughts),
        calls_limit=spec.calls,
        tokens=ledger.tokens,
        tokens_limit=spec.tokens,
        money=ledger.money,
        money_limit=spec.money,
        currency=spec.currency,
        summary=_thought(tx, number, ledger.answered(Use.SUMMARY), ledger),
        update=_thought(tx, number, ledger.answered(Use.UPDATE), ledger),
        claims=_claims(ledger, first)[0] if first else (),
        claims_by=f"{first.asked.model}, asked by {first.by.label}" if first else "",
        history=tuple(_call(one) for one in ledger.thoughts),
    )


def _thought(tx: Transaction, number: int, thought: Thought | None, ledger: Ledger) -> ThoughtView | None:
    if thought is None or thought.ended is None or thought.ended_at is None:
        return None
    said = thought.ended.statements
    return ThoughtView(
        call=thought.asked.call,
        at=thought.ended_at,
        by=thought.by.label,
        model=thought.ended.model,
        text=" ".join(one.text for one in said),
        statements=said,
        stale=_is_stale(tx, number, thought, ledger),
    )


def _is_stale(tx: Transaction, number: int, thought: Thought, ledger: Ledger) -> bool:
    """Tell whether the log says anything since but what a model was asked: three entries a call at the most."""
    later = 3 * sum(one.seq >= thought.seq for one in ledger.thoughts) + 1
    since = tx.events(incident=number, after=thought.asked.upto, limit=later)
    return any(not event.kind.startswith("thinker.") for event in since)


def _call(one: Thought) -> CallView:
    ended = one.ended
    return CallView(
        call=one.asked.call,
        seq=one.seq,
        use=one.asked.use.value,
        at=one.at,
        by=one.by.label,
        provider=one.asked.provider,
        place=one.asked.place,
        model=ended.model if ended else one.asked.model,
        outcome=ended.outcome.value if ended else "under_way",
        detail=ended.detail if ended else "",
        characters=one.asked.characters,
        left_out=one.asked.left_out,
        tokens=one.tokens,
        tokens_in=ended.tokens_in if ended else 0,
        tokens_out=ended.tokens_out if ended else 0,
        counted=ended.counted if ended else False,
        money=one.money,
        took_s=ended.took_s if ended else 0.0,
        redacted=one.asked.redacted,
        dropped=ended.dropped if ended else {},
    )
