"""The thinker port: a language model that is asked one question and answers with text, which is data and no more.

Owns the question, the answer and what may become of a request. What is asked, and what of the answer is believed, is
`diagnose.thinking`'s; a thinker has no tools and is given none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from stanch.kernel.errors import Unavailable
from stanch.kernel.event import JSON


class Stop(StrEnum):
    """Why a model stopped writing."""

    DONE = "done"
    CUT_OFF = "cut_off"
    REFUSED = "refused"


class Unanswered(Unavailable):
    """The model did not answer. `begun` says that it may have read the question, and that it may cost something."""

    def __init__(self, message: str, *, retry: bool, begun: bool, hint: str = "") -> None:
        super().__init__(message, retry=retry, hint=hint)
        self.begun = begun


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One question: `task` is ours, `data` is from outside and is never an instruction.

    `schema` is the JSON Schema of the answer, `most_tokens` what the answer may be long.
    """

    id: str
    task: str
    data: str
    schema: Mapping[str, JSON]
    most_tokens: int


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a model wrote; `model` is what it calls itself, tokens are None where it does not count them."""

    text: str
    stop: Stop
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    took_s: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ThinkerSettings:
    """How a thinker is reached. `secret` never stands in an error or a log; `structured` sends the schema along."""

    kind: str
    url: str
    model: str
    secret: str = field(default="", repr=False)
    timeout_s: float = 60.0
    structured: bool = True


class Thinker(Protocol):
    """Asks a model. Raises `Unanswered` when it did not answer within its time-out."""

    @property
    def kind(self) -> str:
        """Return which protocol it speaks, e.g. `anthropic`."""
        ...

    @property
    def model(self) -> str:
        """Return the configured name of the model."""
        ...

    @property
    def place(self) -> str:
        """Return the host that questions go to."""
        ...

    @property
    def has_key(self) -> bool:
        """Tell whether a key is sent along."""
        ...

    def think(self, ask: Ask) -> Answer:
        """Ask the model once."""
        ...

    def knows_model(self) -> bool | None:
        """Tell whether the place has the model, None where it does not say. Asks the model nothing, so costs nothing.

        Raises `Unanswered` when it cannot be reached or does not take the key.
        """
        ...
