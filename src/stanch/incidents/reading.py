"""Reads what somebody reports in plain words: "500 errors on /api/checkout since 14:30 UTC".

Owns how a report is taken apart: symptom, endpoint, service, start, quoted messages. The text is always kept whole,
each thing understood says by which rule and from which words, and each thing not understood is a sentence. Nothing is
guessed. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.incidents.symptoms import Part, Symptom, SymptomKind, find_symptom
from stanch.kernel.errors import Invalid
from stanch.kernel.moment import Moment, scan_moments
from stanch.kernel.moment_grammar import CLOCK_SKEW

__all__ = ["Part", "Reading", "Symptom", "SymptomKind", "explain", "read_report"]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A report as it was understood.

    `text` is the whole report. `service` is one of the names the reader was given, `named` all of them that the text
    holds, in its order; `subject` is the word that seems to name the thing where no known service is named. `parts`
    say what was understood from which words; `unread` has a sentence for each thing that was not, `remarks` what else
    a person should check.
    """

    text: str
    symptom: Symptom
    endpoint: str | None
    method: str | None
    service: str | None
    named: tuple[str, ...]
    subject: str
    start: Moment | None
    quotes: tuple[str, ...]
    parts: tuple[Part, ...]
    unread: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def understood(self) -> bool:
        """Tell whether the symptom was recognised; without it the text says nothing to a rule."""
        return self.symptom.kind is not SymptomKind.UNKNOWN


# What rules look at; the rest of a longer text is kept and not searched.
_SEARCHED: Final = 10_000
_LONGEST_QUOTE: Final = 300

_QUOTE: Final = re.compile(
    rf"(?<!\w)'([^'\n]{{1,{_LONGEST_QUOTE}}})'(?!\w)|\"([^\"\n]{{1,{_LONGEST_QUOTE}}})\"|`([^`\n]{{1,{_LONGEST_QUOTE}}})`"
    rf"|[“„]([^”“\n]{{1,{_LONGEST_QUOTE}}})[”“]|‘([^’\n]{{1,{_LONGEST_QUOTE}}})’(?!\w)|«([^»\n]{{1,{_LONGEST_QUOTE}}})»"
)
_ENDPOINT: Final = re.compile(
    r"(?<![\w:/.~<-])(?:(?P<method>GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)[ ]{1,2})?"
    r"(?:https?://[A-Za-z0-9.:_-]{1,200}+)?(?P<path>/(?:[A-Za-z0-9._~%@{}*:+-]{1,200}+/?)*+)"
)
# Paths of machines, not of services: "/var/log is full".
_ON_DISK: Final = re.compile(r"/(?:var|tmp|etc|home|usr|dev|proc|mnt|opt|srv|root|sys|run|boot|data|Users)(?:/|$)")

_KIND_WORDS: Final = frozenset({"api", "service", "svc", "server", "app", "backend", "frontend"})
_KINDS: Final = "|".join(sorted(_KIND_WORDS))
_WORD_JOINT: Final = r"[-_. ]?"
# "Bad gateway" is the name of a status, not of a service.
_STATUS_NAMES: Final = re.compile(r"bad gateway|gateway time-?out|service unavailable", re.IGNORECASE)

_AFTER_ON: Final = re.compile(
    r"(?<!\w)(?:on|in|for|with|at|of) (?:the |our |my )?"
    r"(?P<subject>[A-Za-z][\w.-]{1,40}(?: (?:API|api|service|page|server|app|database|db|cluster|queue))?)(?![\w/])"
)
_BEFORE_SYMPTOM: Final = re.compile(
    r"^(?:the |our )?(?P<subject>[A-Za-z][\w.-]{1,40}(?: [A-Za-z][\w-]{1,20}){0,2}?)"
    r"(?: (?:is|are|has|have|was|were|went|keeps?))*+ $"
)
_NO_SUBJECT: Final = frozenset({"users", "user", "customers", "people", "everything", "everyone", "we", "they", "it"})
_NO_PLACE: Final = frozenset(
    {"a", "an", "all", "some", "this", "that", "production", "prod", "staging", "general", "progress"}
)


def read_report(text: str, *, now: datetime, zone: str, services: Sequence[str] = ()) -> Reading:
    """Read a report in plain words. `zone` holds for times that name none, `services` are the names that are known.

    Raises `Invalid` when `text` is empty or `zone` is no time zone.
    """
    if not text.strip():
        message = 'say what is wrong, for example "500 errors on /api/checkout since 14:30 UTC"'
        raise Invalid(field="text", message=message)
    searched = text[:_SEARCHED]
    quotes = tuple(_QUOTE.finditer(searched))
    plain = _blanked(searched, [match.span() for match in quotes])
    scan = scan_moments(plain, now=now, zone=zone)
    start = next((moment for moment in scan.moments if moment.at <= now + CLOCK_SKEW), None)
    path = _find_endpoint(plain)
    rest = _blanked(plain, [moment.span for moment in scan.moments] + ([path.span()] if path else []))
    symptom, told = find_symptom(rest, quoted=_only(searched, [match.span() for match in quotes]))
    naming = _find_services(_blanked(rest, [match.span() for match in _STATUS_NAMES.finditer(rest)]), path, services)
    subject = "" if naming.named or naming.ambiguous else _find_subject(rest, told)
    parts = (
        *told,
        *_endpoint_parts(path),
        *naming.parts,
        *(_start_part(start) if start else ()),
        *(_quote_part(match) for match in quotes),
    )
    return Reading(
        text=text,
        symptom=symptom,
        endpoint=_trimmed(path["path"]) if path else None,
        method=path["method"] if path else None,
        service=naming.named[0] if naming.named else None,
        named=naming.named,
        subject=subject,
        start=start,
        quotes=tuple(_quoted(match) for match in quotes),
        parts=tuple(sorted(parts, key=lambda part: part.span)),
        unread=(
            *_unread_symptom(symptom),
            *_unread_times(start, scan.moments),
            *(f'"{words.text}" was not read as the start: {words.reason}.' for words in scan.unread),
            *(() if start or scan.moments or scan.unread else (_NO_START,)),
            *_unread_service(naming, subject, services),
            *((f"Only the first {_SEARCHED:,} characters were read.",) if len(text) > _SEARCHED else ()),
        ),
        remarks=(*(start.notes if start else ()), *_remarks(naming)),
    )


_NO_START: Final = 'No start was found: say for example "since 14:30 UTC" or "for 20 minutes".'


def _blanked(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return `text` with blanks in `spans`, of the same length."""
    kept = list(text)
    for start, end in spans:
        kept[start:end] = " " * (end - start)
    return "".join(kept)


def _only(text: str, spans: Sequence[tuple[int, int]]) -> str:
    """Return `text` with blanks everywhere but in `spans`, of the same length."""
    kept = [" "] * len(text)
    for start, end in spans:
        kept[start:end] = text[start:end]
    return "".join(kept)


def _quoted(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def _quote_part(match: re.Match[str]) -> Part:
    return Part(rule="quote", text=match[0], span=match.span(), meaning="the words of a message")


def _start_part(start: Moment) -> tuple[Part, ...]:
    return (Part(rule="start", text=start.text, span=start.span, meaning=start.describe()),)


def _find_endpoint(text: str) -> re.Match[str] | None:
    for match in _ENDPOINT.finditer(text):
        named = match["method"] or len(_trimmed(match["path"])) > 1
        if named and (match["method"] or not _ON_DISK.match(match["path"])):
            return match
    return None


def _trimmed(path: str) -> str:
    return path.rstrip(".:,-") or "/"


def _endpoint_parts(match: re.Match[str] | None) -> tuple[Part, ...]:
    if match is None:
        return ()
    words = _trimmed(match[0])
    span = (match.start(), match.start() + len(words))
    return (Part(rule="endpoint", text=words, span=span, meaning=f"the endpoint {_trimmed(match['path'])}"),)


@dataclass(frozen=True, kw_only=True)
class _Naming:
    named: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    ambiguous: tuple[tuple[str, tuple[str, ...]], ...] = ()


def _find_services(text: str, path: re.Match[str] | None, services: Sequence[str]) -> _Naming:
    """Find the known services that the words name, or else the endpoint."""
    meant = _spellings(services)
    if not meant:
        return _Naming()
    # Payments may be written "payment", and the other way round.
    written = (_WORD_JOINT.join(map(re.escape, _singular(words).split())) + "s?" for words in _longest(meant))
    pattern = re.compile(rf"(?<![\w/.'’-])({'|'.join(written)})(?:[-_. ](?:{_KINDS}))?(?![\w-])", re.IGNORECASE)
    by_letters = {words.replace(" ", ""): names for words, names in meant.items()}
    rule = "service"
    found = [(match[0], match.span(), _names(match[1], by_letters)) for match in pattern.finditer(text)]
    if not found and path is not None:
        rule, shift = "service from endpoint", path.start("path")
        segments = re.finditer(r"[^/]+", path["path"])
        found = [
            (match[0], (shift + match.start(), shift + match.end()), _names(match[0], by_letters)) for match in segments
        ]
    sure = [(words, span, names[0]) for words, span, names in found if len(names) == 1]
    return _Naming(
        named=tuple(dict.fromkeys(name for _, _, name in sure)),
        parts=tuple(
            Part(rule=rule, text=words, span=span, meaning=f"the service {name}") for words, span, name in sure
        ),
        ambiguous=tuple((words, names) for words, _, names in found if len(names) > 1),
    )


def _spellings(services: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Map each way to write a service, its words in lower case, to the services it can mean."""
    meant: dict[str, tuple[str, ...]] = {}
    exact = {" ".join(_words(name)): (name,) for name in services if _words(name)}
    for name in services:
        words = _words(name)
        short = " ".join(words[:-1] if len(words) > 1 and words[-1] in _KIND_WORDS else words)
        if short:
            meant[short] = (*meant.get(short, ()), name)
    return meant | exact


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[-_. ]+", name.lower()) if word]


def _longest(meant: dict[str, tuple[str, ...]]) -> list[str]:
    return sorted(meant, key=len, reverse=True)


def _singular(words: str) -> str:
    return words.removesuffix("s") if len(words) > 3 else words


def _names(written: str, by_letters: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the services that the letters of `written` can mean; empty when none is meant."""
    bare = re.sub(r"[-_. ]", "", written.lower())
    spellings = (bare, _singular(bare), f"{bare}s")
    return next((by_letters[spelling] for spelling in spellings if spelling in by_letters), ())


def _find_subject(text: str, told: Sequence[Part]) -> str:
    """Return the words that seem to name what is broken: after "on", or before the symptom; empty when unclear."""
    for match in _AFTER_ON.finditer(text):
        if match["subject"].lower() not in _NO_PLACE | _NO_SUBJECT:
            return match["subject"].rstrip(".-")
    first = min((part.span[0] for part in told), default=0)
    before = _BEFORE_SYMPTOM.match(text[:first])
    if before and before["subject"].lower().split()[0] not in _NO_SUBJECT:
        return before["subject"]
    return ""


def _unread_symptom(symptom: Symptom) -> tuple[str, ...]:
    if symptom.kind is not SymptomKind.UNKNOWN:
        return ()
    return ('No symptom was recognised: say for example "500 errors", "10x slower" or "down".',)


def _unread_times(start: Moment | None, moments: Sequence[Moment]) -> tuple[str, ...]:
    """Say which times were not taken for the start. Without a start, every one found lies in the future."""
    ahead = (f'"{found.text}" lies in the future, so it is not the start.' for found in moments)
    others = (
        f'"{found.text}" is a time as well; the start is taken from "{start.text}".'
        for found in moments
        if start is not None and found is not start
    )
    return (*(sentence for sentence in ahead if start is None), *others)


def _unread_service(naming: _Naming, subject: str, services: Sequence[str]) -> tuple[str, ...]:
    if naming.ambiguous and not naming.named:
        words, names = naming.ambiguous[0]
        return (f'"{words}" can be {" or ".join(names)}: name one of them.',)
    if naming.named or not services:
        return ()
    return (f'"{subject}" is not a known service.',) if subject else ("No known service is named.",)


def _remarks(naming: _Naming) -> tuple[str, ...]:
    first, *others = naming.named or ("",)
    return tuple(f"{name} is named as well; the report is taken to be about {first}." for name in others)


def explain(reading: Reading) -> tuple[tuple[str, str], ...]:
    """Return how a report was read as pairs of a label and words to show, in order; what is unknown says so."""
    symptom = reading.symptom
    told = [symptom.kind.value.replace("_", " ")]
    told += [f"HTTP {symptom.status_code or symptom.status_class}"] if symptom.status_class else []
    told += [f"{symptom.factor:g} times normal"] if symptom.factor is not None else []
    told += [f"{symptom.percent:g} %"] if symptom.percent is not None else []
    told += [symptom.resource] if symptom.resource else []
    endpoint = f"{reading.method or ''} {reading.endpoint or ''}".strip()
    service = reading.service or (f"{reading.subject} (not in the catalog)" if reading.subject else "")
    start = f'{reading.start.describe()}, from "{reading.start.text}"' if reading.start else ""
    pairs = [("Symptom", ", ".join(told)), ("Endpoint", endpoint), ("Service", service), ("Start", start)]
    return (
        *((label, words or "not stated") for label, words in pairs),
        *(("Message", quote) for quote in reading.quotes),
    )
