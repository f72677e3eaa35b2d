"""What a kind of cause is: a prior, clues with their weights, the next test, what would help. The list is `kinds`."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stanch.ports.changes import ChangeKind


class Subject(StrEnum):
    """What a kind blames, and so which candidates are weighed for it."""

    CHANGE = "change"
    CALL = "call"
    POOL = "pool"
    RESOURCE = "resource"
    SERVICE = "service"
    SIGN = "sign"


@dataclass(frozen=True, kw_only=True)
class Weight:
    """How much a clue says about a kind: likelihood ratios when it holds and when it was looked for in vain."""

    clue: str
    holds: float
    absent: float
    why: str


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of cause. `title`, `next_test` and `next_command` are filled with the candidate's words.

    `looks` is the clue whose own look, where there was one, is made again instead: its command fits the system.
    `signs` are the signals without which a kind of the subject `sign` is not thought of at all. `same_as` are kinds
    that say the same of the same place in other words: they are no rivals, and share one score.
    """

    name: str
    subject: Subject
    title: str
    prior: float
    weights: tuple[Weight, ...]
    next_test: str
    next_command: str
    mitigations: tuple[str, ...]
    changes: tuple[ChangeKind, ...] = ()
    looks: str = ""
    signs: tuple[str, ...] = ()
    same_as: tuple[str, ...] = ()


MITIGATIONS: Final = (
    "rollback",
    "rollback_config",
    "rollback_migration",
    "flag_off",
    "restart",
    "scale_up",
    "circuit_breaker",
    "kill_queries",
    "read_replica",
    "failover",
    "revert",
    "investigate",
)
"""The words a kind may suggest, as the decision tree and the catalog's actions use them."""


def log_odds(probability: float) -> float:
    """Return ln(p / (1 - p)). Worked value: 0.3 gives -0.847."""
    return math.log(probability / (1 - probability))
