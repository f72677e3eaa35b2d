"""Drafts a handoff from what is on record. Pure: facts in, Markdown out; nothing that is not in the facts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from stanch.kernel.duration import format_duration
from stanch.kernel.zone import in_zone


@dataclass(frozen=True, kw_only=True)
class CaseNote:
    """An incident of the shift: `outcome` is what it came to, `steps` what is still to do."""

    key: str
    title: str
    severity: str
    status: str
    is_open: bool
    url: str
    services: tuple[str, ...] = ()
    cause: str = ""
    outcome: str = ""
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AlertNote:
    """Alerts of one kind: how often, whether one is still firing, and what they came to."""

    title: str
    service: str
    count: int
    firing: bool
    last_at: datetime
    lasted_s: float
    outcome: str


@dataclass(frozen=True, kw_only=True)
class ChangeNote:
    """Something that changed."""

    at: datetime
    service: str
    kind: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Handing:
    """Everything that is handed over."""

    schedule: str
    giver: str
    taker: str
    at: datetime
    since: datetime
    zone: str
    cases: tuple[CaseNote, ...] = ()
    alerts: tuple[AlertNote, ...] = ()
    changes: tuple[ChangeNote, ...] = ()
    runbooks: tuple[tuple[str, str], ...] = ()
    pages: int = 0
    ahead: tuple[str, ...] = ()


def draft(handing: Handing) -> str:
    """Return the document: open incidents first, as they are what the next person needs first."""
    return "\n".join(_lines(handing)).rstrip() + "\n"


def _lines(handing: Handing) -> Iterator[str]:
    at = in_zone(handing.at, handing.zone)
    yield f"# Handoff: {handing.schedule}, {at:%Y-%m-%d %H:%M} {handing.zone}"
    yield ""
    length = format_duration(handing.at - handing.since)
    yield f"From {handing.giver} to {handing.taker}. The shift was {length}, with {_counted(handing.pages, 'page')}."
    still = [one for one in handing.cases if one.is_open]
    over = [one for one in handing.cases if not one.is_open]
    yield from _section("Open incidents", [line for one in still for line in _case(one)], "None is open.")
    yield from _section("Incidents of this shift that are over", [line for one in over for line in _case(one)], "None.")
    yield from _section("Alerts", [_alert(one, handing.zone) for one in handing.alerts], "None fired.")
    yield from _section("Recent changes", [_change(one, handing.zone) for one in handing.changes], "Nothing changed.")
    books = [f"- [{title}]({url})" if url else f"- {title}" for title, url in handing.runbooks]
    yield from _section("Runbooks for the above", books, "None matches.")
    yield from _section("What to watch", [f"- {one}" for one in _watch(handing)], "Nothing in particular.")
    yield from _section("From me", [], "(what the log does not say)")


def _section(title: str, lines: Sequence[str], otherwise: str) -> Iterable[str]:
    yield from ("", f"## {title}", "")
    yield from lines or [otherwise]


def _case(one: CaseNote) -> Iterator[str]:
    services = f", {', '.join(one.services)}" if one.services else ""
    yield f"- [{one.key}]({one.url}) {one.severity} {one.status}: {one.title}{services}"
    if one.cause:
        yield f"  - Cause: {one.cause}"
    if one.outcome:
        yield f"  - Outcome: {one.outcome}"
    for step in one.steps:
        yield f"  - To do: {step}"


def _alert(one: AlertNote, zone: str) -> str:
    often = f" ({one.count} times)" if one.count > 1 else ""
    last = f"{in_zone(one.last_at, zone):%a %H:%M}"
    state = "still firing" if one.firing else f"over, {one.outcome}" if one.outcome else "over"
    return f"- {one.service}: {one.title}{often}, last {last}, {state}"


def _change(one: ChangeNote, zone: str) -> str:
    return f"- {in_zone(one.at, zone):%a %H:%M} {one.service or 'all'}: {one.kind} {one.title}".rstrip()


def _watch(handing: Handing) -> Iterator[str]:
    for one in handing.alerts:
        if one.firing:
            yield f"{one.service}: {one.title} is firing now"
        elif one.count > 2:
            yield f"{one.service}: {one.title} came back {one.count} times"
    for case in handing.cases:
        if case.is_open and case.status in ("monitoring", "mitigating"):
            yield f"{case.key}: the mitigation holds only as long as its figures do"
    yield from handing.ahead


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count or 'no'} {what}s"


CHECKLIST = (
    ("reachable", "I was paged for a test and answered: every method works"),
    ("charged", "Phone and laptop are charged, with their chargers"),
    ("network", "I have a network where I will be, and another way if it fails"),
    ("access", "I can log in to what I must reach: this page, the cluster, the databases"),
    ("read", "I have read the handoff and the open incidents"),
    ("backup", "I know who backs me up and how long I have to answer"),
    ("calendar", "My calendar has no flight, no operation and no concert in the shift"),
)
"""What is ready before a shift (O4): a stable name and the sentence one agrees to."""
