"""Reads the template language of titles and texts in an `alertmanager.yml` into nodes: what Go's text/template says.

Known are fields, variables, literals, pipelines and calls, `if`, `with`, `range`, `template`, `block`, `define`,
comments and trimmed whitespace: https://pkg.go.dev/text/template. Owns the grammar; `rendering` owns the meaning.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

MOST_CHARACTERS: Final = 100_000
_DEEPEST: Final = 50

_ACTION: Final = re.compile(
    r"\{\{(?P<left>-(?=\s))?\s*(?P<inside>/\*.*?\*/|(?:\"(?:\\.|[^\"\\])*\"|`[^`]*`|'(?:\\.|[^'\\])*'|[^\"`'])*?)\s*"
    r"(?P<right>(?<=\s)-)?\}\}",
    re.S,
)
_TOKEN: Final = re.compile(
    r"\s*(?:"
    r"(?P<string>\"(?:\\.|[^\"\\])*\"|`[^`]*`)"
    r"|(?P<number>[+-]?\d+(?:\.\d+)?)"
    r"|(?P<close>\)(?:\.[A-Za-z_]\w*)*)"
    r"|(?P<variable>\$\w*(?:\.[A-Za-z_]\w*)*)"
    r"|(?P<path>(?:\.[A-Za-z_]\w*)+|\.)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>:=|[=|,(])"
    r")"
)
_OPENS: Final = ("if", "with", "range", "block", "define")


class NoTemplate(ValueError):
    """A text that is no template, or that says what is not known here."""


@dataclass(frozen=True, kw_only=True)
class Literal:
    """A text, a number, a truth value, or nothing."""

    value: object


@dataclass(frozen=True, kw_only=True)
class Path:
    """Fields one below the other, from the dot (`variable` None), from a variable, or from what is in parentheses."""

    fields: tuple[str, ...] = ()
    variable: str | None = None
    inner: "Pipeline | None" = None


@dataclass(frozen=True, kw_only=True)
class Function:
    """The name of a function."""

    name: str


Operand = Literal | Path | Function


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """Commands, each given what the one before gave as its last argument; `names` keep the result."""

    commands: tuple[tuple[Operand, ...], ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Show:
    """Writes what a pipeline gives, or nothing when that is kept in a variable."""

    pipeline: Pipeline


@dataclass(frozen=True, kw_only=True)
class Branch:
    """`if`, `with` or `range`, by `kind`."""

    kind: str
    pipeline: Pipeline
    body: "tuple[Node, ...]"
    otherwise: "tuple[Node, ...]" = ()


@dataclass(frozen=True, kw_only=True)
class Use:
    """Writes the template with a name, on what the pipeline gives."""

    name: str
    pipeline: Pipeline | None


Node = str | Show | Branch | Use


@dataclass(frozen=True, kw_only=True)
class Template:
    """A text that was read: its nodes, and the templates that are defined in it."""

    nodes: tuple[Node, ...]
    defined: Mapping[str, tuple[Node, ...]] = field(default_factory=dict)


def read_template(text: str) -> Template:
    """Return the template in `text`. Raises `NoTemplate`."""
    if len(text) > MOST_CHARACTERS:
        raise NoTemplate(f"is longer than {MOST_CHARACTERS} characters")
    reader = _Reader(_pieces(text))
    nodes, ended = reader.nodes(depth=0)
    if ended:
        raise NoTemplate(f"{{{{ {ended} }}}} stands where nothing is open")
    return Template(nodes=nodes, defined=reader.defined)


@dataclass(frozen=True, kw_only=True)
class _Action:
    said: str


def _pieces(text: str) -> list[str | _Action]:
    """Return texts and actions in their order, whitespace trimmed where a dash says so, without comments."""
    found: list[str | _Action] = []
    position, trim = 0, False
    for action in _ACTION.finditer(text):
        before = text[position : action.start()]
        _add(found, before, left=trim, right=action["left"] is not None)
        said = action["inside"]
        if not said.startswith("/*"):
            found.append(_Action(said=said))
        position, trim = action.end(), action["right"] is not None
    _add(found, text[position:], left=trim, right=False)
    return found


def _add(found: list[str | _Action], text: str, *, left: bool, right: bool) -> None:
    if "{{" in text:
        raise NoTemplate("an action is not closed: {{ without }}")
    text = text.lstrip() if left else text
    text = text.rstrip() if right else text
    if text:
        found.append(text)


class _Reader:
    """Goes through the pieces once, from the left."""

    def __init__(self, pieces: Sequence[str | _Action]) -> None:
        self._pieces = pieces
        self._at = 0
        self.defined: dict[str, tuple[Node, ...]] = {}

    def nodes(self, *, depth: int) -> tuple[tuple[Node, ...], str]:
        """Return the nodes up to an `end` or `else`, and that action; at the end of the text an empty one."""
        if depth > _DEEPEST:
            raise NoTemplate("is nested too deeply")
        found: list[Node] = []
        while self._at < len(self._pieces):
            piece = self._pieces[self._at]
            self._at += 1
            if isinstance(piece, str):
                found.append(piece)
                continue
            word, _, rest = piece.said.partition(" ")
            if word in ("end", "else"):
                return tuple(found), piece.said
            if word in ("if", "with", "range"):
                found.append(self._branch(word, rest, depth=depth))
            elif word in ("define", "block", "template"):
                found += self._named(word, rest, depth=depth)
            elif word in ("break", "continue"):
                raise NoTemplate(f"{word} is not known here")
            else:
                found.append(Show(pipeline=read_pipeline(piece.said)))
        return tuple(found), ""

    def _branch(self, kind: str, said: str, *, depth: int) -> Branch:
        pipeline = read_pipeline(said)
        body, ended = self.nodes(depth=depth + 1)
        otherwise: tuple[Node, ...] = ()
        if ended.startswith("else"):
            more = ended.removeprefix("else").strip()
            if more:
                word, _, rest = more.partition(" ")
                if word not in ("if", "with"):
                    raise NoTemplate(f"{{{{ {ended} }}}} is not known here")
                # The `end` of what follows ends this one too.
                return Branch(
                    kind=kind,
                    pipeline=pipeline,
                    body=body,
                    otherwise=(self._branch(word, rest, depth=depth + 1),),
                )
            otherwise, ended = self.nodes(depth=depth + 1)
        if ended != "end":
            raise NoTemplate(f"{{{{ {kind} {said} }}}} has no end")
        return Branch(kind=kind, pipeline=pipeline, body=body, otherwise=otherwise)

    def _named(self, word: str, said: str, *, depth: int) -> list[Node]:
        quoted = _TOKEN.match(said)
        if quoted is None or quoted["string"] is None:
            raise NoTemplate(f"{word} needs the name of a template in quotes")
        name, rest = _text(quoted["string"]), said[quoted.end() :].strip()
        pipeline = read_pipeline(rest) if rest else None
        if word == "template":
            return [Use(name=name, pipeline=pipeline)]
        body, ended = self.nodes(depth=depth + 1)
        if ended != "end":
            raise NoTemplate(f"the {word} of {name!r} has no end")
        self.defined[name] = body
        return [Use(name=name, pipeline=pipeline)] if word == "block" else []


def read_pipeline(said: str) -> Pipeline:
    """Return the pipeline that `said` writes. Raises `NoTemplate`."""
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(said.rstrip()):
        found = _TOKEN.match(said, position)
        if found is None or found.lastgroup is None:
            raise NoTemplate(f"{said[position:].strip()[:40]!r} cannot be read")
        tokens.append((found.lastgroup, found[found.lastgroup]))
        position = found.end()
    pipeline, at, _ = _pipeline(tokens, 0, said=said, depth=0)
    if at < len(tokens):
        raise NoTemplate(f"{tokens[at][1]!r} stands where nothing can stand, in {said!r}")
    return pipeline


def _pipeline(tokens: list[tuple[str, str]], at: int, *, said: str, depth: int) -> tuple[Pipeline, int, str]:
    """Return a pipeline, where it ended, and the parenthesis with fields that closed it."""
    if depth > _DEEPEST:
        raise NoTemplate("is nested too deeply")
    names, at = _names(tokens, at)
    commands: list[tuple[Operand, ...]] = []
    operands: list[Operand] = []
    closed = ""
    while at < len(tokens):
        kind, word = tokens[at]
        at += 1
        if kind == "close":
            if not depth:
                raise NoTemplate(f"a parenthesis is closed that is not open, in {said!r}")
            closed = word
            break
        if kind == "sign" and word == "|":
            commands.append(tuple(operands))
            operands = []
        elif kind == "sign" and word == "(":
            inner, at, end = _pipeline(tokens, at, said=said, depth=depth + 1)
            operands.append(Path(inner=inner, fields=tuple(end.split(".")[1:])))
        else:
            operands.append(_operand(kind, word))
    else:
        if depth:
            raise NoTemplate(f"a parenthesis is not closed, in {said!r}")
    commands.append(tuple(operands))
    if not all(commands):
        raise NoTemplate(f"a value is missing, in {said!r}")
    return Pipeline(commands=tuple(commands), names=names), at, closed


def _names(tokens: list[tuple[str, str]], at: int) -> tuple[tuple[str, ...], int]:
    """Return the variables that a pipeline is kept in: `$x :=`, `$x =`, `$i, $x :=`."""
    for names in (1, 2):
        end = at + 2 * names - 1
        head = tokens[at:end]
        signed = all(one == ("sign", ",") for one in head[1::2])
        named = all(kind == "variable" and "." not in token for kind, token in head[::2])
        whole = len(tokens) > end and len(head) == 2 * names - 1
        if whole and signed and named and tokens[end] in (("sign", ":="), ("sign", "=")):
            return tuple(token for _, token in head[::2]), end + 1
    return (), at


def _operand(kind: str, word: str) -> Operand:
    match kind:
        case "string":
            return Literal(value=_text(word))
        case "number":
            return Literal(value=float(word) if "." in word else int(word))
        case "variable":
            name, *fields = word.split(".")
            return Path(variable=name, fields=tuple(fields))
        case "path":
            return Path(fields=tuple(part for part in word.split(".") if part))
        case "name" if word in ("true", "false"):
            return Literal(value=word == "true")
        case "name" if word == "nil":
            return Literal(value=None)
        case "name":
            return Function(name=word)
        case _:
            raise NoTemplate(f"{word!r} stands where nothing can stand")


def _text(token: str) -> str:
    if token.startswith("`"):
        return token[1:-1]
    try:
        found = ast.literal_eval(token)
    except (SyntaxError, ValueError):
        raise NoTemplate(f"{token} is no text") from None
    return str(found)
