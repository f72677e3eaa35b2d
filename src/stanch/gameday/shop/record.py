"""The record of what was changed in the shop (`deploys.jsonl`), and JSON log lines about processes."""

import json
import os
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path


class ChangeKind(StrEnum):
    """What kind of change a line of the record is about."""

    DEPLOY = "deploy"
    CONFIG = "config"
    RESTART = "restart"
    FLAG = "flag"
    SCALE = "scale"
    MIGRATION = "migration"


def timestamp(at: datetime) -> str:
    """Return an instant in UTC the way all files of the shop write it, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def append_json(path: Path, line: dict[str, object]) -> None:
    """Append one line with a single write, so that several writers may share the file."""
    file = os.open(path, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o644)
    try:
        os.write(file, (json.dumps(line) + "\n").encode())
    finally:
        os.close(file)


def write_json(path: Path, value: object, *, mode: int = 0o644) -> None:
    """Replace a file at once, so that no reader sees half of it."""
    partial = path.with_name(f".{path.name}.partial")
    file = os.open(partial, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, mode)
    with os.fdopen(file, "w") as out:
        json.dump(value, out, indent=1)
    partial.replace(path)


def record_change(
    path: Path,
    *,
    kind: ChangeKind,
    service: str,
    before: str | None,
    after: str,
    commit: str | None,
    actor: str,
    note: str,
    at: datetime | None = None,
) -> None:
    """Append one change; without `at` it happened just now."""
    line: dict[str, object] = {
        "at": timestamp(at or datetime.now(UTC)),
        "kind": str(kind),
        "service": service,
        "from": before,
        "to": after,
        "commit": commit,
        "actor": actor,
        "note": note,
    }
    append_json(path, line)


def log_line(path: Path, *, level: str, service: str, message: str, **fields: object) -> None:
    """Append a line to a JSON log in the shape that the services use."""
    now = timestamp(datetime.now(UTC))
    append_json(path, {"ts": now, "level": level, "service": service, "message": message, **fields})
