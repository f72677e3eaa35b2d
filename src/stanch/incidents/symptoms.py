"""The vocabulary of reports: which words say errors, slowness, an outage, and how much of it.

Owns the words and their order of weight; `reading` puts a whole report together. English only: a text in another
language is kept whole, and its symptom is unknown rather than guessed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class SymptomKind(StrEnum):
    """What somebody reports."""

    ERROR_SPIKE = "error_spike"
    LATENCY = "latency"
    OUTAGE = "outage"
    AUTH = "auth"
    DATA = "data"
    RESOURCE = "resource"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Words of the report that a rule understood, where they stand, and what they were taken to mean."""

    rule: str
    text: str
    span: tuple[int, int]
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Symptom:
    """What is wrong, as reported. `also` are kinds that were named besides the one that counts.

    `status_code` is an HTTP status (500), `status_class` its class (`5xx`); `factor` is how many times worse than
    normal; `percent` a share as written, 0 to 100 and more; `resource` is one of disk, memory, cpu, files, pool.
    """

    kind: SymptomKind = SymptomKind.UNKNOWN
    status_code: int | None = None
    status_class: str = ""
    factor: float | None = None
    percent: float | None = None
    resource: str = ""
    also: tuple[SymptomKind, ...] = ()


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])", re.IGNORECASE)


# Two kinds of words name logging in: those that say it fails, and those that only name the place.
_RULES: Final[tuple[tuple[str, SymptomKind, re.Pattern[str]], ...]] = (
    (
        "resource",
        SymptomKind.RESOURCE,
        _any(
            r"(?:disk|volume|filesystem|partition)s?(?: \S{1,30})? (?:is |are )?(?:almost |nearly )?full",
            r"out of (?:disk(?: space)?|space|memory|inodes|file descriptors|connections)",
            r"no space left(?: on device)?|too many open files|memory leak(?:s|ing)?|oom[ -]?kill(?:ed|s|er|ing)?|oom",
            r"(?:connection |thread |db |database )?pool (?:is )?(?:exhausted|full)|quota exceeded",
            r"(?:high|full|100 ?%) (?:cpu|memory|ram|load|disk)(?: usage)?",
            r"(?:cpu|load) (?:is )?(?:pegged|maxed out|high)",
            r"(?:disk|memory|ram|cpu|swap|inodes?)(?: usage)?(?: is)?(?: at)? [0-9]{1,3} ?(?:%|percent)",
        ),
    ),
    (
        "data",
        SymptomKind.DATA,
        _any(
            r"data ?loss|data (?:is |was |are )?(?:missing|wrong|gone|lost|corrupt(?:ed)?|inconsistent|stale)",
            r"(?:missing|lost|losing|wrong|incorrect|stale|duplicated?|inconsistent)(?: [a-z]{1,20})? "
            r"(?:data|orders|records|rows|messages|balances?|prices|amounts|totals|invoices|payments|e-?mails)",
            r"corrupt(?:ed|ion)?|double[- ]?(?:charg|bill)(?:ed|es|ing)|(?:charged|billed) twice",
        ),
    ),
    (
        "outage",
        SymptomKind.OUTAGE,
        _any(
            r"(?<!slow )(?<!slowing )(?<!slows )(?<!scaled )(?<!scale )(?<!scaling )(?<!break )(?<!going )down"
            r"(?! (?:from|to [0-9]|by [0-9]|the list|for maintenance))",
            r"going down|downtime|outage|unavailable|unreachable|offline|connection refused|blank page|white screen",
            r"not (?:responding|reachable|available|loading|working|starting)",
            r"cannot be reached|stopped (?:working|responding)",
            r"(?:won't|doesn't|does not|can't|cannot|can not) (?:load|respond|open|connect|start|be reached|work)",
            r"crash(?:ed|es|ing|loop|looping|-?loop ?back ?off)?|broken|dead",
        ),
    ),
    (
        "login fails",
        SymptomKind.AUTH,
        _any(
            r"sessions? (?:is |are |has |have |was |were |keeps? )?expir(?:ed|es|ing)",
            r"logged out|kicked out|locked out|unauthori[sz]ed",
            r"(?:cannot|can't|can not|unable to|could not|couldn't|won't) (?:log ?in|sign ?in|log on|authenticate)",
            r"(?:invalid|expired|rejected) (?:token|credentials?|session|password)s?",
            r"token (?:is |has )?(?:expired|invalid)",
            r"(?:log-?in|sign-?in|auth(?:entication)?|sso|mfa|oauth)s? (?:is |are |was )?fail(?:s|ed|ing|ures?)?",
            r"(?:log-?in|sign-?in|auth(?:entication)?|sso|mfa|oauth) errors?|access denied|permission denied|forbidden",
        ),
    ),
    (
        "latency",
        SymptomKind.LATENCY,
        _any(
            r"slow(?:er|ly|ness|down|downs|ing|s)?|sluggish|latenc(?:y|ies)|lag(?:s|gy|ging)?",
            r"hang(?:s|ing)?|stall(?:s|ed|ing)?|degraded|p(?:50|90|95|99)|response times?",
            r"time[- ]?outs?|tim(?:ed|ing) out|times out|takes? (?:too long|forever)",
            r"takes? (?:about |over |more than )?[0-9]{1,6}(?:\.[0-9]{1,3})? ?(?:ms|s|sec|secs|seconds|minutes|min)",
        ),
    ),
    (
        "errors",
        SymptomKind.ERROR_SPIKE,
        _any(
            r"errors?(?: rates?)?|[a-z]{1,40}(?:error|exception)s?|exceptions?|fail(?:s|ed|ing|ure|ures)?",
            r"stack ?traces?|panic(?:s|ked|king)?|throw(?:s|ing)|rejected|declined",
        ),
    ),
    (
        "login",
        SymptomKind.AUTH,
        _any(r"log-?ins?|log in|logging in|sign-?ins?|sign in|signing in|authenticat(?:e|ion)|sso|mfa|2fa|oauth"),
    ),
)
_NEGATED: Final = re.compile(r"(?:\b(?:no|not|without|never|zero)|n't)(?: (?:more|longer|any|a))?[ ]{1,2}$", re.I)

# The codes of the IANA registry and the ones proxies add; "500 users" is no status, "500 errors" is.
_CODE: Final = r"(40[0-9]|41[0-8]|42[1-9]|431|451|50[0-8]|51[01]|52[0-7]|529|530|598|599)"  # https://www.iana.org/assignments/http-status-codes
_STATUS: Final = (
    re.compile(
        rf"(?:\bHTTP(?:/[12](?:\.[01])?)?[ ]?|\bstatus(?: code)?[ :=]{{0,3}}|\bcode[ :=]{{1,3}}){_CODE}\b", re.I
    ),
    re.compile(
        rf"(?<![\w.:/-]){_CODE}(?= ?(?:errors?|responses?|status|codes?|internal server|bad gateway|service unavailable"
        r"|gateway time-?out|not found|unauthori[sz]ed|forbidden|too many requests|bad request|exceptions?)\b)",
        re.I,
    ),
    re.compile(rf"(?<![\w.:/-]){_CODE}s(?!\w)"),
    re.compile(
        rf"\b(?:errors?|returns?|returning|gives?|giving|gets?|getting|throws?|throwing|with|seeing)"
        rf"(?: an?| HTTP| lots of| many)? {_CODE}"
        r"(?=\s*(?:$|[.,;:!?)]|(?:on|at|for|from|in|when|after|since|and|with|to)\b))",
        re.I,
    ),
)
_STATUS_CLASS: Final = re.compile(r"(?<![\w.])([45])xxs?(?!\w)", re.I)

_FACTOR: Final = re.compile(
    r"(?<![\w.])([0-9]{1,5}(?:\.[0-9]{1,3})?|two|three|four|five|ten|twenty|hundred)[ ]?(?:x|×|times|-?fold)[ ]{0,2}"
    r"(?=(?:as )?(?:slow|high|long|more|worse|larg|many|much|the usual|the normal|usual|normal|latenc|error|increas)"
    r"|\s*(?:$|[.,;!?)]))",
    re.I,
)
_TWICE: Final = re.compile(r"\b(?:twice|double) (?:as|the (?:normal|usual)|normal)\b", re.I)
_NUMBER_WORDS: Final = {"two": 2, "three": 3, "four": 4, "five": 5, "ten": 10, "twenty": 20, "hundred": 100}
_PERCENT: Final = re.compile(r"(?<![\w.])([0-9]{1,4}(?:\.[0-9]{1,4})?)[ ]?(?:%|percent\b|per cent\b)", re.I)
_RESOURCE_NAMES: Final = (
    ("disk", re.compile(r"disk|volume|filesystem|partition|space|inode|quota", re.I)),
    ("memory", re.compile(r"memory|ram\b|oom|swap", re.I)),
    ("cpu", re.compile(r"cpu|load", re.I)),
    ("files", re.compile(r"file", re.I)),
    ("pool", re.compile(r"pool|connection", re.I)),
)


def find_symptom(text: str, *, quoted: str) -> tuple[Symptom, tuple[Part, ...]]:
    """Find the symptom in `text`; what stands in quotation marks is in `quoted` alone and weighs less.

    Both have the length of the report, with blanks for what belongs to the other, so that spans hold in both.
    """
    code, status_class, status = _find_status(text)
    factor, percent = _find_factor(text), _find_percent(text)
    named = _named(text) or _named(quoted)
    kinds = [_status_kind(code, status_class)] if code or status_class else []
    kinds += [kind for kind, _ in named]
    first = kinds[0] if kinds else SymptomKind.LATENCY if factor else SymptomKind.UNKNOWN
    words = next((part for kind, part in named if kind is first), None)
    symptom = Symptom(
        kind=first,
        status_code=code,
        status_class=status_class,
        factor=factor[0] if factor else None,
        percent=percent[0] if percent else None,
        resource=_resource(words) if first is SymptomKind.RESOURCE and words else "",
        also=tuple(kind for kind in dict.fromkeys(kinds) if kind is not first),
    )
    found = (status, words, factor[1] if factor else None, percent[1] if percent else None)
    return symptom, tuple(part for part in found if part is not None)


def _named(text: str) -> list[tuple[SymptomKind, Part]]:
    return [(kind, part) for rule, kind, pattern in _RULES for part in _first(rule, kind, pattern, text)]


def _first(rule: str, kind: SymptomKind, pattern: re.Pattern[str], text: str) -> Iterator[Part]:
    for match in pattern.finditer(text):
        if not _NEGATED.search(text, max(0, match.start() - 16), match.start()):
            yield Part(rule=rule, text=match[0], span=match.span(), meaning=kind.value.replace("_", " "))
            return


def _find_status(text: str) -> tuple[int | None, str, Part | None]:
    matches = [match for pattern in _STATUS for match in [pattern.search(text)] if match]
    if matches:
        match = min(matches, key=lambda found: found.start(1))
        part = Part(rule="status", text=match[0], span=match.span(), meaning=f"HTTP status {match[1]}")
        return int(match[1]), f"{match[1][0]}xx", part
    if found := _STATUS_CLASS.search(text):
        name = f"{found[1]}xx"
        return None, name, Part(rule="status", text=found[0], span=found.span(), meaning=f"HTTP status {name}")
    return None, "", None


def _status_kind(code: int | None, status_class: str) -> SymptomKind:
    if code in (401, 403):
        return SymptomKind.AUTH
    return SymptomKind.ERROR_SPIKE if status_class else SymptomKind.UNKNOWN


def _find_factor(text: str) -> tuple[float, Part] | None:
    if match := _FACTOR.search(text):
        word = match[1].lower()
        value = float(_NUMBER_WORDS[word]) if word in _NUMBER_WORDS else float(word)
    elif match := _TWICE.search(text):
        value = 2.0
    else:
        return None
    return value, Part(rule="factor", text=match[0].strip(), span=match.span(), meaning=f"{value:g} times normal")


def _find_percent(text: str) -> tuple[float, Part] | None:
    match = _PERCENT.search(text)
    if match is None:
        return None
    value = float(match[1])
    return value, Part(rule="percent", text=match[0], span=match.span(), meaning=f"{value:g} %")


def _resource(part: Part) -> str:
    return next((name for name, pattern in _RESOURCE_NAMES if pattern.search(part.text)), "")
