"""Operations on contact methods: who can be reached how, and the proof by a code that was sent that it works."""

import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from stanch.catalog.model import Person
from stanch.catalog.oncall import Method
from stanch.kernel.errors import Forbidden, Invalid, NotFound, Refused, Unavailable
from stanch.kernel.ids import new_id
from stanch.oncall.contacts import CODE_LASTS, digest, digest_of, is_open, is_verified
from stanch.oncall.escalation.rules import hint_of
from stanch.oncall.pages.tables import Contact, forget_troubles, note_trouble, put_contact, read_contacts
from stanch.operations.paging import pagers_for
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.ports.pager import Failure, NotTaken, Page
from stanch.store import Transaction

_DIGITS: Final = 6


@dataclass(frozen=True, kw_only=True)
class ListContacts:
    """Whose contact methods; without `person`, everybody's."""

    person: str = ""


@dataclass(frozen=True, kw_only=True)
class SendCode:
    """Which method to send a code through. `person` is by default whoever asks."""

    method: str
    person: str = ""


@dataclass(frozen=True, kw_only=True)
class Verify:
    """The code that came, and through which method."""

    method: str
    code: str
    person: str = ""


@dataclass(frozen=True, kw_only=True)
class ContactView:
    """One contact method: whether it counts as reach, and why not in words. Instants are UTC."""

    person: str
    method: str
    kind: str
    address: str
    verified: bool
    verified_at: datetime | None
    providers: tuple[str, ...]
    trouble: str
    said: str = ""


@operation("contact.list", effect=Effect.READ, example={"person": "alice"})
def list_contacts(call: Call, request: ListContacts) -> tuple[ContactView, ...]:
    """List contact methods: which were proved to work, and through which providers they go."""
    catalog = call.world.catalog
    people = [_person(call, request.person)] if request.person.strip() else list(catalog.people.values())
    with call.world.store.reading() as view:
        contacts = read_contacts(view.connection)
    return tuple(
        view_of(call.world, person, method, contacts.get((person.id, method.id)))
        for person in people
        for method in person.methods
    )


@operation("contact.code", effect=Effect.WRITE, example={"person": "alice", "method": "push"})
def send_code(call: Call, request: SendCode) -> ContactView:
    """Send a code through a contact method; typed in within fifteen minutes it proves that the method works."""
    person = _person(call, request.person)
    method = _method(person, request.method)
    providers = pagers_for(call.world, method.kind)
    if not providers:
        raise Refused(f"no provider serves {method.kind}", reason="no_provider", hint="write a table [pagers.<name>]")
    code = "".join(secrets.choice("0123456789") for _ in range(_DIGITS))
    with call.world.store.writing() as tx:
        known = read_contacts(tx.connection).get((person.id, method.id))
        _put(tx, call, _asked(call, person, method, known, code=code))
    page = Page(
        id=f"code/{new_id(call.now)}",
        kind=method.kind,
        address=method.address,
        subject=f"Stanch code {code}",
        text=f"Your Stanch code is {code}. It shows that pages reach you here.",
    )
    said = []
    for provider in providers:
        try:
            provider.page(page)
        except NotTaken as trouble:
            said.append(trouble.message)
            if trouble.failure is Failure.CREDENTIALS:
                with call.world.store.writing() as tx:
                    note_trouble(tx.connection, provider.name, detail=trouble.message, now=call.now)
            continue
        with call.world.store.writing() as tx:
            forget_troubles(tx.connection, [provider.name])
        shown = view_of(call.world, person, method, known)
        return replace(shown, said=f"a code went out through {provider.name}; type it within 15 minutes")
    raise Unavailable("; ".join(said), retry=True, hint="check the address and the provider's settings")


@operation("contact.verify", effect=Effect.WRITE, example={"person": "alice", "method": "push", "code": "123456"})
def verify(call: Call, request: Verify) -> ContactView:
    """Prove by the code that came that a contact method works."""
    person = _person(call, request.person)
    method = _method(person, request.method)
    with call.world.store.writing() as tx:
        tx.lock(f"contact/{person.id}/{method.id}")
        known = read_contacts(tx.connection).get((person.id, method.id))
        if known is None or not is_open(known, now=call.now) or known.address != digest_of(person.id, method):
            raise Refused(
                "there is no code to type in",
                reason="no_code",
                hint=f"send one: stanch contact code {method.id}",
            )
        given = "".join(request.code.split())
        right = secrets.compare_digest(digest(given, salt=known.address), known.code)
        now = replace(known, tries=known.tries + 1)
        if right:
            now = replace(now, code="", verified_at=call.now, bounced_at=None)
        _put(tx, call, now)
    if not right:
        # After the transaction: a wrong try must count.
        raise Forbidden("that is not the code", reason="wrong_code", hint="after five tries a new one is needed")
    return replace(view_of(call.world, person, method, now), said="it works, and counts as reach from now on")


def view_of(world: World, person: Person, method: Method, contact: Contact | None) -> ContactView:
    """Return one method as people see it."""
    proved = is_verified(contact, method)
    providers = tuple(one.name for one in pagers_for(world, method.kind))
    return ContactView(
        person=person.id,
        method=method.id,
        kind=method.kind,
        address=hint_of(method),
        verified=proved,
        verified_at=contact.verified_at if contact and proved else None,
        providers=providers,
        trouble=_trouble(method, contact, proved=proved, served=bool(providers)),
    )


def _trouble(method: Method, contact: Contact | None, *, proved: bool, served: bool) -> str:
    if not served:
        return f"no provider serves {method.kind}"
    if proved:
        return ""
    if contact is not None and contact.bounced_at is not None:
        return "the provider says that the address does not work"
    if contact is not None and contact.verified_at is not None:
        return "the address has changed since it was verified"
    return "not verified"


def _asked(call: Call, person: Person, method: Method, known: Contact | None, *, code: str) -> Contact:
    address = digest_of(person.id, method)
    kept = known if known is not None and known.address == address else None
    return Contact(
        person=person.id,
        method=method.id,
        address=address,
        code=digest(code, salt=address),
        tries=0,
        expires_at=call.now + CODE_LASTS,
        verified_at=kept.verified_at if kept else None,
        bounced_at=kept.bounced_at if kept else None,
    )


def _put(tx: Transaction, call: Call, contact: Contact) -> None:
    put_contact(tx.connection, contact, asked_by=call.actor.id, via=call.via.value)


def _person(call: Call, named: str) -> Person:
    who = named.strip() or call.actor.id
    known = call.world.catalog.people.get(who)
    if known is None:
        raise NotFound(f"there is nobody called {who!r}", hint="people stand in stanch.toml, [people.<name>]")
    return known


def _method(person: Person, name: str) -> Method:
    known = next((one for one in person.methods if one.id == name.strip()), None)
    if known is None:
        names = ", ".join(one.id for one in person.methods) or "none"
        raise Invalid(f"{person.id} has no such method; there are: {names}", field="method")
    return known
