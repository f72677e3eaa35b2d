"""Reads one git repository: commits as they arrived on the branch, tags, diffs, and who last touched a line.

Names of refs, titles, authors and paths are data of whoever wrote them: revisions are resolved to full hashes before
they are used, fields are split at NUL bytes, which none of them can hold, and text loses control codes and secrets.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from stanch.integrations.git.runner import Output, run_git
from stanch.kernel.blocks import clean
from stanch.kernel.errors import Unavailable
from stanch.kernel.redaction import redact

_LONGEST_TITLE: Final = 300
_LONGEST_DIFF: Final = 64 * 1024
_MOST_PATHS: Final = 500
_HASH: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
# Each record starts with an empty field, which no path is, so a file named like a hash cannot start one.
_COMMIT_FORMAT: Final = "%x00%H%x00%ct%x00%an%x00%s%x00%P"
_COMMIT_FIELDS: Final = 5
_TAG_FORMAT: Final = (
    "%(refname:strip=2)%00%(objectname)%00%(*objectname)%00%(creatordate:unix)%00%(taggername)%00%(subject)%00"
)
_TAG_FIELDS: Final = 6
_DIFF_OPTIONS: Final = ("--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", "-M")
_BLAMED: Final = re.compile(r"([0-9a-f]{40,64}) ([0-9]+) [0-9]+")


@dataclass(frozen=True, kw_only=True)
class Commit:
    """A commit as it arrived: of a merge, `paths` are all that it brought in. `at` is the committer's date, UTC."""

    hash: str
    at: datetime
    author: str
    title: str
    parents: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Tag:
    """A tag; `at` is when it was made, or for a lightweight one when its commit was. `commit` is what it points to."""

    name: str
    at: datetime
    commit: str
    author: str = ""
    title: str = ""


@dataclass(frozen=True, kw_only=True)
class Blame:
    """Who last touched a line, with the commit, and how the line reads."""

    commit: str
    author: str
    at: datetime
    title: str
    path: str
    line: int
    text: str


class Repository:
    """A git repository in a folder, bare or not. Every method raises `Unavailable` when it cannot be read."""

    def __init__(self, folder: Path, *, timeout_s: float = 10.0) -> None:
        self.folder = folder
        self.timeout_s = timeout_s

    def check(self) -> None:
        """Raise `Unavailable` in words a person can act on unless the folder is in a readable repository."""
        if not self.folder.is_dir():
            raise Unavailable(f"there is no folder {self.folder}", retry=False)
        output = self._git("rev-parse", "--git-dir")
        if output.code:
            raise Unavailable(f"cannot read {self.folder} as a git repository: {_reason(output)}", retry=False)

    @property
    def is_shallow(self) -> bool:
        """Tell whether history was cut off when the repository was cloned."""
        return self._git("rev-parse", "--is-shallow-repository").text.strip() == "true"

    @cached_property
    def name(self) -> str:
        """Return what to call the repository: the folder's name without `.git`."""
        return self.folder.resolve().name.removesuffix(".git") or "repository"

    def resolve(self, revision: str) -> str | None:
        """Return the full hash of the commit that `revision` names, or None when there is none."""
        if not revision or "\0" in revision:
            return None
        output = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        found = output.text.strip()
        return found if output.code == 0 and _HASH.fullmatch(found) else None

    def commits_in(self, *, start: datetime, end: datetime, most: int = 200) -> list[Commit]:
        """Return what arrived on the current branch, the remote's main one and the tags in [start, end), oldest first.

        Follows first parents, so a merge counts when it was merged, with all it brought, and not when it was written.
        At most the newest `most`; an empty repository has none.
        """
        tips = [tip for name in ("HEAD", "refs/remotes/origin/HEAD") if (tip := self.resolve(name))]
        if not tips:
            return []
        window = (f"--since=@{int(start.timestamp())}", f"--until=@{int(end.timestamp()) + 1}")
        found = self._log(*window, "--first-parent", "--tags", *tips, most=most)
        return [commit for commit in found if start <= commit.at < end]

    def commits_between(self, old: str, new: str, *, paths: tuple[str, ...] = (), most: int = 100) -> list[Commit]:
        """Return the commits that are in `new` and not in `old`, oldest first; only those that touch `paths`, if any.

        Empty when a revision does not exist. At most the newest `most`; merges are left out, their commits stand.
        """
        first, last = self.resolve(old), self.resolve(new)
        if first is None or last is None:
            return []
        return self._log("--no-merges", f"^{first}", last, most=most, paths=paths)

    def _log(self, *arguments: str, most: int, paths: tuple[str, ...] = ()) -> list[Commit]:
        listing = ("log", "-z", "-m", "--name-only", "--no-renames", "--encoding=UTF-8", f"--format={_COMMIT_FORMAT}")
        output = self._git(*listing, *_DIFF_OPTIONS[:3], f"--max-count={most}", *arguments, "--", *paths)
        commits = _parse_commits(output.text, whole=not output.cut) if self._ok(output) else []
        if any(not commit.parents for commit in commits) and self.is_shallow:
            # Where history is cut off every file seems to be new.
            commits = [commit if commit.parents else _without_paths(commit) for commit in commits]
        # Git lists children before parents; within one second that order is all there is.
        commits.reverse()
        commits.sort(key=lambda commit: commit.at)
        return commits

    def tags(self, *, most: int = 500) -> list[Tag]:
        """Return the newest tags that point to commits, oldest first."""
        output = self._git(
            "for-each-ref", "refs/tags", "--sort=-creatordate", f"--count={most}", f"--format={_TAG_FORMAT}"
        )
        return _parse_tags(output.text)[::-1] if self._ok(output) else []

    def tag_before(self, tag: Tag) -> str:
        """Return the nearest earlier tag of the same family (`v`, `payments/v`) among the ancestors, or ""."""
        family = re.split(r"[0-9]", tag.name, maxsplit=1)[0]
        if not self.resolve(f"{tag.commit}^"):
            return ""
        match = f"--match={family}[0-9]*"
        output = self._git("describe", "--tags", "--abbrev=0", match, f"{tag.commit}^")
        return output.text.strip() if output.code == 0 else ""

    def diff(self, old: str, new: str, *, paths: tuple[str, ...] = (), most_bytes: int = _LONGEST_DIFF) -> str:
        """Return the unified diff from `old` to `new`, at most `most_bytes` long; "" when a revision is unknown."""
        first, last = self.resolve(old), self.resolve(new)
        if first is None or last is None:
            return ""
        output = self._git("diff", *_DIFF_OPTIONS, first, last, "--", *paths, most_bytes=most_bytes)
        return _shown_diff(output) if self._ok(output) else ""

    def diff_of(self, commit: str, *, paths: tuple[str, ...] = (), most_bytes: int = _LONGEST_DIFF) -> str:
        """Return what `commit` changed against its first parent, as a unified diff of at most `most_bytes`."""
        return self.diff(f"{commit}^", commit, paths=paths, most_bytes=most_bytes)

    def locate(self, path: str, *, revision: str = "HEAD") -> str:
        """Return the repository's file that `path` of a stack trace means, e.g. `/srv/app/pay/card.py`; else "".

        It is the one whose end agrees with the path in the most folders; two that agree as much are no answer.
        """
        commit = self.resolve(revision)
        wanted = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
        if commit is None or not wanted:
            return ""
        output = self._git("ls-tree", "-r", "-z", "--name-only", commit)
        best: dict[int, list[str]] = {}
        for name in output.text.split("\0"):
            if name and (agreed := _agreement(name.split("/"), wanted)):
                best.setdefault(agreed, []).append(name)
        nearest = best[max(best)] if best else []
        return nearest[0] if len(nearest) == 1 else ""

    def blame(self, path: str, line: int, *, revision: str = "HEAD") -> Blame | None:
        """Return who last touched `line` (from 1) of `path` as of `revision`; None when there is no such line."""
        commit = self.resolve(revision)
        if commit is None or line < 1 or "\0" in path:
            return None
        output = self._git("blame", "--porcelain", "--no-textconv", "-L", f"{line},{line}", commit, "--", path)
        return _parse_blame(output.text) if output.code == 0 else None

    def _git(self, *arguments: str, most_bytes: int | None = None) -> Output:
        if most_bytes is None:
            return run_git(self.folder, *arguments, timeout_s=self.timeout_s)
        return run_git(self.folder, *arguments, timeout_s=self.timeout_s, most_bytes=most_bytes)

    def _ok(self, output: Output) -> bool:
        if output.code:
            raise Unavailable(f"git could not read {self.folder}: {_reason(output)}", retry=False)
        return True


def _reason(output: Output) -> str:
    if "dubious ownership" in output.complaint:
        return "it belongs to another user; allow it with git config --global --add safe.directory"
    if "not a git repository" in output.complaint:
        return "it is not in a repository"
    return output.complaint.removeprefix("fatal: ").split("\n")[0] or f"git ended with {output.code}"


def _parse_commits(text: str, *, whole: bool) -> list[Commit]:
    """Take the log apart. A listing that was cut off may end within a record, which is then left out."""
    fields = text.split("\0")
    if not whole:
        fields = fields[: max((index for index, field in enumerate(fields) if not field), default=0)]
    commits: list[Commit] = []
    position = 0
    while position + _COMMIT_FIELDS < len(fields):
        # The record opens with the empty field at `position`; its paths end where the next one opens.
        hash, seconds, author, title, parents = fields[position + 1 : position + 1 + _COMMIT_FIELDS]
        position += 1 + _COMMIT_FIELDS
        paths: list[str] = []
        while position < len(fields) and fields[position]:
            paths.append(fields[position].removeprefix("\n") if not paths else fields[position])
            position += 1
        if not _HASH.fullmatch(hash) or not seconds.isdigit():
            break
        commits.append(
            Commit(
                hash=hash,
                at=_instant(seconds),
                author=_line(author),
                title=_line(title),
                parents=tuple(parents.split()),
                paths=tuple(_line(path) for path in paths[:_MOST_PATHS]),
            )
        )
    return commits


def _parse_tags(text: str) -> list[Tag]:
    tags = []
    fields = text.split("\0")
    for start in range(0, len(fields) - _TAG_FIELDS, _TAG_FIELDS):
        name, object, pointed, seconds, author, title = fields[start : start + _TAG_FIELDS]
        # A tag of a tree or a file has no date.
        if seconds.isdigit() and _HASH.fullmatch(pointed or object):
            at = _instant(seconds)
            named = name.removeprefix("\n")
            tags.append(Tag(name=named, at=at, commit=pointed or object, author=_line(author), title=_line(title)))
    return tags


def _parse_blame(text: str) -> Blame | None:
    head, _, rest = text.partition("\n")
    found = _BLAMED.match(head)
    if found is None:
        return None
    facts: dict[str, str] = {}
    for row in rest.split("\n"):
        if row.startswith("\t"):
            facts["text"] = row[1:]
            break
        name, _, value = row.partition(" ")
        facts[name] = value
    if not facts.get("committer-time", "").isdigit():
        return None
    return Blame(
        commit=found[1],
        author=_line(facts.get("author", "")),
        at=_instant(facts["committer-time"]),
        title=_line(facts.get("summary", "")),
        path=_line(facts.get("filename", "")),
        line=int(found[2]),
        text=_line(facts.get("text", "")),
    )


def _instant(seconds: str) -> datetime:
    # Year 9999 at the latest: a commit's date is whatever its author says.
    return datetime.fromtimestamp(min(int(seconds), 253_402_300_799), UTC)


def _line(text: str) -> str:
    return redact(" ".join(clean(text).split(" ")).replace("\n", " ").strip()[:_LONGEST_TITLE])


def _shown_diff(output: Output) -> str:
    text = redact(clean(output.text))
    return f"{text}\n[the rest of the diff is left out]" if output.cut else text


def _agreement(name: list[str], wanted: list[str]) -> int:
    agreed = 0
    for one, other in zip(reversed(name), reversed(wanted), strict=False):
        if one != other:
            break
        agreed += 1
    return agreed


def _without_paths(commit: Commit) -> Commit:
    return Commit(hash=commit.hash, at=commit.at, author=commit.author, title=commit.title)
