"""Who follows whom where an item and its ticket say different things. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from stanch.ports.ticketing import Move, Part, Said

_NOT_IN_A_MARK: Final = re.compile(r"[^a-z0-9]+")
_LONGEST_SLUG: Final = 60


@dataclass(frozen=True, kw_only=True)
class Known:
    """What both sides said when they were last compared: `here` with owners as people, `there` with accounts.

    They may differ for good: a tracker cuts a long title, and knows no account of somebody. So each side is compared
    with what it said itself.
    """

    here: Said
    there: Said
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Which parts of the ticket follow the item, and which of the item follow the ticket."""

    push: frozenset[Part]
    pull: frozenset[Part]


def merge(*, here: Said, there: Said, known: Known) -> Merge:
    """Return what follows what. A part that changed on both sides stays as it is here."""
    push = changed(known.here, here)
    return Merge(push=push, pull=changed(known.there, there) - push)


def changed(before: Said, after: Said) -> frozenset[Part]:
    """Return the parts of which `after` says something else."""
    pairs = {
        Part.TITLE: (before.title, after.title),
        Part.OWNER: (before.owner, after.owner),
        Part.DUE: (before.due_on, after.due_on),
        Part.STATE: (before.state, after.state),
    }
    return frozenset(part for part, (old, new) in pairs.items() if old != new)


def taken(said: Said, other: Said, parts: frozenset[Part]) -> Said:
    """Return `said` with `parts` as `other` says them."""
    return replace(
        said,
        title=other.title if Part.TITLE in parts else said.title,
        owner=other.owner if Part.OWNER in parts else said.owner,
        due_on=other.due_on if Part.DUE in parts else said.due_on,
        state=other.state if Part.STATE in parts else said.state,
    )


def owner_here(*, now: str, there: Said, known: Known, people: Mapping[str, str]) -> str:
    """Return the person who has an item whose ticket went to another account; `people` are accounts by person.

    An account of nobody here changes nothing, and neither does that nobody has the ticket where `now`, who has the
    item, never had it there.
    """
    if not there.owner:
        return now if known.there.owner != people.get(now, "") else ""
    return next((person for person, account in people.items() if account == there.owner), now)


def last_move(moves: tuple[Move, ...], part: Part) -> Move | None:
    """Return who changed `part` last, None where the tracker does not say."""
    return next((one for one in reversed(moves) if one.part is part), None)


def mark_of(installation: str, incident: int, number: int, *, key: str) -> str:
    """Return the word by which a ticket is found again.

    `mark_of("Shop", 42, 3, key="9f")` is `stanch-shop-inc-42-3-9f`. `key`, of lower-case letters and digits, is what
    nobody can guess who has not seen the ticket: a stranger may open tickets in a public project, and one with the
    right mark would be taken for ours.
    """
    slug = _NOT_IN_A_MARK.sub("-", installation.casefold()).strip("-")[:_LONGEST_SLUG].strip("-")
    return "-".join(part for part in ("stanch", slug, "inc", str(incident), str(number), key) if part)


def shortened(title: str, longest: int) -> str:
    """Return a title that fits into `longest` letters."""
    return title if len(title) <= longest else f"{title[: longest - 1].rstrip()}…"
