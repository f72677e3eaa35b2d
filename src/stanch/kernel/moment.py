"""Human time: the instant that "since 14:30 UTC" or "25m ago" means, and where it stands in the text.

Owns reading one point in time and finding them within sentences; what may be written stands in `moment_grammar`.
A text that is not understood gives None, never a guess; whoever shows a `Moment` echoes `describe()`, so that a
person sees how the words were taken. Pure: `now` and the zone are given.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from stanch.kernel.duration import match_duration, parse_duration
from stanch.kernel.moment_grammar import Core, Outcome, Precision, Shape, Unclear, match_moment
from stanch.kernel.zone import check_zone, in_zone

__all__ = [
    "SCAN_LIMIT",
    "Moment",
    "Precision",
    "Scan",
    "Unread",
    "find_moment",
    "read_moment",
    "read_since",
    "scan_moments",
]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """A point in time as somebody wrote it.

    `at` is UTC; `zone` is the one the words were read in, `text` the words and `span` where they stand.
    `ambiguous`: the clock showed this time twice, and `at` is the first; `skipped`: the clock never showed it, and
    `at` lies as much later as it was put forward; `approximate`: the text says "about".
    """

    at: datetime
    zone: str
    text: str
    span: tuple[int, int]
    precision: Precision
    ambiguous: bool = False
    skipped: bool = False
    approximate: bool = False

    def describe(self) -> str:
        """Say the instant in full: `2026-11-21 15:30 Europe/Berlin (14:30 UTC)`."""
        pattern = "%H:%M:%S" if self.precision is Precision.SECOND else "%H:%M"
        utc = self.at.astimezone(UTC)
        local = in_zone(self.at, self.zone)
        about = "about " if self.approximate else ""
        if self.zone == "UTC":
            return f"{about}{utc:%Y-%m-%d} {utc.strftime(pattern)} UTC"
        other_day = "" if utc.date() == local.date() else f"{utc:%Y-%m-%d} "
        shown = f"{local:%Y-%m-%d} {local.strftime(pattern)} {self.zone}"
        return f"{about}{shown} ({other_day}{utc.strftime(pattern)} UTC)"

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what a reader must know about a change of clocks, one sentence each; mostly empty."""
        clock = in_zone(self.at, self.zone)
        if self.ambiguous:
            return (f"{clock:%H:%M} happened twice that day in {self.zone}; the first is meant.",)
        if self.skipped:
            return (f"This time did not exist that day in {self.zone}; read as {clock:%H:%M}.",)
        return ()


@dataclass(frozen=True, kw_only=True)
class Unread:
    """Words that look like a time but were not read, and why."""

    text: str
    span: tuple[int, int]
    reason: str


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The times in a text: `moments` with the likeliest start first, `unread` in the order of the text."""

    moments: tuple[Moment, ...] = ()
    unread: tuple[Unread, ...] = ()


# How much of a text is searched. A report says it early; at about 20 us a character in the worst case (every other
# word a date) this is 0.2 s.
SCAN_LIMIT: Final = 10_000

# Ranks of a find within a sentence: "since" outweighs "for the last hour", that outweighs "at", that a bare time.
_SINCE, _LASTING, _AT, _BARE = range(4)

_ANCHOR: Final = re.compile(
    r"(?<![\w-])(?:(?P<since>since|from|start(?:ing|ed|s)|beginning|began)|(?P<at>at|around|about|after|as of))"
    r"(?: (?:at|from|around|about|on|roughly|approximately|just after))*+[ \t]{1,3}",
    re.IGNORECASE,
)
_LAST: Final = re.compile(
    r"(?<![\w-])(?:for|over|in|within|during|since)[ ](?:the[ ])?(?:last|past)[ ]"
    r"(?:(?P<one>second|minute|hour|day|week)(?![A-Za-z])|(?=[0-9a]))",
    re.IGNORECASE,
)
_FOR: Final = re.compile(r"(?<![\w-])for(?: about| around| roughly)?[ ](?=[0-9ahAH])", re.IGNORECASE)
# "for 20 minutes" is a start only where the sentence ends or goes on elsewhere; "for 30s requests" is not.
_FOR_ENDS: Final = re.compile(r"\s*(?:$|[.,;:!?)\n]|(?:now|already|so far|on|in|at|and|but|with|straight)\b)", re.I)
_BARE_START: Final = re.compile(
    r"(?<![\w.:@/~+-])(?=@?[0-9]|an? |half an? |noon\b|yesterday\b|today\b|(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? [0-9])",
    re.IGNORECASE,
)
# A time after these words is an end, a deploy or a repair, not the start.
_NOT_A_START: Final = re.compile(
    r"(?<!\w)(?:until|til|till|before|by|to|and|-|–|deploy|deployed|deployment|release|released|rollout|merged|shipped|restarted"
    r"|resolved|fixed|recovered|ended|stopped|back|reverted|closed)(?: up)?(?: at| around| about)?[ ]{0,2}$",
    re.IGNORECASE,
)
_VAGUE: Final = re.compile(
    r"(?<!\w)(?:(?:this|yesterday|early|late|sunday|monday|tuesday|wednesday|thursday|friday|saturday)[ ]"
    r"(?:morning|afternoon|evening|night)|this week|last (?:night|week|month)|tonight|earlier today|midnight"
    r"|lunch ?time|(?:the )?(?:last|past) (?:few|couple of) (?:minutes|hours|days)|recently)(?!\w)",
    re.IGNORECASE,
)
_LOOKS_LIKE_TIME: Final = re.compile(r"(?<![\w.:/-])[0-9]{1,2}(?::|h)[0-9]{2}(?![\w:])", re.IGNORECASE)
_WORDS: Final = re.compile(r"[^\s.,;:!?()]{1,40}(?: [^\s.,;:!?()]{1,40}){0,3}")


def read_moment(text: str, *, now: datetime, zone: str) -> Moment | None:
    """Read `text` as one point in time and nothing else; `zone` holds where it names none. None: not understood.

    Raises `Invalid` when `zone` is no time zone.
    """
    name = check_zone(zone)
    start, end = _stripped(text)
    found = match_moment(text, start, now=now, zone=name)
    return _moment(text, start, found) if isinstance(found, Core) and found.end == end else None


def read_since(text: str, *, now: datetime, zone: str) -> Moment | None:
    """Read the value of a `--since` option: a point in time, or a length before now such as `25m`."""
    found = read_moment(text, now=now, zone=zone)
    if found is not None:
        return found
    start, end = _stripped(text)
    ago = match_moment(text[:end] + " ago", start, now=now, zone=check_zone(zone))
    return _moment(text, start, ago, end=end) if isinstance(ago, Core) and ago.shape is Shape.RELATIVE else None


def find_moment(text: str, *, now: datetime, zone: str) -> Moment | None:
    """Find the start that a sentence states: "since 14:30", "since 1h", "started 25m ago", "for the last 2 hours".

    The span covers the words that belong to it ("since" as well). None when it states none that can be read.
    """
    return next(iter(scan_moments(text, now=now, zone=zone).moments), None)


def scan_moments(text: str, *, now: datetime, zone: str) -> Scan:
    """Find every time in `text` that may be the start, and every one that was not read, with the reason.

    Looks at the first `SCAN_LIMIT` characters.
    """
    name = check_zone(zone)
    text = text[:SCAN_LIMIT]
    found: list[tuple[int, Moment]] = []
    unread: list[Unread] = []
    taken = bytearray(len(text))
    for rank, start, outcome in _attempts(text, now, name):
        words = (start, outcome.end)
        if any(taken[start : outcome.end]):
            continue
        taken[start : outcome.end] = b"\1" * (outcome.end - start)
        if isinstance(outcome, Core):
            found.append((rank, _moment(text, start, outcome)))
        else:
            unread.append(Unread(text=text[start : outcome.end], span=words, reason=outcome.reason))
    found.sort(key=lambda item: (item[0], item[1].span))
    unread.sort(key=lambda item: item.span)
    return Scan(moments=tuple(moment for _, moment in found), unread=tuple(unread))


def _attempts(text: str, now: datetime, zone: str) -> list[tuple[int, int, Core | Unclear]]:
    """Return what may be times with its rank and start, the most explicit forms first."""
    attempts: list[tuple[int, int, Core | Unclear]] = []

    def add(rank: int, start: int, outcome: Outcome) -> None:
        if outcome is not None:
            attempts.append((rank, start, outcome))

    for match in _ANCHOR.finditer(text):
        rank = _SINCE if match["since"] else _AT
        if rank == _SINCE or not _NOT_A_START.search(text, max(0, match.start() - 24), match.start()):
            found = match_moment(text, match.end(), now=now, zone=zone)
            add(rank, match.start(), found or (_since_length(text, match, now, zone) if match["since"] else None))
    for match in _LAST.finditer(text):
        add(_LASTING, match.start(), _lasting(text, match, now, zone))
    for match in _FOR.finditer(text):
        length = match_duration(text, match.end())
        if length and _FOR_ENDS.match(text, length[1]):
            add(_LASTING, match.start(), _ago(length[0], length[1], now, zone))
    for match in _BARE_START.finditer(text):
        if not _NOT_A_START.search(text, max(0, match.start() - 24), match.start()):
            add(_BARE, match.start(), _bare(match_moment(text, match.start(), now=now, zone=zone)))
    for match in _VAGUE.finditer(text):
        add(_BARE, match.start(), Unclear(reason="it names no clock time", end=match.end()))
    for match in _LOOKS_LIKE_TIME.finditer(text):
        readable = isinstance(match_moment(text, match.start(), now=now, zone=zone), Core)
        reason = "nothing says that it is the start" if readable else "write it as 14:30"
        add(_BARE, match.start(), Unclear(reason=reason, end=match.end()))
    for match in _ANCHOR.finditer(text):
        if match[0].lower().startswith("since") and (words := _WORDS.match(text, match.end())):
            add(_SINCE, match.start(), Unclear(reason="this is not a time that can be read", end=words.end()))
    return attempts


def _bare(outcome: Outcome) -> Outcome:
    """Take a time that no word such as "since" introduces only where it cannot be anything else."""
    if isinstance(outcome, Core) and outcome.shape in (Shape.CLOCK, Shape.DAY):
        return Unclear(reason='nothing says that it is the start; write "since" before it', end=outcome.end)
    return outcome


def _lasting(text: str, match: re.Match[str], now: datetime, zone: str) -> Outcome:
    if match["one"]:
        return _ago(parse_duration(f"1 {match['one']}"), match.end(), now, zone)
    length = match_duration(text, match.end())
    return None if length is None else _ago(length[0], length[1], now, zone)


def _since_length(text: str, match: re.Match[str], now: datetime, zone: str) -> Outcome:
    """Take a length after "since" for the time it has lasted, as many people write it: "down since 1h"."""
    if match["since"].lower() != "since":
        return None
    length = match_duration(text, match.end())
    return _ago(length[0], length[1], now, zone) if length and _FOR_ENDS.match(text, length[1]) else None


def _ago(length: timedelta, end: int, now: datetime, zone: str) -> Core:
    at = now.astimezone(UTC) - length
    precision = Precision.MINUTE if length >= timedelta(minutes=1) else Precision.SECOND
    return Core(at=at, zone=zone, end=end, precision=precision, shape=Shape.RELATIVE)


def _moment(text: str, start: int, core: Core, *, end: int | None = None) -> Moment:
    stop = core.end if end is None else end
    return Moment(
        at=core.at,
        zone=core.zone,
        text=text[start:stop],
        span=(start, stop),
        precision=core.precision,
        ambiguous=core.ambiguous,
        skipped=core.skipped,
        approximate=core.approximate,
    )


def _stripped(text: str) -> tuple[int, int]:
    return len(text) - len(text.lstrip()), len(text.rstrip())
