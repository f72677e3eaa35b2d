"""The changes port on the flags of flagd: a JSON file in a git repository, each flag that a commit changed.

The format is https://flagd.dev/reference/flag-definitions/: `flags`, each with `state`, `variants`, `defaultVariant`
and `targeting`. When a commit reached flagd is not known here; it is taken to be when it was committed.
"""

import difflib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from stanch.integrations.git.runner import run_git
from stanch.kernel.errors import Invalid, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import read_object
from stanch.kernel.redaction import redact
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.query import SystemSpec

_MOST_COMMITS: Final = 50
_MOST_BYTES: Final = 2 * 1024 * 1024
_FIELDS: Final = "%H%x1f%ct%x1f%an%x1f%s"
_LONGEST_DIFF: Final = 4_000


class FlagdFile:
    """Reads the history of one file of flags."""

    def __init__(self, spec: SystemSpec, *, timeout_s: float = 5.0) -> None:
        self._spec = spec
        self._file = Path(spec.settings["path"])
        self._timeout_s = timeout_s
        self._known: dict[str, Mapping[str, JSON]] = {}

    @property
    def name(self) -> str:
        """Return `flagd:` and its name."""
        return f"flagd:{self._spec.name}"

    @property
    def command(self) -> str:
        """Return the command that shows what this source reads."""
        return f"git -C {self._file.parent} log -p -- {self._file.name}"

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return each flag that a commit in [start, end) changed, oldest first. Raises `Unavailable`."""
        found = []
        for line in self._git(
            "log", "--first-parent", "-m", f"--max-count={_MOST_COMMITS}", f"--format={_FIELDS}", "--", self._file.name
        ):
            commit, stamp, author, subject = (line.split("\x1f") + [""] * 4)[:4]
            at = datetime.fromtimestamp(int(stamp), UTC)
            if at < start:
                break
            if at < end:
                found += self._of(commit, at, author, subject)
        kept = [one for one in found if not services or one.service in ("", *services)]
        return sorted(kept, key=lambda change: (change.at, change.id))

    def _of(self, commit: str, at: datetime, author: str, subject: str) -> list[Change]:
        old, new = self._flags(f"{commit}^"), self._flags(commit)
        service = self._spec.services[0] if len(self._spec.services) == 1 else ""
        return [
            Change(
                id=f"flagd/{self._spec.name}/{commit[:12]}/{flag}",
                at=at,
                kind=ChangeKind.FLAG,
                service=service,
                title=f"{flag}: {_state(old.get(flag))} to {_state(new.get(flag))}: {redact(subject)[:200]}",
                version=f"{flag}={_state(new.get(flag))}",
                previous=f"{flag}={_state(old.get(flag))}",
                commit=commit,
                author=author,
                paths=(self._file.name,),
                source=self.name,
                diff=_diff(old.get(flag), new.get(flag), name=f"{self._file.name}#{flag}"),
                data={"flag": flag},
            )
            for flag in sorted({*old, *new})
            if old.get(flag) != new.get(flag)
        ]

    def _flags(self, revision: str) -> Mapping[str, JSON]:
        """Return the flags of a revision; none where the file was not there, or was no JSON then."""
        if revision not in self._known:
            shown = run_git(
                self._file.parent,
                "show",
                f"{revision}:./{self._file.name}",
                timeout_s=self._timeout_s,
                most_bytes=_MOST_BYTES,
            )
            try:
                found = read_object(shown.text.encode()).object("flags").data if not shown.code else {}
            except Invalid:
                found = {}
            self._known = {**dict(list(self._known.items())[-_MOST_COMMITS:]), revision: found}
        return self._known[revision]

    def _git(self, *arguments: str) -> list[str]:
        if not self._file.parent.is_dir():
            raise Unavailable(f"there is no folder {self._file.parent}", retry=False)
        found = run_git(self._file.parent, *arguments, timeout_s=self._timeout_s)
        if found.code:
            raise Unavailable(f"git cannot read {self._file}: {found.complaint or found.code}", retry=False)
        return found.text.splitlines()


def _state(flag: JSON) -> str:
    """Return what a flag gives by default: a variant, `off` where it is disabled, `none` where there is none."""
    if not isinstance(flag, dict):
        return "none"
    return str(flag.get("defaultVariant") or "on") if flag.get("state", "ENABLED") == "ENABLED" else "off"


def _diff(old: JSON, new: JSON, *, name: str) -> str:
    lines = [json.dumps(one, indent=1, sort_keys=True).splitlines() if one is not None else [] for one in (old, new)]
    told = difflib.unified_diff(lines[0], lines[1], f"a/{name}", f"b/{name}", n=1, lineterm="")
    return redact("\n".join(told))[:_LONGEST_DIFF]
