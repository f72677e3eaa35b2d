"""A small Sentry: one organization with issues, their events, spans and releases, as its web API answers.

It holds events with their times and counts them over the stretch that is asked about, as Sentry does. A token is
needed; `limited` answers 429 so often. Its answers, and what it is asked, are held against Sentry's own description.
"""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from stanch.kernel.event import JSON
from tests.support.farend import Asked, Reply, Site
from tests.support.sentryshapes import shaped

TOKEN: Final = "sntrys_hunter2hunter2hunter2"
ROOT: Final = "/api/0/organizations/shop/"
_SORTS: Final = ("date", "freq", "inbox", "new", "recommended", "trends", "user")
_DATASETS: Final = ("errors", "logs", "profile_functions", "spans", "tracemetrics", "uptime_results")
_Query = dict[str, list[str]]


@dataclass(frozen=True, kw_only=True)
class Issue:
    """An issue with the instants of its events, each met by another user; `frames` are (file, line, function)."""

    id: str
    project: str = "payments"
    title: str = "TypeError: 'NoneType' object is not subscriptable"
    seen: Sequence[datetime] = ()
    frames: Sequence[tuple[str, int, str]] = (("payments/validation.py", 31, "card_of"),)
    releases: Sequence[str] = ()
    level: str = "error"
    category: str = "error"


@dataclass(frozen=True, kw_only=True)
class Spans:
    """Equal spans of one kind between two instants, one a second."""

    start: datetime
    end: datetime
    ms: float
    op: str = "http.client"
    description: str = "POST /charge"
    domain: str = "acquirer"
    project: str = "payments"


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release that was deployed, or not."""

    version: str
    project: str = "payments"
    deployed_at: datetime | None = None
    environment: str = "production"
    commit: str = "a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d"


@dataclass
class FakeSentry:
    """What the organization `shop` has. `limited` is how often 429 is answered, with `reset_at` where it is set."""

    issues: list[Issue] = field(default_factory=list)
    spans: list[Spans] = field(default_factory=list)
    releases: list[Release] = field(default_factory=list)
    limited: int = 0
    reset_at: float | None = None
    site: Site = field(default_factory=lambda: Site(url=""))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Return where it listens."""
        return self.site.url

    @property
    def paths(self) -> list[str]:
        """Return the paths that were asked for, below the organization."""
        return [urlsplit(one.path).path.removeprefix(ROOT) for one in self.site.asked]

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        parts = urlsplit(asked.path)
        query = parse_qs(parts.query, keep_blank_values=True)
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _json({"detail": "Invalid token"}, status=401)
        with self._lock:
            if self.limited:
                self.limited -= 1
                told = () if self.reset_at is None else (("X-Sentry-Rate-Limit-Reset", f"{self.reset_at:.0f}"),)
                return _json({"detail": "You are attempting to use this endpoint too frequently."}, 429, told)
        if not parts.path.endswith("/") or not parts.path.startswith(ROOT):
            return _json({"detail": "The requested resource does not exist"}, status=404)
        match [unquote(one) for one in parts.path.removeprefix(ROOT).strip("/").split("/")]:
            case ["issues"]:
                return self._issues(query)
            case ["issues", id, "events", "latest"]:
                return self._of(id, _event)
            case ["issues", id, "tags", "release"]:
                return self._of(id, _release_tag)
            case ["events"]:
                return self._events(query)
            case ["releases"]:
                return _json([_release(one) for one in self.releases])
            case _:
                return _json({"detail": "The requested resource does not exist"}, status=404)

    def _issues(self, query: _Query) -> Reply:
        if query.get("sort", ["date"])[0] not in _SORTS:
            return _json({"sort": ["is not a valid choice."]}, status=400)
        start, end = _stretch(query)
        wanted = query.get("project", [])
        counted = [(one, [at for at in one.seen if start <= at < end]) for one in self.issues]
        shown = [(one, seen) for one, seen in counted if seen and (not wanted or one.project in wanted)]
        shown.sort(key=lambda pair: -len(pair[1]))
        return _json([_issue(one, seen) for one, seen in shown[: int(query.get("limit", ["100"])[0])]])

    def _events(self, query: _Query) -> Reply:
        if query.get("dataset", [""])[0] not in _DATASETS or not query.get("field"):
            return _json({"detail": "Invalid query"}, status=400)
        start, end = _stretch(query)
        rows: list[JSON] = []
        for one in self.spans:
            count = int((min(end, one.end) - max(start, one.start)).total_seconds())
            if count > 0 and one.project in query.get("project", [one.project]):
                values: dict[str, JSON] = {
                    "span.op": one.op,
                    "span.description": one.description,
                    "span.domain": one.domain,
                    "count()": count,
                    "p95(span.duration)": one.ms,
                    "sum(span.duration)": one.ms * count,
                }
                rows.append({name: values.get(name) for name in query["field"]})
        fields: dict[str, JSON] = {name: "duration" if "(span" in name else "string" for name in query["field"]}
        return _json({"data": rows, "meta": {"fields": fields}})

    def _of(self, id: str, make: Callable[[Issue], JSON]) -> Reply:
        found = next((one for one in self.issues if one.id == id), None)
        if found is None:
            return _json({"detail": "The requested resource does not exist"}, status=404)
        return _json(make(found))


@contextlib.contextmanager
def fake_sentry() -> Iterator[FakeSentry]:
    """Run a Sentry on a free port of this machine."""
    found = FakeSentry()
    with shaped(found.answer) as running:
        found.site = running
        yield found


def every(seconds: float, *, start: datetime, end: datetime) -> list[datetime]:
    """Return an instant every so many seconds in [start, end)."""
    return [start + timedelta(seconds=seconds * place) for place in range(int((end - start).total_seconds() / seconds))]


def plain_issue(
    id: str, *, project: str, title: str, level: str = "error", culprit: str | None = None
) -> dict[str, JSON]:
    """Return what every answer about an issue has."""
    type, _, value = title.partition(": ")
    return {
        "id": id,
        "shareId": None,
        "shortId": f"{project.upper()}-{id}",
        "title": title,
        "culprit": culprit,
        "permalink": f"https://shop.sentry.io/issues/{id}/",
        "logger": None,
        "level": level,
        "status": "unresolved",
        "statusDetails": {},
        "substatus": "new",
        "isPublic": False,
        "platform": "python",
        "priority": "high",
        "priorityLockedAt": None,
        "seerFixabilityScore": None,
        "seerAutofixLastTriggered": None,
        "seerExplorerAutofixLastTriggered": None,
        "project": {"id": "1", "name": project, "slug": project, "platform": "python"},
        "type": "error",
        "issueType": "error",
        "issueCategory": "error",
        "metadata": {"type": type, "value": value},
        "numComments": 0,
        "assignedTo": None,
        "isBookmarked": False,
        "isSubscribed": False,
        "subscriptionDetails": None,
        "hasSeen": False,
        "annotations": [],
        "isUnhandled": True,
    }


def _issue(one: Issue, seen: Sequence[datetime]) -> JSON:
    lifetime: dict[str, JSON] = {
        "count": str(len(one.seen)),
        "userCount": len(one.seen),
        "firstSeen": _written(min(one.seen)),
        "lastSeen": _written(max(one.seen)),
        "stats": None,
    }
    culprit = one.frames[-1][2] if one.frames else None
    return {
        **plain_issue(one.id, project=one.project, title=one.title, level=one.level, culprit=culprit),
        "issueType": one.category,
        "issueCategory": one.category,
        "count": str(len(seen)),
        "userCount": len(seen),
        "firstSeen": _written(min(seen)),
        "lastSeen": _written(max(seen)),
        "stats": {},
        "lifetime": lifetime,
        "filtered": None,
    }


def _event(one: Issue) -> JSON:
    type, _, value = one.title.partition(": ")
    frames: list[JSON] = [
        {"filename": file, "lineNo": line, "function": function, "inApp": not file.startswith("site-packages/")}
        for file, line, function in one.frames
    ]
    exception: dict[str, JSON] = {"type": type, "value": value, "stacktrace": {"frames": frames}}
    entries: list[JSON] = [{"type": "exception", "data": {"values": [exception]}}]
    return {
        "id": "9999aaaacc8b46d797c23c6077c6ff01",
        "groupID": one.id,
        "eventID": "9999aaaacc8b46d797c23c6077c6ff01",
        "projectID": "1",
        "message": "",
        "title": one.title,
        "location": None,
        "user": None,
        "tags": [{"key": "level", "value": one.level}],
        "platform": "python",
        "dateReceived": _written(max(one.seen)),
        "contexts": {"trace": {"trace_id": "8c7e5f0a1b2c4d3e8f9a0b1c2d3e4f50", "type": "trace"}},
        "size": 1024,
        "entries": entries,
        "dist": None,
        "sdk": None,
        "context": {},
        "packages": {},
        "type": "error",
        "metadata": {"type": type, "value": value},
        "errors": [],
        "occurrence": None,
        "_meta": {},
        "release": None,
        "userReport": None,
        "sdkUpdates": [],
        "resolvedWith": [],
        "nextEventID": None,
        "previousEventID": None,
    }


def _release_tag(one: Issue) -> JSON:
    values: list[JSON] = [
        {
            "key": release,
            "name": release,
            "value": release,
            "count": len(one.seen),
            "firstSeen": _written(min(one.seen)),
            "lastSeen": _written(max(one.seen)),
        }
        for release in one.releases
    ]
    count = len(values)
    return {"key": "release", "name": "Release", "uniqueValues": count, "totalValues": count, "topValues": values}


def plain_release(version: str, *, project: str = "payments") -> dict[str, JSON]:
    """Return what every answer about a release has."""
    return {
        "id": 1,
        "version": version,
        "status": "open",
        "shortVersion": version.rpartition("@")[2],
        "versionInfo": None,
        "ref": None,
        "url": None,
        "dateReleased": None,
        "data": {},
        "newGroups": 0,
        "lastCommit": None,
        "deployCount": 0,
        "commitCount": 1,
        "lastDeploy": None,
        "authors": [],
        "projects": [_project(project)],
    }


def _release(one: Release) -> JSON:
    deploy: JSON = None
    if one.deployed_at is not None:
        at = _written(one.deployed_at)
        deploy = {"id": "7", "environment": one.environment, "dateStarted": None, "dateFinished": at}
        deploy |= {"name": one.version, "url": None}
    return {
        **plain_release(one.version, project=one.project),
        "lastCommit": {"id": one.commit, "author": {"name": "Alice"}},
        "deployCount": int(deploy is not None),
        "lastDeploy": deploy,
    }


def _project(slug: str) -> JSON:
    return {
        "id": 1,
        "slug": slug,
        "name": slug,
        "newGroups": 0,
        "platform": "python",
        "platforms": ["python"],
        "hasHealthData": False,
    }


def _stretch(query: _Query) -> tuple[datetime, datetime]:
    start, end = (datetime.fromisoformat(query[name][0]).replace(tzinfo=UTC) for name in ("start", "end"))
    return start, end


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(value: JSON, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(status=status, body=json.dumps(value), headers=(("Content-Type", "application/json"), *headers))
