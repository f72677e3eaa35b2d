"""Operations on what customers report: take a report, list reports, and raise an alert when several agree."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.reports.tables import CustomerReport, add_report, count_reports, find_reports
from stanch.kernel.duration import format_duration
from stanch.kernel.errors import Invalid, Problem, Refused
from stanch.kernel.redaction import redact
from stanch.operations.intake import take_parsed
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.ports.signals import AlertSignal, Parsed, SignalStatus
from stanch.store.model import Timer

SOURCE: Final = "report"
"""The source under which alerts that customers' reports raise are known."""

TIMER: Final = "reports"
"""The kind of the timers that look whether the reports of a service have ended."""

RATE_WINDOW: Final = timedelta(minutes=10)
SHORTEST: Final = 5
LONGEST: Final = 2000
_LONGEST_CONTACT: Final = 200
_QUOTED: Final = 5
_MOST: Final = 200


@dataclass(frozen=True, kw_only=True)
class SendReport:
    """What a customer says is wrong; `service` where that is known, `contact` where an answer is wanted."""

    text: str
    service: str = ""
    contact: str = ""


@dataclass(frozen=True, kw_only=True)
class ReportTaken:
    """That a report is on record, and how many came of the service within the time that counts."""

    id: int
    counted: int
    alert: bool


@dataclass(frozen=True, kw_only=True)
class ListReports:
    """Which reports to list, the newest first; `before` is the number of the last one shown before."""

    service: str = ""
    before: int = 0
    limit: int = 50


@operation("report.send", effect=Effect.WRITE, example={"text": "I cannot pay by card", "service": "payments"})
def send_report(call: Call, request: SendReport) -> ReportTaken:
    """Record what a customer reports, for instance on the telephone."""
    return take_report(
        call.world,
        text=request.text,
        service=request.service,
        contact=request.contact,
        sender=f"{call.actor.kind.value}:{call.actor.id}",
    )


@operation("report.list", effect=Effect.READ, example={"service": "payments"})
def list_reports(call: Call, request: ListReports) -> tuple[CustomerReport, ...]:
    """List what customers reported."""
    if not 1 <= request.limit <= _MOST:
        raise Invalid(f"is 1 to {_MOST}", field="limit")
    with call.world.store.reading() as view:
        found = find_reports(
            view.connection, service=request.service or None, before=request.before or None, limit=request.limit
        )
    return tuple(found)


def take_report(world: World, *, text: str, service: str, contact: str, sender: str) -> ReportTaken:
    """Store a report, and raise an alert when enough of them agree on a service.

    `sender` tells one sender from another. Raises `Invalid` for a text that is none, `Refused` with the reason
    `too_many` when a sender, or all together, have sent too much, and `switched_off` where reports are not taken.
    """
    spec = world.catalog.report
    if not spec.enabled:
        raise Refused("reports are not taken here", reason="switched_off")
    clean = {"text": _plain(text), "contact": _plain(contact), "service": service.strip()}
    _check(world, **clean)
    now = world.clock.now()
    since = now - timedelta(seconds=spec.within_s)
    with world.store.writing() as tx:
        tx.lock("reports")
        lately = now - RATE_WINDOW
        if (
            count_reports(tx.connection, since=lately, sender=sender) >= spec.per_address
            or count_reports(tx.connection, since=lately) >= spec.overall
        ):
            raise Refused(
                "too many reports came in the last ten minutes", reason="too_many", hint="what you saw is known by now"
            )
        id = add_report(tx.connection, at=now, sender=sender, **clean)
        counted = count_reports(tx.connection, since=since, service=clean["service"])
        raises = counted >= spec.count
        if raises:
            tx.schedule(_timer(clean["service"], now + timedelta(seconds=spec.within_s)), replace=True)
    if raises:
        _raise(world, clean["service"], counted=counted)
    return ReportTaken(id=id, counted=counted, alert=raises)


def settle_reports(world: World, service: str, *, now: datetime) -> datetime | None:
    """End the alert of a service of which nothing was reported lately; else return when to look again."""
    since = now - timedelta(seconds=world.catalog.report.within_s)
    with world.store.reading() as view:
        counted = count_reports(view.connection, since=since, service=service)
        newest = find_reports(view.connection, service=service, limit=1)
    if counted and newest:
        return newest[0].at + timedelta(seconds=world.catalog.report.within_s)
    take_parsed(world, SOURCE, Parsed(alerts=(AlertSignal(labels=_labels(service), status=SignalStatus.RESOLVED),)))
    return None


def _raise(world: World, service: str, *, counted: int) -> None:
    spec = world.catalog.report
    with world.store.reading() as view:
        newest = find_reports(view.connection, service=service, limit=_QUOTED)
    about = service or "something they could not name"
    within = format_duration(timedelta(seconds=spec.within_s))
    annotations = {
        "summary": f"{counted} customers report trouble with {about} within {within}",
        "description": "\n".join(f"“{one.text}”" for one in newest),
        "severity": spec.severity,
    }
    take_parsed(world, SOURCE, Parsed(alerts=(AlertSignal(labels=_labels(service), annotations=annotations),)))


def _labels(service: str) -> dict[str, str]:
    return {"alertname": "CustomerReports"} | ({"service": service} if service else {})


def _timer(service: str, due_at: datetime) -> Timer:
    return Timer(id=f"reports/{service}", kind=TIMER, due_at=due_at, data={"service": service})


def _check(world: World, *, text: str, service: str, contact: str) -> None:
    problems = []
    if not SHORTEST <= len(text) <= LONGEST:
        problems.append(Problem(field="text", message=f"has {SHORTEST} to {LONGEST} characters"))
    if len(contact) > _LONGEST_CONTACT:
        problems.append(Problem(field="contact", message=f"has at most {_LONGEST_CONTACT} characters"))
    if service and service not in world.catalog.services:
        problems.append(Problem(field="service", message="is none that is known here"))
    if problems:
        raise Invalid(problems=problems)


def _plain(text: str) -> str:
    """Return a text without secrets and without what no database takes."""
    whole = text.replace("\x00", "").encode("utf-8", "replace").decode()
    return redact(whole.replace("\r\n", "\n")).strip()
