"""Operations on game days: list what can be played, begin one with a person's word, end it, score it from the log.

Nothing is broken here: that is done where the targets are. The record of game days is the stream `gamedays`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from stanch.catalog.gamedays.model import Expectation, Gamedays, Scenario, digest_of, services_of
from stanch.catalog.gamedays.reading import mismatches, read_gamedays
from stanch.incidents import events as ev
from stanch.incidents.impact import upstream_of
from stanch.incidents.tables import find as find_incidents
from stanch.kernel.actor import ActorKind
from stanch.kernel.codec import from_data, to_data
from stanch.kernel.errors import Conflict, Forbidden, NotFound, Refused
from stanch.kernel.event import Event, NewEvent
from stanch.operations import cases, items
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.review.gamedays.model import Mark, Score
from stanch.review.gamedays.rules import score
from stanch.review.gamedays.telling import markdown, to_do
from stanch.store import Transaction

STREAM: Final = "gamedays"
BEGAN: Final = "gameday.began"
ENDED: Final = "gameday.ended"
SCORED: Final = "gameday.scored"

# What a fault leads to may be noticed after it was taken back; later than this it is something else.
_LATEST: Final = timedelta(minutes=10)
# A runner that died is not waited for longer than its time and this.
_FORGOTTEN: Final = timedelta(minutes=1)
_MOST: Final = 200


@dataclass(frozen=True, kw_only=True)
class Every:
    """All game days and scenarios."""


@dataclass(frozen=True, kw_only=True)
class Begin:
    """Which scenario, on which targets in place of those that it names, and the digest of what was agreed to."""

    scenario: str
    digest: str
    on: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DoneStep:
    """A step that was carried out: what was done in words, when (UTC), when it was taken back, what went wrong."""

    step: int
    words: str
    done_at: datetime | None = None
    undone_at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class End:
    """A game day is over: why, and what was carried out."""

    gameday: int
    reason: str
    steps: tuple[DoneStep, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OneGameday:
    """A game day by its number, 0 for the newest; `incident` says which log to score where it is not the first."""

    gameday: int = 0
    incident: int | None = None


@dataclass(frozen=True, kw_only=True)
class Began:
    """What stands in the log when a game day begins."""

    gameday: int
    scenario: str
    title: str
    digest: str
    services: tuple[str, ...]
    targets: tuple[str, ...]
    within_s: float
    expect: Expectation
    away: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ScenarioView:
    """A scenario: what it does, the digest of it with its targets, and what keeps it from being played."""

    name: str
    title: str
    description: str
    shipped: bool
    targets: tuple[str, ...]
    services: tuple[str, ...]
    digest: str
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class GamedayView:
    """A game day and its score so far; `scored` says that it is on record."""

    gameday: int
    scenario: str
    title: str
    player: str
    began_at: datetime
    ended_at: datetime | None
    reason: str
    incident: int | None
    scored: bool
    held: int
    asked: int
    settled: bool
    marks: tuple[Mark, ...]
    steps: tuple[DoneStep, ...]
    markdown: str


@dataclass(frozen=True, kw_only=True)
class GamedaysView:
    """What can be played, what was played (the newest first), and what is wrong with the files."""

    scenarios: tuple[ScenarioView, ...]
    played: tuple[GamedayView, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class _Played:
    """A game day as its events say."""

    began: Began
    event: Event
    end: End | None = None
    ended_event: Event | None = None
    incident: int | None = None
    scored: bool = False

    @property
    def began_at(self) -> datetime:
        """Return when the first fault began (UTC): the beginning itself as long as nobody has told."""
        told = [step.done_at for step in self.end.steps if step.done_at] if self.end else []
        return min(told, default=self.event.recorded_at)

    @property
    def ended_at(self) -> datetime | None:
        """Return when the last fault was taken back (UTC)."""
        if self.end is None or self.ended_event is None:
            return None
        told = [step.undone_at for step in self.end.steps if step.undone_at]
        return max(told, default=self.ended_event.recorded_at)


@operation("gameday.list", effect=Effect.READ, example={})
def list_gamedays(call: Call, request: Every) -> GamedaysView:
    """List the scenarios that can be played, and the game days that were."""
    known = shelf_of(call.world)
    with call.world.store.reading() as view:
        played = tuple(_view(view, call, one) for one in reversed(_all(view)[-_MOST:]))
    return GamedaysView(
        scenarios=tuple(_scenario_view(one, known) for one in known.scenarios.values()),
        played=played,
        problems=tuple(f"{problem.field}: {problem.message}" for problem in known.problems),
    )


@operation("gameday.show", effect=Effect.READ, example={"gameday": 1})
def show(call: Call, request: OneGameday) -> GamedayView:
    """Show a game day with its score, from the log as it is now."""
    with call.world.store.reading() as view:
        return _view(view, call, _one(view, request.gameday), incident=request.incident)


@operation("gameday.begin", effect=Effect.APPROVE, example={"scenario": "killed-process", "digest": "0" * 64})
def begin(call: Call, request: Begin) -> GamedayView:
    """Say yes to a game day: refused while an incident is open on what it touches, or another is played."""
    known = shelf_of(call.world)
    scenario = known.scenarios.get(request.scenario)
    if scenario is None:
        raise NotFound(f"there is no scenario {request.scenario!r}", hint="see: stanch gameday list")
    scenario = scenario.on(request.on)
    if wrong := (*known.problems, *mismatches(scenario, known.targets)):
        said = "; ".join(f"{one.field}: {one.message}" for one in wrong)
        raise Refused(said, reason="not_declared", hint="docs/gamedays.md says how targets are declared")
    if digest_of(scenario, known.targets) != request.digest:
        raise Conflict(
            "the scenario or a target is not what was agreed to",
            reason="stale_digest",
            hint="the server and this machine must have the same folder gamedays; look again, then say yes again",
        )
    services = services_of(scenario, known.targets)
    with call.world.store.writing() as tx:
        tx.lock(STREAM)
        _refuse_while_something_is_wrong(tx, call, services)
        before = _all(tx)
        _refuse_a_second(before, now=call.now)
        record = Began(
            gameday=len(before) + 1,
            scenario=scenario.name,
            title=scenario.title,
            digest=request.digest,
            services=services,
            targets=scenario.targets,
            within_s=scenario.within_s,
            expect=scenario.expect,
            away=tuple(known.targets[name].person for name in scenario.away),
        )
        _append(tx, call, BEGAN, record)
        return _view(tx, call, _one(tx, record.gameday))


@operation("gameday.end", effect=Effect.WRITE, example={"gameday": 1, "reason": "time_over"})
def end(call: Call, request: End) -> GamedayView:
    """Record that a game day is over, with what was done and taken back; said again, the first word stands."""
    # Who played it began it as a person: an agent's word would stand in place of theirs.
    if call.actor.kind is ActorKind.AGENT:
        raise Forbidden(f"{call.actor.label} did not play it", reason="ending_needs_a_person")
    with call.world.store.writing() as tx:
        tx.lock(STREAM)
        one = _one(tx, request.gameday)
        if one.end is None:
            _append(tx, call, ENDED, request)
            one = _one(tx, request.gameday)
        return _view(tx, call, one)


@operation("gameday.score", effect=Effect.WRITE, example={"gameday": 1})
def put_score(call: Call, request: OneGameday) -> GamedayView:
    """Keep the score of a game day that is over, note it in the incident, and make what was missed action items."""
    with call.world.store.writing() as tx:
        tx.lock(STREAM)
        one = _one(tx, request.gameday)
        if one.end is None:
            raise Refused(f"game day {one.began.gameday} is not over", reason="not_over", hint="stanch gameday abort")
        if one.scored:
            return _view(tx, call, one)
        incident = request.incident or _incident_of(tx, call.world, one)
        found = _score(tx, call, one, incident=incident)
        told = {"gameday": one.began.gameday, "incident": incident, **to_data(found)}
        tx.append(STREAM, [NewEvent(kind=SCORED, data=told)], actor=call.actor, via=call.via)
        if incident is not None:
            note = f"Game day {one.began.gameday}, {one.began.title}: {found.held} of {found.asked} expectations held."
            cases.record(tx, incident, ev.NoteAdded(text=note), actor=call.actor, via=call.via)
        view = _view(tx, call, _one(tx, one.began.gameday))
    if incident is not None:
        for mark in found.missed:
            text, purpose = to_do(mark, title=one.began.title)
            items.add(call, items.AddItem(incident=incident, title=text[:500], purpose=purpose))
    return view


def shelf_of(world: World) -> Gamedays:
    """Return scenarios and targets as their files are now."""
    catalog = world.catalog
    return read_gamedays(Path(catalog.root), services=tuple(catalog.services), people=tuple(catalog.people))


def _scenario_view(scenario: Scenario, known: Gamedays) -> ScenarioView:
    wrong = mismatches(scenario, known.targets)
    return ScenarioView(
        name=scenario.name,
        title=scenario.title,
        description=scenario.description,
        shipped=scenario.shipped,
        targets=scenario.targets,
        services=services_of(scenario, known.targets),
        digest=digest_of(scenario, known.targets),
        problems=tuple(f"{problem.field}: {problem.message}" for problem in wrong),
    )


def _refuse_while_something_is_wrong(tx: Transaction, call: Call, services: tuple[str, ...]) -> None:
    near = {*services, *upstream_of(call.world.catalog, services)}
    touched = [one for one in find_incidents(tx.connection, open_only=True) if not services or near & {*one.services}]
    if touched:
        names = ", ".join(f"INC-{one.number}" for one in touched)
        raise Refused(
            f"{names} is open on what it would touch" if len(touched) == 1 else f"{names} are open on what it touches",
            reason="incident_open",
            hint="a game day never makes an incident worse: wait until it is over",
        )


def _refuse_a_second(before: Iterable[_Played], *, now: datetime) -> None:
    for one in before:
        due = one.event.recorded_at + timedelta(seconds=one.began.within_s) + _FORGOTTEN
        if one.end is None and now < due:
            raise Refused(
                f"game day {one.began.gameday} is being played: {one.began.title}",
                reason="another_gameday",
                hint="end it first: stanch gameday abort",
            )


def _append(tx: Transaction, call: Call, kind: str, record: object) -> None:
    tx.append(STREAM, [NewEvent(kind=kind, data=to_data(record))], actor=call.actor, via=call.via)


def _all(tx: Transaction) -> list[_Played]:
    """Return every game day, oldest first."""
    found: dict[int, _Played] = {}
    for event in tx.events(stream=STREAM):
        if event.kind == BEGAN:
            began = from_data(event.data, Began)
            found[began.gameday] = _Played(began=began, event=event)
            continue
        number = event.data.get("gameday")
        one = found.get(number) if isinstance(number, int) else None
        if one is None:
            continue
        if event.kind == ENDED:
            told = from_data(event.data, End)
            found[one.began.gameday] = _Played(began=one.began, event=one.event, end=told, ended_event=event)
        elif event.kind == SCORED:
            incident = event.data.get("incident")
            found[one.began.gameday] = _Played(
                began=one.began,
                event=one.event,
                end=one.end,
                ended_event=one.ended_event,
                incident=incident if isinstance(incident, int) else None,
                scored=True,
            )
    return list(found.values())


def _one(tx: Transaction, number: int) -> _Played:
    played = _all(tx)
    found = [one for one in played if one.began.gameday == number or not number]
    if not found:
        raise NotFound("no such game day was played", hint="see: stanch gameday list")
    return found[-1]


def _incident_of(tx: Transaction, world: World, one: _Played) -> int | None:
    """Return the first incident that was declared on what the game day touched, while it lasted or soon after."""
    if one.incident is not None:
        return one.incident
    near = {*one.began.services, *upstream_of(world.catalog, one.began.services)}
    over = one.ended_at or one.began_at + timedelta(seconds=one.began.within_s)
    fitting = [
        incident.number
        for incident in find_incidents(tx.connection, limit=_MOST)
        if one.event.recorded_at <= incident.declared_at <= over + _LATEST
        and (not near or near & {*incident.services})
        and incident.status.value not in ("dismissed", "merged")
    ]
    return min(fitting, default=None)


def _score(tx: Transaction, call: Call, one: _Played, *, incident: int | None) -> Score:
    return score(
        tx.events(incident=incident) if incident is not None else (),
        expect=one.began.expect,
        began_at=one.began_at,
        ended_at=one.ended_at,
        now=call.now,
        away=one.began.away,
    )


def _view(tx: Transaction, call: Call, one: _Played, *, incident: int | None = None) -> GamedayView:
    number = incident or _incident_of(tx, call.world, one)
    found = _score(tx, call, one, incident=number)
    steps = one.end.steps if one.end else ()
    return GamedayView(
        gameday=one.began.gameday,
        scenario=one.began.scenario,
        title=one.began.title,
        player=one.event.actor.label,
        began_at=one.began_at,
        ended_at=one.ended_at,
        reason=one.end.reason if one.end else "",
        incident=number,
        scored=one.scored,
        held=found.held,
        asked=found.asked,
        settled=found.is_settled,
        marks=found.marks,
        steps=steps,
        markdown=markdown(
            found,
            number=one.began.gameday,
            title=one.began.title,
            began_at=one.began_at,
            ended_at=one.ended_at,
            incident=number,
            url=call.world.url,
            steps=[_told(step) for step in steps],
            player=one.event.actor.label,
        ),
    )


def _told(step: DoneStep) -> str:
    done = f"{step.done_at:%H:%M:%S}" if step.done_at else "not done"
    undone = f"taken back at {step.undone_at:%H:%M:%S}" if step.undone_at else "not taken back"
    return f"{done}: {step.words}, {undone}" + (f" ({step.problem})" if step.problem else "")
