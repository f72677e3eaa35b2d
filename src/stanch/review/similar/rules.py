"""How alike two incidents are: their traits, and their words by tf-idf. Pure.

The score is the mean of what the traits say, each by its weight, over those that are known of the incident that runs:
so early in it words and services decide, and later the error, the change and the kind of cause.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
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
_LEAST_CHANGES: Final = 50

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
    return Corpus.of([one, *others]).like(one, most=most)


@dataclass(frozen=True, kw_only=True)
class _Held:
    """An incident to compare with: its words with how often they come up, and the length of their vector."""

    traits: Traits
    counts: Mapping[str, int]
    length: float


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Incidents to compare with, by number, with what comparing needs worked out once.

    Words are weighed as vectors: one that comes up c times in an incident, and in d of n incidents, weighs
    (1 + ln c) (1 + ln((1 + n) / (1 + d))), the smoothed tf-idf of Manning, Raghavan and Schütze, "Introduction to
    Information Retrieval", chapter 6. `rarity` is the second factor, as it was when the corpus was made: it moves
    little with one incident more, and with it the length of every vector. `changes` counts what has changed since.
    """

    held: Mapping[int, _Held]
    rarity: Mapping[str, float]
    unseen: float
    changes: int = 0

    @classmethod
    def of(cls, documents: Iterable[Traits]) -> "Corpus":
        """Return a corpus of these incidents."""
        counts = {one.number: (one, Counter(one.words)) for one in documents}
        spread = Counter(word for _, each in counts.values() for word in each)
        total = len(counts)
        rarity = {word: 1 + math.log((1 + total) / (1 + found)) for word, found in spread.items()}
        bare = cls(held={}, rarity=rarity, unseen=1 + math.log(1 + total))
        held = {number: bare._hold(one, words) for number, (one, words) in counts.items()}
        return replace(bare, held=held)

    def changed(self, numbers: Iterable[int], now: Iterable[Traits]) -> "Corpus":
        """Return the corpus with the incidents `numbers` as they are `now`; those that are not among them leave it.

        Once a twentieth of it has changed, the rarity of words is worked out again.
        """
        gone, now = set(numbers), tuple(now)
        changes = self.changes + len(gone)
        kept = {number: one for number, one in self.held.items() if number not in gone}
        if changes > max(_LEAST_CHANGES, len(kept) // 20):
            return Corpus.of([*(one.traits for one in kept.values()), *now])
        kept |= {one.number: self._hold(one, Counter(one.words)) for one in now}
        return replace(self, held=kept, changes=changes)

    def like(self, one: Traits, *, most: int, before: int | None = None, last: int | None = None) -> tuple[Alike, ...]:
        """Return the incidents that are like `one`, the likest first, at most `most`; see `rank`.

        With `before` only incidents with lower numbers are compared, of these the `last` ones.
        """
        numbers = sorted(number for number in self.held if before is None or number < before)
        compared = [self.held[number] for number in (numbers[-last:] if last else numbers) if number != one.number]
        own = self._hold(one, Counter(one.words))
        scored = [(self._parts(own, other), other) for other in compared if other.traits.drill == one.drill]
        ranked = sorted(
            ((score, other.traits.number, parts, other) for parts, other in scored if (score := _mean(parts)) >= LEAST),
            key=lambda each: (-each[0], -each[1]),
        )
        # Saying why costs more than comparing: only for what is shown.
        return tuple(
            Alike(traits=other.traits, score=score, reasons=_reasons(parts, self._words(own, other, parts)))
            for score, _, parts, other in ranked[:most]
        )

    def _hold(self, one: Traits, counts: Mapping[str, int]) -> _Held:
        length = math.sqrt(sum(self._weight(word, count) ** 2 for word, count in counts.items()))
        return _Held(traits=one, counts=counts, length=length)

    def _weight(self, word: str, count: int) -> float:
        return (1 + math.log(count)) * self.rarity.get(word, self.unseen)

    def _parts(self, left: _Held, right: _Held) -> dict[str, float]:
        """Return how alike two incidents are, 0 to 1, by each trait that is known of the left one."""
        one, other = left.traits, right.traits
        parts: dict[str, float] = {}
        if one.words:
            parts["words"] = self._closeness(left, right)
        if one.error:
            parts["error"] = float(one.error == other.error)
        if one.services:
            parts["services"] = _overlap(one.services, other.services)
        if one.cause_kind:
            # The same kind of cause elsewhere says little; at the same service it is nearly the same incident.
            close = 1.0 if one.service == other.service else 0.4
            parts["cause"] = close if one.cause_kind == other.cause_kind else 0.0
        if one.change_kind:
            parts["change"] = float(one.change_kind == other.change_kind)
        if one.metrics:
            parts["metrics"] = _overlap(one.metrics, other.metrics)
        if one.shape:
            parts["shape"] = float(one.shape == other.shape)
        return parts

    def _closeness(self, left: _Held, right: _Held) -> float:
        """Return the cosine of two incidents, 0 to 1."""
        shared = left.counts.keys() & right.counts.keys()
        if not shared:
            return 0.0
        product = sum(self._weight(word, left.counts[word]) * self._weight(word, right.counts[word]) for word in shared)
        return min(1.0, product / (left.length * right.length))

    def _words(self, left: _Held, right: _Held, parts: Mapping[str, float]) -> dict[str, str]:
        """Return why two incidents are alike, a sentence for each part."""
        one, other = left.traits, right.traits
        weights = {
            word: self._weight(word, count) * self._weight(word, right.counts[word])
            for word, count in left.counts.items()
            if word in right.counts
        }
        named = sorted(weights, key=lambda word: (-weights[word], word))[:_MOST_NAMED]
        where = f" at {one.service}" if one.service == other.service and one.service else ""
        metrics = sorted(_plain(name) for name in one.metrics & other.metrics)
        said = {
            "words": f"words in common: {', '.join(named)}",
            "error": f"the same error: {one.error[:_LONGEST_ERROR]}",
            "services": f"also at {', '.join(sorted(one.services & other.services))}",
            "cause": f"the same kind of cause{where}: {_plain(one.cause_kind)}",
            "change": f"after a change of {_plain(one.change_kind)}",
            "metrics": f"seen in {', '.join(metrics)}",
            "shape": f"moved alike: {one.shape}",
        }
        return {name: said[name] for name in parts}


def _mean(parts: Mapping[str, float]) -> float:
    weight = sum(_WEIGHTS[name] for name in parts)
    return sum(_WEIGHTS[name] * value for name, value in parts.items()) / weight if weight else 0.0


def _reasons(parts: Mapping[str, float], words: Mapping[str, str]) -> tuple[str, ...]:
    weighed = [(_WEIGHTS[name] * value, words[name]) for name, value in parts.items() if value > 0.1]
    return tuple(text for _, text in sorted(weighed, key=lambda each: -each[0]))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    together = one | other
    return len(one & other) / len(together) if together else 0.0


def _plain(word: str) -> str:
    return word.replace("_", " ")
