"""What an operation is, and the door itself: `call` checks who may and runs it. Surfaces are derived from here.

What comes in through the door is clean: no secret that somebody pasted, no character that cannot be stored.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum, StrEnum
from typing import Final, Generic, TypeVar, get_type_hints

import msgspec

from stanch.kernel.actor import ActorKind
from stanch.kernel.errors import Bug, Forbidden, Invalid, NotFound
from stanch.kernel.redaction import redact, redact_tree
from stanch.operations.budgets import PEOPLES, once, within_budget
from stanch.operations.world import Call

Q = TypeVar("Q")
A = TypeVar("A")


class Effect(StrEnum):
    """What an operation can do to the world; `approve` is a person's word that something may run."""

    READ = "read"
    WRITE = "write"
    APPROVE = "approve"


@dataclass(frozen=True, kw_only=True)
class Operation(Generic[Q, A]):
    """One thing that can be asked for. `name` is `noun.verb`; `example` is a request that decodes."""

    name: str
    effect: Effect
    request: type[Q]
    answer: type[A]
    run: Callable[[Call, Q], A]
    doc: str
    example: Mapping[str, object]

    @property
    def summary(self) -> str:
        """Return the first line of the documentation."""
        return self.doc.splitlines()[0]

    @property
    def noun(self) -> str:
        """Return what it is about, e.g. `incident`."""
        return self.name.split(".", 1)[0]

    @property
    def verb(self) -> str:
        """Return what it does, e.g. `declare`."""
        return self.name.split(".", 1)[1]


# Far enough from the calendar's ends that windows before and after an instant, and every zone, fit on it.
_YEARS: Final = (1970, 9000)
OUT_OF_RANGE: Final = f"is out of range: years {_YEARS[0]} to {_YEARS[1]}"

# What msgspec says of a text that is too long.
_INSTEAD: Final = {
    "Invalid RFC3339 encoded date": "must be a day such as 2026-12-01",
    "Invalid RFC3339 encoded datetime": "must be an instant such as 2026-12-01T14:30:00Z",
}
_LENGTH: Final = re.compile(r"^Expected `str` of length <= ([0-9]+)$")

_REGISTRY: Final[dict[str, Operation[object, object]]] = {}


def operation(
    name: str, *, effect: Effect, example: Mapping[str, object]
) -> Callable[[Callable[[Call, Q], A]], Callable[[Call, Q], A]]:
    """Register a function `(call, request) -> answer` as the operation `name`. Types come from its annotations."""

    def register(function: Callable[[Call, Q], A]) -> Callable[[Call, Q], A]:
        hints = get_type_hints(function)
        parameters = list(inspect.signature(function).parameters)
        if name in _REGISTRY:
            raise Bug(f"operation {name} is registered twice")
        entry = Operation(
            name=name,
            effect=effect,
            request=hints[parameters[1]],
            answer=hints["return"],
            run=function,
            doc=inspect.cleandoc(function.__doc__ or ""),
            example=example,
        )
        _REGISTRY[name] = entry  # the registry forgets the pair of types; `decode` and `call` keep them together
        return function

    return register


def registered() -> dict[str, Operation[object, object]]:
    """Return the operations registered so far by name. `operations.all` imports every module first."""
    return dict(sorted(_REGISTRY.items()))


def find(name: str) -> Operation[object, object]:
    """Return the operation `name`, or raise `NotFound`."""
    try:
        return _REGISTRY[name]
    except KeyError:
        raise NotFound(f"there is no operation {name!r}", hint="see `stanch help operations`") from None


def decode(entry: Operation[Q, A], body: Mapping[str, object]) -> Q:
    """Return the request that `body` describes, with its texts clean and its instants in UTC.

    Raises `Invalid` naming the field; unknown fields are errors too.
    """
    known = {field.name for field in fields(entry.request)}  # type: ignore[arg-type]  # requests are dataclasses
    unknown = sorted(set(body) - known)
    if unknown:
        raise Invalid(f"unknown field; {entry.name} takes {', '.join(sorted(known)) or 'none'}", field=unknown[0])
    try:
        request = msgspec.convert(body, type=entry.request, strict=False)
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        field = path.strip("`").lstrip(".") or _missing(message)
        said = _LENGTH.sub(r"has more than \1 characters, which is all there is room for", message)
        raise Invalid(_INSTEAD.get(said, said), field=field) from error
    return _in_utc(_clean(request))


def _clean(request: Q) -> Q:
    """Return `request` with the secrets in its texts redacted: a log that is kept for ever is no place for one."""
    changed = {
        field.name: _clean_value(getattr(request, field.name))
        for field in fields(request)  # type: ignore[arg-type]  # requests are dataclasses
    }
    return replace(request, **changed) if changed else request  # type: ignore[type-var]  # requests are dataclasses


def _clean_value(value: object) -> object:
    if isinstance(value, Enum):
        # One of a closed set holds nothing that anybody typed, and must stay a member of it.
        return value
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, tuple):
        return tuple(_clean_value(one) for one in value)
    if isinstance(value, dict):
        return redact_tree(value)
    return _clean(value) if is_dataclass(value) else value


def _clean_text(text: str) -> str:
    # Bytes of a command line that are no UTF-8 come as lone surrogates, which no database takes.
    return redact(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))


def in_range(day: date) -> bool:
    """Tell whether a day or an instant is one that can be counted from: any other overflows the calendar."""
    return _YEARS[0] <= day.year <= _YEARS[1]


def _in_utc(request: Q) -> Q:
    """Return `request` with its instants in UTC. Raises `Invalid` for one that does not say its offset, and for a day
    that is out of range."""
    for field in fields(request):  # type: ignore[arg-type]  # requests are dataclasses
        if isinstance(value := getattr(request, field.name), date) and not in_range(value):
            raise Invalid(OUT_OF_RANGE, field=field.name)
    instants = {
        field.name: value
        for field in fields(request)  # type: ignore[arg-type]  # requests are dataclasses
        if isinstance(value := getattr(request, field.name), datetime)
    }
    for name, value in instants.items():
        if value.tzinfo is None:
            raise Invalid("needs its offset from UTC, like 2026-11-21T14:30:00Z", field=name)
    utc: dict[str, object] = {name: value.astimezone(UTC) for name, value in instants.items()}
    for field in fields(request):  # type: ignore[arg-type]  # requests are dataclasses
        value = getattr(request, field.name)
        if isinstance(value, tuple) and any(is_dataclass(one) for one in value):
            utc[field.name] = tuple(_in_utc(one) if is_dataclass(one) else one for one in value)
    return replace(request, **utc) if utc else request  # type: ignore[type-var]  # requests are dataclasses


def _missing(message: str) -> str:
    # msgspec names an absent field in its sentence, "Object missing required field `text`", and not in the path.
    return message.split("`")[1] if "`" in message else "body"


def call(entry: Operation[Q, A], call: Call, request: Q) -> A:
    """Run `entry` for the caller; an agent within its budget, and once where it gave a key.

    Raises `Forbidden` when an actor that is no person would approve, or an agent do a person's part, `Refused` when
    an agent's budget is spent.
    """
    if entry.effect is Effect.APPROVE and call.actor.kind is not ActorKind.PERSON:
        raise Forbidden(
            f"{call.actor.label} may propose but not approve",
            reason="approval_needs_a_person",
            hint="ask a person to approve in the terminal, the web page or chat",
        )
    if call.actor.kind is not ActorKind.AGENT:
        return entry.run(call, request)
    if entry.name in PEOPLES:
        raise Forbidden(
            f"{call.actor.label} may not do that",
            reason="needs_a_person",
            hint="say in a note what should be done and why; a person does it",
        )
    writes = entry.effect is not Effect.READ

    def run() -> A:
        return within_budget(call, entry.name, writes=writes, run=lambda: entry.run(call, request))

    if not call.key or not writes:
        return run()
    return once(call, same=told_as(entry, request), answer=entry.answer, run=run)


def told_as(entry: Operation[Q, A], request: Q) -> str:
    """Return a call in one text: two that are the same have the same."""
    return f"{entry.name} {msgspec.json.encode(request, order='sorted').decode()}"
