"""Issues of one GitHub repository as tickets of action items (https://docs.github.com/en/rest/issues/issues).

An issue has no day on which it is due: that stands in a part of its text that is ours, between two comments, with what
the item is about. What people write around it stays. The first comment is the mark that an issue is found again by:
GitHub has no idempotency key, and its search is behind; the list of issues is not.
"""

import re
import weakref
from datetime import UTC, date, datetime
from typing import Final
from urllib.parse import quote, urlsplit

import httpx2

from stanch.kernel.redaction import redact
from stanch.ports.bounded import bounds
from stanch.ports.channel import hidden
from stanch.ports.ticketing import (
    Draft,
    Failure,
    Move,
    NotTaken,
    Part,
    Said,
    Ticket,
    TicketState,
    Touched,
    TrackerSettings,
    lost,
    refused,
    retry_after,
)

_API: Final = "https://api.github.com"
_TIMEOUT: Final = httpx2.Timeout(8.0, connect=3.0)
# The longest title that GitHub takes.
_TITLE: Final = 256
_PAGE: Final = 100
# A page of the longest texts that GitHub takes: 65,536 letters of up to four bytes in each of a hundred issues.
_MOST_BYTES: Final = 32 * 1024 * 1024
# A thousand issues that changed since: who has more than that between two looks is told so.
_MOST_PAGES: Final = 10
_END: Final = "<!-- /stanch -->"
_BLOCK: Final = re.compile(r"<!-- (stanch-[a-z0-9-]+) -->.*?<!-- /stanch -->", re.DOTALL)
_DUE: Final = re.compile(r"^Due: *(\d{4}-\d\d-\d\d) *$", re.MULTILINE)
_REFERENCE: Final = re.compile(r"(?:[\w.-]+/[\w.-]+)?#?(\d{1,12})")
# Asking too often is said with 403 too (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api).
_FORBIDDEN: Final = 403
_MARKUP: Final = re.compile(r"([\\`*_\[\]<>#@|])")
_PARTS: Final = {
    "closed": Part.STATE,
    "reopened": Part.STATE,
    "renamed": Part.TITLE,
    "assigned": Part.OWNER,
    "unassigned": Part.OWNER,
}

Found = dict[str, object]


class GitHubIssues:
    """The tracker port on the issues of one repository."""

    def __init__(self, settings: TrackerSettings) -> None:
        self._settings = settings
        self._project = settings.project
        self._base = base = (settings.url or _API).rstrip("/")
        self._issues = f"{base}/repos/{quote(settings.project)}/issues"
        headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
            "Authorization": f"Bearer {settings.secret}",
            "User-Agent": "stanch",
        }
        # Over plain HTTP there is nothing to verify, and to read the certificates takes a while.
        verify = base.startswith("https:")
        self._client = httpx2.Client(
            timeout=_TIMEOUT,
            headers=headers,
            follow_redirects=False,
            verify=verify,
            event_hooks=bounds(most_bytes=_MOST_BYTES),
        )
        weakref.finalize(self, self._client.close)

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._settings.name

    @property
    def longest_title(self) -> int:
        """Return what GitHub takes."""
        return _TITLE

    def find(self, mark: str, *, since: datetime, now: datetime) -> Ticket | None:
        """Return the oldest issue of ours whose text has `mark`, of those made since."""
        # `since` is when an issue was last changed: by editing an old one of his, somebody could put it before ours.
        query = {"state": "all", "sort": "created", "direction": "desc", "since": _instant(since)}
        for issue in reversed(self._listed(query)):
            made_at = _at(_text(issue, "created_at"))
            if made_at and made_at >= since and f"<!-- {mark} -->" in _text(issue, "body") and self._is_ours(issue):
                return self._ticket(issue)
        return None

    def create(self, draft: Draft) -> Ticket:
        """Make an issue."""
        body: Found = {"title": draft.said.title, "body": _block(draft), "labels": [self._settings.label]}
        if draft.said.owner:
            body["assignees"] = [draft.said.owner]
        return self._ticket(self._ask("POST", self._issues, body))

    def read(self, reference: str) -> Ticket:
        """Return an issue by `acme/shop#41`, `#41` or its address."""
        return self._ticket(self._ask("GET", f"{self._issues}/{self._number(reference)}"))

    def moves(self, ticket: Ticket) -> tuple[Move, ...]:
        """Return what the issue's events say, of many the last hundred or so."""
        url = f"{self._issues}/{self._number(ticket.reference)}/events?per_page={_PAGE}"
        answer = self._answer("GET", url)
        last = answer.links.get("last", {}).get("url", "")
        # An address in an answer is followed only where it is on the server that was asked.
        if last and urlsplit(last)[:2] == urlsplit(url)[:2]:
            answer = self._answer("GET", last)
        found = _json(self.name, answer)
        return tuple(move for one in found if (move := _move(one))) if isinstance(found, list) else ()

    def update(self, ticket: Ticket, draft: Draft, *, parts: frozenset[Part]) -> Ticket:
        """Change an issue, and its text where that says an owner or a day."""
        url = f"{self._issues}/{self._number(ticket.reference)}"
        said = draft.said
        body: Found = {}
        if Part.TITLE in parts:
            body["title"] = said.title
        if Part.OWNER in parts:
            body["assignees"] = [said.owner] if said.owner else []
        if Part.STATE in parts and said.state is not ticket.said.state:
            body |= _state(said.state)
        if parts & {Part.OWNER, Part.DUE}:
            body["body"] = _with_block(_text(_issue(self.name, self._ask("GET", url)), "body"), draft)
        return self._ticket(self._ask("PATCH", url, body)) if body else ticket

    def touched(self, *, since: datetime, now: datetime) -> tuple[Touched, ...]:
        """Return the issues that changed since."""
        query = {"state": "all", "sort": "updated", "direction": "asc", "since": _instant(since)}
        return tuple(
            Touched(
                reference=f"{self._project}#{issue['number']}",
                version=_text(issue, "updated_at"),
                at=_at(_text(issue, "updated_at")) or since,
            )
            for issue in self._listed(query)
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _is_ours(self, issue: Found) -> bool:
        """Tell whether our account made an issue. Only who may write to the repository can give it a label.

        The account is asked for where it may not: the token of an app has none, and then the label is what counts.
        """
        labels = issue.get("labels")
        if isinstance(labels, list) and any(_text(one, "name") == self._settings.label for one in labels):
            return True
        try:
            us = _login(self._ask("GET", f"{self._base}/user"))
        except NotTaken as error:
            if error.failure is Failure.CREDENTIALS:
                return False
            raise
        return bool(us) and us == _login(issue.get("user"))

    def _listed(self, query: dict[str, str]) -> list[Found]:
        """Return the issues that a query finds, without pull requests, which GitHub counts among them."""
        found: list[Found] = []
        for page in range(1, _MOST_PAGES + 1):
            url = f"{self._issues}?{httpx2.QueryParams({**query, 'per_page': _PAGE, 'page': page})}"
            answer = self._ask("GET", url)
            issues = [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
            found += [one for one in issues if "pull_request" not in one and isinstance(one.get("number"), int)]
            if len(issues) < _PAGE:
                return found
        if query["sort"] == "updated":
            # The oldest come first: the next look goes on where this one ends.
            return found
        raise NotTaken(f"{self.name} has too many new issues to look through", failure=Failure.UNREACHABLE)

    def _number(self, reference: str) -> str:
        """Return the number that a reference names. Raises `NotTaken` for one of another repository."""
        text = reference.strip()
        parts = urlsplit(text)
        if parts.scheme in ("http", "https"):
            text = "#".join(parts.path.strip("/").rsplit("/issues/", 1))
        match = _REFERENCE.fullmatch(text)
        place = text.partition("#")[0] if "#" in text else ""
        if match is None or (place and place.casefold() != self._project.casefold()):
            raise NotTaken(f"{text[:80]!r} is no issue of {self._project}", failure=Failure.REFUSED)
        return match[1]

    def _ticket(self, answer: object) -> Ticket:
        issue = _issue(self.name, answer)
        block = _BLOCK.search(_text(issue, "body"))
        due = _DUE.search(block[0]) if block else None
        assignees = issue.get("assignees")
        owners = [_login(one) for one in assignees] if isinstance(assignees, list) else []
        return Ticket(
            reference=f"{self._project}#{issue['number']}",
            url=redact(_text(issue, "html_url")),
            said=Said(
                title=_text(issue, "title"),
                owner=owners[0] if owners else "",
                due_on=_day(due[1]) if due else None,
                state=_state_of(issue),
            ),
            version=_text(issue, "updated_at"),
        )

    def _ask(self, method: str, url: str, body: object = None) -> object:
        return _json(self.name, self._answer(method, url, body))

    def _answer(self, method: str, url: str, body: object = None) -> httpx2.Response:
        if not self._settings.secret:
            raise NotTaken("its token is not set in the server's environment", failure=Failure.CREDENTIALS)
        writes = method != "GET"
        try:
            answer = self._client.request(method, url, json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self.name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self.name, error, begun=writes) from None
        if answer.is_success:
            return answer
        words = redact(hidden(answer.text, secret=self._settings.secret))
        if answer.status_code == _FORBIDDEN and ("retry-after" in answer.headers or "rate limit" in words.lower()):
            said = f"{self.name} answered 403 {words[:200]}"
            raise NotTaken(said, failure=Failure.THROTTLED, retry_after_s=retry_after(answer.headers) or 60.0)
        failure = refused(self.name, status=answer.status_code, words=words, headers=answer.headers)
        if failure.failure is Failure.UNKNOWN and not writes:
            raise NotTaken(failure.message, failure=Failure.UNREACHABLE)
        raise failure


def _json(name: str, answer: httpx2.Response) -> object:
    try:
        return answer.json()
    except ValueError:
        raise NotTaken(f"{name} answered no JSON", failure=Failure.UNKNOWN) from None


def _issue(name: str, answer: object) -> Found:
    if not isinstance(answer, dict) or not isinstance(answer.get("number"), int):
        raise NotTaken(f"{name} answered no issue", failure=Failure.UNKNOWN)
    return answer


def _block(draft: Draft) -> str:
    """Return our part of the text: the mark, what it is about, and the facts, a line each."""
    due = [f"Due: {draft.said.due_on.isoformat()}"] if draft.said.due_on else []
    facts = [f"{word}: {_plain(value)}" for word, value in draft.facts]
    lines = [f"<!-- {draft.mark} -->", f"[{_plain(draft.about)}]({draft.url})", "", *facts, *due, _END]
    return "\n".join(lines)


def _with_block(text: str, draft: Draft) -> str:
    """Return a text with our part as it is now; the rest stays, and where there is none it comes last."""
    block = _block(draft)
    if _BLOCK.search(text):
        return _BLOCK.sub(lambda found: block, text, count=1)
    return f"{text.rstrip()}\n\n{block}" if text.strip() else block


def _plain(text: str) -> str:
    """Return text of ours that Markdown takes for nothing else: one line, no markup, no mention of somebody."""
    # A line of its own could say another day than ours does.
    return _MARKUP.sub(r"\\\1", " ".join(text.split())).replace("\\@", "@\u200b").replace("\\#", "#\u200b")


def _state(state: TicketState) -> Found:
    if state is TicketState.OPEN:
        return {"state": "open", "state_reason": "reopened"}
    return {"state": "closed", "state_reason": "completed" if state is TicketState.DONE else "not_planned"}


def _state_of(issue: Found) -> TicketState:
    if issue.get("state") != "closed":
        return TicketState.OPEN
    return TicketState.DROPPED if issue.get("state_reason") in ("not_planned", "duplicate") else TicketState.DONE


def _move(event: object) -> Move | None:
    if not isinstance(event, dict) or (part := _PARTS.get(str(event.get("event")))) is None:
        return None
    # Of an assignment the actor may be who was assigned; the assigner is who did it.
    who = _login(event.get("assigner")) or _login(event.get("actor"))
    at = _at(_text(event, "created_at"))
    return Move(part=part, by=who, name=who, at=at) if who and at else None


def _login(one: object) -> str:
    return str(one.get("login") or "") if isinstance(one, dict) else ""


def _text(found: object, key: str) -> str:
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _at(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at.astimezone(UTC) if at.tzinfo else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
