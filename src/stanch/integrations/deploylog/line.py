"""Reads one line of a deploy log into a change. Pure; tolerant of the names pipelines give to the same thing."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from stanch.kernel.event import JSON
from stanch.ports.changes import Change, ChangeKind

_WHEN: Final = ("at", "ts", "time", "timestamp", "date")
_KIND: Final = ("kind", "type", "event", "action")
_WHERE: Final = ("service", "app", "application", "component")
_FROM: Final = ("from", "previous", "before", "old")
_TO: Final = ("to", "version", "after", "new", "tag", "release", "revision")
_COMMIT: Final = ("commit", "sha", "revision_id")
_WHO: Final = ("actor", "author", "user", "by")
_WHY: Final = ("note", "title", "message", "reason", "description")
_PATHS: Final = ("paths", "files")
_URL: Final = ("url", "link")
_KINDS: Final = {
    ChangeKind.DEPLOY: ("deploy", "deployment", "deployed", "release", "rollback", "rollout", "promote"),
    ChangeKind.CONFIG: ("config", "configuration", "settings", "configmap", "secret"),
    ChangeKind.FLAG: ("flag", "feature_flag", "feature", "toggle", "experiment"),
    ChangeKind.MIGRATION: ("migration", "migrate", "schema"),
    ChangeKind.INFRASTRUCTURE: ("infrastructure", "infra", "scale", "scaling", "node", "terraform", "network"),
    ChangeKind.TRAFFIC: ("traffic", "campaign", "load_test"),
    ChangeKind.RESTART: ("restart", "reboot"),
    ChangeKind.COMMIT: ("commit", "push", "merge"),
    ChangeKind.TAG: ("tag",),
}
_KIND_OF: Final = {word: kind for kind, words in _KINDS.items() for word in words}
# Unix time in seconds passes this in the year 5138, in milliseconds it did in 1973.
_FIRST_MILLISECONDS: Final = 1e11
_MOST_PATHS: Final = 500
_LONGEST: Final = 1_000


def read_line(line: bytes | str, *, service: str = "") -> Change | None:
    """Return the change a line tells of, None where it is no JSON object with a readable time.

    `service` is used where the line names none. The id is a digest of what the line says, so that reading it again,
    or from a copy of the file, gives the same change.
    """
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict):
        return None
    at = _instant(_first(entry, _WHEN))
    if at is None:
        return None
    version, note = _text(entry, _TO), _text(entry, _WHY)
    kind = _kind(_text(entry, _KIND), version=version)
    where = _text(entry, _WHERE) or service
    canonical = json.dumps([entry, where], sort_keys=True).encode()
    what = f"{where} {kind.value} {version}".strip()
    return Change(
        id=f"deploylog/{hashlib.blake2b(canonical, digest_size=8).hexdigest()}",
        at=at,
        kind=kind,
        service=where,
        title=f"{what}: {note}" if note and note not in (kind.value, what) else what,
        version=version,
        previous=_text(entry, _FROM),
        commit=_text(entry, _COMMIT),
        author=_text(entry, _WHO),
        paths=_paths(entry),
        source="deploylog",
        url=_text(entry, _URL),
    )


def _first(entry: Mapping[str, JSON], keys: tuple[str, ...]) -> JSON:
    return next((entry[key] for key in keys if entry.get(key) not in (None, "")), None)


def _text(entry: Mapping[str, JSON], keys: tuple[str, ...]) -> str:
    found = _first(entry, keys)
    if isinstance(found, str | int | float) and not isinstance(found, bool):
        return str(found)[:_LONGEST]
    return ""


def _instant(found: JSON) -> datetime | None:
    try:
        if isinstance(found, int | float) and not isinstance(found, bool):
            seconds = found / 1000 if found > _FIRST_MILLISECONDS else found
            return datetime.fromtimestamp(seconds, UTC)
        if isinstance(found, str):
            read = datetime.fromisoformat(found.strip())
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _kind(word: str, *, version: str) -> ChangeKind:
    found = _KIND_OF.get(word.strip().lower().replace("-", "_").replace(" ", "_"))
    if found is not None:
        return found
    return ChangeKind.DEPLOY if version else ChangeKind.INFRASTRUCTURE


def _paths(entry: Mapping[str, JSON]) -> tuple[str, ...]:
    found = _first(entry, _PATHS)
    if not isinstance(found, list):
        return ()
    return tuple(path for path in found[:_MOST_PATHS] if isinstance(path, str))
