"""An agent as a principal: who gave it its token, what it may spend in an hour, and what it spent."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class OwnLimits:
    """What a token limits by itself, in place of what holds for all agents; None where it says nothing.

    The fields are those of `Limits`. 0 writes make an agent that only reads.
    """

    calls: int | None = None
    writes: int | None = None
    executions: int | None = None
    seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Agent:
    """An agent with a token. `ended_at` is set once a person has revoked the token; the record stays."""

    name: str
    about: str
    made_by: str
    made_at: datetime
    made_via: str
    ended_by: str = ""
    ended_at: datetime | None = None
    seen_at: datetime | None = None
    own: OwnLimits = field(default_factory=OwnLimits)


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one agent may ask for in an hour. A drill takes about 60 calls, a dozen of them writes.

    `executions` are calls that make something run outside: collectors, queries, checks, dry runs. `seconds` is the
    time that its calls may take together.
    """

    calls: int = 600
    writes: int = 120
    executions: int = 120
    seconds: int = 1_800


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What one agent spent in the last hour, and the oldest instant at which it did."""

    calls: int = 0
    writes: int = 0
    executions: int = 0
    seconds: float = 0.0
    since: datetime | None = None
