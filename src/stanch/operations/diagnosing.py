"""Ranks what is on record: the changes and the causes of one incident, from its findings and from what people said.

What an investigation asks, too. Collecting is the engine's business, what follows from a ranking `investigation`'s.
"""

from datetime import datetime, timedelta
from typing import Final

from stanch.catalog.changes import changes_between
from stanch.catalog.rules import deepest_first, neighbourhood
from stanch.diagnose.model import graph_of
from stanch.diagnose.named import THOUGHT_OF, Named
from stanch.diagnose.picture import picture_of
from stanch.diagnose.rank import rank_picture
from stanch.diagnose.suspects import rank_suspects
from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.operations.asking import collector_name
from stanch.operations.topology import with_seen_calls
from stanch.operations.world import World
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Question
from stanch.store import Transaction

_LOOK_BACK: Final = timedelta(days=30)
"""How far back a deploy says that the deploys of its service are recorded at all."""
_EXPLAINS: Final = timedelta(hours=24)
"""How old a change may be to be weighed as a cause."""
_MOST_SERVICES: Final = 40


BUILT_IN: Final = ("metrics", "calls", "logs", "changes", "alerts", "rootcause")
"""The collectors that every process has, by name; see `engine.collectors.built_in`."""


def available(world: World) -> tuple[str, ...]:
    """Return the names of the collectors that can be sent."""
    return (*BUILT_IN, *(collector_name(one) for one in world.systems), *(one.name for one in world.collectors))


def baseline_of(world: World) -> timedelta:
    """Return how long before an incident its normal is measured."""
    return timedelta(seconds=world.catalog.timing.baseline_s)


def question_of(state: IncidentState, world: World, *, now: datetime, about: tuple[str, ...] = ()) -> Question:
    """Return what the collectors of an incident are asked: its services and those around them, since the baseline.

    `about` asks about these services alone.
    """
    own = tuple(
        dict.fromkeys((*state.services, *(one.alert.labels.get("service", "") for one in state.alerts.values())))
    )
    named = [name for name in own if name]
    around = [name for name in neighbourhood(world.catalog, named) if name not in named]
    ordered = about or (*named, *deepest_first(world.catalog, sorted(around)))
    if not ordered:
        ordered = tuple(world.catalog.services)
    onset = min(state.started_at, now)
    return Question(
        incident=state.number,
        services=ordered[:_MOST_SERVICES],
        start=onset - baseline_of(world),
        end=now,
        onset=onset,
        endpoint=state.endpoint,
        text=state.text,
    )


def rank_now(
    tx: Transaction, world: World, state: IncidentState, *, now: datetime
) -> tuple[ev.ChangesRanked, ev.HypothesesRanked]:
    """Rank changes and causes from everything that is on record of an incident so far."""
    start = state.started_at - baseline_of(world)
    seen = with_seen_calls(tx.connection, world, start=start, end=now)
    changes, deployed = _changes(tx, seen, state, now=now)
    picture = picture_of(
        state.findings.values(),
        changes=changes,
        onset=state.started_at,
        graph=graph_of(seen.catalog),
        now=now,
        services=state.services,
        onset_low=state.started_low,
        onset_high=state.started_high,
        deployed=deployed,
    )
    named = [
        Named(
            id=one.hypothesis.hypothesis,
            title=one.hypothesis.title,
            reason=one.hypothesis.reason,
            by=one.by,
            cause=one.hypothesis.cause,
            service=one.hypothesis.service,
            target=one.hypothesis.target,
            weight=THOUGHT_OF if one.by_person else 0.0,
            about=one.hypothesis.about,
            claimed=not one.by_person,
        )
        for one in state.added.values()
    ]
    hypotheses = rank_picture(picture, round=state.round, named=named, judged=state.judged)
    return rank_suspects(picture, hypotheses), hypotheses


def _changes(
    tx: Transaction, world: World, state: IncidentState, *, now: datetime
) -> tuple[list[Change], frozenset[str]]:
    """Return the changes of the day before around the incident, and the services whose deploys are recorded."""
    services = tuple(neighbourhood(world.catalog, state.services)) if world.catalog.services else ()
    stored = changes_between(
        tx.connection, start=state.started_at - _LOOK_BACK, end=now + timedelta(seconds=1), services=services
    )
    deployed = frozenset(change.service for change in stored if change.kind is ChangeKind.DEPLOY)
    return [change for change in stored if state.started_at - change.at <= _EXPLAINS], deployed
