"""Contact methods that were proved to work: codes, digests and what counts as reach. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from stanch.catalog.model import Person
from stanch.catalog.oncall import Method
from stanch.oncall.pages.tables import Contact

CODE_LASTS: Final = timedelta(minutes=15)
MOST_TRIES: Final = 5
# A file on this machine and a program's own URL are proved by what they receive, not by a person typing a code.
_UNPROVED: Final = frozenset({"file", "webhook"})


def digest(text: str, *, salt: str) -> str:
    """Return what is kept of an address or a code: enough to compare, not to read."""
    return hashlib.sha256(f"{salt}\x00{text}".encode()).hexdigest()


def digest_of(person: str, method: Method) -> str:
    """Return the digest of a method's address."""
    return digest(method.address, salt=f"address {person} {method.id}")


def is_verified(contact: Contact | None, method: Method) -> bool:
    """Tell whether `method` counts as reach: proved by a code for this very address and not bounced since."""
    if method.kind in _UNPROVED:
        return True
    if contact is None or contact.verified_at is None:
        return False
    if contact.address != digest_of(contact.person, method):
        return False
    return contact.bounced_at is None or contact.bounced_at < contact.verified_at


def reaches(person: Person, contacts: Mapping[tuple[str, str], Contact]) -> tuple[Method, ...]:
    """Return the methods of `person` that count as reach."""
    return tuple(one for one in person.methods if is_verified(contacts.get((person.id, one.id)), one))


def is_open(contact: Contact, *, now: datetime) -> bool:
    """Tell whether a code was sent that may still be typed."""
    return bool(contact.code) and now <= contact.expires_at and contact.tries < MOST_TRIES
