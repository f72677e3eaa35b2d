"""GitHub and Jira as far as tickets need them. What GitHub is sent is checked against its description."""

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from stanch.integrations.github.issues import GitHubIssues
from stanch.integrations.jira import JiraIssues
from stanch.ports.ticketing import TicketTracker, TrackerSettings
from tests.integrations.git.hosts import described_wrongs
from tests.support.farend import Asked, Reply, Site, site

TOKEN = "ghp_0123456789abcdefghijABCDEFGHIJ012345"
ACCOUNT = "bot@acme.example"
BOT = "acme-bot"
START = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)


@dataclass
class Far:
    """A tracker that keeps issues, oldest first, as its own JSON. Every change takes a second of its clock.

    With `loses` the next change is made and its answer is lost; with `behind` nothing that was made is found; without
    `knows_us` the token is of no account, as an app's is; `answers` are given instead of anything else. `wrong` is what
    was sent and no such tracker takes.
    """

    now: Callable[[], datetime] = lambda: START
    site: Site = field(default_factory=lambda: Site(url=""))
    issues: list[dict[str, Any]] = field(default_factory=list)
    log: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    loses: int = 0
    behind: bool = False
    answers: list[Reply] = field(default_factory=list)
    ticks: int = 0
    knows_us: bool = True

    kind = ""
    project = ""
    people: ClassVar[dict[str, str]] = {"alice": "octo-alice", "bob": "octo-bob"}

    def tick(self) -> datetime:
        """Return the far end's time of a change."""
        self.ticks += 1
        return self.now() + timedelta(milliseconds=self.ticks)

    def made(self) -> int:
        """Return how many issues there are."""
        return len(self.issues)

    def settings(self, **more: Any) -> TrackerSettings:
        """Return how it is configured."""
        return TrackerSettings(
            **{"name": self.kind, "kind": self.kind, "project": self.project, "url": self.site.url, "secret": TOKEN}
            | more
        )

    def tracker(self, **more: Any) -> TicketTracker:
        """Return what speaks to it."""
        raise NotImplementedError

    def edit(self, number: int, *, by: str, **parts: Any) -> None:
        """Let somebody change an issue there: `title`, `owner`, `due`, `state` (open, done, dropped)."""
        raise NotImplementedError

    def plant(self, mark: str, *, by: str, late: bool = True) -> None:
        """Let somebody open an issue that has a mark, after the others or (not `late`) before them."""
        raise NotImplementedError

    def shown(self, number: int = 1) -> tuple[str, str, str, str]:
        """Return an issue's title, owner, day and state."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        if self.answers:
            return self.answers.pop(0)
        reply = self.reply(asked)
        if asked.method != "GET" and "/search" not in asked.path and self.loses and reply.status < 300:
            self.loses -= 1
            return Reply(status=502, body="bad gateway")
        return reply

    def reply(self, asked: Asked) -> Reply:
        """Answer one request as this tracker does."""
        raise NotImplementedError


def _reply(status: int, body: object, *headers: tuple[str, str]) -> Reply:
    return Reply(status=status, body=json.dumps(body), headers=(("Content-Type", "application/json"), *headers))


class GitHubFar(Far):
    """`/repos/acme/shop/issues`."""

    kind = "github"
    project = "acme/shop"

    def tracker(self, **more: Any) -> TicketTracker:
        """Return the integration."""
        return GitHubIssues(self.settings(**more))

    def edit(self, number: int, *, by: str, **parts: Any) -> None:
        """Change an issue as its web page does."""
        issue = self.issues[number - 1]
        if "title" in parts:
            issue["title"] = parts["title"]
            self._note(number, "renamed", by)
        if "owner" in parts:
            issue["assignees"] = [{"login": parts["owner"]}] if parts["owner"] else []
            # As GitHub does it: the actor is who was assigned.
            self._note(number, "assigned", parts["owner"] or by, assigner=by)
        if "due" in parts:
            text = re.sub(r"Due: .*\n", "", issue["body"])
            due = f"Due: {parts['due']}\n" if parts["due"] else ""
            issue["body"] = text.replace("<!-- /stanch -->", f"{due}<!-- /stanch -->")
        if "state" in parts:
            self._state(issue, parts["state"])
            self._note(number, "reopened" if parts["state"] == "open" else "closed", by)
        issue["updated_at"] = _instant(self.tick())

    def plant(self, mark: str, *, by: str, late: bool = True) -> None:
        """Open an issue as its web page does: who may not write to the repository gives it no label."""
        body = {"title": "Mine", "body": f"<!-- {mark} -->\n<!-- /stanch -->", "labels": []}
        made = self._make(body, by=by)
        if not late:
            self.issues.insert(0, self.issues.pop())
            made["created_at"] = self.issues[-1]["created_at"]

    def shown(self, number: int = 1) -> tuple[str, str, str, str]:
        """Return what the page shows."""
        issue = self.issues[number - 1]
        due = re.search(r"^Due: (.*)$", issue["body"], re.MULTILINE)
        owner = issue["assignees"][0]["login"] if issue["assignees"] else ""
        closed = "dropped" if issue["state_reason"] == "not_planned" else "done"
        return issue["title"], owner, due[1] if due else "", "open" if issue["state"] == "open" else closed

    def reply(self, asked: Asked) -> Reply:
        """Answer as GitHub does."""
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _reply(401, {"message": f"Bad credentials {asked.headers.get('Authorization')}"})
        parts = urlsplit(asked.path)
        if parts.path == "/user":
            return _reply(200, {"login": BOT}) if self.knows_us else _reply(403, {"message": "Resource not accessible"})
        if not parts.path.endswith("/events"):
            self.wrong += described_wrongs(asked)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = json.loads(asked.body) if asked.body else {}
        match asked.method, parts.path.split("/")[1:]:
            case "GET", ["repos", "acme", "shop", "issues"]:
                return self._listed(query)
            case "POST", ["repos", "acme", "shop", "issues"]:
                return _reply(201, self._make(body))
            case "GET", ["repos", "acme", "shop", "issues", number, "events"]:
                return _reply(200, self.log.get(number, []))
            case method, ["repos", "acme", "shop", "issues", number] if int(number) <= len(self.issues):
                if method == "PATCH":
                    self._patch(self.issues[int(number) - 1], body)
                return _reply(200, self.issues[int(number) - 1])
            case _:
                return _reply(404, {"message": "Not Found"})

    def _listed(self, query: dict[str, str]) -> Reply:
        since = datetime.fromisoformat(query["since"])
        found = [one for one in self.issues if datetime.fromisoformat(one["updated_at"]) >= since]
        if query["sort"] == "created":
            found = [] if self.behind else found
            found = found[::-1]
        page, size = int(query["page"]), int(query["per_page"])
        return _reply(200, found[(page - 1) * size : page * size])

    def _make(self, body: dict[str, Any], *, by: str = BOT) -> dict[str, Any]:
        number, at = len(self.issues) + 1, _instant(self.tick())
        made = {
            "number": number,
            "html_url": f"https://github.example/acme/shop/issues/{number}",
            "title": body["title"],
            "body": body["body"],
            "labels": [{"name": one} for one in body["labels"]],
            "assignees": [{"login": one} for one in body.get("assignees", [])],
            "user": {"login": by},
            "state": "open",
            "state_reason": None,
            "created_at": at,
            "updated_at": at,
        }
        self.issues.append(made)
        return made

    def _patch(self, issue: dict[str, Any], body: dict[str, Any]) -> None:
        for name in ("title", "body", "state", "state_reason"):
            if name in body:
                issue[name] = body[name]
        if "assignees" in body:
            issue["assignees"] = [{"login": one} for one in body["assignees"]]
        issue["updated_at"] = _instant(self.tick())

    def _state(self, issue: dict[str, Any], state: str) -> None:
        issue["state"] = "open" if state == "open" else "closed"
        issue["state_reason"] = {"open": "reopened", "done": "completed", "dropped": "not_planned"}[state]

    def _note(self, number: int, event: str, by: str, **more: str) -> None:
        note = {"event": event, "actor": {"login": by}, "created_at": _instant(self.tick())}
        note |= {key: {"login": value} for key, value in more.items()}
        self.log.setdefault(str(number), []).append(note)


_STATUSES: dict[str, dict[str, Any]] = {
    "To Do": {"name": "To Do", "statusCategory": {"key": "new"}},
    "In Review": {"name": "In Review", "statusCategory": {"key": "indeterminate"}},
    "Done": {"name": "Done", "statusCategory": {"key": "done"}},
    "Won't Do": {"name": "Won't Do", "statusCategory": {"key": "done"}},
}


class JiraFar(Far):
    """The project SHOP of a site. `lacks` are fields that its screens do not have, `workflow` where one may go."""

    kind = "jira"
    project = "SHOP"
    lacks: frozenset[str] = frozenset()
    workflow: tuple[str, ...] = tuple(_STATUSES)

    def tracker(self, **more: Any) -> TicketTracker:
        """Return the integration."""
        return JiraIssues(self.settings(**{"account": ACCOUNT, **more}))

    def edit(self, number: int, *, by: str, **parts: Any) -> None:
        """Change an issue as its web page does."""
        fields = self.issues[number - 1]["fields"]
        names = {"title": "summary", "owner": "assignee", "due": "duedate", "state": "status"}
        for part, value in parts.items():
            match part:
                case "title":
                    fields["summary"] = value
                case "owner":
                    fields["assignee"] = {"accountId": value} if value else None
                case "due":
                    fields["duedate"] = value or None
                case _:
                    fields["status"] = _STATUSES[{"open": "To Do", "done": "Done", "dropped": "Won't Do"}[value]]
            note = {"author": {"accountId": by, "displayName": by.title()}, "created": _jira_instant(self.tick())}
            self.log.setdefault(f"SHOP-{number}", []).append({**note, "items": [{"field": names[part]}]})
        fields["updated"] = _jira_instant(self.tick())

    def plant(self, mark: str, *, by: str, late: bool = True) -> None:
        """Open an issue as its web page does: a label is free for all."""
        self._make({"summary": "Mine", "labels": [mark], "description": {"type": "doc"}}, by=by)
        if not late:
            self.issues.insert(0, self.issues.pop())

    def shown(self, number: int = 1) -> tuple[str, str, str, str]:
        """Return what the page shows."""
        fields = self.issues[number - 1]["fields"]
        status = fields["status"]["name"]
        state = {"Done": "done", "Won't Do": "dropped"}.get(status, "open")
        owner = fields["assignee"]["accountId"] if fields["assignee"] else ""
        return fields["summary"], owner, fields["duedate"] or "", state

    def reply(self, asked: Asked) -> Reply:
        """Answer as Jira Cloud does."""
        basic = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if asked.headers.get("Authorization") != f"Basic {basic}":
            return Reply(status=401, body=f"Client must be authenticated {asked.headers.get('Authorization')}")
        parts = urlsplit(asked.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        body = json.loads(asked.body) if asked.body else {}
        match asked.method, parts.path.removeprefix("/rest/api/3/").split("/"):
            case "POST", ["issue"]:
                return self._make(body["fields"])
            case "POST", ["search", "jql"]:
                return self._searched(body)
            case "GET", ["issue", key] if self._at(key):
                return _reply(200, self._at(key))
            case "PUT", ["issue", key] if self._at(key):
                return self._put(key, body["fields"])
            case "GET", ["issue", key, "changelog"]:
                found, start = self.log.get(key, []), int(query["startAt"])
                return _reply(200, {"values": found[start : start + int(query["maxResults"])], "total": len(found)})
            case "GET", ["issue", key, "transitions"]:
                offered = [{"id": str(list(_STATUSES).index(one)), "to": _STATUSES[one]} for one in self.workflow]
                return _reply(200, {"transitions": offered})
            case "POST", ["issue", key, "transitions"]:
                found = self._at(key)["fields"]
                found["status"] = list(_STATUSES.values())[int(body["transition"]["id"])]
                found["updated"] = _jira_instant(self.tick())
                return Reply(status=204)
            case _:
                return _reply(404, {"errorMessages": ["Issue does not exist or you do not have permission to see it."]})

    def _at(self, key: str) -> dict[str, Any]:
        return next((one for one in self.issues if one["key"] == key), {})

    def _make(self, fields: dict[str, Any], *, by: str = ACCOUNT) -> Reply:
        if bad := self._bad(fields):
            return bad
        if fields["description"].get("type") != "doc" or "\n" in fields["summary"] or len(fields["summary"]) > 255:
            self.wrong.append("a description is a document, a summary one line of 255 letters")
        number = len(self.issues) + 1
        made = {"summary": fields["summary"], "labels": fields["labels"], "description": fields["description"]}
        made |= {"duedate": fields.get("duedate"), "assignee": fields.get("assignee"), "status": _STATUSES["To Do"]}
        made |= {
            "resolution": None,
            "updated": _jira_instant(self.tick()),
            "created": self.now().isoformat(),
            "creator": by,
        }
        self.issues.append({"id": str(10_000 + number), "key": f"SHOP-{number}", "fields": made})
        return _reply(201, {"id": str(10_000 + number), "key": f"SHOP-{number}", "self": f"{self.site.url}/x"})

    def _put(self, key: str, fields: dict[str, Any]) -> Reply:
        if bad := self._bad(fields):
            return bad
        self._at(key)["fields"] |= {**fields, "updated": _jira_instant(self.tick())}
        return Reply(status=204)

    def _bad(self, fields: dict[str, Any]) -> Reply | None:
        said = "Field '{0}' cannot be set. It is not on the appropriate screen, or unknown."
        errors = {one: said.format(one) for one in fields if one in self.lacks}
        return _reply(400, {"errorMessages": [], "errors": errors}) if errors else None

    def _searched(self, body: dict[str, Any]) -> Reply:
        ours = r'project = "SHOP" AND creator = currentUser\(\) AND labels = "([a-z0-9-]+)"'
        label = re.fullmatch(rf'{ours} AND created >= "-(\d+)m" ORDER BY created ASC', body["jql"])
        recent = re.fullmatch(r'project = "SHOP" AND updated >= "-(\d+)m" ORDER BY updated ASC', body["jql"])
        if label:
            mine = [one for one in self.issues if one["fields"]["creator"] == ACCOUNT]
            found = [] if self.behind else [one for one in mine if label[1] in one["fields"]["labels"]]
        elif recent:
            since = self.now() - timedelta(minutes=int(recent[1]))
            found = [one for one in self.issues if datetime.fromisoformat(one["fields"]["updated"]) >= since]
        else:
            return _reply(400, {"errorMessages": [f"Error in the JQL Query: {body['jql']}"]})
        # Pages of one: whoever stops at the first misses the rest.
        start = int(body.get("nextPageToken", "0"))
        more = {"nextPageToken": str(start + 1)} if start + 1 < len(found) else {}
        return _reply(200, {"issues": found[start : start + 1], **more})


FARS = {"github": GitHubFar, "jira": JiraFar}


@contextmanager
def far_end(kind: str, **more: Any) -> Iterator[Far]:
    """Run a tracker."""
    far = FARS[kind](**more)
    with site(far.answer) as far.site:
        yield far


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def _jira_instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}+0000"
