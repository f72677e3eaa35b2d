"""A small set of operations to serve: one of each effect, one that fails in every way."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from stanch.catalog.model import Catalog, Person
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Bug, Conflict, Forbidden, NotFound, Refused, StanchError, Unavailable
from stanch.kernel.event import NewEvent
from stanch.operations.registry import Effect, Operation
from stanch.operations.world import Call, World
from stanch.store import Store

START: Final = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
ERRORS: Final[dict[str, StanchError]] = {
    "refused": Refused("not now", reason="not_verified", hint="wait"),
    "not_found": NotFound("no such desk"),
    "conflict": Conflict("moved on"),
    "forbidden": Forbidden("not you"),
    "unavailable": Unavailable("far end is silent", retry=True),
    "bug": Bug("impossible"),
}


@dataclass(frozen=True, kw_only=True)
class Look:
    """What to look at."""

    number: int
    tags: tuple[str, ...] = ()
    deep: bool = False


@dataclass(frozen=True, kw_only=True)
class Write:
    """What to write down."""

    text: str
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was asked, by whom, through which surface."""

    asked: str
    actor: str
    kind: str
    via: str


def _look(call: Call, request: object) -> Seen:
    return Seen(asked=repr(request), actor=call.actor.label, kind=call.actor.kind.value, via=call.via.value)


def _write(call: Call, request: Write) -> Seen:
    with call.world.store.writing() as tx:
        tx.append("desk", [NewEvent(kind="desk.written", data={"text": request.text})], actor=call.actor, incident=7)
    return _look(call, request)


def _fail(call: Call, request: Write) -> Seen:
    if request.text in ERRORS:
        raise ERRORS[request.text]
    raise RuntimeError(f"a secret: {request.text}")


def _entry(name: str, effect: Effect, request: type, run: Callable[..., Seen], **example: object) -> Operation:  # type: ignore[type-arg]
    return Operation(
        name=name, effect=effect, request=request, answer=Seen, run=run, doc=f"Do {name}.\n\nMore.", example=example
    )


def operations() -> dict[str, Operation]:  # type: ignore[type-arg]
    """Return the operations by name."""
    entries = (
        _entry("desk.look", Effect.READ, Look, _look, number=1),
        _entry("desk.write", Effect.WRITE, Write, _write, text="a note"),
        _entry("desk.approve", Effect.APPROVE, Write, _look, text="yes"),
        _entry("desk.fail", Effect.WRITE, Write, _fail, text="refused"),
    )
    return {entry.name: entry for entry in entries}


def world(store: Store) -> World:
    """Return a world on `store` in which one person is known."""
    people = {"alice": Person(id="alice", name="Alice Adams")}
    return World(store=store, clock=ManualClock(START), catalog=Catalog(people=people))
