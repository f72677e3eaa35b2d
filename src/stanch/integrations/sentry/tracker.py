"""The tracker port on Sentry: how everything stands in few calls, and close looks at errors, releases and spans.

How everything stands is seven calls, four at a time, for the whole organization and not for each project; what was
asked less than half a minute ago is not asked again. What one call does not tell is said and costs the others nothing.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar
from urllib.parse import quote

from stanch.integrations.sentry.api import Query, SentryApi, segment
from stanch.integrations.sentry.connecting import connection_of
from stanch.integrations.sentry.reading import (
    ERRORS,
    REQUESTS,
    alert_of,
    healthy,
    instant_of,
    issue_of,
    looked_into,
    points_of,
    release_of,
    suspects_of,
    team_of,
)
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
from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject
from stanch.ports.fetch import Fetch
from stanch.ports.query import SystemSpec
from stanch.ports.tracker import (
    Connection,
    FreeQuery,
    Period,
    Standing,
    Table,
    Team,
    TrackedAlert,
    TrackedIssue,
    TrackedRelease,
    TrackedStep,
)

_AT_A_TIME: Final = 4
_LOOKED_INTO: Final = 3
_TAGS: Final = ("release", "environment", "transaction", "server_name")
_SERIES_MOST: Final = 2_000

T = TypeVar("T")


class SentryTracker:
    """One organization, read for people; needs a token with `event:read`, `org:read` and `project:read`."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch) -> None:
        self._spec = spec
        self._api = SentryApi(spec, fetch=fetch)
        self._kept = Kept()

    @property
    def name(self) -> str:
        """Return its name in the configuration."""
        return self._spec.name

    @property
    def where(self) -> str:
        """Return where it is, and which organization."""
        return self._api.where

    @property
    def environment(self) -> str:
        """Return the environment that it is asked about, empty for all."""
        return self._spec.settings.get("environment", "")

    def connection(self) -> Connection:
        """Return how it is connected, with the rights that are missing. Asks Sentry."""
        return connection_of(self._spec, self._api)

    def standing(self, *, now: datetime) -> Standing:
        """Return how everything stands, at most half a minute old. Raises when nothing at all was answered."""
        return self._kept.get(lambda: self._look(now))

    def errors(self, *, service: str, period: Period, issue: str = "") -> tuple[TrackedIssue, ...]:
        """Return the errors of a service, of the first three all that is known; or the one that is named."""
        until = self._until()
        found = self._listed(service, period, issue=issue, until=until)
        if issue and not found:
            found = [self._by_number(service, period, issue=issue, until=until)]
        before = self._before(service, period, until=until) if not issue else {}
        normal = Period(start=period.start - (period.end - period.start), end=period.start)
        found = [
            replace(one, events_before=before.get(one.id, 0), normal_period=normal) if not issue else one
            for one in found
        ]
        with ThreadPoolExecutor(_LOOKED_INTO, thread_name_prefix="sentry") as pool:
            near = list(pool.map(lambda one: self._near(one, until=until), found[:_LOOKED_INTO]))
        return (*near, *found[_LOOKED_INTO:])

    def releases(self, *, service: str, period: Period) -> tuple[TrackedRelease, ...]:
        """Return the releases of a service, the newest first, with the health that sessions tell."""
        until = self._until()
        asked: Query = [*self._of(service), ("per_page", "50"), *self._api.environment]
        rows, _ = self._api.pages("releases", asked, timeout_s=_left_s(until), most=50)
        found = [
            one for row in rows for one in release_of(row, named=self._named) if not service or one.service == service
        ]
        found = newest_first(found, period=period)
        words = [("field", "sum(session)"), ("groupBy", "release"), ("groupBy", "session.status")]
        health = [*words, ("includeSeries", "0"), *self._of(service), *_stretch(period), *self._api.environment]
        try:
            answer = self._api.object("sessions", health, timeout_s=_left_s(until))
        except (Refused, Unavailable, Invalid):
            # Which releases there are is worth telling without their health; that none is known shows on each.
            return tuple(found)
        return healthy(found, answer, period=period)

    def steps(self, *, service: str, period: Period, normal: Period) -> tuple[TrackedStep, ...]:
        """Return the steps of a service's requests, those that cost most time beyond normal first."""
        until = self._until()
        fields = [("field", name) for name in FIELDS]
        asked = [("dataset", "spans"), *self._of(service), ("sort", f"-{SUM}"), ("per_page", "50"), *fields]
        since, before = (
            self._api.object(
                "events", [*asked, *self._api.environment, *_stretch(one)], timeout_s=_left_s(until)
            ).objects("data")
            for one in (period, normal)
        )
        return tracked_steps(service, since, before, period=period, normal=normal)

    def query(self, query: FreeQuery, *, period: Period) -> Table:
        """Answer a query in Sentry's search language, as rows or as a series."""
        words = [("dataset", query.dataset), ("query", query.text), *self._of(query.service), *_stretch(period)]
        words += self._api.environment
        if query.every_s:
            every_s = max(query.every_s, int(period.length_s / _SERIES_MOST) + 1)
            words += [("yAxis", query.fields[0]), ("interval", str(every_s))]
            answer = self._api.object("events-timeseries", words, timeout_s=self._spec.timeout_s)
            command = self._api.command("events-timeseries", words)
            return Table(period=period, command=command, series=points_of(answer))
        words += [("field", name) for name in query.fields]
        words += [("sort", query.sort)] if query.sort else []
        words += [("per_page", str(query.most_rows))]
        answer = self._api.object("events", words, timeout_s=self._spec.timeout_s)
        rows: tuple[dict[str, JSON], ...] = tuple(dict(row.data) for row in answer.objects("data"))
        cut = len(rows) >= query.most_rows
        return Table(period=period, command=self._api.command("events", words), rows=rows, cut=cut)

    def teams(self) -> tuple[Team, ...]:
        """Return the teams of the organization."""
        rows, _ = self._api.pages("teams", timeout_s=self._spec.timeout_s, most=200)
        return tuple(team_of(row) for row in rows)

    def _look(self, now: datetime) -> Standing:
        until = self._until()
        newest, recent, normal = stretches(now)
        lacking: list[str] = []
        problems: list[Refused | Unavailable | Invalid] = []

        def told(what: str, look: Callable[[], T], nothing: T) -> T:
            try:
                return look()
            except (Refused, Unavailable, Invalid) as error:
                lacking.append(f"{what}: {error.message}")
                problems.append(error)
                return nothing

        def table(dataset: str, fields: Sequence[str], period: Period) -> dict[str, JsonObject]:
            return self._table(dataset, fields, period, until=until)

        blank: dict[str, JsonObject] = {}
        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="sentry") as pool:
            issues = pool.submit(told, "issues", lambda: self._open_issues(recent, until=until), [])
            served = pool.submit(told, "requests", lambda: table("spans", REQUESTS, newest), blank)
            served_normal = pool.submit(told, "normal requests", lambda: table("spans", REQUESTS, normal), blank)
            errors = pool.submit(told, "errors", lambda: table("errors", ERRORS, newest), blank)
            errors_normal = pool.submit(told, "normal errors", lambda: table("errors", ERRORS, normal), blank)
            releases = pool.submit(told, "releases", lambda: self._releases(until=until), [])
            alerts = pool.submit(told, "metric alerts", lambda: self._alerts(until=until), [])
        if len(problems) == 7:
            raise problems[0]
        if not served.result() and not served_normal.result() and "requests" not in "".join(lacking):
            lacking.append(NO_TRACES)
        return Standing(
            recent=recent,
            normal=normal,
            services=services_of(
                self._spec,
                served.result(),
                served_normal.result(),
                errors.result(),
                errors_normal.result(),
                now=newest,
                normal=normal,
            ),
            issues=tuple(issues.result()),
            releases=tuple(releases.result()),
            alerts=tuple(alerts.result()),
            lacking=tuple(sorted(lacking)),
        )

    def _table(self, dataset: str, fields: Sequence[str], period: Period, *, until: float) -> dict[str, JsonObject]:
        asked = [("dataset", dataset), *_stretch(period), *((("field", name)) for name in fields), ("per_page", "100")]
        # Of a trace the spans that entered a service are its requests; all others are steps of them.
        asked += [("query", "is_transaction:true")] if dataset == "spans" else []
        answer = self._api.object("events", [*asked, *self._everyone, *self._api.environment], timeout_s=_left_s(until))
        return {row.text("project"): row for row in answer.objects("data")}

    def _open_issues(self, period: Period, *, until: float) -> list[TrackedIssue]:
        asked = [("query", "is:unresolved"), ("sort", "freq"), ("limit", "50"), ("groupStatsPeriod", "auto")]
        asked += [*_stretch(period), *self._everyone, *self._api.environment]
        rows, _ = self._api.pages("issues", asked, timeout_s=_left_s(until), most=50)
        found = [issue_of(row, period=period, named=self._named) for row in rows]
        return [one for one in found if one.service]

    def _releases(self, *, until: float) -> list[TrackedRelease]:
        asked = [("per_page", "50"), *self._everyone, *self._api.environment]
        rows, _ = self._api.pages("releases", asked, timeout_s=_left_s(until), most=50)
        return [one for row in rows for one in release_of(row, named=self._named)]

    def _alerts(self, *, until: float) -> list[TrackedAlert]:
        rows, _ = self._api.pages("incidents", [("status", "open"), *self._everyone], timeout_s=_left_s(until), most=50)
        return [alert_of(row, named=self._named) for row in rows]

    def _listed(self, service: str, period: Period, *, issue: str, until: float) -> list[TrackedIssue]:
        """Return the errors of a service with their counts of the period; or the one whose key is given."""
        asked = [*self._of(service), *_stretch(period), ("groupStatsPeriod", "auto"), *self._api.environment]
        asked += [("query", issue), ("shortIdLookup", "1")] if issue else [("query", ""), ("sort", "freq")]
        rows, _ = self._api.pages("issues", [*asked, ("limit", "25")], timeout_s=_left_s(until), most=25)
        return [issue_of(row, period=period, named=self._named) for row in rows]

    def _by_number(self, service: str, period: Period, *, issue: str, until: float) -> TrackedIssue:
        """Return an issue by its number. By itself it tells counts of all time; those of the period has the list."""
        row = self._api.object(f"issues/{segment(issue)}", timeout_s=_left_s(until))
        key = row.text("shortId")
        listed = self._listed(service, period, issue=key, until=until) if key and key != issue else []
        alone = replace(issue_of(row, period=period, named=self._named), events=0, users=0, buckets=())
        return next((one for one in listed if one.id == alone.id), alone)

    def _before(self, service: str, period: Period, *, until: float) -> dict[str, int]:
        earlier = Period(start=period.start - (period.end - period.start), end=period.start)
        asked = [("query", ""), ("sort", "freq"), ("limit", "100"), *self._of(service), *_stretch(earlier)]
        rows = self._api.objects("issues", [*asked, *self._api.environment], timeout_s=_left_s(until))
        return {row.text("id"): int(row.number("count") or 0) for row in rows}

    def _near(self, issue: TrackedIssue, *, until: float) -> TrackedIssue:
        """Return an issue with its newest event, tags and suspects, as far as Sentry tells them in time."""
        try:
            event = self._api.object(f"issues/{issue.id}/events/latest", timeout_s=_left_s(until))
            tags = {}
            for key in _TAGS:
                try:
                    tags[key] = self._api.object(f"issues/{issue.id}/tags/{key}", timeout_s=_left_s(until))
                except NotFound:
                    continue
            issue = looked_into(issue, event, tags)
            organization = quote(self._spec.settings.get("organization", ""), safe="")
            path = f"projects/{organization}/{quote(issue.project, safe='')}/events/{event.text('eventID')}/committers"
            answer = self._api.at(path, timeout_s=_left_s(until))
            return replace(issue, suspects=suspects_of(JsonObject(answer))) if isinstance(answer, dict) else issue
        except (Refused, Unavailable, Invalid):
            # Most issues have no suspect; what is known without the rest is told.
            return issue

    @property
    def _everyone(self) -> Query:
        """Return the parameter that asks about our projects, or about all that the token sees."""
        own = self._spec.services
        return [("project", self._api.project_of(service)) for service in own] or [("project", "-1")]

    def _of(self, service: str) -> Query:
        return [("project", self._api.project_of(service))] if service else self._everyone

    def _named(self, project: str) -> str:
        return service_of(self._spec, project)

    def _until(self) -> float:
        return time.monotonic() + self._spec.timeout_s


def _stretch(period: Period) -> Query:
    return [("start", instant_of(period.start.astimezone(UTC))), ("end", instant_of(period.end.astimezone(UTC)))]


def _left_s(until: float) -> float:
    left_s = until - time.monotonic()
    if left_s <= 0:
        raise Unavailable("the time was over before all was asked", retry=True)
    return left_s
