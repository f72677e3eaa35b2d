"""Asks a language model what somebody asked for. Duty of the timer kind `think`.

That a question leaves is on record before it does. A node that finds one gone and no answer does not send it again:
what became of it is unknown, and it counts as spent.
"""

from stanch.diagnose.thinking.ledger import Thought
from stanch.engine.loop import Effect, nothing
from stanch.incidents import events as ev
from stanch.incidents.recorded.thinking import ThoughtEnded, ThoughtSent
from stanch.kernel.errors import Bug
from stanch.operations import cases
from stanch.operations.thought import Question, answered, ask_of, given_up, keep, ledger_on, question_again, unanswered
from stanch.operations.world import World
from stanch.ports.thinker import Thinker, Unanswered
from stanch.store import Transaction
from stanch.store.model import Timer

_DIED = "the process that asked died before an answer came"
_CHANGED = "the configuration or the program has changed since it was asked for; ask again"


def think(timer: Timer, world: World) -> Effect:
    """Ask once, and keep what is believed of the answer."""
    call = timer.data.get("call")
    if timer.incident is None or not isinstance(call, int):
        raise Bug(f"timer {timer.id} names no call")
    number, spec = timer.incident, world.catalog.thinker
    with world.store.reading() as view:
        thought = ledger_on(view, number).call(call)
        events = view.events(incident=number) if thought is not None and thought.ended is None else []
    if thought is None or thought.ended is not None:
        return nothing
    thinker = world.thinker
    question = question_again(events, thought, spec=spec)
    if thinker is None or thought.asked.use.value not in (*spec.uses, "contrary") or question is None:
        return _end(world, number, thought, given_up(thought, _CHANGED, sent=thought.sent))
    if not _mark_sent(world, number, call):
        return _end(world, number, thought, given_up(thought, _DIED, sent=True))
    return _end(world, number, thought, _asked(thinker, world, number, thought, question))


def _asked(thinker: Thinker, world: World, number: int, thought: Thought, question: Question) -> ThoughtEnded:
    spec = world.catalog.thinker
    try:
        answer = thinker.think(ask_of(question, thought, number=number, spec=spec))
    except Unanswered as error:
        return unanswered(thought, error)
    return answered(question, thought, answer, spec=spec)


def _mark_sent(world: World, number: int, call: int) -> bool:
    """Put on record that the question leaves; tell whether this node may send it."""
    with world.store.writing() as tx:
        cases.load(tx, number, lock=True)
        thought = ledger_on(tx, number).call(call)
        if thought is None or thought.sent or thought.ended is not None:
            return False
        cases.record(tx, number, ThoughtSent(call=call), stream=ev.thinker_stream(number))
    return True


def _end(world: World, number: int, thought: Thought, ended: ThoughtEnded) -> Effect:
    def effect(tx: Transaction) -> None:
        keep(tx, world, number, thought, ended)

    return effect
