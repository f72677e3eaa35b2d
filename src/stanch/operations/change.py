"""Operations on changes and services: record what a pipeline did, list what changed, list what there is."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from stanch.catalog.changes import changes_between, record_changes
from stanch.kernel.errors import Invalid
from stanch.kernel.ids import new_id
from stanch.operations.overview import service_cards
from stanch.operations.registry import Effect, operation
from stanch.operations.views import ServiceCard
from stanch.operations.world import Call
from stanch.ports.changes import Change, ChangeKind

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class RecordChange:
    """One change, told by a pipeline or a person; `at` (UTC) is now by default, the same `id` twice is one change."""

    service: str
    kind: str = "deploy"
    version: str = ""
    previous: str = ""
    commit: str = ""
    title: str = ""
    at: datetime | None = None
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class ListChanges:
    """Changes since an instant (UTC), by default the last 24 hours; of one service, or of all."""

    service: str = ""
    since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class AllServices:
    """No arguments."""


@operation("change.record", effect=Effect.WRITE, example={"service": "payments", "kind": "deploy", "version": "v3.2.1"})
def record(call: Call, request: RecordChange) -> Change:
    """Record a change, so that it is known when something breaks."""
    if not request.service.strip():
        raise Invalid("say which service", field="service")
    try:
        kind = ChangeKind(request.kind)
    except ValueError:
        known = ", ".join(one.value for one in ChangeKind)
        raise Invalid(f"{request.kind!r} is none of {known}", field="kind") from None
    at = request.at or call.now
    if at > call.now + timedelta(minutes=5):
        raise Invalid("lies in the future", field="at")
    change = Change(
        id=request.id or f"told/{new_id(call.now)}",
        at=at,
        kind=kind,
        service=request.service.strip(),
        title=request.title or f"{request.service} {request.version or kind.value}".strip(),
        version=request.version,
        previous=request.previous,
        commit=request.commit,
        author=call.actor.label,
        source=call.via.value,
    )
    with call.world.store.writing() as tx:
        record_changes(tx.connection, [change], now=call.now)
    return change


@operation("change.list", effect=Effect.READ, example={"service": "payments"})
def list_changes(call: Call, request: ListChanges) -> tuple[Change, ...]:
    """List what changed, newest first."""
    services = (request.service,) if request.service else ()
    with call.world.store.reading() as view:
        found = changes_between(
            view.connection,
            start=request.since or call.now - _DAY,
            end=call.now + timedelta(seconds=1),
            services=services,
        )
    return tuple(reversed(found))


@operation("service.list", effect=Effect.READ, example={})
def list_services(call: Call, request: AllServices) -> tuple[ServiceCard, ...]:
    """List the services of the catalog as their checks see them."""
    with call.world.store.reading() as view:
        return service_cards(view, call.world, now=call.now)
