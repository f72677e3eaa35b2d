"""Operations on causes that people think of: add one, confirm it, refute it, each with a reason.

A person's word is evidence like any other, shown with the name; the ranking follows at once, and from a confirmed
cause a mitigation is proposed anew.
"""

from dataclasses import dataclass

from stanch.diagnose.kinds import KINDS
from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import ActorKind
from stanch.kernel.errors import Invalid, Problem, Refused
from stanch.operations import cases
from stanch.operations.diagnosing import rank_now
from stanch.operations.investigation import conclude
from stanch.operations.next_tests import one_of
from stanch.operations.registry import Effect, operation
from stanch.operations.showing import incident_view
from stanch.operations.views import IncidentView
from stanch.operations.world import Call
from stanch.store import Transaction


@dataclass(frozen=True, kw_only=True)
class AddHypothesis:
    """A possible cause in words. With `cause`, a kind such as `bad_deploy`, the mitigations of that kind follow.

    `cites` are ids of findings of the incident that it rests on; a program that has an idea must cite some.
    """

    incident: int
    title: str
    reason: str
    cause: str = ""
    service: str = ""
    target: str = ""
    cites: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JudgeHypothesis:
    """A hypothesis, by its id or its place in the ranking, and why it is the cause, or why not."""

    incident: int
    hypothesis: str
    reason: str


@operation(
    "hypothesis.add",
    effect=Effect.WRITE,
    example={"incident": 1, "title": "the new firewall rule", "reason": "it went live two minutes before"},
)
def add(call: Call, request: AddHypothesis) -> IncidentView:
    """Add a possible cause of one's own; it is ranked among the others."""
    _check(call, request)
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        _check_cited(call, state, request.cites)
        added = ev.HypothesisAdded(
            hypothesis=f"own/{len(state.added) + 1}",
            title=request.title.strip(),
            reason=request.reason.strip(),
            cause=request.cause,
            service=request.service,
            target=request.target,
            cites=request.cites,
        )
        return _ranked(tx, call, state, added)


@operation(
    "hypothesis.confirm",
    effect=Effect.WRITE,
    example={"incident": 1, "hypothesis": "1", "reason": "the trace ends in the line that the release changed"},
)
def confirm(call: Call, request: JudgeHypothesis) -> IncidentView:
    """Say that this is the cause, and why; a mitigation is proposed for it."""
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        one = one_of(state, request.hypothesis)
        reason = _reason(request.reason)
        if not call.actor.is_person:
            raise Refused("only a person can confirm a cause", reason="confirm_needs_a_person")
        return _ranked(
            tx, call, state, ev.HypothesisConfirmed(hypothesis=one.id, title=one.title, reason=reason), anew=True
        )


@operation(
    "hypothesis.refute",
    effect=Effect.WRITE,
    example={"incident": 1, "hypothesis": "1", "reason": "the same release runs well in the other region"},
)
def refute(call: Call, request: JudgeHypothesis) -> IncidentView:
    """Say that this is not the cause, and why."""
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        one = one_of(state, request.hypothesis)
        if call.actor.kind is ActorKind.AGENT:
            raise Refused("a program may doubt a cause in a note, not refute it", reason="refute_needs_a_person")
        refuted = ev.HypothesisRefuted(hypothesis=one.id, title=one.title, reason=_reason(request.reason))
        return _ranked(tx, call, state, refuted)


def _ranked(
    tx: Transaction, call: Call, state: IncidentState, said: ev.IncidentEvent, *, anew: bool = False
) -> IncidentView:
    cases.record(tx, state.number, said, actor=call.actor, via=call.via)
    state = cases.load(tx, state.number)
    cases.record(tx, state.number, *rank_now(tx, call.world, state, now=call.now))
    conclude(tx, call.world, cases.load(tx, state.number), anew=anew)
    return incident_view(tx, call.world, cases.load(tx, state.number), now=call.now)


def _reason(text: str) -> str:
    if not text.strip():
        raise Invalid("say why", field="reason")
    return text.strip()


def _check_cited(call: Call, state: IncidentState, cites: tuple[str, ...]) -> None:
    """Raise `Invalid` for a finding that there is not, and for a program's idea that rests on none."""
    known = {one.id for one in state.findings.values()}
    if unknown := [one for one in cites if one not in known]:
        raise Invalid(f"{state.key} has no finding {unknown[0]!r}", field="cites")
    if not cites and call.actor.kind is ActorKind.AGENT:
        raise Invalid("cite the findings that it rests on", field="cites")


def _check(call: Call, request: AddHypothesis) -> None:
    kinds = [kind.name for kind in KINDS]
    problems = [
        Problem(field=name, message="needs a text")
        for name, text in (("title", request.title), ("reason", request.reason))
        if not text.strip()
    ]
    if request.cause and request.cause not in kinds:
        problems.append(Problem(field="cause", message=f"is none of {', '.join(kinds)}"))
    known = call.world.catalog.services
    if request.service and known and request.service not in known:
        problems.append(Problem(field="service", message=f"there is no service {request.service!r} in the catalog"))
    if problems:
        raise Invalid(problems=problems)
