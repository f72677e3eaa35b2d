"""Which runbooks fit an incident, best first, each with why. Pure.

A name of an alert or a kind of cause that the runbook declares says most; words that its symptoms share with what is
seen say least, and are weighed by how few runbooks use them (the logarithm of the inverse document frequency).
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final

from stanch.kernel.percentage import percent
from stanch.mitigate.runbooks.model import Runbook

_ALERT: Final = 4.0
_KIND: Final = 4.0
_LABEL: Final = 1.0
_SERVICE: Final = 1.0
_WORD: Final = 1.5
_MOST_BY_TEXT: Final = 3.0
_FLOOR: Final = 1.5
_TERM: Final = re.compile(r"[a-z][a-z0-9_]{2,}")
_COMMON: Final = frozenset(
    {"the", "and", "for", "are", "with", "that", "this", "from", "was", "not", "has", "have", "its", "but", "can"}
    | {
        "than",
        "then",
        "when",
        "which",
        "what",
        "who",
        "why",
        "how",
        "all",
        "any",
        "more",
        "most",
        "out",
        "over",
        "into",
    }
    | {"error", "errors", "failed", "failing", "fails", "high", "low", "rate", "time", "times", "service", "services"}
    | {"into", "see", "request", "requests", "response", "responses", "value", "values"}
)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is seen in an incident. `kinds` are those of its hypotheses with their scores, 0..1."""

    services: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    kinds: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Match:
    """A runbook that fits; `score` has no unit and only orders."""

    runbook: str
    title: str
    score: float
    reasons: tuple[str, ...]


def match_runbooks(runbooks: Sequence[Runbook], seen: Seen, *, limit: int = 5) -> tuple[Match, ...]:
    """Return the runbooks that fit what is seen, best first, at most `limit`."""
    rarity = _rarity(runbooks)
    found = [match for runbook in runbooks if (match := _match(runbook, seen, rarity)) is not None]
    return tuple(sorted(found, key=lambda match: (-match.score, match.runbook))[:limit])


def _match(runbook: Runbook, seen: Seen, rarity: Mapping[str, float]) -> Match | None:
    if runbook.services and not any(_fits(name, runbook.services) for name in seen.services):
        # Somebody wrote it for other services.
        return None
    score = 0.0
    reasons: list[str] = []
    if named := [name for name in seen.services if _fits(name, runbook.services)]:
        score += _SERVICE
        reasons.append(f"is written for {', '.join(named)}")
    if alerts := [name for name in seen.alerts if _is_about(name, runbook)]:
        score += _ALERT
        reasons.append(f"names the alert {alerts[0]}")
    if kinds := [kind for kind in runbook.kinds if seen.kinds.get(kind, 0.0) > 0]:
        best = max(kinds, key=lambda kind: seen.kinds[kind])
        score += _KIND * seen.kinds[best]
        reasons.append(f"is for {best.replace('_', ' ')}, which stands at {percent(seen.kinds[best])}")
    if labels := [f"{name}={value}" for name, value in runbook.labels if fnmatchcase(seen.labels.get(name, ""), value)]:
        score += _LABEL * len(labels)
        reasons.append(f"has the labels {', '.join(labels)}")
    shared = _terms(" ".join((runbook.title, runbook.symptoms, *runbook.words))) & _terms(seen.text)
    if shared:
        score += min(_MOST_BY_TEXT, sum(rarity[word] for word in shared) * _WORD)
        rarest = sorted(shared, key=lambda word: (-rarity[word], word))[:4]
        reasons.append(f"speaks of {', '.join(rarest)}")
    if score < _FLOOR:
        return None
    return Match(runbook=runbook.id, title=runbook.title, score=round(score, 3), reasons=tuple(reasons))


def _is_about(alert: str, runbook: Runbook) -> bool:
    # What is named after an alert is about it: by title, by heading, or by the name of its file.
    same = {runbook.title.casefold(), runbook.id.casefold(), *(one.casefold() for one in runbook.headed)}
    return alert.casefold() in same or _fits(alert, runbook.alerts)


def _rarity(runbooks: Sequence[Runbook]) -> dict[str, float]:
    """Return for each word how much it tells, 0..1: 1 when one runbook has it, 0 when all have."""
    having = Counter(
        word for runbook in runbooks for word in _terms(" ".join((runbook.title, runbook.symptoms, *runbook.words)))
    )
    most = math.log(len(runbooks) + 1)
    return {word: math.log((len(runbooks) + 1) / count) / most for word, count in having.items()}


def _terms(text: str) -> frozenset[str]:
    return frozenset(_TERM.findall(text.lower())) - _COMMON


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
