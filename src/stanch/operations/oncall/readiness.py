"""The operation that says whether everybody can be reached, with what the synthetic page measured last."""

from dataclasses import dataclass
from datetime import datetime

from stanch.oncall.escalation.model import NoticeState, Purpose
from stanch.oncall.escalation.state import PageState
from stanch.oncall.pages.tables import Trouble, find_pages, read_contacts, read_troubles
from stanch.oncall.readiness import Shortcoming, of_provider, shortcomings
from stanch.operations.paging import kinds_of, pagers_for
from stanch.operations.reaching import Reaching
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.store import Transaction


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Nothing needs to be said."""


@dataclass(frozen=True, kw_only=True)
class SyntheticView:
    """The last page that went the whole way to see whether it works; `took_s` is None while it has not arrived."""

    page: int
    at: datetime
    took_s: float | None
    said: str


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """Whether a page would arrive. `ready` is false when something grave is missing."""

    ready: bool
    configured: bool
    people: int
    shortcomings: tuple[Shortcoming, ...]
    synthetic: SyntheticView | None


@operation("oncall.readiness", effect=Effect.READ, example={})
def readiness(call: Call, request: Ask) -> Readiness:
    """Say who cannot be reached, which levels are empty, and which policies end nowhere."""
    with call.world.store.reading() as view:
        return readiness_of(view, call.world)


def readiness_of(tx: Transaction, world: World) -> Readiness:
    """Return the readiness as of now."""
    reaching = Reaching(tx, world, at=world.clock.now())
    found = shortcomings(
        world.catalog,
        read_contacts(tx.connection),
        people_of=reaching.people,
        served=frozenset(kinds_of(world)),
    )
    troubles = [one for one in read_troubles(tx.connection) if one.provider in world.pagers]
    refused = {one.provider for one in troubles}
    found += tuple(of_provider(one, alone=_is_alone(world, one, refused)) for one in troubles)
    found = tuple(sorted(found, key=lambda one: not one.grave))
    oncall = world.catalog.oncall
    synthetic = next(iter(find_pages(tx.connection, purpose=Purpose.SYNTHETIC, limit=1)), None)
    return Readiness(
        ready=not any(one.grave for one in found),
        configured=bool(oncall.policies or oncall.schedules),
        people=len([one for one in world.catalog.people.values() if one.methods]),
        shortcomings=found,
        synthetic=_synthetic(synthetic) if synthetic else None,
    )


def _is_alone(world: World, trouble: Trouble, refused: set[str]) -> bool:
    """Tell whether a kind of method has no provider left but those that do not accept us."""
    kinds = world.pagers[trouble.provider].kinds
    return any(all(one.name in refused for one in pagers_for(world, kind)) for kind in kinds)


def _synthetic(page: PageState) -> SyntheticView:
    arrived = [one.moved_at for one in page.notices if one.state is NoticeState.HANDED_OVER and one.moved_at]
    took_s = (min(arrived) - page.started_at).total_seconds() if arrived else None
    said = page.ended or "on its way"
    return SyntheticView(page=page.number, at=page.started_at, took_s=took_s, said=said)
