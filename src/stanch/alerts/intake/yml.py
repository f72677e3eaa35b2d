"""Reads a YAML document key by key, by path, and collects everything that is wrong with it.

Every scalar is read as text: what a key wants to be is the key's business, and YAML's own guesses (`on`, `1e3`, dates)
do not get in the way. Owns types and the words of complaints, and knows no key.
"""

import difflib
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

import yaml

from stanch.kernel.errors import Invalid, Problem

T = TypeVar("T")

_DEEPEST: Final = 60


def parse_yaml(text: str) -> object:
    """Return the document in `text` with every scalar as text. Raises `Invalid` with the line."""
    try:
        return yaml.load(text, Loader=_Texts)  # noqa: S506  # the loader makes nothing but texts, lists and mappings
    except yaml.YAMLError as error:
        raise Invalid(f"this is not YAML: {' '.join(str(error).split())}", field="config") from error
    except RecursionError:
        raise Invalid("this is nested too deeply", field="config") from None


def written(document: object) -> str:
    """Return a document of texts, lists and mappings as YAML that others read as they would have read the original."""
    return yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True)


class _Plain(yaml.SafeDumper):
    """Writes truth values and numbers, which are texts here, without quotes: others would read them as texts."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        """Return the node of a text, or of the truth value or number that it stands for."""
        tag = self.resolve(yaml.ScalarNode, text, (True, False))  # type: ignore[no-untyped-call]  # types-PyYAML lacks it
        return self.represent_scalar(tag if tag in _BARE else "tag:yaml.org,2002:str", text)


_BARE: Final = ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:int")
_Plain.add_representer(str, _Plain.represent_text)


class _Texts(yaml.BaseLoader):
    """Refuses a key that stands twice, of which YAML would quietly keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        seen: set[object] = set()
        for key, _ in node.value:
            name = self.construct_object(key, deep=True)
            if isinstance(name, str) and name in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {name!r} stands twice", key.start_mark)
            if isinstance(name, str):
                seen.add(name)
        found: dict[object, object] = super().construct_mapping(node, deep)
        return found


class Node:
    """A value of the document and where it stands. What is wrong is noted once and then counts as not given."""

    def __init__(self, value: object, *, at: str, problems: list[Problem]) -> None:
        self.value = value
        self.at = at
        self._problems = problems

    def complain(self, message: str, *, name: str = "") -> None:
        """Note that this value, or what stands at `name` in it, is wrong."""
        self._problems.append(Problem(field=".".join(part for part in (self.at, name) if part), message=message))

    def keys(self, known: Sequence[str]) -> "Node":
        """Return this mapping after noting every key that is not one of `known`, or that it is no mapping."""
        self._expect_mapping()
        for name in self._mapping():
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
                self.complain("is not a key here" + (f"; did you mean {near[0]}?" if near else ""), name=name)
        return self

    def has(self, name: str) -> bool:
        """Tell whether something stands at `name`; an empty value is none."""
        return self._mapping().get(name, "") not in ("", None)

    def inner(self, name: str) -> "Node":
        """Return what stands at `name`."""
        path = f"{self.at}.{name}" if self.at else name
        return Node(self._mapping().get(name, ""), at=path, problems=self._problems)

    def items(self, name: str) -> list["Node"]:
        """Return the elements of the list at `name`, none when it is not given."""
        inner = self.inner(name)
        if not isinstance(inner.value, list):
            if inner.value not in ("", None):
                inner.complain("must be a list")
            return []
        return [
            Node(value, at=f"{inner.at}[{number}]", problems=self._problems) for number, value in enumerate(inner.value)
        ]

    def text(self, name: str, *, default: str = "") -> str:
        """Return the text at `name`."""
        inner = self.inner(name)
        if not self.has(name):
            return default
        if not isinstance(inner.value, str):
            inner.complain("must be a text")
            return default
        return inner.value

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the list of texts at `name`."""
        found = []
        for item in self.items(name):
            if isinstance(item.value, str):
                found.append(item.value)
            else:
                item.complain("must be a text")
        return tuple(found)

    def pairs(self, name: str) -> dict[str, str]:
        """Return the mapping of texts to texts at `name`."""
        inner, found = self.inner(name), {}
        if not self.has(name):
            return {}
        for key, value in inner.mapping():
            if isinstance(value.value, str):
                found[key] = value.value
            else:
                value.complain("must be a text")
        return found

    def truth(self, name: str, *, default: bool) -> bool:
        """Return the truth value at `name`."""
        text = self.text(name).lower()
        if text in ("true", "yes", "on"):
            return True
        if text in ("false", "no", "off"):
            return False
        if text:
            self.complain("must be true or false", name=name)
        return default

    def read(self, name: str, parse: Callable[[str], T], *, default: T) -> T:
        """Return what `parse` makes of the text at `name`; it raises `ValueError` or `Invalid` for what is wrong."""
        text = self.text(name)
        return self.inner(name).parsed(text, parse, default=default) if text else default

    def parsed(self, text: str, parse: Callable[[str], T], *, default: T) -> T:
        """Return what `parse` makes of `text`, noting what is wrong with it here."""
        try:
            return parse(text)
        except ValueError as error:
            self.complain(str(error))
        except Invalid as error:
            self.complain(error.message)
        return default

    def mapping(self) -> Iterator[tuple[str, "Node"]]:
        """Yield the keys of this mapping with what stands there, after noting when it is none."""
        self._expect_mapping()
        for name in self._mapping():
            yield name, self.inner(name)

    def plain(self, *, depth: int = 0) -> object:
        """Return the value with nothing but texts, lists and mappings of texts in it."""
        if depth > _DEEPEST:
            self.complain("is nested too deeply")
            return ""
        if isinstance(self.value, dict):
            return {name: inner.plain(depth=depth + 1) for name, inner in self.mapping()}
        if isinstance(self.value, list):
            return [Node(one, at=self.at, problems=self._problems).plain(depth=depth + 1) for one in self.value]
        return self.value if isinstance(self.value, str) else ""

    def _expect_mapping(self) -> None:
        # Read as empty, a route would take every alert. Nothing at a key is a key not given; in a list it is a mistake.
        given = self.value not in ("", None) or self.at.endswith("]")
        if given and not isinstance(self.value, dict):
            self.complain("must be a mapping, `key: value`")

    def _mapping(self) -> dict[str, object]:
        if isinstance(self.value, dict):
            return self.value
        return {}
