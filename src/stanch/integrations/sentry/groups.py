"""Makes signals of Sentry's issues: how often since the onset and before, where in the code, in which releases. Pure.

The fields are those of https://docs.sentry.io/api/events/: `count` and `userCount` are of the stretch that was asked
about, `lifetime.firstSeen` is the first time ever. Of an event's exceptions the last is the one that was raised last,
and of its frames the last is where it was raised.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject
from stanch.ports.evidence import Signal

_MOST_FILES: Final = 8
_LONGEST_TITLE: Final = 300
_LONGEST_SAMPLE: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of an issue: where it was raised as `file:line in function`, a sample as text, the id of its trace."""

    culprit: str = ""
    files: tuple[str, ...] = ()
    sample: str = ""
    trace: str = ""


@dataclass(frozen=True, kw_only=True)
class Group:
    """An issue with what was asked about it: its count since the onset, and in an equal stretch before."""

    issue: JsonObject
    count: float
    before: float
    event: Event = Event()
    versions: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Return the issue's number."""
        return self.issue.text("id")

    @property
    def title(self) -> str:
        """Return the issue's title: the type and the message of the exception."""
        return self.issue.text("title")[:_LONGEST_TITLE]

    @property
    def first_seen(self) -> datetime | None:
        """Return when it was seen for the first time ever."""
        return self.issue.object("lifetime").instant("firstSeen") or self.issue.instant("firstSeen")

    @property
    def users(self) -> float:
        """Return how many users met it since the onset."""
        return self.issue.number("userCount") or 0.0

    @property
    def raised(self) -> bool:
        """Tell whether there is more of it than the baseline explains: three standard deviations of a Poisson count."""
        return self.count >= self.before + 3 * math.sqrt(max(1.0, self.before))


def groups_of(since: Iterable[JsonObject], before: Iterable[JsonObject], *, share: float) -> list[Group]:
    """Return the issues seen since the onset, those that are out of the ordinary first.

    `share` is the length of the time since over that of the time before. Metric and uptime issues are no errors.
    """
    known = {issue.text("id"): issue.number("count") or 0.0 for issue in before}
    found = [
        Group(issue=issue, count=issue.number("count") or 0.0, before=known.get(issue.text("id"), 0.0) * share)
        for issue in since
        if issue.text("issueCategory", "error") == "error"
    ]
    return sorted(found, key=lambda group: (not group.raised, group.before - group.count, group.id))


def event_of(event: JsonObject) -> Event:
    """Return the trace of an event: its culprit and its files, those of the application where it marks any."""
    values = [
        value
        for entry in event.objects("entries")
        if entry.text("type") == "exception"
        for value in entry.object("data").objects("values")
    ]
    frames: list[JsonObject] = []
    for value in reversed(values):
        frames = value.object("stacktrace").objects("frames")
        own = [frame for frame in frames if frame.text("inApp") == "true"]
        if own:
            frames = own
            break
    shown = frames[-_MOST_FILES:]
    trace = event.object("contexts").object("trace")
    lines = [f"  {_place(frame)}" for frame in shown]
    return Event(
        culprit=_place(shown[-1]) if shown else "",
        files=tuple(dict.fromkeys(frame.text("filename") for frame in shown if frame.text("filename"))),
        sample="\n".join([event.text("title"), *lines])[:_LONGEST_SAMPLE],
        trace=trace.text("trace_id"),
    )


def versions_of(tag: JsonObject) -> tuple[str, ...]:
    """Return the releases of a tag's values as versions: `payments@3.2.1` is 3.2.1."""
    values = (value.text("value") for value in tag.objects("topValues"))
    return tuple(dict.fromkeys(value.rpartition("@")[2] for value in values if value))


def signals_of(service: str, groups: Sequence[Group]) -> tuple[Signal, ...]:
    """Return a signal for each issue, and how many users met the one that met most."""
    found = [_signal(service, group) for group in groups]
    users = max((group.users for group in groups if group.raised), default=0.0)
    if users:
        found.append(Signal(name="users_affected", service=service, value=users, unit="users"))
    return tuple(found)


def row_of(group: Group) -> dict[str, JSON]:
    """Return an issue as a row of a table."""
    return {
        "issue": group.issue.text("shortId"),
        "title": group.title,
        "since": round(group.count),
        "before": round(group.before, 1),
        "users": round(group.users),
        "at": group.event.culprit or group.issue.text("culprit"),
        "url": group.issue.text("permalink"),
    }


def _signal(service: str, group: Group) -> Signal:
    data: Mapping[str, JSON] = {
        "fingerprint": f"sentry/{group.id}",
        "type": group.issue.object("metadata").text("type"),
        "culprit": group.event.culprit,
        "files": list[JSON](group.event.files),
        "versions": list[JSON](group.versions),
        "level": group.issue.text("level"),
        "url": group.issue.text("permalink"),
        "raised": group.raised,
    }
    return Signal(
        name="error_group",
        service=service,
        value=group.count,
        normal=round(group.before, 2),
        text=group.title,
        at=group.first_seen,
        data=dict(data),
    )


def _place(frame: JsonObject) -> str:
    line, function = frame.text("lineNo"), frame.text("function")
    file = frame.text("filename") or frame.text("module")
    return (f"{file}:{line}" if line else file) + (f" in {function}" if function else "")
