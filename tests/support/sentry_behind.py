"""The small Sentry as its own MCP server asks it: by projects, by short names, over periods that end now.

What those calls come to, the other small ones answer: `SentryOrganization` what is read, `WrittenSentry` what is
written; this only turns one way of asking into the other, and counts errors by issue.
"""

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from stanch.kernel.event import JSON
from stanch.ports.query import SystemSpec
from tests.support.farend import Asked, Reply, site
from tests.support.needs import lacking
from tests.support.sentry import TOKEN, Issue
from tests.support.sentry_writing import WrittenSentry
from tests.support.sentryorg import SentryOrganization

_MADE: Final = Path(__file__).parents[2] / ".test" / "sentry-mcp"
_IN_PROJECT: Final = re.compile(r"^/api/0/projects/shop/([a-z-]+)/(issues|releases)/$")
_OF_ISSUE: Final = re.compile(r"^(/api/0/organizations/shop/issues/)(?:[A-Z]+-)?(\d+)(/.*)$")
_PERIOD: Final = re.compile(r"^(\d+)([mhd])$")
_SINCE: Final = re.compile(r"firstSeen:>=(\S+)")
_BOUND: Final = re.compile(r"timestamp:(>=|<)(\S+)")
_VALID: Final[dict[str, JSON]] = {"valid": True, "error": None, "fields": []}
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass
class SentryBehind(SentryOrganization):
    """The organization `shop` behind an MCP server. `answers` is a status that everything is refused with."""

    written: WrittenSentry = field(default_factory=WrittenSentry)
    answers: int = 0

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        if self.answers:
            return _json({"detail": "You do not have permission to perform this action."}, self.answers)
        parts = urlsplit(asked.path)
        path, query = parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))
        if of_issue := _OF_ISSUE.match(path):
            return self._of_issue(asked, f"{of_issue[1]}{of_issue[2]}{of_issue[3]}", of_issue[2], of_issue[3])
        if path == "/api/0/projects/shop/payments/":
            return _json({"id": "1", "slug": "payments", "name": "payments"})
        if of_project := _IN_PROJECT.match(path):
            if of_project[1] not in {one.project for one in (*self.issues, *self.releases)}:
                return _json({"detail": "The requested resource does not exist"}, 404)
            path = f"/api/0/organizations/shop/{of_project[2]}/"
            query["project"] = of_project[1]
        if query.get("project") == "1":
            query["project"] = "payments"
        if path.endswith("/releases/"):
            return self._dated(replace(asked, path=f"{path}?{urlencode(query)}"))
        if path.endswith("/validate/"):
            nothing: dict[str, JSON] = {"projects": [], "dataset": [], "environment": [], "field": [], "orderby": []}
            return _json({"valid": True, **nothing, "query": _VALID})
        if "statsPeriod" in query:
            return self._over(asked, path, query, [one for name, one in parse_qsl(parts.query) if name == "field"])
        return super().answer(asked)

    def _over(self, asked: Asked, path: str, query: dict[str, str], fields: list[str]) -> Reply:
        now = datetime.now(UTC)
        found = _PERIOD.match(query.pop("statsPeriod"))
        if found is None:
            return _json({"detail": "Invalid query"}, 400)
        words = query.get("query", "")
        bounds = dict(_BOUND.findall(words))
        start = max(now - timedelta(**{_UNITS[found[2]]: int(found[1])}), _instant(bounds.get(">=", "")))
        end = min(now + timedelta(seconds=1), _instant(bounds.get("<", "2999-01-01T00:00:00")))
        if "issue" in fields:
            return _json({"data": self._by_issue(start, end, query), "meta": {}})
        fresh = _SINCE.search(words)
        pairs = [(name, one) for name, one in query.items() if name not in ("query", "field", "project")]
        pairs += [("field", one) for one in fields]
        pairs += [("project", query.get("project", "-1"))]
        pairs += [(name, one.isoformat()[:19]) for name, one in (("start", start), ("end", end))]
        reply = super().answer(replace(asked, path=f"{path}?{urlencode(pairs)}"))
        if fresh and reply.status == 200:
            new = [one.id for one in self.issues if min(one.seen) >= _instant(fresh[1])]
            return replace(reply, body=json.dumps([row for row in json.loads(reply.body) if row["id"] in new]))
        return reply

    def _by_issue(self, start: datetime, end: datetime, query: dict[str, str]) -> list[JSON]:
        rows: list[tuple[int, JSON]] = []
        for one in self.issues:
            seen = [at for at in one.seen if start <= at < end]
            name = f"{one.project.upper()}-{one.id}"
            named = re.search(r"issue:(\S+)", query.get("query", ""))
            if not seen or query.get("project", one.project) not in (one.project, "-1"):
                continue
            if named and named[1] != name:
                continue
            figures: dict[str, JSON] = {"count()": len(seen), "count_unique(user)": len(seen)}
            times: dict[str, JSON] = {"min(timestamp)": _written(min(seen)), "max(timestamp)": _written(max(seen))}
            rows.append((len(seen), {"issue": name, "project": one.project, "title": one.title, **figures, **times}))
        return [row for _, row in sorted(rows, key=lambda pair: -pair[0])]

    def _dated(self, asked: Asked) -> Reply:
        """Answer releases with what the server insists on: who made them, when, and when they were first seen."""
        rows = json.loads(super().answer(asked).body)
        for row in rows:
            at = (row["lastDeploy"] or {}).get("dateFinished") or "2026-11-20T10:00:00Z"
            row |= {"dateCreated": at, "firstEvent": None, "lastEvent": None}
            row["lastCommit"] |= {"message": "take the card's country\n\nand more", "dateCreated": at}
        return _json(rows)

    def _of_issue(self, asked: Asked, path: str, id: str, rest: str) -> Reply:
        if rest == "/" and asked.method == "GET":
            return self._one(id)
        if rest == "/activities/":
            return _json({"activity": []})
        if rest in ("/", "/notes/", "/autofix/"):
            query = urlsplit(asked.path).query
            reply = self.written.answer(replace(asked, path=f"{path}?{query}" if query else path))
            return self._one(id) if rest == "/" and reply.status == 200 else reply
        return super().answer(replace(asked, path=path))

    def _one(self, id: str) -> Reply:
        found: Issue | None = next((one for one in self.issues if one.id == id), None)
        if found is None:
            return _json({"detail": "The requested resource does not exist"}, 404)
        stretch = {"start": _bare(min(found.seen)), "end": _bare(max(found.seen) + timedelta(seconds=1))}
        asked = Asked(
            method="GET",
            path=f"/api/0/organizations/shop/issues/?{urlencode({**stretch, 'project': found.project})}",
            headers={"Authorization": f"Bearer {TOKEN}"},
            body=b"",
        )
        [row] = [one for one in json.loads(super().answer(asked).body) if one["id"] == id]
        return _json({**row, "status": self.written.issue.get("status", row["status"])})


@contextlib.contextmanager
def sentry_behind() -> Iterator[SentryBehind]:
    """Run one on a free port of this machine."""
    found = SentryBehind()
    with site(found.answer) as running:
        found.site = running
        yield found


def real_server(sentry: SentryBehind, *flags: str, **settings: str) -> SystemSpec:
    """Return a system whose MCP server is Sentry's own, before `sentry`; skip where it is not installed."""
    if not (_MADE / "made-for").exists():
        lacking(
            "Sentry's MCP server is not installed; `make setup-test` installs it where npm and its registry are there"
        )
    host = sentry.url.removeprefix("http://")
    command = [str(_MADE / "node"), str(_MADE / "server.js"), f"--host={host}", "--insecure-http", *flags]
    return SystemSpec(
        name="sentry",
        kind="sentry-mcp",
        secret=TOKEN,
        services=("payments",),
        settings={"organization": "shop", "command": json.dumps(command), **settings},
        timeout_s=60,
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else datetime.min.replace(tzinfo=UTC)


def _bare(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat()


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(value: JSON, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(value), headers=(("Content-Type", "application/json"),))
