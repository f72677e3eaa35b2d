"""Operations on senders: which there are and how they do, and alerts that a script sends."""

from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from stanch.alerts.inbound.model import SenderFigures
from stanch.alerts.inbound.tables import figures
from stanch.kernel.errors import Invalid
from stanch.operations.intake import missing_secret, take_parsed
from stanch.operations.pointing import LINES, line_for
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call
from stanch.ports.signals import AlertSignal, Parsed, SignalStatus

SCRIPTS = "script"
"""The source under which alerts of scripts are known."""

_LONGEST = 1000


@dataclass(frozen=True, kw_only=True)
class SendAlert:
    """An alert. `name`, `service` and `labels` identify it; `resolve` says that it is over."""

    name: str
    service: str = ""
    severity: str = "warning"
    summary: str = ""
    url: str = ""
    resolve: bool = False
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class AlertTaken:
    """That an alert is stored, and why nothing came of it where nothing did."""

    name: str
    resolved: bool
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
class AllSources:
    """With `shipped` also those that Stanch understands and that were never heard."""

    shipped: bool = False


@dataclass(frozen=True, kw_only=True)
class SourceCard:
    """A sender: where it posts, whether what it posts is checked, and how it does. Instants are UTC.

    `point` is the one line that points it at this server; `lacks` the variable of its secret where that is not set.
    """

    name: str
    kind: str
    point: str
    path: str
    configured: bool
    checked: bool
    lacks: str
    first_seen: datetime | None
    last_seen: datetime | None
    deliveries: int
    duplicates: int
    alerts: int
    changes: int
    refused: int
    invalid: int
    last_error: str
    last_error_at: datetime | None


@operation("alert.send", effect=Effect.WRITE, example={"name": "BackupFailed", "service": "payments"})
def send(call: Call, request: SendAlert) -> AlertTaken:
    """Send an alert, or say that it is over."""
    name = request.name.strip()
    if not name or len(name) > _LONGEST:
        raise Invalid(f"must have 1 to {_LONGEST} characters", field="name")
    labels = {**request.labels, "alertname": name}
    if request.service.strip():
        labels["service"] = request.service.strip()
    annotations = {"summary": request.summary or name, "severity": request.severity.strip().lower()}
    signal = AlertSignal(
        labels=labels,
        annotations=annotations,
        status=SignalStatus.RESOLVED if request.resolve else SignalStatus.FIRING,
        url=request.url,
    )
    taken = take_parsed(call.world, SCRIPTS, Parsed(alerts=(signal,)), body=msgspec.json.encode(request))
    return AlertTaken(name=name, resolved=request.resolve, remark=taken.remark)


@operation("source.list", effect=Effect.READ, example={})
def list_sources(call: Call, request: AllSources) -> tuple[SourceCard, ...]:
    """List the senders that are configured or were ever heard, with their last message and their errors."""
    world = call.world
    with world.store.reading() as view:
        found = figures(view.connection)
    shipped = {*world.signal_sources, *LINES} if request.shipped else set()
    names = sorted({*world.catalog.sources, *found, *shipped})
    return tuple(_card(call, name, found.get(name, SenderFigures(name=name))) for name in names)


def _card(call: Call, name: str, known: SenderFigures) -> SourceCard:
    world = call.world
    spec = world.catalog.sources.get(name)
    kind = (spec.kind if spec is not None else "") or name
    return SourceCard(
        name=name,
        kind=kind,
        point=line_for(kind, name=name, server=world.url),
        path=f"/hooks/{name}" if name in world.signal_sources else "",
        configured=spec is not None,
        checked=bool(world.signal_secrets.get(name)) or (spec is not None and bool(spec.topics)),
        lacks=missing_secret(world, spec, name),
        first_seen=known.first_seen,
        last_seen=known.last_seen,
        deliveries=known.deliveries,
        duplicates=known.duplicates,
        alerts=known.alerts,
        changes=known.changes,
        refused=known.refused,
        invalid=known.invalid,
        last_error=known.last_error,
        last_error_at=known.last_error_at,
    )
