"""The tracker port on Sentry's MCP server: how everything stands, and the close looks that its tools can give.

Figures come from `search_events`, which answers an aggregate with JSON; its periods end now, so a stretch is cut out of
one by its bounds in the query. Metric alerts, suspects, health of releases and series are told by none of the tools:
where that is missing, it is said.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from stanch.integrations.sentry.api import project_of
from stanch.integrations.sentry.markdown import issues_in
from stanch.integrations.sentry.mcpcalls import McpCalls, Opened, Tool
from stanch.integrations.sentry.reading import ERRORS, REQUESTS
from stanch.integrations.sentry.spans import FIELDS, SUM
from stanch.integrations.sentry.standing import (
    NO_TRACES,
    Kept,
    newest_first,
    service_of,
    services_of,
    stretches,
    tracked_steps,
)
from stanch.integrations.sentry.throughmcp import period_over
from stanch.kernel.errors import Refused, StanchError, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject
from stanch.ports.query import SystemSpec
from stanch.ports.tracker import (
    Connection,
    FreeQuery,
    Period,
    Standing,
    Table,
    Team,
    TrackedIssue,
    TrackedRelease,
    TrackedStep,
)

_ISSUES: Final = ("issue", "project", "title", "count()", "count_unique(user)", "min(timestamp)", "max(timestamp)")
_MOST_ROWS: Final = 100
"""As many as the tool takes."""
_MOST_ISSUES: Final = 25
_DATASETS: Final = ("errors", "logs", "spans")
_FENCED: Final = re.compile(r"^```json\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
_AGGREGATE: Final = re.compile(r"\w+\(.*\)")
_LONGEST: Final = 300
_UNTOLD: Final = (
    "metric alerts: Sentry's MCP server has no tool for them",
    "trends of errors: Sentry's MCP server counts them over a whole period",
)
_NEEDED: Final = "inspect"


class McpTracker:
    """One organization, read for people through the server's tools. Each look is one session."""

    def __init__(self, spec: SystemSpec, *, opened: Opened | None = None) -> None:
        self._spec = spec
        self._calls = McpCalls(spec, opened=opened)
        self._kept = Kept()

    @property
    def name(self) -> str:
        """Return its name in the configuration."""
        return self._spec.name

    @property
    def where(self) -> str:
        """Return where it is, and which organization."""
        return self._calls.where

    @property
    def environment(self) -> str:
        """Return the environment that it is asked about, empty for all."""
        return self._spec.settings.get("environment", "")

    def connection(self) -> Connection:
        """Return the skills that the server has, and whether its token is worth something. Asks it."""
        skills = self._calls.skills(timeout_s=self._spec.timeout_s)
        if _NEEDED in skills:
            self._calls.one("search_issues", {"query": "is:unresolved", "limit": 1}, timeout_s=self._spec.timeout_s)
        return Connection(
            where=self.where,
            how="the token of its MCP server",
            organization=self._calls.organization,
            scopes=tuple(f"skill:{skill}" for skill in skills),
            missing=() if _NEEDED in skills else (f"skill:{_NEEDED}",),
        )

    def standing(self, *, now: datetime) -> Standing:
        """Return how everything stands, at most half a minute old. Raises when nothing at all was answered."""
        return self._kept.get(lambda: self._look(now))

    def errors(self, *, service: str, period: Period, issue: str = "") -> tuple[TrackedIssue, ...]:
        """Return the errors of a service beside the stretch before, or the one that is named."""
        before = Period(start=period.start - (period.end - period.start), end=period.start)
        words = f"issue:{_plain(issue)}" if issue else ""
        asked = [
            self._events("errors", _ISSUES, period, service=service, query=words),
            self._events("errors", ("issue", "count()"), before, service=service, query=words),
            self._fresh(period, service=service),
        ]
        found, earlier, fresh = self._calls.several(asked, timeout_s=self._spec.timeout_s)
        counts = {row.text("issue"): int(row.number("count()") or 0) for row in _rows(_said(earlier))}
        new = {one.id for one in issues_in(_said(fresh))}
        issues = (self._issue(row, period, new=new, before=before, counts=counts) for row in _rows(_said(found)))
        return tuple(one for one in issues if one.service)[:_MOST_ISSUES]

    def releases(self, *, service: str, period: Period) -> tuple[TrackedRelease, ...]:
        """Return the releases of a service, the newest first; nothing of their health."""
        found = self._releases_in(self._calls.one(*self._releases(service), timeout_s=self._spec.timeout_s))
        own = [one for one in found if not service or one.service == service]
        return tuple(newest_first(own, period=period))

    def steps(self, *, service: str, period: Period, normal: Period) -> tuple[TrackedStep, ...]:
        """Return the steps of a service's requests, those that cost most time beyond normal first."""
        asked = [self._events("spans", FIELDS, one, service=service, sort=f"-{SUM}") for one in (period, normal)]
        since, before = self._calls.several(asked, timeout_s=self._spec.timeout_s)
        return tracked_steps(service, _rows(_said(since)), _rows(_said(before)), period=period, normal=normal)

    def query(self, query: FreeQuery, *, period: Period) -> Table:
        """Answer a query that counts, as rows. Raises `Refused` for what the tool does not answer with figures."""
        if query.every_s:
            raise Refused("Sentry's MCP server has no tool for a series", reason="no_tool")
        if not any(_AGGREGATE.search(name) for name in query.fields):
            # Single events come as text for reading, in which one field cannot be told from another.
            raise Refused("through Sentry's MCP server a query has to count: add count()", reason="no_tool")
        tool = self._events(
            query.dataset,
            query.fields,
            period,
            service=query.service,
            query=query.text,
            sort=query.sort,
            most=min(query.most_rows, _MOST_ROWS),
        )
        rows = _rows(self._calls.one(*tool, timeout_s=self._spec.timeout_s))
        told: tuple[dict[str, JSON], ...] = tuple(
            {name: value for name, value in row.data.items() if name in query.fields} for row in rows
        )
        return Table(period=period, command=_shown(tool), rows=told, cut=len(rows) >= query.most_rows)

    def teams(self) -> tuple[Team, ...]:
        """Return the teams of the organization, as many as the tool tells."""
        answer = _object(self._calls.one("find_teams", {}, timeout_s=self._spec.timeout_s))
        return tuple(Team(slug=one.text("slug"), name=one.text("slug")) for one in answer.objects("teams"))

    def _look(self, now: datetime) -> Standing:
        newest, recent, normal = stretches(now)
        asked = {
            "requests": self._events("spans", REQUESTS, newest, query="is_transaction:true"),
            "normal requests": self._events("spans", REQUESTS, normal, query="is_transaction:true"),
            "errors": self._events("errors", ERRORS, newest),
            "normal errors": self._events("errors", ERRORS, normal),
            "issues": self._events("errors", _ISSUES, recent),
            "new issues": self._fresh(recent),
            "releases": self._releases(),
        }
        answers = dict(
            zip(asked, self._calls.several(list(asked.values()), timeout_s=self._spec.timeout_s), strict=True)
        )
        problems = {what: one for what, one in answers.items() if isinstance(one, StanchError)}
        if len(problems) == len(answers):
            raise next(iter(problems.values()))
        lacking = [*_UNTOLD, *(f"{what}: {error.message}" for what, error in problems.items())]
        told = {what: "" if isinstance(one, StanchError) else one for what, one in answers.items()}
        tables = tuple(
            {row.text("project"): row for row in _rows(told[what])}
            for what in ("requests", "normal requests", "errors", "normal errors")
        )
        if not tables[0] and not tables[1] and "requests" not in problems:
            lacking.append(NO_TRACES)
        new = {one.id for one in issues_in(told["new issues"])}
        issues = [self._issue(row, recent, new=new) for row in _rows(told["issues"])]
        return Standing(
            recent=recent,
            normal=normal,
            services=services_of(self._spec, *tables, now=newest, normal=normal),
            issues=tuple(one for one in issues if one.service),
            releases=tuple(self._releases_in(told["releases"])),
            lacking=tuple(sorted(lacking)),
        )

    def _issue(
        self,
        row: JsonObject,
        period: Period,
        *,
        new: set[str],
        before: Period | None = None,
        counts: dict[str, int] | None = None,
    ) -> TrackedIssue:
        key = row.text("issue")
        return TrackedIssue(
            id=key,
            key=key,
            title=row.text("title")[:_LONGEST],
            service=service_of(self._spec, row.text("project")),
            project=row.text("project"),
            kind="error",
            level="",
            status="new" if key in new else "ongoing",
            priority="",
            period=period,
            events=int(row.number("count()") or 0),
            users=int(row.number("count_unique(user)") or 0),
            # The first of the period is the first ever only where the server says that the issue is that new.
            first_seen=row.instant("min(timestamp)") if key in new else None,
            last_seen=row.instant("max(timestamp)"),
            events_before=None if counts is None else counts.get(key, 0),
            normal_period=before,
        )

    def _events(
        self,
        dataset: str,
        fields: Sequence[str],
        period: Period,
        *,
        service: str = "",
        query: str = "",
        sort: str = "",
        most: int = _MOST_ROWS,
    ) -> Tool:
        if dataset not in _DATASETS:
            raise Refused(f"Sentry's MCP server answers no queries of {dataset}", reason="no_tool")
        words = [query, f"timestamp:>={_written(period.start)}", f"timestamp:<{_written(period.end)}"]
        if self.environment:
            words.append(f"environment:{self.environment}")
        counted = next((name for name in fields if _AGGREGATE.search(name)), "")
        given: dict[str, object] = {
            "dataset": dataset,
            "query": " ".join(word for word in words if word),
            "fields": list(fields),
            "sort": sort or f"-{counted}",
            "period": _back_to(period.start),
            "limit": most,
        }
        if service:
            given["projectSlug"] = project_of(self._spec, service)
        return "search_events", given

    def _fresh(self, period: Period, *, service: str = "") -> Tool:
        given: dict[str, object] = {
            "query": f"firstSeen:>={_written(period.start)}",
            "sort": "freq",
            "period": period_over(datetime.now(UTC) - period.start),
            "limit": _MOST_ROWS,
        }
        if service:
            given["projectSlugOrId"] = project_of(self._spec, service)
        return "search_issues", given

    def _releases(self, service: str = "") -> Tool:
        return "find_releases", {"projectSlug": project_of(self._spec, service)} if service else {}

    def _releases_in(self, text: str) -> list[TrackedRelease]:
        return [
            TrackedRelease(
                version=one.text("version"),
                service=service,
                created_at=one.instant("dateReleased") or one.instant("dateCreated"),
                deployed_at=one.object("lastDeploy").instant("dateFinished"),
                environment=one.object("lastDeploy").text("environment"),
                commit=one.object("lastCommit").text("id"),
                author=one.object("lastCommit").text("author"),
                new_issues=int(one.number("newIssues") or 0),
            )
            for one in _object(text).objects("releases")
            for project in one.words("projects")
            if (service := service_of(self._spec, project))
        ]


def _said(answer: str | StanchError) -> str:
    if isinstance(answer, StanchError):
        raise answer
    return answer


def _back_to(start: datetime) -> str:
    """Return the server's period from `start` on: it ends now, by its own clock; the bounds in a query decide."""
    return f"{max(1, int((datetime.now(UTC) - start).total_seconds() // 3600) + 1)}h"


def _rows(text: str) -> list[JsonObject]:
    """Return the rows of an aggregate. The first fence is the server's: in the rows themselves no line begins so."""
    fenced = _FENCED.search(text)
    rows = _json(fenced[1]) if fenced else []
    return [JsonObject(row) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _object(text: str) -> JsonObject:
    found = _json(text) if text else {}
    return JsonObject(found if isinstance(found, dict) else {})


def _json(text: str) -> JSON:
    try:
        found: JSON = json.loads(text)
    except ValueError:
        raise Unavailable("what Sentry's MCP server answered is no JSON", retry=False) from None
    return found


def _shown(tool: Tool) -> str:
    name, given = tool
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})"


def _plain(issue: str) -> str:
    """Return what of a name can be in an issue's, so that it adds nothing else to a query."""
    return re.sub(r"[^A-Za-z0-9_-]", "", issue)


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
