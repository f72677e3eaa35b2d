"""What was asked of a model about one incident, what it cost, and what is left to ask for. Pure: read from the log."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from stanch.catalog.thinker import ThinkerSpec
from stanch.incidents import events as ev
from stanch.incidents.recorded.thinking import Outcome, ThoughtAsked, ThoughtEnded, ThoughtSent, Use
from stanch.kernel.actor import Actor
from stanch.kernel.event import Event


@dataclass(frozen=True, kw_only=True)
class Thought:
    """One call: who asked, when it was sent, how it ended. `seq` is its entry in the log."""

    asked: ThoughtAsked
    by: Actor
    at: datetime
    seq: int
    sent: bool = False
    ended: ThoughtEnded | None = None
    ended_at: datetime | None = None

    @property
    def tokens(self) -> int:
        """Return what it cost, and until that is known what was set aside for it."""
        if self.ended is None or self.ended.outcome in (Outcome.LOST, Outcome.UNKNOWN):
            return self.asked.reserved_tokens
        return self.ended.tokens_in + self.ended.tokens_out

    @property
    def money(self) -> float:
        """Return the same in money."""
        if self.ended is None or self.ended.outcome in (Outcome.LOST, Outcome.UNKNOWN):
            return self.asked.reserved_money
        return self.ended.money


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Every call of one incident in its order."""

    thoughts: tuple[Thought, ...] = ()

    @property
    def tokens(self) -> int:
        """Return the tokens that were spent or are set aside."""
        return sum(one.tokens for one in self.thoughts)

    @property
    def money(self) -> float:
        """Return the money that was spent or is set aside."""
        return sum(one.money for one in self.thoughts)

    @property
    def under_way(self) -> Thought | None:
        """Return the call that has not ended."""
        return next((one for one in self.thoughts if one.ended is None), None)

    def call(self, number: int) -> Thought | None:
        """Return the call with this number."""
        return next((one for one in self.thoughts if one.asked.call == number), None)

    def answered(self, use: Use) -> Thought | None:
        """Return the newest call of a use that was answered."""
        found = (one for one in reversed(self.thoughts) if one.asked.use is use and _is_answer(one))
        return next(found, None)

    def same(self, digest: str) -> Thought | None:
        """Return a call that was asked the same and was answered."""
        return next((one for one in reversed(self.thoughts) if one.asked.digest == digest and _is_answer(one)), None)


def ledger_of(events: Iterable[Event]) -> Ledger:
    """Return what the log says of calls."""
    found: dict[int, Thought] = {}
    for event in events:
        if not event.kind.startswith("thinker."):
            continue
        record = ev.typed(event)
        if isinstance(record, ThoughtAsked):
            found[record.call] = Thought(asked=record, by=event.actor, at=event.at, seq=event.seq)
        elif isinstance(record, ThoughtSent) and record.call in found:
            found[record.call] = replace(found[record.call], sent=True)
        elif isinstance(record, ThoughtEnded) and record.call in found:
            found[record.call] = replace(found[record.call], ended=record, ended_at=event.at)
    return Ledger(thoughts=tuple(found.values()))


def tokens_for(spec: ThinkerSpec, characters: int) -> tuple[int, float]:
    """Return what a question of this many characters may cost at most, in tokens and money.

    A token is some four characters of English and fewer of other text; three is on the safe side.
    """
    read = -(-characters // 3)
    return read + spec.answer_tokens, cost(spec, read, spec.answer_tokens)


def cost(spec: ThinkerSpec, tokens_in: int, tokens_out: int) -> float:
    """Return what tokens cost in the currency of the prices: 2,000 in at 3.00 and 500 out at 15.00 are 0.0135."""
    return (tokens_in * spec.price_in + tokens_out * spec.price_out) / 1_000_000


def why_not(spec: ThinkerSpec, ledger: Ledger, *, tokens: int, money: float) -> str:
    """Return which limit of the incident's budget a call would break, empty when none."""
    if len(ledger.thoughts) >= spec.calls:
        return f"all {spec.calls} calls of this incident are used"
    if ledger.tokens + tokens > spec.tokens:
        return f"it may take {tokens:,} tokens, and {max(0, spec.tokens - ledger.tokens):,} of {spec.tokens:,} are left"
    if spec.money and ledger.money + money > spec.money:
        left = max(0.0, spec.money - ledger.money)
        return f"it may cost {money:.4f} {spec.currency}, and {left:.4f} of {spec.money:g} are left"
    return ""


def _is_answer(thought: Thought) -> bool:
    return thought.ended is not None and thought.ended.outcome is Outcome.ANSWERED
