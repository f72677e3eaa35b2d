"""A small Sentry that is written to: issues with status, team and notes, deploys of releases, and Seer in both shapes.

It refuses by scope as Sentry does, can lose an answer after it has done what was asked, and keeps what it was told.
"""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from stanch.kernel.event import JSON
from tests.support.farend import Asked, Reply, Site
from tests.support.sentry import plain_issue, plain_release
from tests.support.sentryshapes import shaped

TOKEN: Final = "sntrys_hunter2hunter2hunter2"
ALL: Final = frozenset({"event:read", "event:write", "team:read", "project:releases"})
_ROOT: Final = "/api/0/"
_ISSUE: Final = re.compile(r"organizations/shop/issues/(\d+)/$")
_NOTES: Final = re.compile(r"organizations/shop/issues/(\d+)/notes/$")
_SEER: Final = re.compile(r"organizations/shop/issues/(\d+)/autofix/$")
_TEAM: Final = re.compile(r"teams/shop/([^/]+)/$")
_RELEASE: Final = re.compile(r"organizations/shop/releases/([^/]+)/$")
_DEPLOYS: Final = re.compile(r"organizations/shop/releases/([^/]+)/deploys/$")
_STATUSES: Final = ("resolved", "unresolved", "ignored", "resolvedInNextRelease", "muted")
RUN: Final = 12345
CAUSE: Final[dict[str, JSON]] = {
    "one_line_description": "The form sends no amount when the cart is empty.",
    "five_whys": ["the amount is read from the first line", "an empty cart has none"],
    "reproduction_steps": ["empty the cart", "press pay"],
    "relevant_repo": "acme/shop",
}
PLAN: Final[dict[str, JSON]] = {
    "one_line_summary": "Refuse an empty cart before the form is sent.",
    "steps": [{"title": "Check the cart", "description": "before the amount is read"}],
}
"""What Seer says of the issue: by its webhook, and in the state of its run."""


@dataclass
class WrittenSentry:
    """The organization `shop` with issue 4400. `scopes` are the token's; `lost` answers are not given after the deed.

    `seer` is what the state of an autofix is answered with, None for none; `seer_on` False is an organization without
    it. `down` answers 503 so often.
    """

    scopes: frozenset[str] = ALL
    lost: int = 0
    down: int = 0
    seer_on: bool = True
    seer: JSON = None
    runs: int = 0
    contexts: list[str] = field(default_factory=list)
    issue: dict[str, JSON] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    deploys: list[dict[str, JSON]] = field(default_factory=list)
    releases: tuple[str, ...] = ("payments@3.2.0",)
    site: Site = field(default_factory=lambda: Site(url=""))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Return where it listens."""
        return self.site.url

    @property
    def writes(self) -> list[str]:
        """Return the requests that wrote, as `PUT /api/0/...`."""
        return [f"{one.method} {one.path}" for one in self.site.asked if one.method != "GET"]

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        if asked.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _json({"detail": "Invalid token"}, 401)
        with self._lock:
            if self.down:
                self.down -= 1
                return _json({"detail": "Internal Error"}, 503)
            reply = self._done(asked, urlsplit(asked.path).path.removeprefix(_ROOT))
            if self.lost and asked.method != "GET":
                self.lost -= 1
                return _json({"detail": "upstream timed out"}, 504)
            return reply

    def _done(self, asked: Asked, path: str) -> Reply:
        body = json.loads(asked.body) if asked.body else {}
        if (found := _ISSUE.search(path)) and asked.method == "PUT":
            return self._update(found[1], body)
        if _NOTES.search(path):
            return self._noted(asked.method, body)
        if _SEER.search(path):
            return self._autofix(asked.method, body)
        if found := _TEAM.search(path):
            return self._needing("team:read") or (
                _json({"id": "77", "slug": "pay"}) if found[1] == "pay" else _missing()
            )
        if found := _DEPLOYS.search(path):
            return self._deployed(asked.method, unquote(found[1]), body)
        if found := _RELEASE.search(path):
            version = unquote(found[1])
            return self._needing("project:releases") or (
                _json(plain_release(version)) if version in self.releases else _missing()
            )
        return _missing()

    def _needing(self, scope: str) -> Reply | None:
        if scope in self.scopes:
            return None
        return _json({"detail": "You do not have permission to perform this action."}, 403)

    def _update(self, id: str, body: dict[str, JSON]) -> Reply:
        if refused := self._needing("event:write"):
            return refused
        if id != "4400":
            return _missing()
        if body.get("status", "resolved") not in _STATUSES:
            return _json({"status": ["is not a valid choice."]}, 400)
        self.issue |= body
        return _json(self._issue(id))

    def _issue(self, id: str) -> dict[str, JSON]:
        """Return the issue as it stands: a status that is a wish for later is told as what it means now."""
        found = plain_issue(id, project="payments", title="TypeError: no amount")
        status = str(self.issue.get("status", "unresolved"))
        found["status"] = "resolved" if status == "resolvedInNextRelease" else status
        if team := str(self.issue.get("assignedTo", "")).removeprefix("team:"):
            found["assignedTo"] = {"type": "team", "id": team, "name": "pay"}
        return found

    def _noted(self, method: str, body: dict[str, JSON]) -> Reply:
        if refused := self._needing("event:read" if method == "GET" else "event:write"):
            return refused
        if method == "POST":
            self.notes.append(str(body["text"]))
            return _json({"id": str(len(self.notes)), "type": "note", "data": {"text": body["text"]}}, 201)
        return _json([{"id": "1", "type": "note", "data": {"text": one}} for one in self.notes])

    def _deployed(self, method: str, version: str, body: dict[str, JSON]) -> Reply:
        if refused := self._needing("project:releases"):
            return refused
        if method == "POST":
            if not body.get("environment") or len(str(body.get("name", ""))) > 64:
                return _json({"environment": ["This field is required."]}, 400)
            self.deploys.append({"id": "9", "version": version, **body})
            return _json(_deploy(self.deploys[-1]), 201)
        return _json([_deploy(one) for one in self.deploys if one["version"] == version])

    def _autofix(self, method: str, body: dict[str, JSON]) -> Reply:
        if not self.seer_on:
            return _json({"detail": "AI Autofix is not enabled for this organization."}, 403)
        if method == "GET":
            return _json({"autofix": self.seer})
        self.runs += 1
        self.contexts.append(str(body.get("user_context", "")))
        self.seer = {"run_id": RUN, "status": "processing", "blocks": [], "repo_pr_states": {}}
        return _json({"run_id": RUN, "sentry_run_id": "f47ac10b-58cc-4372-a567-0e02b2c3d479"}, 202)


@contextlib.contextmanager
def written_sentry() -> Iterator[WrittenSentry]:
    """Run one on a free port of this machine."""
    found = WrittenSentry()
    with shaped(found.answer) as running:
        found.site = running
        yield found


def blocks(status: str = "completed", *, solution: bool = True) -> JSON:
    """Return the state of an autofix in the newer shape."""
    found: list[JSON] = [{"id": "b1", "loading": False, "artifacts": [{"key": "root_cause", "data": CAUSE}]}]
    if solution:
        found.append({"id": "b2", "loading": False, "artifacts": [{"key": "solution", "data": PLAN}]})
    return {"run_id": RUN, "status": status, "blocks": found, "repo_pr_states": {}}


def _deploy(told: dict[str, JSON]) -> JSON:
    """Return a deploy as Sentry tells it: which release and projects it is of, it does not."""
    at: dict[str, JSON] = {"dateStarted": None, "dateFinished": "2026-11-21T14:30:00Z"}
    return {**at, "url": None, **{name: told[name] for name in ("id", "environment", "name", "url") if name in told}}


def _missing() -> Reply:
    return _json({"detail": "The requested resource does not exist"}, 404)


def _json(value: JSON, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(value), headers=(("Content-Type", "application/json"),))
