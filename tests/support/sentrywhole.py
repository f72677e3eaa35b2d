"""A whole small Sentry for a drill: the real SDK reports to it, it groups, tells by webhook, and is written to.

What it answers about issues, requests and releases is counted from the events and transactions that came in at its
envelope end point. What is written to it is `WrittenSentry`'s; the two share one organization.
"""

import contextlib
import gzip
import hashlib
import hmac
import json
import threading
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from stanch.kernel.event import JSON
from tests.support.farend import Asked, Reply
from tests.support.sentry import ROOT, Issue, plain_issue
from tests.support.sentry_writing import CAUSE, PLAN, RUN, WrittenSentry, blocks
from tests.support.sentryorg import SentryOrganization
from tests.support.sentryshapes import recorded, shaped

CLIENT_SECRET: Final = "the-client-secret-of-the-integration"
FIRST: Final = 4_400
_WRITTEN: Final = ("/notes/", "/autofix/", "/deploys/")
# What an SDK sends may be any JSON.
Item = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Served:
    """A request of the application, as its trace tells it."""

    at: datetime
    ms: float
    failed: bool


@dataclass
class WholeSentry(SentryOrganization):
    """The organization `shop` with the project payments. `hook` is the webhook of its internal integration, if any."""

    hook: str = ""
    project: str = "payments"
    written: WrittenSentry = field(default_factory=WrittenSentry)
    served: list[Served] = field(default_factory=list)
    told: list[tuple[str, str, int]] = field(default_factory=list)
    """What was told by webhook: the resource, the action, and the status that was answered."""
    undelivered: list[str] = field(default_factory=list)
    sdks: set[str] = field(default_factory=set)
    _in: threading.RLock = field(default_factory=threading.RLock)

    @property
    def dsn(self) -> str:
        """Return the address that an SDK is configured with."""
        return f"http://public@{urlsplit(self.url).netloc}/1"

    @property
    def writes(self) -> list[tuple[str, JSON]]:
        """Return what was written by the API, as `PUT issues/4400/`, each with its body; in no order."""
        found = [one for one in self.site.asked if one.method != "GET" and not one.path.startswith("/api/1/")]
        return sorted(((f"{one.method} {one.path.removeprefix(ROOT)}", json.loads(one.body)) for one in found), key=str)

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        path = urlsplit(asked.path).path
        if path == "/api/1/envelope/":
            return self._ingested(asked)
        with self._in:
            is_release = "/releases/" in path and not path.endswith("/releases/")
            if asked.method != "GET" or path.endswith(_WRITTEN) or path.startswith("/api/0/teams/") or is_release:
                self.written.releases = tuple(one.version for one in self.releases)
                return self.written.answer(asked)
            return super().answer(asked)

    def analysed(self) -> None:
        """End the analysis that was begun: its state says so, and both webhooks are sent."""
        head: dict[str, JSON] = {"run_id": RUN, "group_id": FIRST}
        self.written.seer = blocks()
        body = self._message("root_cause_completed", {**head, "root_cause": CAUSE})
        assert not (wrong := recorded("webhook seer", body)), wrong
        self._tell("seer", body)
        self._tell("seer", self._message("solution_completed", {**head, "solution": PLAN}))

    def resolve(self) -> None:
        """Have somebody resolve the issue in Sentry, who sees that no more events come."""
        with self._in:
            self.written.issue["status"] = "resolved"
            body = self._of_issue("resolved", self.issues[0], resolution_type="now")
        self._tell("issue", body)

    def _ingested(self, asked: Asked) -> Reply:
        self.sdks.add(asked.headers.get("User-Agent", ""))
        packed = asked.headers.get("Content-Encoding", "") == "gzip"
        head, items = envelope(gzip.decompress(asked.body) if packed else asked.body)
        for kind, item in items:
            if kind == "transaction":
                self._traced(item)
            elif kind == "event" and item.get("exception"):
                self._raised(item)
        return Reply(body=json.dumps({"id": head.get("event_id", "")}), headers=(("Content-Type", "application/json"),))

    def _traced(self, item: Item) -> None:
        start, end = (_instant(item[name]) for name in ("start_timestamp", "timestamp"))
        status = item["contexts"]["trace"].get("status", "ok")
        with self._in:
            self.served.append(Served(at=end, ms=(end - start).total_seconds() * 1_000, failed=status != "ok"))

    def _raised(self, item: Item) -> None:
        """Put an event into the group of its exception and of where it was raised; a new group is told about."""
        raised = item["exception"]["values"][-1]
        frames = tuple(
            (one["filename"], one["lineno"], one["function"])
            for one in raised["stacktrace"]["frames"]
            if one.get("in_app", True)
        )
        title, at, release = (
            f"{raised['type']}: {raised['value']}",
            _instant(item["timestamp"]),
            item.get("release", ""),
        )
        with self._in:
            place = next((n for n, one in enumerate(self.issues) if (one.title, one.frames) == (title, frames)), -1)
            if place >= 0:
                one = self.issues[place]
                releases = tuple(dict.fromkeys((*one.releases, release)))
                self.issues[place] = replace(one, seen=[*one.seen, at], releases=releases)
                return
            new = Issue(
                id=str(FIRST + len(self.issues)),
                project=self.project,
                title=title,
                seen=[at],
                frames=frames,
                releases=(release,),
            )
            self.issues.append(new)
            body = self._of_issue("created", new)
        # As Sentry does it: the SDK does not wait for the webhook.
        threading.Thread(target=self._tell, args=("issue", body), daemon=True).start()

    def _of_issue(self, action: str, one: Issue, **more: JSON) -> dict[str, JSON]:
        at = {"firstSeen": one.seen[0].isoformat(), "lastSeen": one.seen[-1].isoformat()}
        own = plain_issue(one.id, project=one.project, title=one.title, culprit=one.frames[-1][2])
        issue: dict[str, JSON] = {
            **{name: value for name, value in own.items() if name != "seerExplorerAutofixLastTriggered"},
            **at,
            "status": "resolved" if action == "resolved" else "unresolved",
            "count": str(len(one.seen)),
            "userCount": len(one.seen),
            "url": f"https://sentry.io/api/0/organizations/shop/issues/{one.id}/",
            "web_url": f"https://shop.sentry.io/issues/{one.id}/",
            "project_url": "https://shop.sentry.io/issues/?project=1",
        }
        body = self._message(action, {"issue": issue})
        assert not (wrong := recorded("webhook issue", body)), wrong
        return {**body, "data": {"issue": issue, **more}}

    def _message(self, action: str, data: dict[str, JSON]) -> dict[str, JSON]:
        actor: dict[str, JSON] = {"type": "application", "id": "sentry", "name": "Sentry"}
        return {"action": action, "installation": {"uuid": str(uuid.UUID(int=7))}, "data": data, "actor": actor}

    def _tell(self, resource: str, body: dict[str, JSON]) -> None:
        """Post one webhook, signed with the client secret over the bytes that are sent."""
        sent = json.dumps(body).encode()
        signature = hmac.new(CLIENT_SECRET.encode(), sent, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": "application/json",
            "Request-ID": uuid.uuid4().hex,
            "Sentry-Hook-Resource": resource,
            "Sentry-Hook-Timestamp": f"{datetime.now(UTC).timestamp():.0f}",
            "Sentry-Hook-Signature": signature,
        }
        request = urllib.request.Request(self.hook, data=sent, headers=headers, method="POST")  # noqa: S310  (loopback)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  (loopback)
                self.told.append((resource, str(body["action"]), answer.status))
        except OSError as error:
            self.undelivered.append(f"{resource} {body['action']}: {error}")

    def _table(self, query: dict[str, list[str]]) -> list[JSON]:
        if query["dataset"][0] == "errors":
            return super()._table(query)
        start, end = (datetime.fromisoformat(query[name][0]).replace(tzinfo=UTC) for name in ("start", "end"))
        own = [one for one in self.served if start <= one.at < end]
        if not own:
            return []
        slowest = sorted(one.ms for one in own)[int(0.95 * (len(own) - 1))]
        rate = sum(one.failed for one in own) / len(own)
        figures: dict[str, JSON] = {"count()": len(own), "failure_rate()": rate, "p95(span.duration)": slowest}
        return [{"project": self.project, **figures}]


def envelope(body: bytes) -> tuple[Item, list[tuple[str, Item]]]:
    """Return the head of an envelope and its items that are JSON (https://develop.sentry.dev/sdk/envelopes/)."""
    first, _, rest = body.partition(b"\n")
    found: list[tuple[str, Item]] = []
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        head = json.loads(line)
        length = head.get("length", len(rest.partition(b"\n")[0]))
        if head["type"] in ("event", "transaction"):
            found.append((head["type"], json.loads(rest[:length])))
        rest = rest[length:].removeprefix(b"\n")
    return json.loads(first), found


@contextlib.contextmanager
def whole_sentry() -> Iterator[WholeSentry]:
    """Run one on a free port of this machine."""
    found = WholeSentry()
    with shaped(found.answer) as running:
        found.site = found.written.site = running
        yield found


def _instant(told: object) -> datetime:
    if isinstance(told, int | float):
        return datetime.fromtimestamp(told, UTC)
    return datetime.fromisoformat(str(told).replace("Z", "+00:00"))
