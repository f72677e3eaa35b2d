"""Issues of one Jira project as tickets of action items (https://developer.atlassian.com/cloud/jira/platform/rest/v3/).

An issue is found again by a label that is unique to the item: Jira has no idempotency key.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import quote, urlsplit

from stanch.integrations.jira.calls import BadFields, Found, Site
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
)

_TITLE: Final = 255
_FIELDS: Final = ("summary", "status", "resolution", "assignee", "duedate", "updated")
_PAGE: Final = 100
_MOST_PAGES: Final = 20
# Between what it has taken and what it finds, and between its clock and ours.
_BEHIND: Final = timedelta(minutes=5)
_KEY: Final = re.compile(r"[A-Z][A-Z0-9_]{1,29}-[0-9]{1,12}")
# A project's screen may lack them; a ticket without is better than none.
_MAY_LACK: Final = frozenset({"duedate", "assignee"})
_DROPPED: Final = frozenset(
    {
        "won't do",
        "won't fix",
        "wontfix",
        "declined",
        "rejected",
        "abandoned",
        "cancelled",
        "canceled",
        "duplicate",
        "cannot reproduce",
        "obsolete",
    }
)
_CATEGORIES: Final = {
    TicketState.OPEN: ("new", "indeterminate"),
    TicketState.DONE: ("done",),
    TicketState.DROPPED: ("done",),
}
_PARTS: Final = {
    "summary": Part.TITLE,
    "assignee": Part.OWNER,
    "duedate": Part.DUE,
    "status": Part.STATE,
    "resolution": Part.STATE,
}


class JiraIssues:
    """The tracker port on one project."""

    def __init__(self, settings: TrackerSettings) -> None:
        self._settings = settings
        self._site = Site(settings)
        self._states = {TicketState(state): name.casefold() for state, name in settings.states.items()}

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._settings.name

    @property
    def longest_title(self) -> int:
        """Return what Jira takes."""
        return _TITLE

    def find(self, mark: str, *, since: datetime, now: datetime) -> Ticket | None:
        """Return our issue with the label `mark`."""
        # A label can be given by anybody who may open an issue: whose issue it is cannot.
        ours = f'project = "{self._settings.project}" AND creator = currentUser() AND labels = "{mark}"'
        query = f'{ours} AND created >= "-{_minutes(now - since)}m" ORDER BY created ASC'
        found = self._searched(query, fields=_FIELDS)
        return self._ticket(found[0]) if found else None

    def create(self, draft: Draft) -> Ticket:
        """Make an issue, without a day or an assignee where the project has no place for them."""
        fields: Found = {
            "project": {"key": self._settings.project},
            "issuetype": {"name": self._settings.issue_type},
            "summary": draft.said.title,
            "description": _description(draft),
            "labels": [self._settings.label, draft.mark],
        }
        if draft.said.due_on:
            fields["duedate"] = draft.said.due_on.isoformat()
        if draft.said.owner:
            fields["assignee"] = {"accountId": draft.said.owner}
        try:
            made = self._site.ask("POST", "/issue", {"fields": fields}, writes=True)
        except BadFields as error:
            # Jira makes nothing where it refuses a field.
            if not error.fields <= _MAY_LACK:
                raise
            kept = {key: value for key, value in fields.items() if key not in error.fields}
            made = self._site.ask("POST", "/issue", {"fields": kept}, writes=True)
        key = made.get("key")
        if not isinstance(key, str):
            raise NotTaken(f"{self.name} answered no issue", failure=Failure.UNKNOWN)
        try:
            return self.read(key)
        except NotTaken as error:
            # It stands, and what it says will be read another time.
            raise NotTaken(error.message, failure=Failure.UNKNOWN) from None

    def read(self, reference: str) -> Ticket:
        """Return an issue by `SHOP-41` or its address."""
        fields = quote(",".join(_FIELDS), safe=",")
        return self._ticket(self._site.ask("GET", f"/issue/{self._key(reference)}?fields={fields}", writes=False))

    def moves(self, ticket: Ticket) -> tuple[Move, ...]:
        """Return what the issue's change log says, of many the last hundred."""
        path = f"/issue/{self._key(ticket.reference)}/changelog?maxResults={_PAGE}&startAt="
        answer = self._site.ask("GET", f"{path}0", writes=False)
        total = answer.get("total")
        if isinstance(total, int) and total > _PAGE:
            answer = self._site.ask("GET", f"{path}{total - _PAGE}", writes=False)
        moves = [move for one in _records(answer, "values") for move in _moves(one)]
        return tuple(sorted(moves, key=lambda move: move.at))

    def update(self, ticket: Ticket, draft: Draft, *, parts: frozenset[Part]) -> Ticket:
        """Change an issue's fields, then its status."""
        key, said = self._key(ticket.reference), draft.said
        fields: Found = {}
        if Part.TITLE in parts:
            fields["summary"] = said.title
        if Part.OWNER in parts:
            fields["assignee"] = {"accountId": said.owner} if said.owner else None
        if Part.DUE in parts:
            fields["duedate"] = said.due_on.isoformat() if said.due_on else None
        if fields:
            self._site.ask("PUT", f"/issue/{key}", {"fields": fields}, writes=True)
        if Part.STATE in parts and said.state is not ticket.said.state:
            self._move_to(key, said.state)
        return self.read(key)

    def touched(self, *, since: datetime, now: datetime) -> tuple[Touched, ...]:
        """Return the issues of the project that changed since, and some minutes before."""
        minutes = _minutes(now - since + _BEHIND)
        query = f'project = "{self._settings.project}" AND updated >= "-{minutes}m" ORDER BY updated ASC'
        found = []
        for issue in self._searched(query, fields=("updated",)):
            updated = _text(_record(issue, "fields"), "updated")
            found.append(Touched(reference=_text(issue, "key"), version=updated, at=_at(updated) or since))
        return tuple(found)

    def close(self) -> None:
        """Close the connections."""
        self._site.close()

    def _searched(self, query: str, *, fields: tuple[str, ...]) -> list[Found]:
        found: list[Found] = []
        token = ""
        for _ in range(_MOST_PAGES):
            body: Found = {"jql": query, "fields": list(fields), "maxResults": _PAGE}
            answer = self._site.ask(
                "POST", "/search/jql", {**body, **({"nextPageToken": token} if token else {})}, writes=False
            )
            found += _records(answer, "issues")
            token = _text(answer, "nextPageToken")
            if not token:
                break
        return found

    def _move_to(self, key: str, state: TicketState) -> None:
        """Take the transition that leads to `state`. Raises `NotTaken` where the workflow offers none."""
        answer = self._site.ask("GET", f"/issue/{key}/transitions?expand=transitions.fields", writes=False)
        offered = _records(answer, "transitions")
        chosen = min(offered, key=lambda one: self._distance(one, state), default=None)
        if chosen is None or self._distance(chosen, state) is _FAR:
            names = ", ".join(_text(_record(one, "to"), "name") for one in offered) or "nothing"
            raise NotTaken(f"{key} cannot be moved to {state.value}: Jira offers {names}", failure=Failure.REFUSED)
        body: Found = {"transition": {"id": _text(chosen, "id")}}
        if state is TicketState.DROPPED and (resolution := _dropped_resolution(chosen)):
            body["fields"] = {"resolution": {"name": resolution}}
        self._site.ask("POST", f"/issue/{key}/transitions", body, writes=True)

    def _distance(self, transition: Found, state: TicketState) -> int:
        """Return how well a transition leads to `state`: the configured status first, then the usual ones."""
        to = _record(transition, "to")
        name, category = _text(to, "name").casefold(), _text(_record(to, "statusCategory"), "key")
        if state in self._states:
            return 0 if name == self._states[state] else _FAR
        if category not in _CATEGORIES[state]:
            return _FAR
        is_dropped = name in _DROPPED or name == self._states.get(TicketState.DROPPED)
        return 1 + _CATEGORIES[state].index(category) + (2 if is_dropped is not (state is TicketState.DROPPED) else 0)

    def _key(self, reference: str) -> str:
        text = reference.strip()
        parts = urlsplit(text)
        if parts.scheme in ("http", "https"):
            text = parts.path.rstrip("/").rpartition("/")[2]
        text = text.upper()
        if not _KEY.fullmatch(text) or text.rpartition("-")[0] != self._settings.project:
            raise NotTaken(f"{text[:80]!r} is no issue of {self._settings.project}", failure=Failure.REFUSED)
        return text

    def _ticket(self, issue: Found) -> Ticket:
        key, fields = _text(issue, "key"), _record(issue, "fields")
        if not key or not fields:
            raise NotTaken(f"{self.name} answered no issue", failure=Failure.UNREACHABLE)
        return Ticket(
            reference=key,
            url=f"{self._site.url}/browse/{key}",
            said=Said(
                title=_text(fields, "summary"),
                owner=_text(_record(fields, "assignee"), "accountId"),
                due_on=_day(_text(fields, "duedate")),
                state=self._state_of(fields),
            ),
            version=_text(fields, "updated"),
        )

    def _state_of(self, fields: Found) -> TicketState:
        status = _record(fields, "status")
        name = _text(status, "name").casefold()
        for state, configured in self._states.items():
            if name == configured:
                return state
        if _text(_record(status, "statusCategory"), "key") != "done":
            return TicketState.OPEN
        resolution = _text(_record(fields, "resolution"), "name").casefold()
        return TicketState.DROPPED if {resolution, name} & _DROPPED else TicketState.DONE


_FAR: Final = 1_000


def _description(draft: Draft) -> Found:
    """Return the text as an Atlassian document: a link to where it comes from, and the facts that no field holds."""
    link: Found = {"type": "text", "text": draft.about, "marks": [{"type": "link", "attrs": {"href": draft.url}}]}
    paragraphs: list[Found] = [{"type": "paragraph", "content": [link]}]
    facts = [f"{word}: {value}" for word, value in draft.facts if value]
    paragraphs += [{"type": "paragraph", "content": [{"type": "text", "text": fact}]} for fact in facts]
    return {"type": "doc", "version": 1, "content": paragraphs}


def _dropped_resolution(transition: Found) -> str:
    """Return the resolution that says that nobody will do it, empty where the transition asks for none."""
    allowed = _records(_record(_record(transition, "fields"), "resolution"), "allowedValues")
    return next((name for one in allowed if (name := _text(one, "name")).casefold() in _DROPPED), "")


def _moves(history: Found) -> list[Move]:
    author, at = _record(history, "author"), _at(_text(history, "created"))
    who = _text(author, "accountId")
    if not who or at is None:
        return []
    parts = [_PARTS.get(_text(one, "field")) for one in _records(history, "items")]
    return [Move(part=part, by=who, name=_text(author, "displayName") or who, at=at) for part in parts if part]


def _record(found: Mapping[str, object], key: str) -> Found:
    value = found.get(key)
    return value if isinstance(value, dict) else {}


def _records(found: Mapping[str, object], key: str) -> list[Found]:
    value = found.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(found: Mapping[str, object], key: str) -> str:
    value = found.get(key)
    return value if isinstance(value, str) else ""


def _minutes(length: timedelta) -> int:
    return max(1, int(length / timedelta(minutes=1)) + 1)


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
