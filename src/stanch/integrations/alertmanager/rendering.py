"""Writes templates: what nodes and operands mean, on the values of `values`.

What is not known is an error that names it. Bounded in steps, depth and length, as a template may use itself.
"""

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stanch.integrations.alertmanager.parsing import (
    Branch,
    Function,
    Literal,
    Node,
    NoTemplate,
    Operand,
    Path,
    Pipeline,
    Show,
    Template,
    Use,
)
from stanch.integrations.alertmanager.values import (
    FUNCTIONS,
    METHODS,
    Pairs,
    Record,
    Safe,
    applied,
    kind_of,
    text_of,
    truth_of,
)

_MOST_STEPS: Final = 200_000
_LONGEST: Final = 1_000_000
_DEEPEST: Final = 40


@dataclass(kw_only=True)
class _State:
    """What one text uses up and defines."""

    defined: Mapping[str, tuple[Node, ...]]
    fallback: Callable[[str], str | None]
    root: object
    escape: bool
    steps: int = 0
    written: int = 0


@dataclass(kw_only=True)
class _Scope:
    dot: object
    names: dict[str, object]
    outer: "_Scope | None" = None

    def look(self, name: str) -> object:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        raise NoTemplate(f"there is no variable {name}")

    def keep(self, name: str, value: object) -> None:
        """Give a variable its value: the nearest one of that name, else a new one here."""
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                scope.names[name] = value
                return
            scope = scope.outer
        self.names[name] = value


def render(
    template: Template,
    data: Record,
    *,
    defined: Mapping[str, tuple[Node, ...]],
    fallback: Callable[[str], str | None],
    escape: bool = False,
) -> str:
    """Return the text of `template` on `data`.

    `defined` are templates by name, `fallback` gives the text of one that is not among them, None when it has none.
    `escape` writes values as HTML. Raises `NoTemplate` for what is not known.
    """
    known = {**defined, **template.defined}
    state = _State(defined=known, fallback=fallback, root=data, escape=escape)
    return _nodes(template.nodes, _Scope(dot=data, names={"$": data}), state, depth=0)


def _nodes(nodes: Sequence[Node], scope: _Scope, state: _State, *, depth: int) -> str:
    if depth > _DEEPEST:
        raise NoTemplate("templates use each other too deeply")
    found = []
    for node in nodes:
        state.steps += 1
        if state.steps > _MOST_STEPS:
            raise NoTemplate("does too much")
        said = _node(node, scope, state, depth=depth)
        state.written += len(said)
        if state.written > _LONGEST:
            raise NoTemplate("writes too much")
        found.append(said)
    return "".join(found)


def _node(node: Node, scope: _Scope, state: _State, *, depth: int) -> str:
    match node:
        case str():
            return node
        case Show(pipeline=pipeline):
            value = _value(pipeline, scope, state)
            if pipeline.names:
                return ""
            said = text_of(value)
            return html.escape(said) if state.escape and not isinstance(value, Safe) else said
        case Use(name=name, pipeline=pipeline):
            dot = _value(pipeline, scope, state) if pipeline else None
            body = state.defined.get(name)
            if body is not None:
                return _nodes(body, _Scope(dot=dot, names={"$": dot}), state, depth=depth + 1)
            ours = state.fallback(name)
            if ours is None:
                raise NoTemplate(f"there is no template {name!r}")
            return html.escape(ours).replace("\n", "<br>\n") if state.escape else ours
        case Branch(kind="range"):
            return _range(node, scope, state, depth=depth)
        case Branch(kind=kind, body=body, otherwise=otherwise):
            inner = _Scope(dot=scope.dot, names={}, outer=scope)
            value = _value(node.pipeline, inner, state, fresh=True)
            if not truth_of(value):
                return _nodes(otherwise, inner, state, depth=depth + 1)
            inner.dot = value if kind == "with" else scope.dot
            return _nodes(body, inner, state, depth=depth + 1)


def _range(node: Branch, scope: _Scope, state: _State, *, depth: int) -> str:
    value = _value(Pipeline(commands=node.pipeline.commands), scope, state)
    pairs: list[tuple[object, object]]
    if isinstance(value, Mapping):
        pairs = sorted(value.items())
    elif isinstance(value, (list, tuple)):
        pairs = list(enumerate(value))
    elif value is None:
        pairs = []
    else:
        raise NoTemplate(f"cannot go through {type(value).__name__} one by one")
    if not pairs:
        return _nodes(node.otherwise, _Scope(dot=scope.dot, names={}, outer=scope), state, depth=depth + 1)
    found = []
    for key, each in pairs:
        inner = _Scope(dot=each, names={}, outer=scope)
        names = node.pipeline.names
        inner.names |= dict(zip(names, (key, each) if len(names) == 2 else (each,), strict=False))
        found.append(_nodes(node.body, inner, state, depth=depth + 1))
    return "".join(found)


def _value(pipeline: Pipeline, scope: _Scope, state: _State, *, fresh: bool = False) -> object:
    piped: list[object] = []
    for command in pipeline.commands:
        piped = [_command(command, piped, scope, state)]
    for name in pipeline.names:
        if fresh:
            scope.names[name] = piped[0]
        else:
            scope.keep(name, piped[0])
    return piped[0]


def _command(command: tuple[Operand, ...], piped: list[object], scope: _Scope, state: _State) -> object:
    state.steps += 1
    head, *rest = command
    if isinstance(head, Function) and head.name in ("and", "or") and not piped:
        return _early(head.name, rest, scope, state)
    given = [_single(one, scope, state) for one in rest] + piped
    if isinstance(head, Function):
        return _call(head.name, given)
    found = _operand(head, scope, state)
    if callable(found):
        return applied(found, given, name="a method")
    if given:
        raise NoTemplate("a value is given arguments, which only functions take")
    return found


def _early(name: str, operands: Sequence[Operand], scope: _Scope, state: _State) -> object:
    found: object = name == "and"
    for operand in operands:
        found = _single(operand, scope, state)
        if truth_of(found) is (name == "or"):
            return found
    return found


def _single(operand: Operand, scope: _Scope, state: _State) -> object:
    if isinstance(operand, Function):
        return _call(operand.name, [])
    found = _operand(operand, scope, state)
    return applied(found, [], name="a method") if callable(found) else found


def _operand(operand: Literal | Path | Function, scope: _Scope, state: _State) -> object:
    match operand:
        case Literal(value=value):
            return value
        case Function(name=name):
            return _call(name, [])
        case Path(inner=inner, variable=variable, fields=fields):
            found = scope.dot
            if inner is not None:
                found = _value(inner, scope, state)
            elif variable is not None:
                found = scope.look(variable)
            for name in fields:
                found = _field(applied(found, [], name="a method") if callable(found) else found, name)
            return found


def _field(value: object, name: str) -> object:
    for kind, methods in METHODS:
        if isinstance(value, kind) and name in methods:
            method = methods[name]
            return lambda *given: method(value, *given)
    if isinstance(value, Pairs):
        return value.get(name, "")
    if isinstance(value, Record):
        if name in value:
            return value[name]
        raise NoTemplate(f".{name} is not known; there are {', '.join(f'.{one}' for one in value)}")
    raise NoTemplate(f"there is no .{name} in {kind_of(value)}")


def _call(name: str, given: list[object]) -> object:
    function = FUNCTIONS.get(name)
    if function is None:
        raise NoTemplate(f"the function {name} is not known")
    return applied(function, given, name=name)
