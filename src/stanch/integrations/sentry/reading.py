"""Makes the records of the tracker port of what Sentry answers. Pure; no call is made here.

Fields as in https://docs.sentry.io/api/; what is not in the public description (metric incidents, suspect commits) is
read so that a missing field is an empty one. A count of an issue covers the stretch that was asked about.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from stanch.integrations.sentry.groups import event_of, versions_of
from stanch.kernel.jsontext import JsonObject
from stanch.ports.tracker import (
    Figure,
    Period,
    ServiceFigures,
    Suspect,
    Team,
    TrackedAlert,
    TrackedIssue,
    TrackedRelease,
)

REQUESTS: Final = ("project", "count()", "failure_rate()", "p95(span.duration)")
ERRORS: Final = ("project", "count()", "count_unique(user)")
_INCIDENT: Final = {"20": "critical", "10": "warning"}
_LONGEST: Final = 300

Named = Callable[[str], str]
"""Returns the service of a project's slug, an empty text for one that nobody asks about."""


def issue_of(issue: JsonObject, *, period: Period, named: Named) -> TrackedIssue:
    """Return an issue as it stands in a list or by itself."""
    project = issue.object("project").text("slug")
    lifetime = issue.object("lifetime")
    return TrackedIssue(
        id=issue.text("id"),
        key=issue.text("shortId"),
        title=issue.text("title")[:_LONGEST],
        service=named(project),
        project=project,
        kind=issue.text("issueCategory", "error"),
        level=issue.text("level"),
        status=issue.text("substatus") or issue.text("status"),
        priority=issue.text("priority"),
        period=period,
        events=int(issue.number("count") or 0),
        users=int(issue.number("userCount") or 0),
        culprit=issue.text("culprit")[:_LONGEST],
        assigned=issue.object("assignedTo").text("name"),
        url=issue.text("permalink"),
        first_seen=lifetime.instant("firstSeen") or issue.instant("firstSeen"),
        last_seen=issue.instant("lastSeen"),
        buckets=_buckets(issue.object("stats")),
    )


def looked_into(issue: TrackedIssue, event: JsonObject, tags: Mapping[str, JsonObject]) -> TrackedIssue:
    """Return an issue with its newest event and the values of its tags, most frequent first."""
    found = event_of(event)
    return replace(
        issue,
        at=found.culprit,
        sample=found.sample,
        trace=found.trace,
        releases=versions_of(tags["release"]) if "release" in tags else issue.releases,
        tags={
            key: tuple(
                f"{one.text('name') or one.text('value')}: {one.text('count')}" for one in tag.objects("topValues")
            )
            for key, tag in tags.items()
        },
    )


def suspects_of(answer: JsonObject) -> tuple[Suspect, ...]:
    """Return the commits that Sentry suspects of an event."""
    return tuple(
        Suspect(
            commit=commit.text("id"),
            author=one.object("author").text("name") or one.object("author").text("email"),
            title=commit.text("message").partition("\n")[0][:_LONGEST],
            at=commit.instant("dateCreated"),
            url=commit.object("pullRequest").text("externalUrl"),
            why=commit.text("suspectCommitType"),
        )
        for one in answer.objects("committers")
        for commit in one.objects("commits")
    )


def release_of(release: JsonObject, *, named: Named) -> tuple[TrackedRelease, ...]:
    """Return a release once for each service whose project it belongs to."""
    deploy, commit = release.object("lastDeploy"), release.object("lastCommit")
    return tuple(
        TrackedRelease(
            version=release.text("version"),
            service=service,
            created_at=release.instant("dateReleased") or release.instant("dateCreated"),
            deployed_at=deploy.instant("dateFinished"),
            environment=deploy.text("environment"),
            commit=commit.text("id"),
            author=commit.object("author").text("name"),
            url=deploy.text("url") or release.text("url"),
            new_issues=int(project.number("newGroups") or 0),
            commits=int(release.number("commitCount") or 0),
        )
        for project in release.objects("projects")
        if (service := named(project.text("slug")))
    )


def healthy(releases: Sequence[TrackedRelease], answer: JsonObject, *, period: Period) -> tuple[TrackedRelease, ...]:
    """Return the releases with the health that their sessions tell, grouped by release and by status."""
    counted: dict[str, dict[str, float]] = {}
    for group in answer.objects("groups"):
        by = group.object("by")
        version = counted.setdefault(by.text("release"), {})
        version[by.text("session.status")] = group.object("totals").number("sum(session)") or 0.0
    found = []
    for release in releases:
        own = counted.get(release.version, {})
        total = sum(own.values())
        if total:
            share = 1.0 - own.get("crashed", 0.0) / total
            found.append(replace(release, sessions=round(total), crash_free=share, period=period))
        else:
            found.append(release)
    return tuple(found)


def alert_of(incident: JsonObject, *, named: Named) -> TrackedAlert:
    """Return a metric incident, as it stands in the list of those that are open."""
    rule = incident.object("alertRule")
    projects = incident.words("projects")
    return TrackedAlert(
        id=incident.text("identifier") or incident.text("id"),
        title=(incident.text("title") or rule.text("name"))[:_LONGEST],
        services=tuple(dict.fromkeys(service for slug in projects if (service := named(slug)))),
        severity=_INCIDENT.get(incident.text("status"), ""),
        started_at=incident.instant("dateStarted"),
        measures=" ".join(part for part in (rule.text("aggregate"), rule.text("query")) if part)[:_LONGEST],
    )


def team_of(team: JsonObject) -> Team:
    """Return a team."""
    members = team.number("memberCount")
    return Team(
        slug=team.text("slug"),
        name=team.text("name"),
        members=None if members is None else int(members),
        projects=tuple(one.text("slug") for one in team.objects("projects")),
    )


def figures_of(
    project: str,
    service: str,
    *,
    requests: Mapping[str, JsonObject],
    requests_normal: Mapping[str, JsonObject],
    errors: Mapping[str, JsonObject],
    errors_normal: Mapping[str, JsonObject],
    now: Period,
    normal: Period,
) -> ServiceFigures:
    """Return the figures of one project. Rates are per second, so that periods of other lengths can be compared."""
    nothing = JsonObject({})
    here, there = requests.get(project, nothing), requests_normal.get(project, nothing)
    wrong, wrong_before = errors.get(project, nothing), errors_normal.get(project, nothing)
    count, ratio = here.number("count()"), here.number("failure_rate()")
    failed = None if count is None or ratio is None else float(round(count * ratio))

    def beside(value: float | None, before: float | None, unit: str) -> Figure:
        return Figure(value=value, unit=unit, period=now, normal=before, normal_period=normal)

    return ServiceFigures(
        service=service,
        project=project,
        requests=beside(_rate(count, now), _rate(there.number("count()"), normal), "1/s"),
        error_ratio=beside(ratio, there.number("failure_rate()"), "ratio"),
        failed=Figure(value=failed, unit="requests", period=now),
        latency_p95=beside(here.number("p95(span.duration)"), there.number("p95(span.duration)"), "ms"),
        errors=beside(_rate(wrong.number("count()"), now), _rate(wrong_before.number("count()"), normal), "1/s"),
        users=Figure(value=wrong.number("count_unique(user)"), unit="users", period=now),
    )


def points_of(answer: JsonObject) -> dict[str, tuple[tuple[float, float], ...]]:
    """Return the series of an answer by their names, in Unix seconds; what is not whole yet is left out."""
    found = {}
    for series in answer.objects("timeSeries"):
        by = ", ".join(f"{one.text('key')}={one.text('value')}" for one in series.objects("groupBy"))
        found[by or series.text("yAxis")] = tuple(
            ((point.number("timestamp") or 0.0) / 1_000, point.number("value") or 0.0)
            for point in series.objects("values")
            if point.text("incomplete") != "true"
        )
    return found


def instant_of(at: datetime) -> str:
    """Return an instant as Sentry reads it: UTC without an offset."""
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds")


def _rate(count: float | None, period: Period) -> float | None:
    return None if count is None else count / max(1.0, period.length_s)


def _buckets(stats: JsonObject) -> tuple[tuple[float, float], ...]:
    """Return the counts of the only series, whatever the stretch that it is named after."""
    rows = next((rows for rows in stats.data.values() if isinstance(rows, list)), [])
    found = []
    for row in rows:
        match row:
            case [int() | float() as at, int() | float() as count]:
                found.append((float(at), float(count)))
    return tuple(found)
