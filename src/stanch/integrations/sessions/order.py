"""What a step that ends sessions says: the system, the bounds, and once it was looked at, exactly whom. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stanch.kernel.blocks import clean
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.ports.actuator import Step
from stanch.ports.sessions import Bounds, DatabaseSession, Doing, Identity, Trouble

MOST: Final = 20
"""As many sessions a plan may end at the very most: one reads them all before one says yes."""

_KEYS: Final = ("on", "which", "at_least_s", "at_most", "users", "databases", "grace_s")
_OURS: Final = ("sessions", "dry_run", "undo")
_NUMBER: Final = re.compile(r"[0-9]{1,7}(?:\.[0-9]{1,3})?")
_LONGEST_QUERY: Final = 160
_DEFAULTS: Final = {"which": "blocking", "at_least_s": "30", "at_most": "5", "grace_s": "3"}


@dataclass(frozen=True, kw_only=True)
class Named:
    """One session that a plan names, and what for."""

    identity: Identity
    why: Trouble
    who: str


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be ended where. `named` is None until the far end was looked at. `grace_s`: from cancel to the end."""

    system: str
    bounds: Bounds
    grace_s: float
    named: tuple[Named, ...] | None
    dry: bool


def problems_of(step: Step, systems: Sequence[str]) -> tuple[str, ...]:
    """Return what about a step's settings is wrong, in words."""
    told = _told(step.data)
    known = ", ".join(_KEYS)
    found = [f"{name!r} is no setting: there are {known}" for name in sorted(step.data.keys() - {*_KEYS, *_OURS})]
    found += [f"{name} must be a text" for name in _KEYS if not isinstance(step.data.get(name, ""), str)]
    if told["on"] not in systems:
        there = ", ".join(sorted(systems)) or "none"
        found.append(f"{told['on']!r} is no system of this kind: there are {there}")
    for word in _words(told["which"]):
        if word not in set(Trouble):
            found.append(f"{word!r} is nothing to end a session for: there are {', '.join(Trouble)}")
    for name, low, high in (("at_least_s", 1, 86_400), ("at_most", 1, MOST), ("grace_s", 0, 60)):
        text = told[name]
        if not _NUMBER.fullmatch(text) or not low <= float(text) <= high or (name == "at_most" and "." in text):
            found.append(f"{name} must be a number from {low} to {high}")
    if "sessions" in step.data and _named(step.data["sessions"]) is None:
        found.append("the sessions that the step names cannot be read")
    elif len(_named(step.data.get("sessions")) or ()) > MOST:
        found.append(f"the step names more than {MOST} sessions")
    return tuple(found)


def read_order(step: Step) -> Order:
    """Read a step that has no problems."""
    told = _told(step.data)
    return Order(
        system=told["on"],
        bounds=Bounds(
            troubles=frozenset(Trouble(word) for word in _words(told["which"])),
            at_least_s=float(told["at_least_s"]),
            at_most=int(told["at_most"]),
            users=frozenset(_words(told["users"])),
            databases=frozenset(_words(told["databases"])),
        ),
        grace_s=float(told["grace_s"]),
        named=_named(step.data["sessions"]) if "sessions" in step.data else None,
        dry=step.data.get("dry_run") is True,
    )


def written(chosen: Sequence[tuple[DatabaseSession, Trouble]]) -> JSON:
    """Return sessions as a step names them."""
    return [
        {
            "pid": session.identity.pid,
            "started": session.identity.started,
            "work": session.identity.work,
            "why": why.value,
            "who": who_of(session),
        }
        for session, why in chosen
    ]


def who_of(session: DatabaseSession) -> str:
    """Return whose session it is: user, application, where from, on which database."""
    application = f" ({session.application})" if session.application else ""
    database = f" on {session.database}" if session.database else ""
    return _line(f"{session.identity.pid} of {session.user}{application} from {session.client}{database}")


def told_of(session: DatabaseSession) -> str:
    """Return who a session is, what it does, since when, and who waits for whom; its query redacted, on one line."""
    parts = [f"{who_of(session)}: {session.doing.value} for {_span(session.for_s)}"]
    if session.open_s > session.for_s + 1:
        parts.append(f"its transaction open for {_span(session.open_s)}")
    if session.behind:
        parts.append(f"{session.behind} wait for it, up to {_span(session.waiting_s)}")
    if session.waits_for:
        parts.append(f"waits for {', '.join(map(str, session.waits_for[:5]))}")
    query = _line(session.query)[:_LONGEST_QUERY]
    return ", ".join(parts) + (f": {query}" if query else "")


def was_doing(session: DatabaseSession) -> bool:
    """Tell whether it is worth a line at all: it does something, or others wait for it."""
    return session.doing is not Doing.IDLE or session.behind > 0


def _line(text: str) -> str:
    return redact(" ".join(clean(text).split()))


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _told(data: Mapping[str, JSON]) -> dict[str, str]:
    given = {name: value for name, value in data.items() if isinstance(value, str)}
    return dict.fromkeys(_KEYS, "") | _DEFAULTS | given


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _named(given: JSON) -> tuple[Named, ...] | None:
    if not isinstance(given, list):
        return None
    found = []
    for one in given:
        if not isinstance(one, dict):
            return None
        pid, started, work, who = (one.get(name) for name in ("pid", "started", "work", "who"))
        why = one.get("why")
        if not isinstance(pid, int) or isinstance(pid, bool) or why not in set(Trouble):
            return None
        if not isinstance(started, str) or not isinstance(work, str) or not isinstance(who, str):
            return None
        identity = Identity(pid=pid, started=started, work=work)
        found.append(Named(identity=identity, why=Trouble(str(why)), who=who))
    return tuple(found)
