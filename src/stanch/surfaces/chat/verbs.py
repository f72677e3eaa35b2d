"""The verbs of the chat: how a line of text becomes an operation with its fields. What they mean is the operations'."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stanch.kernel.errors import Invalid

_NAMED: Final = re.compile(r"(?:\S*/i/|INC-|#)(\d{1,9})(?:#e-\d+)?", re.IGNORECASE)
_OPTION: Final = ("-i", "--incident")


@dataclass(frozen=True, kw_only=True)
class Line:
    """A line that was read: the verb, its other words, the incident that it names (None for the room's)."""

    verb: str
    words: tuple[str, ...]
    incident: int | None

    @property
    def text(self) -> str:
        """Return the words as one text."""
        return " ".join(self.words)


Fill = Callable[[Line], Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One verb: the operation, how its fields come from the line, how the answer is shown (`shows`, a word of the
    desk), and whether everybody in the room reads it."""

    name: str
    usage: str
    operation: str
    shows: str
    fill: Fill = lambda line: {}
    about_one: bool = True
    is_public: bool = False


def _first(line: Line, *, what: str) -> str:
    if not line.words:
        raise Invalid(f"say {what}", field="text")
    return line.words[0]


def _rest(line: Line, *, after: int, what: str) -> str:
    text = " ".join(line.words[after:]).strip()
    if not text:
        raise Invalid(f"say {what}", field="text")
    return text


VERBS: Final = (
    Verb(name="status", usage="status", operation="incident.overview", shows="overview", about_one=False),
    Verb(name="list", usage="list", operation="incident.list", shows="list", about_one=False),
    Verb(name="show", usage="show [INC-1]", operation="incident.show", shows="incident"),
    Verb(name="catchup", usage="catchup [INC-1]", operation="incident.catchup", shows="catchup"),
    Verb(name="timeline", usage="timeline [INC-1]", operation="incident.timeline", shows="timeline"),
    Verb(
        name="declare",
        usage="declare WORDS",
        operation="incident.report",
        shows="opened",
        fill=lambda line: {"text": _rest(line, after=0, what="what is wrong")},
        about_one=False,
        is_public=True,
    ),
    Verb(name="ack", usage="ack [INC-1]", operation="incident.acknowledge", shows="acknowledged", is_public=True),
    Verb(
        name="note",
        usage="note WORDS",
        operation="incident.note",
        shows="noted",
        fill=lambda line: {"text": _rest(line, after=0, what="what to write down")},
        is_public=True,
    ),
    Verb(
        name="assign",
        usage="assign ROLE PERSON",
        operation="incident.assign",
        shows="assigned",
        fill=lambda line: {
            "role": _first(line, what="which role, and who"),
            "person": _rest(line, after=1, what="who: a person, or me"),
        },
        is_public=True,
    ),
    Verb(
        name="handover",
        usage="handover ROLE PERSON WORDS",
        operation="incident.handover",
        shows="catchup",
        fill=lambda line: {
            "role": _first(line, what="which role, and to whom"),
            "person": _rest(Line(verb="", words=line.words[1:2], incident=None), after=0, what="to whom"),
            "summary": " ".join(line.words[2:]),
        },
        is_public=True,
    ),
    Verb(
        name="severity",
        usage="severity SEV1 BECAUSE",
        operation="incident.severity",
        shows="severity",
        fill=lambda line: {
            "severity": _first(line, what="which severity, and why"),
            "reason": _rest(line, after=1, what="why"),
        },
        is_public=True,
    ),
    Verb(
        name="update",
        usage="update WORDS",
        operation="comms.send",
        shows="sent",
        # The public is told by who sees what it is told.
        fill=lambda line: {"text": line.text, "audiences": ["responders", "stakeholders"]},
        is_public=True,
    ),
    Verb(name="told", usage="told [INC-1]", operation="comms.told", shows="told"),
    Verb(
        name="approve",
        usage="approve [PLAN DIGEST]",
        operation="mitigation.approve",
        shows="approved",
        fill=lambda line: {"plan": line.words[0] if line.words else "", "digest": " ".join(line.words[1:2])},
        is_public=True,
    ),
    Verb(
        name="reject",
        usage="reject PLAN BECAUSE",
        operation="mitigation.reject",
        shows="rejected",
        fill=lambda line: {
            "plan": _first(line, what="which plan, and why"),
            "reason": _rest(line, after=1, what="why"),
        },
        is_public=True,
    ),
    Verb(
        name="resolve",
        usage="resolve [CAUSE]",
        operation="incident.resolve",
        shows="resolved",
        fill=lambda line: {"cause": line.text},
        is_public=True,
    ),
)


def read_line(text: str) -> Line:
    """Return what a line says. `INC-1`, `#1` or the page's address names the incident: as the first word after the
    verb or, with `-i`, anywhere. Raises `Invalid` for quotes that do not end."""
    words = _split(text)
    verb = words.pop(0).lower() if words else "status"
    incident: int | None = None
    kept: list[str] = []
    while words:
        word = words.pop(0)
        if word in _OPTION and words:
            incident = _number(words.pop(0))
        elif incident is None and not kept and (found := _NAMED.fullmatch(word)):
            incident = int(found[1])
        else:
            kept.append(word)
    return Line(verb=verb, words=tuple(kept), incident=incident)


def verb_of(line: Line) -> Verb | None:
    """Return the verb of a line, None where there is none of that name."""
    return next((one for one in VERBS if one.name == line.verb), None)


def usage() -> str:
    """Return all verbs, a line each."""
    return "\n".join(one.usage for one in VERBS)


def _split(text: str) -> list[str]:
    if '"' not in text:
        # An apostrophe in a note is no quote.
        return text.split()
    try:
        return shlex.split(text.replace("'", "\\'"), posix=True)
    except ValueError as error:
        raise Invalid(f"cannot read it: {error}", field="text") from error


def _number(word: str) -> int:
    found = _NAMED.fullmatch(word)
    if found:
        return int(found[1])
    if word.isascii() and word.isdecimal() and len(word) < 10:
        return int(word)
    raise Invalid(f"{word[:40]!r} names no incident", field="incident", hint="say INC-42 or 42")


def names(verbs: Sequence[Verb] = VERBS) -> tuple[str, ...]:
    """Return the names of the verbs."""
    return tuple(one.name for one in verbs)
