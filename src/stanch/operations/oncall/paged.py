"""Who was paged when, read from the pages. One person of one level of one round is one page, whatever the methods."""

from collections.abc import Iterable
from datetime import datetime

from stanch.oncall.escalation.model import Purpose
from stanch.oncall.escalation.state import PageState
from stanch.oncall.load import PageAt
from stanch.oncall.pages.tables import find_pages
from stanch.store import Connection

_MOST = 100_000
_DISTURBING = frozenset({Purpose.INCIDENT, Purpose.DIRECT})


def pages_between(connection: Connection, *, start: datetime, end: datetime) -> list[PageState]:
    """Return the pages about something real that began from `start` to `end`, newest first."""
    found = find_pages(connection, start=start, end=end, limit=_MOST)
    return [one for one in found if one.purpose in _DISTURBING]


def people_paged(pages: Iterable[PageState]) -> list[PageAt]:
    """Return each time that a person was paged; one that was cancelled before it left is none."""
    found: dict[tuple[int, str, int, int], PageAt] = {}
    for page in pages:
        for notice in page.notices:
            if notice.state.is_waiting or not notice.state.may_have_arrived:
                continue
            key = (page.number, notice.person, notice.round, notice.level)
            at = notice.moved_at or notice.due_at
            if key not in found or at < found[key].at:
                found[key] = PageAt(person=notice.person, at=at)
    return sorted(found.values(), key=lambda one: one.at)
