"""A larger small Sentry: also figures by project, metric incidents, sessions, suspects, teams, pages, and OAuth.

What the smaller one answers, it answers the same way. Tokens that it granted are worth something until they are
renewed; each renewal changes both, and an old one is refused, as with Sentry itself.
"""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, unquote, urlsplit

from stanch.kernel.event import JSON
from tests.support.farend import Asked, Reply
from tests.support.sentry import ROOT, TOKEN, FakeSentry, Issue, plain_issue
from tests.support.sentryshapes import shaped

CLIENT = "the-client"
ALL_SCOPES = ("event:read", "org:read", "project:read")
_BUCKETS = 24


@dataclass(frozen=True, kw_only=True)
class Requests:
    """The requests of a project between two instants: `per_s` a second, of which a share fails."""

    start: datetime
    end: datetime
    per_s: float
    failing: float
    p95_ms: float
    project: str = "payments"


@dataclass
class SentryOrganization(FakeSentry):
    """An organization with all that is read. `scopes` is what tokens may; `denied` are paths that are refused."""

    requests: list[Requests] = field(default_factory=list)
    incidents: list[dict[str, JSON]] = field(default_factory=list)
    crashed: dict[str, tuple[int, int]] = field(default_factory=dict)
    suspects: dict[str, list[JSON]] = field(default_factory=dict)
    teams: list[str] = field(default_factory=list)
    scopes: tuple[str, ...] = ALL_SCOPES
    says_scopes: bool = True
    denied: tuple[str, ...] = ()
    page_of: int = 100
    region: str = ""
    codes: dict[str, str] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    life_s: float = 2_591_999
    interval_s: int = 5
    granted: list[str] = field(default_factory=list)
    renewals: int = 0
    _door: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        parts = urlsplit(asked.path)
        if parts.path.startswith("/oauth/"):
            return self._oauth(parts.path, {name: one[0] for name, one in parse_qs(asked.body.decode()).items()})
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ")
        with self._door:
            known = token == TOKEN or token in self.granted[-1:]
        if not known:
            return _json({"detail": "Invalid token"}, 401)
        path = parts.path.removeprefix(ROOT).strip("/")
        if path in self.denied:
            return _json({"detail": "You do not have permission to perform this action."}, 403)
        found = None if self.limited else self._own(parts.path, parse_qs(parts.query, keep_blank_values=True))
        if found is not None:
            return found
        headers = {**asked.headers, "Authorization": f"Bearer {TOKEN}"}
        return super().answer(Asked(method=asked.method, path=asked.path, headers=headers, body=asked.body))

    def _own(self, path: str, query: dict[str, list[str]]) -> Reply | None:
        if path == "/api/0/":
            return _json({"version": "0", "auth": {"scopes": list(self.scopes)} if self.says_scopes else None})
        if path.startswith("/api/0/projects/shop/") and path.endswith("/committers/"):
            project = path.split("/")[5]
            own = self.suspects.get(project)
            return _json({"committers": own}) if own else _json({"detail": "No committers found"}, 404)
        if not path.startswith(ROOT):
            return None
        match [unquote(one) for one in path.removeprefix(ROOT).strip("/").split("/")]:
            case [""]:
                return _json(_organization({"organizationUrl": self.url, "regionUrl": self.region}))
            case ["incidents"]:
                return _json(list[JSON](self.incidents))
            case ["teams"]:
                return self._paged([_team(one) for one in self.teams], query)
            case ["sessions"]:
                return _json(self._sessions())
            case ["issues"]:
                return self._with_stats(query)
            case ["issues", id] if any(one.id == id for one in self.issues):
                return _json(self._alone(id))
            case ["issues", id, "tags", key] if key != "release" and any(one.id == id for one in self.issues):
                return _json({"key": key, "name": key, "uniqueValues": 0, "totalValues": 0, "topValues": []})
            case ["events"] if "project" in query.get("field", []):
                return _json({"data": self._table(query), "meta": {"fields": {}}})
            case ["events-timeseries"]:
                return _json(self._timeseries(query))
            case _:
                return None

    def _with_stats(self, query: dict[str, list[str]]) -> Reply:
        """Return the issues of the smaller Sentry, with their counts in buckets, page by page."""
        if "start" not in query:
            # `statsPeriod` is asked only to see whether one may.
            return self._paged([], query)
        words = query.get("query", ["is:unresolved"])[0]
        asked = {name: one for name, one in query.items() if name != "project" or one != ["-1"]}
        plain = self._issues({**asked, "limit": ["100"]})
        rows = json.loads(plain.body)
        if plain.status != 200:
            return plain
        if words and not words.startswith("is:"):
            rows = [row for row in rows if row["shortId"] == words]
        start, end = (_instant(query, name) for name in ("start", "end"))
        width = (end - start).total_seconds() / _BUCKETS
        for row in rows:
            seen = next(one for one in self.issues if one.id == row["id"]).seen
            at = [int((one - start).total_seconds() / width) for one in seen if start <= one < end]
            row["stats"] = {"auto": [[int(start.timestamp() + width * n), at.count(n)] for n in range(_BUCKETS)]}
        return self._paged(rows, query)

    def _alone(self, id: str) -> JSON:
        """Return one issue by itself: its counts are of all time."""
        one = next(one for one in self.issues if one.id == id)
        counts: dict[str, JSON] = {"count": str(len(one.seen)), "userCount": len(one.seen), "userReportCount": 0}
        lists: dict[str, JSON] = {name: [] for name in ("activity", "participants", "seenBy")}
        return {**plain_issue(id, project=one.project, title=one.title, level=one.level), **counts, **lists}

    def _paged(self, rows: list[JSON], query: dict[str, list[str]]) -> Reply:
        first = int(query.get("cursor", ["0:0:0"])[0].split(":")[1])
        size = min(self.page_of, int(query.get("limit", query.get("per_page", ["100"]))[0]))
        more = "true" if first + size < len(rows) else "false"
        link = (
            f'<{self.url}/x>; rel="previous"; results="false"; cursor="0:0:1", '
            f'<{self.url}/x>; rel="next"; results="{more}"; cursor="0:{first + size}:0"'
        )
        return _json(rows[first : first + size], headers=(("Link", link),))

    def _table(self, query: dict[str, list[str]]) -> list[JSON]:
        start, end = (_instant(query, name) for name in ("start", "end"))
        if query["dataset"][0] == "errors":
            counted = {
                project: sum(start <= at < end for one in self.issues if one.project == project for at in one.seen)
                for project in {one.project for one in self.issues}
            }
            return [
                {"project": project, "count()": count, "count_unique(user)": count, "title": "as asked"}
                for project, count in counted.items()
                if count
            ]
        rows: list[JSON] = []
        for project in dict.fromkeys(one.project for one in self.requests):
            parts = [
                (max(0.0, (min(end, one.end) - max(start, one.start)).total_seconds()), one)
                for one in self.requests
                if one.project == project
            ]
            count = sum(long_s * one.per_s for long_s, one in parts)
            if count:
                failed = sum(long_s * one.per_s * one.failing for long_s, one in parts)
                p95 = max(one.p95_ms for long_s, one in parts if long_s)
                figures: dict[str, JSON] = {"count()": count, "failure_rate()": failed / count}
                rows.append({"project": project, **figures, "p95(span.duration)": p95})
        return rows

    def _timeseries(self, query: dict[str, list[str]]) -> JSON:
        start, end = (_instant(query, name) for name in ("start", "end"))
        every_s = int(query["interval"][0])
        values: list[JSON] = [
            {"timestamp": (start.timestamp() + n * every_s) * 1_000, "value": n, "incomplete": False}
            for n in range(int((end - start).total_seconds() / every_s))
        ]
        meta: dict[str, JSON] = {"interval": every_s * 1_000, "valueType": "integer", "valueUnit": None}
        of: dict[str, JSON] = {"dataset": query["dataset"][0], "start": start.timestamp(), "end": end.timestamp()}
        return {"timeSeries": [{"yAxis": query["yAxis"][0], "values": values, "meta": meta}], "meta": of}

    def _sessions(self) -> JSON:
        groups: list[JSON] = [
            {"by": {"release": version, "session.status": status}, "totals": {"sum(session)": count}, "series": {}}
            for version, (healthy, crashed) in self.crashed.items()
            for status, count in (("healthy", healthy), ("crashed", crashed))
        ]
        return {"groups": groups, "intervals": [], "start": "", "end": "", "query": ""}

    def _oauth(self, path: str, form: dict[str, str]) -> Reply:
        if form.get("client_id") != CLIENT:
            return _json({"error": "invalid_client"}, 401)
        if path == "/oauth/device/code/":
            place = f"{self.url}/oauth/device/"
            told: dict[str, JSON] = {"device_code": "dev", "user_code": "ABCD-EFGH", "verification_uri": place}
            return _json({**told, "verification_uri_complete": "", "interval": self.interval_s, "expires_in": 600})
        with self._door:
            match form.get("grant_type"):
                case "authorization_code":
                    return self._grant() if self.codes.pop(form["code"], "") else _json({"error": "invalid_grant"}, 400)
                case "refresh_token":
                    # The newest alone is worth something.
                    if form["refresh_token"] != f"refresh-{len(self.granted)}":
                        return _json({"error": "invalid_grant"}, 400)
                    self.renewals += 1
                    return self._grant()
                case _:
                    return _json({"error": self.pending.pop(0)}, 400) if self.pending else self._grant()

    def _grant(self) -> Reply:
        self.granted.append(f"access-{len(self.granted) + 1}")
        return _json(
            {
                "access_token": self.granted[-1],
                "refresh_token": f"refresh-{len(self.granted)}",
                "expires_in": self.life_s,
                "token_type": "bearer",
                "scope": " ".join(self.scopes),
                "user": {"id": "1", "name": "Alice", "email": "alice@shop.example"},
            }
        )


@contextlib.contextmanager
def sentry_organization() -> Iterator[SentryOrganization]:
    """Run the organization `shop` on a free port of this machine."""
    found = SentryOrganization()
    with shaped(found.answer) as running:
        found.site = running
        yield found


def metric_incident(*, started_at: datetime, aggregate: str = "failure_rate()", status: int = 20) -> dict[str, JSON]:
    """Return an open metric incident of payments."""
    rule: dict[str, JSON] = {"id": "7", "name": "failures", "aggregate": aggregate, "query": ""}
    head: dict[str, JSON] = {"id": "9", "identifier": "12", "status": status, "title": "failures of payments"}
    at = started_at.isoformat().replace("+00:00", "Z")
    return {**head, "dateStarted": at, "dateClosed": None, "projects": ["payments"], "alertRule": rule}


def suspect() -> JSON:
    """Return a commit that is suspected, with its author."""
    commit: dict[str, JSON] = {
        "id": "a84d88e7554fc1fa21bcbc4efae3c782a70d2b9d",
        "message": "take the card's country\n\nand more",
        "dateCreated": "2026-11-21T14:00:00Z",
        "pullRequest": None,
        "suspectCommitType": "via commit in release",
    }
    return {"author": {"name": "Alice", "email": "alice@shop.example"}, "commits": [commit]}


def _organization(links: dict[str, JSON]) -> JSON:
    switches = ("allowMemberInvite", "allowMemberProjectCreation", "allowSuperuserAccess", "hasAuthProvider")
    return {
        **dict.fromkeys((*switches, "isEarlyAdopter", "require2FA"), False),
        "id": "1",
        "slug": "shop",
        "name": "Shop",
        "status": {"id": "active", "name": "active"},
        "avatar": {"avatarType": "letter_avatar", "avatarUuid": None},
        "dateCreated": "2026-01-01T00:00:00Z",
        "links": links,
    }


def _team(slug: str) -> JSON:
    return {
        **dict.fromkeys(("isMember", "isPending", "hasAccess"), False),
        "id": "1",
        "slug": slug,
        "name": slug,
        "memberCount": 3,
        "teamRole": None,
        "flags": {},
        "access": [],
        "avatar": {"avatarType": "letter_avatar", "avatarUuid": None},
        "dateCreated": None,
    }


def _instant(query: dict[str, list[str]], name: str) -> datetime:
    return datetime.fromisoformat(query[name][0]).replace(tzinfo=UTC)


def _json(value: JSON, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    return Reply(status=status, body=json.dumps(value), headers=(("Content-Type", "application/json"), *headers))


__all__ = ["CLIENT", "Issue", "Requests", "SentryOrganization", "metric_incident", "sentry_organization", "suspect"]
