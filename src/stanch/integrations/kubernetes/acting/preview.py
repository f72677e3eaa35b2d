"""What differs between an object as it is and as the server says it would be, a line each. Pure."""

import difflib
from collections.abc import Iterator
from typing import Final

from stanch.integrations.kubernetes.rows import Object, part, text
from stanch.kernel.blocks import clean
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact

_LEFT_OUT: Final = frozenset({"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"})
_MOST_LINES: Final = 80
_LONGEST: Final = 300


def differences(before: Object, after: Object) -> tuple[str, ...]:
    """Return the lines of the change: `path: old -> new`, and for longer texts those that come and go. Redacted."""
    old, new = (dict(_leaves("", _relevant(item))) for item in (before, after))
    lines: list[str] = []
    for path in sorted({*old, *new}):
        if old.get(path) == new.get(path):
            continue
        was, is_now = old.get(path, ""), new.get(path, "")
        if "\n" in was or "\n" in is_now:
            lines.append(f"{path}:")
            lines += [
                _shown("", line)
                for line in difflib.unified_diff(was.splitlines(), is_now.splitlines(), lineterm="", n=2)
                if not line.startswith(("---", "+++"))
            ]
        elif path not in old:
            lines.append(f"+ {_shown(path, is_now)}")
        elif path not in new:
            lines.append(f"- {_shown(path, was)}")
        else:
            lines.append(f"{_shown(path, was)} -> {_value(path, is_now)}")
    if len(lines) > _MOST_LINES:
        lines[_MOST_LINES:] = [f"and {len(lines) - _MOST_LINES} more lines"]
    return tuple(lines)


def _relevant(item: Object) -> Object:
    metadata = {name: value for name, value in part(item, "metadata").items() if name not in _LEFT_OUT}
    return {**{name: value for name, value in item.items() if name != "status"}, "metadata": metadata}


def _leaves(path: str, value: JSON) -> Iterator[tuple[str, str]]:
    """Yield every leaf with its path; the items of a list of named things go by their names."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list) and value:
        for number, inner in enumerate(value):
            name = text(inner, "name") if isinstance(inner, dict) else ""
            yield from _leaves(f"{path}[{name or number}]", inner)
    elif not path.endswith("].name"):
        yield path, value if isinstance(value, str) else str(value)


def _shown(path: str, value: str) -> str:
    return f"{path}: {_value(path, value)}" if path else redact(clean(value))[:_LONGEST]


def _value(path: str, value: str) -> str:
    # Under the name that it stands under: `env[DB_PASSWORD].value` is a secret whatever it looks like.
    name = path.removesuffix(".value").rpartition("[")[2].rstrip("]") if path.endswith("].value") else path
    name = name.rpartition(".")[2]
    return redact(clean(f"{name}={value}")).partition("=")[2].replace("\n", " ")[:_LONGEST]
