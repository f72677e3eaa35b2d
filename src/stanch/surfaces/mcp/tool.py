"""What a tool is: a task made of operations, with the schemas that follow from theirs, and how its answer is put."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, cast

import msgspec

from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.operations.registry import Effect, Operation
from stanch.surfaces.mcp.marking import OPEN, WARNING
from stanch.surfaces.mcp.views import Cuts, Schema, View, schema_of, shown

MOST: Final = 12_000
"""Characters of one answer, about 3,000 tokens: an agent can read a dozen of them and still think."""


class Asking(Protocol):
    """The way to the operations, for one agent."""

    def ask(self, operation: str, /, **body: object) -> JSON:
        """Ask an operation and return its answer as JSON values; None stands for what is not given."""
        ...


@dataclass(frozen=True, kw_only=True)
class Put:
    """What a tool answers: a value seen through a view, what to do next, and which argument asks for the rest.

    `skipped` is how many items of the list that is shown stood before it; `rest` names the arguments that ask for what
    comes after a cut, with places for the number that follows and for the list: `part={path} after={}`.
    """

    value: JSON
    view: View
    next: tuple[str, ...] = ()
    rest: str = ""
    skipped: int = 0
    longest: int = 0
    more: str = ""


Given = Mapping[str, JSON]


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One thing an agent can do. `takes` are the fields that are its operations', by operation; `extra` are its own.

    `looks` are the values of its argument `do` that only read, the one that holds without any first.
    `shows` says under which name of the data which operation's answer is seen how; an empty name is the data itself.
    """

    name: str
    about: str
    takes: Mapping[str, str]
    run: Callable[[Asking, Given], Put]
    shows: Mapping[str, tuple[str, View]]
    required: tuple[str, ...] = ()
    extra: Mapping[str, Schema] = field(default_factory=dict)
    looks: tuple[str, ...] = ()

    def writes(self, operations: Mapping[str, Operation[object, object]], given: Given) -> bool:
        """Tell whether this call of it may change something."""
        if self.reads(operations):
            return False
        return not self.looks or given.get("do", self.looks[0]) not in self.looks

    def reads(self, operations: Mapping[str, Operation[object, object]]) -> bool:
        """Tell whether it only reads."""
        return all(operations[name].effect is Effect.READ for name in self.takes)

    def input_schema(self, operations: Mapping[str, Operation[object, object]]) -> Schema:
        """Return the JSON Schema of its arguments, made from the requests of its operations."""
        properties = self.properties(operations)
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return schema | ({"required": list[JSON](self.required)} if self.required else {})

    def properties(self, operations: Mapping[str, Operation[object, object]]) -> Schema:
        """Return the schema of each of its arguments."""
        properties: Schema = {}
        for name, words in self.takes.items():
            known = _properties(operations[name].request)
            properties |= {word: known[word] for word in words.split() if word not in properties}
        properties |= self.extra
        if not self.reads(operations):
            properties["key"] = {"type": "string"}
        return properties

    def output_schema(self, operations: Mapping[str, Operation[object, object]]) -> Schema:
        """Return the JSON Schema of its answer, made from the answers of its operations."""
        seen = {name: schema_of(operations[asked].answer, view) for name, (asked, view) in self.shows.items()}
        named: Schema = {name: one for name, one in seen.items() if name}
        data: Schema = {"type": "object", "properties": named} if named else seen[""]
        return {"type": "object", "properties": {"data": data}}


def _properties(kind: type[object]) -> dict[str, Schema]:
    """Return the schemas of the fields of a request, as short as they can be."""
    (reference,), parts = msgspec.json.schema_components([kind], ref_template="{name}")
    schema = parts.get(str(reference.get("$ref")), reference)
    return {name: _short(cast("Schema", one), parts) for name, one in schema.get("properties", {}).items()}


def _short(schema: Schema, parts: Mapping[str, Schema]) -> Schema:
    choices = schema.get("anyOf")
    if isinstance(choices, list):
        chosen = next(one for one in choices if isinstance(one, dict) and one.get("type") != "null")
        return _short(chosen, parts)
    if "$ref" in schema:
        return _short(parts[str(schema["$ref"])], parts)
    return {name: one for name, one in schema.items() if name in ("type", "items", "enum", "format")}


def answer(put: Put) -> dict[str, JSON]:
    """Return what the agent gets: the data, what was left out and how to get it, what to do next.

    Lists are cut shorter until the whole fits into `MOST` characters.
    """
    page = Cuts().page
    while True:
        cuts = Cuts(page=page, longest=put.longest or Cuts().longest)
        data = shown(put.value, put.view, cuts)
        told: dict[str, JSON] = {"data": data}
        more = [*_left(cuts, put), *([put.more] if put.more else [])]
        if more:
            told["more"] = list[JSON](more)
        if put.next:
            told["next"] = list[JSON](put.next)
        if OPEN in text_of(data):
            told["untrusted"] = WARNING
        if page == 1 or len(text_of(told)) <= MOST:
            return told
        page = page // 2


def _left(cuts: Cuts, put: Put) -> list[str]:
    found = []
    for path, (left, kept) in cuts.left.items():
        how = (
            f": the same with {put.rest.format(put.skipped + kept, path=path)}" if put.rest and "." not in path else ""
        )
        found.append(f"{left} more in {path}{how}")
    return found


def text_of(value: JSON) -> str:
    """Return `value` as JSON text, as short as it can be."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def number(given: Given, name: str) -> int:
    """Return a whole number that was given, 0 where it was not. Raises `Invalid`."""
    value = given.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise Invalid("is a whole number from 0 up", field=name)
    return value


def word(given: Given, name: str, choices: tuple[str, ...]) -> str:
    """Return which of `choices` was given, the first where none was. Raises `Invalid` listing them."""
    value = given.get(name, choices[0])
    if value not in choices:
        raise Invalid(f"is one of {', '.join(choices)}", field=name)
    return str(value)
