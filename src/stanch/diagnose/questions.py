"""The most informative next test: which clue nobody has looked for would say most about the cause. Pure.

For a hypothesis with probability p and a clue with likelihood ratios R (holds) and r (absent), P(clue | it) = a and
P(clue | not it) = b follow from R = a / b and r = (1 - a) / (1 - b):

    b = (1 - r) / (R - r),    a = R * b

and the expected information is the mutual information of the two in nats, I = H(p a + q b) - p H(a) - q H(b) with
q = 1 - p and H the binary entropy. Worked value: p = 0.5, R = 4, r = 0.25: b = 0.2, a = 0.8, I = 0.69 - 0.50 = 0.19.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stanch.diagnose.clues import CLUES
from stanch.diagnose.kinds import Kind
from stanch.diagnose.model import Candidate
from stanch.diagnose.wording import change_name


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """A candidate as it stands: its probability 0..1 and the clues that were looked for."""

    kind: Kind
    candidate: Candidate
    score: float
    seen: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Question:
    """A test worth doing next: what to find out, and how much it is expected to tell, in nats."""

    clue: str
    text: str
    information: float
    about: tuple[str, ...] = ()


def most_informative(weighed: Sequence[Weighed]) -> Question | None:
    """Return the test that is expected to tell most, None when everything that can be asked was looked at.

    What one look tells about several candidates is added up per sentence: one test that bears on three of them is
    worth more than one that bears on the first alone.
    """
    told: dict[tuple[str, str], Question] = {}
    for each in weighed:
        for weight in each.kind.weights:
            clue = CLUES[weight.clue]
            if not clue.test or clue.name in each.seen:
                continue
            words = {
                "service": each.candidate.service or "the service",
                "target": each.candidate.target,
                "change": change_name(each.candidate.change) if each.candidate.change else "the change",
                "previous": each.candidate.change.previous if each.candidate.change else "",
                "version": each.candidate.change.version if each.candidate.change else "",
            }
            text = clue.test.format_map(words)
            before = told.get((clue.name, text))
            information = expected_information(each.score, weight.holds, weight.absent)
            told[clue.name, text] = Question(
                clue=clue.name,
                text=text,
                information=information + (before.information if before else 0.0),
                about=tuple(name for name in (each.candidate.service, each.candidate.target) if name),
            )
    return max(told.values(), key=lambda question: (question.information, question.text), default=None)


def expected_information(score: float, holds: float, absent: float) -> float:
    """Return how much a look is expected to tell, in nats; 0 where the two ratios cannot belong together."""
    if not (holds > 1 > absent or holds < 1 < absent):
        return 0.0
    without = (1 - absent) / (holds - absent)
    given = min(1.0, holds * without)
    return max(
        0.0, _entropy(score * given + (1 - score) * without) - score * _entropy(given) - (1 - score) * _entropy(without)
    )


def _entropy(p: float) -> float:
    return 0.0 if p <= 0 or p >= 1 else -p * math.log(p) - (1 - p) * math.log(1 - p)
