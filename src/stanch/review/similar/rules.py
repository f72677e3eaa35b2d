"""How alike two incidents are: their traits, and their words by tf-idf. Pure.

The score is the mean of what the traits say, each by its weight, over those that are known of the incident that runs:
so early in it words and services decide, and later the error, the change and the kind of cause.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stanch.review.similar.model import Alike, Traits

# Chosen so that the same error, or the same cause at the same service, is enough to be shown, and a service is not.
_WEIGHTS: Final[Mapping[str, float]] = {
    "error": 0.25,
    "words": 0.30,
    "services": 0.15,
    "cause": 0.15,
    "change": 0.05,
    "metrics": 0.05,
    "shape": 0.05,
}
LEAST: Final = 0.35
_MOST_NAMED: Final = 5
_LONGEST_ERROR: Final = 120

_WORD: Final = re.compile(r"[^\W\d_][\w.-]*[^\W_]")
# Words that every alert says.
_COMMON: Final = """
about after again also and any are at be because been before but by can could did do does error errors fail
failed failing fails for from had has have how in into is it its more ms most no none normal not now of on one
or our out over rate requests service services since so some still than that the their then there they this to
too under up was we were what when where which while who why will with you
"""
_STOP: Final = frozenset(_COMMON.split())
_VARIABLE: Final = re.compile(
    r"""(?P<quoted>'[^']*'|"[^"]*"|`[^`]*`)"""
    r"""|(?P<hex>\b(?:0x)?[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b)"""
    r"""|(?P<number>\d+(?:[.:,]\d+)*)""",
    re.IGNORECASE,
)


def words_of(*texts: str) -> list[str]:
    """Return the words of texts that tell something, in lower case, as often as they come up; numbers tell nothing."""
    found = (word.lower() for text in texts for word in _WORD.findall(text))
    return [word for word in found if len(word) > 2 and word not in _STOP]


def template_of(error: str) -> str:
    """Return an error without what differs from one sighting to the next: quoted values, identifiers, numbers.

    `timeout after 3021 ms for 'guest-17'` becomes `timeout after # ms for #`.
    """
    return " ".join(_VARIABLE.sub("#", error).split())


def rank(one: Traits, others: Iterable[Traits], *, most: int = 5) -> tuple[Alike, ...]:
    """Return the incidents that are like `one`, the likest first, at most `most`; those below `LEAST` are none.

    Itself, what was no incident, and exercises beside real ones are not compared.
    """
    compared = [other for other in others if other.number != one.number and other.drill == one.drill]
    terms = _Terms.of([one, *compared])
    found = [_compare(one, other, terms) for other in compared]
    alike = [each for each in found if each.score >= LEAST]
    return tuple(sorted(alike, key=lambda each: (-each.score, -each.traits.number))[:most])


def _compare(one: Traits, other: Traits, terms: "_Terms") -> Alike:
    closeness, shared = terms.closeness(one, other)
    parts: dict[str, tuple[float, str]] = {}
    if one.words:
        parts["words"] = (closeness, f"words in common: {', '.join(shared)}")
    if one.error:
        parts["error"] = (float(one.error == other.error), f"the same error: {one.error[:_LONGEST_ERROR]}")
    if one.services:
        common = sorted(one.services & other.services)
        parts["services"] = (_overlap(one.services, other.services), f"also at {', '.join(common)}")
    if one.cause_kind:
        same = one.cause_kind == other.cause_kind
        # The same kind of cause elsewhere says little; at the same service it is nearly the same incident.
        close = (1.0 if one.service == other.service else 0.4) if same else 0.0
        where = f" at {one.service}" if one.service == other.service and one.service else ""
        parts["cause"] = (close, f"the same kind of cause{where}: {_plain(one.cause_kind)}")
    if one.change_kind:
        parts["change"] = (float(one.change_kind == other.change_kind), f"after a change of {_plain(one.change_kind)}")
    if one.metrics:
        common = sorted(_plain(name) for name in one.metrics & other.metrics)
        parts["metrics"] = (_overlap(one.metrics, other.metrics), f"seen in {', '.join(common)}")
    if one.shape:
        parts["shape"] = (float(one.shape == other.shape), f"moved alike: {one.shape}")
    return Alike(traits=other, score=_mean(parts), reasons=_reasons(parts))


def _mean(parts: Mapping[str, tuple[float, str]]) -> float:
    weight = sum(_WEIGHTS[name] for name in parts)
    return sum(_WEIGHTS[name] * value for name, (value, _) in parts.items()) / weight if weight else 0.0


def _reasons(parts: Mapping[str, tuple[float, str]]) -> tuple[str, ...]:
    weighed = [(_WEIGHTS[name] * value, text) for name, (value, text) in parts.items() if value > 0.1]
    return tuple(text for _, text in sorted(weighed, key=lambda each: -each[0]))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    together = one | other
    return len(one & other) / len(together) if together else 0.0


def _plain(word: str) -> str:
    return word.replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class _Terms:
    """The words of the compared incidents as vectors of length 1, by the incident's number.

    A word that comes up c times in an incident, and in d of n incidents, weighs (1 + ln c) (1 + ln((1 + n) / (1 + d))),
    the smoothed tf-idf of Manning, Raghavan and Schütze, "Introduction to Information Retrieval", chapter 6.
    """

    counts: Mapping[int, Mapping[str, int]]
    rarity: Mapping[str, float]

    @classmethod
    def of(cls, documents: Sequence[Traits]) -> "_Terms":
        counts = {one.number: Counter(one.words) for one in documents}
        spread = Counter(word for each in counts.values() for word in each)
        total = len(documents)
        return cls(
            counts=counts, rarity={word: 1 + math.log((1 + total) / (1 + found)) for word, found in spread.items()}
        )

    def closeness(self, one: Traits, other: Traits) -> tuple[float, list[str]]:
        """Return the cosine of two incidents, 0 to 1, and the words that make it, what weighs most first."""
        left, right = self.counts[one.number], self.counts[other.number]
        shared = left.keys() & right.keys()
        if not shared:
            return 0.0, []
        weights = {word: self._weight(word, left[word]) * self._weight(word, right[word]) for word in shared}
        named = sorted(weights, key=lambda word: (-weights[word], word))[:_MOST_NAMED]
        return min(1.0, sum(weights.values()) / (self._length(left) * self._length(right))), named

    def _weight(self, word: str, count: int) -> float:
        # Most words come up once; a logarithm for each of 100,000 would be most of the time this takes.
        return self.rarity[word] if count == 1 else (1 + math.log(count)) * self.rarity[word]

    def _length(self, counts: Mapping[str, int]) -> float:
        return math.sqrt(sum(self._weight(word, count) ** 2 for word, count in counts.items()))
