"""Flags of flagd: a file of JSON that it watches, changed all at once; or the file on a branch of its repository.

https://flagd.dev/reference/flag-definitions. Off and on serve one variant to everybody, whatever the targeting said; a
share is a `fractional` rule. The undo puts the former definition back, targeting and all. Reading back asks flagd
itself where `ofrep_url` says where it is (OpenFeature Remote Evaluation Protocol).
"""

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stanch.integrations.flags.asking import ask, encoded, mark_of, path, table, url_problem
from stanch.integrations.flags.model import Changed, FlagState, Switch, Told, Wanted
from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.percentage import percent
from stanch.ports.keeping import Keeping, KeptText, Moved

_LARGEST: Final = 8 * 1024 * 1024
_ASKED: Final = 40
"""Keys that a share is tried with: at 40 a quarter off the share is beyond three standard deviations."""
_OFF_BY: Final = 0.25

KeepInGit = Callable[[Path, str, str, str], Keeping]
"""From a clone, a path in it, a branch and a remote to what keeps that file."""


@dataclass(frozen=True, kw_only=True)
class LocalFile:
    """A file on this machine, replaced by renaming a new one into its place."""

    path: Path

    @property
    def where(self) -> str:
        """Return its path."""
        return str(self.path)

    def read(self) -> KeptText:
        """Return its text; the revision is a hash of it."""
        try:
            if self.path.stat().st_size > _LARGEST:
                raise Refused(f"{self.path} is larger than {_LARGEST} bytes", reason="too_large")
            content = self.path.read_bytes()
        except OSError as error:
            raise NotFound(f"{self.path} cannot be read: {error.strerror}") from None
        return KeptText(
            text=content.decode("utf-8", errors="replace"), revision=hashlib.sha256(content).hexdigest()[:16]
        )

    def replace(self, former: KeptText, text: str, *, why: str) -> None:
        """Write beside it and rename, so that who watches it never reads half of it."""
        # Through links: the file that is meant is replaced, not the link.
        target = self.path.resolve()
        if self.read().revision != former.revision:
            raise Moved(f"{self.path} has changed")
        try:
            mode = target.stat().st_mode & 0o7777
            handle, name = tempfile.mkstemp(dir=target.parent, prefix=".stanch-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as half:
                    half.write(text)
                    half.flush()
                    os.fchmod(half.fileno(), mode)
                    os.fsync(half.fileno())
                Path(name).rename(target)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise Unavailable(f"{self.path} cannot be written: {error.strerror}", retry=False) from None


class Flagd:
    """Flags in a file of flagd."""

    name: Final = "flag.flagd"
    settings: Final = (
        *("flag!", "file!", "on", "off", "repository", "branch", "remote"),
        *("ofrep_url", "environment", "scheme"),
    )

    def __init__(self, keep_in_git: KeepInGit) -> None:
        self._keep_in_git = keep_in_git

    def problems(self, told: Told) -> Sequence[str]:
        """Return what is wrong with the file, the variants and the URL."""
        found = [url_problem("ofrep_url", told["ofrep_url"])] if told["ofrep_url"] else []
        if "\0" in told["file"] or ".." in Path(told["file"]).parts:
            found.append("file must stay below its folder")
        if told["repository"] and Path(told["file"]).is_absolute():
            found.append("file must be a path within the repository")
        return [one for one in found if one]

    def read(self, told: Told) -> FlagState:
        """Return the flag's definition."""
        _, _, flag = self._flag(told)
        exact: JSON = dict(flag)
        return FlagState(shown=_shown(told, flag), exact=exact, version=mark_of(exact))

    def plan(self, told: Told, state: FlagState, wanted: Wanted) -> Sequence[str]:
        """Return what would stand in the file instead of what."""
        new = _changed(told, table(state.exact), wanted)
        kept = self._kept(told)
        return [f"write {kept.where}:", f"- {json.dumps(state.exact)}", f"+ {json.dumps(new)}"]

    def write(self, told: Told, state: FlagState, wanted: Wanted) -> None:
        """Replace the file by one that differs in this flag alone."""
        kept, text, flag = self._flag(told)
        if mark_of(dict(flag)) != state.version:
            raise Changed(f"{kept.where} says otherwise now")
        document = json.loads(text.text)
        document["flags"][told["flag"]] = _changed(told, flag, wanted)
        try:
            kept.replace(text, _written(document, like=text.text), why=f"{told['flag']}: {wanted.shown}")
        except Moved as moved:
            raise Changed(moved.message) from None

    def is_now(self, told: Told, state: FlagState, wanted: Wanted) -> bool:
        """Tell whether the definition is the wanted one."""
        now = table(state.exact)
        return _changed(told, now, wanted) == now

    def evaluate(self, told: Told, wanted: Wanted) -> str:
        """Ask flagd what it serves; raises `Unavailable` while it still serves something else."""
        if not told["ofrep_url"] or wanted.restore is not None:
            return ""
        _, _, flag = self._flag(told)
        on, off = _variants(told, flag)
        count = _ASKED if wanted.switch is Switch.SHARE else 1
        served = [_evaluated(told, f"stanch-{number}") for number in range(count)]
        share = sum(one == on for one in served) / count
        meant = {Switch.ON: 1.0, Switch.OFF: 0.0, Switch.SHARE: wanted.share / 100}[wanted.switch]
        if abs(share - meant) > _OFF_BY or not set(served) <= {on, off}:
            raise Unavailable(f"flagd serves {', '.join(sorted(set(served)))} to {count} asked", retry=True)
        return f"flagd serves {on} to {percent(share)} of {count} asked"

    def _kept(self, told: Told) -> Keeping:
        folder = Path(told.cwd or ".")
        if told["repository"]:
            clone = folder / told["repository"]
            return self._keep_in_git(clone, told["file"], told["branch"] or "main", told["remote"] or "origin")
        return LocalFile(path=folder / told["file"])

    def _flag(self, told: Told) -> tuple[Keeping, KeptText, dict[str, JSON]]:
        kept = self._kept(told)
        text = kept.read()
        try:
            flags = table(table(json.loads(text.text)).get("flags"))
        except ValueError:
            raise Refused(f"{kept.where} is no JSON", reason="not_json") from None
        flag = table(flags.get(told["flag"]))
        if not flag:
            raise NotFound(f"{kept.where} has no flag {told['flag']}")
        return kept, text, flag


def _changed(told: Told, flag: dict[str, JSON], wanted: Wanted) -> dict[str, JSON]:
    if wanted.restore is not None:
        return table(wanted.restore)
    on, off = _variants(told, flag)
    new = {**flag, "state": "ENABLED"}
    if wanted.switch is Switch.SHARE:
        share = int(wanted.share) if wanted.share.is_integer() else None
        if share is None:
            raise Refused("flagd's weights are whole numbers", reason="not_whole")
        parts: list[JSON] = [[on, share], [off, 100 - share]]
        return {**new, "defaultVariant": off, "targeting": {"fractional": parts}}
    served = {**new, "defaultVariant": on if wanted.switch is Switch.ON else off}
    if served.get("targeting"):
        served["targeting"] = {}
    return served


def _variants(told: Told, flag: dict[str, JSON]) -> tuple[str, str]:
    """Return the names of the variants that are on and off: as told, else those of true and false, else `on`, `off`."""
    variants = table(flag.get("variants"))
    found = []
    for name, meant in (("on", True), ("off", False)):
        by_value = next((one for one, value in variants.items() if value is meant), "")
        one = told[name] or by_value or (name if name in variants else "")
        if one not in variants:
            raise Refused(
                f"which variant is {name} cannot be told: say {name} = one of {', '.join(variants)}",
                reason="unknown_variation",
            )
        found.append(one)
    return found[0], found[1]


def _shown(told: Told, flag: dict[str, JSON]) -> str:
    if flag.get("state") != "ENABLED":
        return "disabled: clients take their own default"
    variant = str(flag.get("defaultVariant"))
    targeting = table(flag.get("targeting"))
    if not targeting:
        return f"{variant} for everybody"
    if list(targeting) == ["fractional"]:
        return f"by shares: {json.dumps(targeting['fractional'])}"
    return f"{variant} for those whom its targeting does not fit"


def _evaluated(told: Told, key: str) -> str:
    url = f"{told['ofrep_url'].rstrip('/')}/ofrep/v1/evaluate/flags/{path(told['flag'])}"
    headers = {"Content-Type": "application/json"}
    body = encoded({"context": {"targetingKey": key}})
    answer = table(ask(told, "POST", url, body=body, headers=headers, scheme=told["scheme"] or "Bearer").body)
    return str(answer.get("variant", ""))


def _written(document: JSON, *, like: str) -> str:
    """Return JSON with the indentation of the text it replaces."""
    indent = re.search(r"\n([ \t]+)\S", like)
    text = json.dumps(document, indent=indent[1] if indent else None, ensure_ascii=False)
    return text + ("\n" if like.endswith("\n") else "")
