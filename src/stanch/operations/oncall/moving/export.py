"""Reads an export: a file or a folder of JSON as APIs and backup tools write it, sorted by kind of thing."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from stanch.kernel.errors import Invalid, NotFound
from stanch.ports.migration import Raw

# What an answer of an API wraps its list in.
_WRAPPERS: Final = ("data", "results", "items")
_MOST_BYTES: Final = 200_000_000
_KINDS: Final = (
    "users",
    "teams",
    "schedules",
    "escalation_policies",
    "escalation_chains",
    "escalations",
    "services",
    "integrations",
    "routes",
    "routing_rules",
    "on_call_shifts",
    "personal_notification_rules",
    "notification_rules",
    "overrides",
    "policies",
    "heartbeats",
    "maintenance",
    "maintenance_windows",
    "forwarding_rules",
    "rulesets",
    "event_orchestrations",
    "business_services",
    "response_plays",
    "extensions",
    "oncalls",
    "log_entries",
    "timelines",
    "final_shifts",
)


def read_export(place: Path) -> dict[str, list[Raw]]:
    """Return the objects of an export by kind. Raises `NotFound`, and `Invalid` for what is no JSON.

    The kind of a list is its key, else the name of its file or of the folder that the file is in.
    """
    if not place.exists():
        raise NotFound(f"there is no export at {place}")
    files = sorted(place.rglob("*.json")) if place.is_dir() else [place]
    found: dict[str, list[Raw]] = {}
    for file in files:
        for kind, one in _read(file):
            found.setdefault(kind, []).append(one)
    if not found:
        raise Invalid(f"nothing of on-call is in it; known are {', '.join(_KINDS[:8])} ...", field=str(place))
    return found


def _read(file: Path) -> Iterator[tuple[str, Raw]]:
    try:
        if file.stat().st_size > _MOST_BYTES:
            raise Invalid(f"is larger than {_MOST_BYTES // 1_000_000} MB", field=str(file))
        document = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise Invalid(f"cannot read it: {error}", field=str(file)) from error
    named = next((kind for kind in (_kind(file.stem), _kind(file.parent.name)) if kind), "")
    yield from _sorted(document, named)


def _sorted(document: object, named: str) -> Iterator[tuple[str, Raw]]:
    if isinstance(document, list):
        yield from ((named, one) for one in document if named and isinstance(one, dict))
        return
    if not isinstance(document, dict):
        return
    kinds = {key: kind for key in document if isinstance(document[key], list) and (kind := _kind(key))}
    # A schedule of its own has lists such as `overrides` inside and is no list of overrides.
    if kinds and not ("id" in document and "name" in document):
        for key, kind in kinds.items():
            yield from ((kind, one) for one in document[key] if isinstance(one, dict))
        return
    parent = document.get("_parent")
    for wrapper in _WRAPPERS:
        inside = document.get(wrapper)
        if isinstance(inside, dict | list) and named:
            for kind, one in _sorted(inside, named):
                yield kind, {**one, "_parent": parent or _parent_of(document)} if "_parent" not in one else one
            return
    single = _kind(next(iter(document), "")) if len(document) == 1 else ""
    if single and isinstance(inner := next(iter(document.values())), dict):
        yield single, inner
    elif named:
        yield named, document


def _parent_of(document: Mapping[str, object]) -> object:
    parent = document.get("_parent")
    return parent if isinstance(parent, dict) else {}


def _kind(name: str) -> str:
    """Return the kind that a key or file name means: `routing-rules`, `escalationPolicies` and `schedule` alike."""
    word = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s-]+", "_", name).lower()
    for one in (word, f"{word}s", f"{word[:-1]}ies" if word.endswith("y") else word):
        if one in _KINDS:
            return one
    return {"on_calls": "oncalls", "shifts": "on_call_shifts", "team_routing_rules": "routing_rules"}.get(word, "")
