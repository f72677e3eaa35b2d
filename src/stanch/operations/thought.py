"""One question to a language model, from putting it together to what is kept of the answer.

Owns the order of things: what it may cost is set aside in the log before anything leaves, and what came back is put
there as far as it is believed. Who may ask is `thinking`'s, sending is the engine's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from stanch.catalog.thinker import ThinkerSpec
from stanch.diagnose.thinking.checking import Believed, believe, claims_of, judged
from stanch.diagnose.thinking.ledger import Ledger, Thought, cost, ledger_of, tokens_for, why_not
from stanch.diagnose.thinking.material import Material, digest_of, material_of, safe
from stanch.diagnose.thinking.tasks import Task, task_of
from stanch.incidents import events as ev
from stanch.incidents.folding import fold_all
from stanch.incidents.recorded.thinking import Claim, Outcome, ThoughtAsked, ThoughtEnded, Use
from stanch.kernel.actor import Actor, Via
from stanch.kernel.errors import Bug, Invalid
from stanch.kernel.event import Event
from stanch.operations import cases
from stanch.operations.world import World
from stanch.ports.thinker import Answer, Ask, Stop, Thinker, Unanswered
from stanch.store import Transaction
from stanch.store.model import Timer

KIND: Final = "think"
_LONGEST_DETAIL: Final = 300
_STOPPED: Final = {
    Stop.REFUSED: (Outcome.REFUSED, "the model would not answer"),
    Stop.CUT_OFF: (Outcome.CUT_OFF, "the answer was cut off at its longest; nothing of it is kept"),
}


@dataclass(frozen=True, kw_only=True)
class Question:
    """What would be sent: the task, the material, and the digest of all that decides the answer."""

    use: Use
    task: Task
    material: Material
    digest: str
    upto: int
    claims: tuple[Claim, ...] = ()

    @property
    def characters(self) -> int:
        """Return how much would leave."""
        return len(self.task.words) + len(self.material.text) + len(msgspec.json.encode(self.task.schema))


def ledger_on(tx: Transaction, number: int) -> Ledger:
    """Return what a model was asked about an incident."""
    return ledger_of(tx.events(stream=ev.thinker_stream(number)))


def question_for(events: Sequence[Event], *, use: Use, spec: ThinkerSpec, claims: tuple[Claim, ...] = ()) -> Question:
    """Return what is asked of an incident whose log holds `events`, all of them."""
    state = fold_all(events)
    if state is None:
        raise Bug("a question about an incident that was never declared")
    material = material_of(state, events, most=spec.most_characters, claims=claims)
    task = task_of(use)
    digest = digest_of(spec.provider, spec.url, spec.model, str(spec.answer_tokens), task.words, material.text)
    return Question(use=use, task=task, material=material, digest=digest, upto=events[-1].seq, claims=claims)


def set_aside(
    tx: Transaction,
    world: World,
    thinker: Thinker,
    number: int,
    question: Question,
    *,
    ledger: Ledger,
    actor: Actor,
    via: Via,
    after: int = 0,
) -> str:
    """Put a question on record with what it may cost, and let it leave; return why not, empty when it does."""
    spec = world.catalog.thinker
    tokens, money = tokens_for(spec, question.characters)
    if why := why_not(spec, ledger, tokens=tokens, money=money):
        return why
    asked = ThoughtAsked(
        call=len(ledger.thoughts) + 1,
        use=question.use,
        provider=thinker.kind,
        place=thinker.place,
        model=thinker.model,
        digest=question.digest,
        characters=question.characters,
        reserved_tokens=tokens,
        reserved_money=money,
        redacted=question.material.redacted,
        left_out=question.material.left_out,
        upto=question.upto,
        after=after,
    )
    cases.record(tx, number, asked, actor=actor, via=via, stream=ev.thinker_stream(number))
    timer = Timer(
        id=f"inc{number}/think/{asked.call}",
        kind=KIND,
        due_at=world.clock.now(),
        incident=number,
        data={"call": asked.call},
    )
    tx.schedule(timer)
    return ""


def claims_before(ledger: Ledger, thought: Thought) -> tuple[Claim, ...]:
    """Return the hypotheses that a second pass looks at; none for any other use."""
    first = ledger.call(thought.asked.after) if thought.asked.use is Use.CONTRARY else None
    return first.ended.claims if first is not None and first.ended is not None else ()


def question_again(events: Sequence[Event], thought: Thought, *, spec: ThinkerSpec) -> Question | None:
    """Return the very question that was set aside, from the log as it was then; None where it is another now."""
    before = [event for event in events if event.seq <= thought.asked.upto]
    question = question_for(before, use=thought.asked.use, spec=spec, claims=claims_before(ledger_of(before), thought))
    return question if question.digest == thought.asked.digest else None


def ask_of(question: Question, thought: Thought, *, number: int, spec: ThinkerSpec) -> Ask:
    """Return the question as the port takes it."""
    return Ask(
        id=f"inc{number}/think/{thought.asked.call}",
        task=question.task.words,
        data=question.material.text,
        schema=question.task.schema,
        most_tokens=spec.answer_tokens,
    )


def answered(question: Question, thought: Thought, answer: Answer, *, spec: ThinkerSpec) -> ThoughtEnded:
    """Return what is kept of an answer."""
    counted = answer.input_tokens is not None and answer.output_tokens is not None
    tokens_in = answer.input_tokens if answer.input_tokens is not None else question.characters // 4
    tokens_out = answer.output_tokens if answer.output_tokens is not None else len(answer.text) // 4
    believed = Believed(statements=(), dropped={})
    outcome, detail = _STOPPED.get(answer.stop, (Outcome.ANSWERED, ""))
    if outcome is Outcome.ANSWERED:
        try:
            believed = believe(answer.text, use=question.use, material=question.material, claims=len(question.claims))
        except Invalid as error:
            outcome, detail = Outcome.UNREADABLE, f"the answer is not what was asked for: {error.message}"
    return ThoughtEnded(
        call=thought.asked.call,
        use=question.use,
        outcome=outcome,
        digest=question.digest,
        model=safe(answer.model, most=100) or thought.asked.model,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        counted=counted,
        money=cost(spec, tokens_in, tokens_out),
        took_s=round(answer.took_s, 3),
        detail=safe(detail, most=_LONGEST_DETAIL),
        statements=believed.statements,
        claims=_claims(question, believed, outcome),
        dropped=believed.dropped,
    )


def unanswered(thought: Thought, error: Unanswered) -> ThoughtEnded:
    """Return what is kept where none came: nothing, and what was set aside if the question may have been read."""
    hint = f"; {error.hint}" if error.hint else ""
    return _nothing(thought, Outcome.LOST if error.begun else Outcome.FAILED, f"{error.message}{hint}")


def given_up(thought: Thought, why: str, *, sent: bool) -> ThoughtEnded:
    """Return the end of a question that is not sent, or of which nobody knows what became."""
    return _nothing(thought, Outcome.UNKNOWN if sent else Outcome.FAILED, why)


def keep(tx: Transaction, world: World, number: int, thought: Thought, ended: ThoughtEnded) -> None:
    """Put an end on record, and ask what speaks against the hypotheses that it brought."""
    cases.load(tx, number, lock=True)
    ledger = ledger_on(tx, number)
    known = ledger.call(thought.asked.call)
    if known is None or known.ended is not None:
        return
    cases.record(tx, number, ended, stream=ev.thinker_stream(number))
    if ended.use is Use.HYPOTHESES and ended.claims and world.thinker is not None:
        look_twice(tx, world, world.thinker, number, thought.asked.call, actor=thought.by, via=Via.ENGINE)


def look_twice(
    tx: Transaction, world: World, thinker: Thinker, number: int, first: int, *, actor: Actor, via: Via
) -> str:
    """Ask what speaks against the hypotheses of the call `first`; return why not, empty when it is asked."""
    events, ledger = tx.events(incident=number), ledger_on(tx, number)
    found = ledger.call(first)
    claims = found.ended.claims if found is not None and found.ended is not None else ()
    question = question_for(events, use=Use.CONTRARY, spec=world.catalog.thinker, claims=claims)
    return set_aside(tx, world, thinker, number, question, ledger=ledger, actor=actor, via=via, after=first)


def _claims(question: Question, believed: Believed, outcome: Outcome) -> tuple[Claim, ...]:
    if outcome is not Outcome.ANSWERED:
        return ()
    if question.use is Use.HYPOTHESES:
        return claims_of(believed.statements)
    return judged(question.claims, believed.statements) if question.use is Use.CONTRARY else ()


def _nothing(thought: Thought, outcome: Outcome, detail: str) -> ThoughtEnded:
    return ThoughtEnded(
        call=thought.asked.call,
        use=thought.asked.use,
        outcome=outcome,
        digest=thought.asked.digest,
        model=thought.asked.model,
        detail=safe(detail, most=_LONGEST_DETAIL),
    )
