"""The projection of pages that lists, escalation and the ledger read, computed from the log; contact methods that were
proved to work; the key that answers without a login are signed with, and which of them were used."""

import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.kernel.codec import from_data, to_data
from stanch.kernel.event import Event
from stanch.oncall.escalation import events as ev
from stanch.oncall.escalation.model import PageStatus, Purpose
from stanch.oncall.escalation.state import PageState, fold
from stanch.store.schema import metadata
from stanch.store.types import Document, Instant, Serial

pages: Final = Table(
    "pages",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("incident", Integer),
    Column("status", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("last_seq", Serial, nullable=False),
    Column("document", Document, nullable=False),
    Index("ix_pages_incident", "incident"),
    Index("ix_pages_status", "status"),
    Index("ix_pages_started_at", "started_at"),
)

contacts: Final = Table(
    "contacts",
    metadata,
    Column("person", Text, primary_key=True),
    Column("method", Text, primary_key=True),
    # A changed address is another method: what was proved is this one. Its digest, as a number is nobody's business.
    Column("address", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("verified_at", Instant),
    Column("bounced_at", Instant),
    Column("asked_by", Text, nullable=False),
    Column("via", Text, nullable=False),
)

keys: Final = Table(
    "page_keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

answers: Final = Table(
    "page_answers",
    metadata,
    Column("token", Text, primary_key=True),
    Column("used_at", Instant, nullable=False),
    Column("how", Text, nullable=False),
)

troubles: Final = Table(
    "pager_troubles",
    metadata,
    # A provider that does not accept us, until it takes something over again.
    Column("provider", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("detail", Text, nullable=False),
)


class PageProjector:
    """Keeps the table `pages`."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the one table."""
        return (pages,)

    def project(self, connection: Connection, event: Event) -> None:
        """Bring the page's row up to date with `event`."""
        if event.kind not in ev.PAGE_EVENTS or event.kind == ev.NotPaged.kind:
            return
        if event.kind == ev.PagingStarted.kind:
            state = fold(None, event)
            if state is not None:
                connection.execute(insert(pages).values(number=state.number, **_columns(state, event)))
            return
        known = read_page(connection, _number(event))
        state = fold(known, event)
        if state is not None:
            connection.execute(update(pages).where(pages.c.number == state.number).values(_columns(state, event)))

    def project_together(self, connection: Connection, events: Sequence[Event]) -> None:
        """Bring the rows up to date with events of many pages, in one statement."""
        mine = [one for one in events if one.kind in ev.PAGE_EVENTS and one.kind != ev.NotPaged.kind]
        if any(one.kind == ev.PagingStarted.kind for one in mine):
            for event in mine:
                self.project(connection, event)
            return
        states: dict[int, PageState | None] = dict(read_pages(connection, {_number(one) for one in mine}))
        last: dict[int, Event] = {}
        for event in mine:
            number = _number(event)
            states[number], last[number] = fold(states.get(number), event), event
        rows = [
            {f"b_{name}": value for name, value in {"number": number, **_columns(state, last[number])}.items()}
            for number, state in states.items()
            if state is not None
        ]
        if rows:
            names = [name.removeprefix("b_") for name in rows[0] if name != "b_number"]
            statement = (
                update(pages)
                .where(pages.c.number == bindparam("b_number"))
                .values(**{name: bindparam(f"b_{name}") for name in names})
            )
            connection.execute(statement, rows)


def _number(event: Event) -> int:
    return int(event.stream.removeprefix("page/"))


def read_page(connection: Connection, number: int) -> PageState | None:
    """Return a page as its log says it is; None when there is no such page."""
    row = connection.execute(select(pages.c.document).where(pages.c.number == number)).scalar_one_or_none()
    return None if row is None else from_data(row, PageState)


def read_pages(connection: Connection, numbers: Iterable[int]) -> dict[int, PageState]:
    """Return the pages with these numbers, in one query."""
    rows = connection.execute(select(pages.c.number, pages.c.document).where(pages.c.number.in_(sorted(set(numbers)))))
    return {row.number: from_data(row.document, PageState) for row in rows}


def incident_of(connection: Connection, number: int) -> int | None:
    """Return the incident that a page is about, None when it is about none or there is no such page."""
    found: int | None = connection.execute(
        select(pages.c.incident).where(pages.c.number == number)
    ).scalar_one_or_none()
    return found


def find_pages(
    connection: Connection,
    *,
    incident: int | None = None,
    open_only: bool = False,
    purpose: Purpose | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int = 100,
) -> list[PageState]:
    """Return pages, newest first, narrowed by incident, purpose, when they began (from `start`, before `end`), and to
    those that are not over."""
    query = select(pages.c.document).order_by(pages.c.number.desc()).limit(limit)
    if incident is not None:
        query = query.where(pages.c.incident == incident)
    if open_only:
        query = query.where(pages.c.status != PageStatus.ENDED.value)
    if purpose is not None:
        query = query.where(pages.c.purpose == purpose.value)
    if start is not None:
        query = query.where(pages.c.started_at >= start)
    if end is not None:
        query = query.where(pages.c.started_at < end)
    return [from_data(row.document, PageState) for row in connection.execute(query)]


def old_pages(connection: Connection, *, before: datetime, not_about: Collection[int], limit: int) -> list[PageState]:
    """Return pages that are over and began before `before`, the oldest first, but for those about these incidents."""
    query = select(pages.c.document).order_by(pages.c.started_at, pages.c.number).limit(limit)
    query = query.where(pages.c.started_at < before, pages.c.status == PageStatus.ENDED.value)
    if not_about:
        query = query.where(or_(pages.c.incident.is_(None), pages.c.incident.not_in(sorted(not_about))))
    return [from_data(row.document, PageState) for row in connection.execute(query)]


def drop_pages(connection: Connection, numbers: Collection[int]) -> None:
    """Delete the rows of these pages."""
    connection.execute(delete(pages).where(pages.c.number.in_(sorted(numbers))))


def signing_key(connection: Connection) -> bytes:
    """Return the key of this installation, made when it is first asked for. Only in a transaction that writes."""
    found = known_key(connection)
    if found is None:
        values = {"name": "answers", "value": secrets.token_hex(32)}
        connection.execute(_insert(connection, keys).values(values).on_conflict_do_nothing(index_elements=["name"]))
        found = known_key(connection)
    return found or b""


def known_key(connection: Connection) -> bytes | None:
    """Return the key of this installation, None before the first page."""
    found = connection.execute(select(keys.c.value).where(keys.c.name == "answers")).scalar_one_or_none()
    return None if found is None else bytes.fromhex(found)


def use_once(connection: Connection, token: str, *, now: datetime, how: str) -> bool:
    """Record that `token` was used; False when it had been."""
    statement = (
        _insert(connection, answers)
        .values(token=token, used_at=now, how=how)
        .on_conflict_do_nothing(index_elements=["token"])
    )
    return connection.execute(statement.returning(answers.c.token)).first() is not None


def is_used(connection: Connection, token: str) -> bool:
    """Tell whether `token` was used."""
    return connection.execute(select(answers.c.token).where(answers.c.token == token)).first() is not None


@dataclass(frozen=True, kw_only=True)
class Contact:
    """What is known about one contact method: `address` and `code` are digests; instants are UTC."""

    person: str
    method: str
    address: str
    code: str
    tries: int
    expires_at: datetime
    verified_at: datetime | None
    bounced_at: datetime | None


def read_contacts(connection: Connection) -> dict[tuple[str, str], Contact]:
    """Return what is known about every contact method, by person and method."""
    return {
        (row.person, row.method): Contact(
            person=row.person,
            method=row.method,
            address=row.address,
            code=row.code,
            tries=row.tries,
            expires_at=row.expires_at,
            verified_at=row.verified_at,
            bounced_at=row.bounced_at,
        )
        for row in connection.execute(select(contacts))
    }


def put_contact(connection: Connection, contact: Contact, *, asked_by: str, via: str) -> None:
    """Store what is known about a contact method, over what was."""
    values = {
        "address": contact.address,
        "code": contact.code,
        "tries": contact.tries,
        "expires_at": contact.expires_at,
        "verified_at": contact.verified_at,
        "bounced_at": contact.bounced_at,
        "asked_by": asked_by,
        "via": via,
    }
    statement = _insert(connection, contacts).values(person=contact.person, method=contact.method, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["person", "method"], set_=values))


def mark_bounced(connection: Connection, *, person: str, method: str, now: datetime) -> None:
    """Record that a provider says the address does not work."""
    connection.execute(
        update(contacts).where(and_(contacts.c.person == person, contacts.c.method == method)).values(bounced_at=now)
    )


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A provider that does not accept us since `since` (UTC), in its own words."""

    provider: str
    since: datetime
    detail: str


def note_trouble(connection: Connection, provider: str, *, detail: str, now: datetime) -> None:
    """Record that `provider` does not accept us; since when stays as it was."""
    values = {"provider": provider, "since": now, "detail": detail[:500]}
    statement = _insert(connection, troubles).values(values)
    connection.execute(statement.on_conflict_do_update(index_elements=["provider"], set_={"detail": detail[:500]}))


def forget_troubles(connection: Connection, providers: Iterable[str]) -> None:
    """Record that these providers accept us."""
    connection.execute(delete(troubles).where(troubles.c.provider.in_(sorted(set(providers)))))


def read_troubles(connection: Connection) -> list[Trouble]:
    """Return the providers that do not accept us."""
    rows = connection.execute(select(troubles).order_by(troubles.c.provider))
    return [Trouble(provider=row.provider, since=row.since, detail=row.detail) for row in rows]


def forget_answers(connection: Connection, *, before: datetime) -> int:
    """Delete answers that were used so long ago that their tokens are over anyway; return how many."""
    return connection.execute(delete(answers).where(answers.c.used_at < before)).rowcount


def _insert(connection: Connection, table: Table):  # type: ignore[no-untyped-def]  # either dialect's own class
    return (postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert)(table)


def _columns(state: PageState, event: Event) -> dict[str, object]:
    return {
        "incident": state.incident,
        "status": state.status.value,
        "purpose": state.purpose.value,
        "started_at": state.started_at,
        "last_seq": event.seq,
        "document": to_data(state),
    }
