"""The actuator that reverts a commit on a branch of its own, and pushes the branch. It never touches a branch that is.

It works in a worktree of its own, which is gone afterwards whatever happened: a conflict leaves nothing half-done.
"""

import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stanch.integrations.git.repository import Repository
from stanch.integrations.git.runner import Output, run_git
from stanch.kernel.errors import Unavailable
from stanch.ports.actuator import Step, StepResult

_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
_NAME: Final = re.compile(r"(?!-)[\w./-]{1,200}", re.ASCII)
_WHO: Final = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Stanch"), ("EMAIL", "stanch@localhost"))
}


@dataclass(frozen=True, kw_only=True)
class _Order:
    """What is to be reverted, from which branch, on which new one; `push` is a remote's name, empty for none."""

    repository: Path
    commit: str
    base: str
    branch: str
    push: str
    undo: bool

    @classmethod
    def of(cls, step: Step) -> "_Order":
        """Read a step's data."""
        given = {name: value for name, value in step.data.items() if isinstance(value, str)}
        commit = given.get("commit", "")
        return cls(
            repository=Path(step.cwd or ".") / given.get("repository", "."),
            commit=commit,
            base=given.get("base", "") or "main",
            branch=given.get("branch", "") or f"revert-{commit[:10]}",
            push=given.get("push", ""),
            undo=step.data.get("undo") is True,
        )


class RevertActuator:
    """Reverts one commit (a merge too, against its first parent). Undone by deleting the branch it made."""

    @property
    def name(self) -> str:
        """Return `git.revert`."""
        return "git.revert"

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return why it cannot be done: no repository, no such commit, a branch of that name with something else."""
        order = _Order.of(step)
        if not _COMMIT.fullmatch(order.commit):
            return (f"{order.commit!r} is no hash of a commit",)
        if wrong := [name for name in (order.base, order.branch, order.push or "x") if not _NAME.fullmatch(name)]:
            return (f"{wrong[0]!r} is no name of a branch or remote",)
        repository = Repository(order.repository)
        try:
            repository.check()
            return _problems(repository, order)
        except Unavailable as error:
            return (error.message,)

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Make the branch and push it; or with `undo`, delete it again; or with `dry_run`, only try the revert."""
        began = time.monotonic()
        lines: list[str] = []

        def say(line: str) -> None:
            lines.append(line)
            emit(line)

        try:
            code = _carry_out(_Order.of(step), dry=step.data.get("dry_run") is True, timeout_s=step.timeout_s, say=say)
        except Unavailable as error:
            say(error.message)
            code = 1
        return StepResult(code=code, output="\n".join(lines), took_s=time.monotonic() - began)


def _problems(repository: Repository, order: _Order) -> tuple[str, ...]:
    if order.undo:
        return ()
    found = []
    commit = repository.resolve(order.commit)
    base = repository.resolve(order.base)
    if commit is None:
        found.append(f"{repository.name} has no commit {order.commit}")
    if base is None:
        found.append(f"{repository.name} has no branch {order.base}")
    if commit and base and run_git(order.repository, "merge-base", "--is-ancestor", commit, base).code:
        found.append(f"{order.commit} is not part of {order.base}: there is nothing to revert")
    tip = repository.resolve(f"refs/heads/{order.branch}")
    if tip and commit and not _reverts(order, tip, commit):
        found.append(f"there is a branch {order.branch} already, with something else on it")
    return tuple(found)


def _carry_out(order: _Order, *, dry: bool, timeout_s: float, say: Callable[[str], None]) -> int:
    if order.undo:
        return _delete(order, timeout_s=timeout_s, say=say)
    repository = Repository(order.repository)
    commit = repository.resolve(order.commit)
    if commit is None or (troubles := _problems(repository, order)):
        say("; ".join(troubles) if commit else f"there is no commit {order.commit}")
        return 1
    tip = repository.resolve(f"refs/heads/{order.branch}")
    if tip is None:
        with _worktree(order) as folder:
            code = _revert(order, folder, commit, say=say)
            if code:
                return code
            say(run_git(folder, "show", "--stat", "--format=%h %s", "HEAD").text.strip())
            if dry:
                say("nothing was kept: this was a try")
                return 0
            tip = run_git(folder, "rev-parse", "HEAD").text.strip()
        _must(run_git(order.repository, "branch", "--no-track", order.branch, tip))
    say(f"branch {order.branch} at {tip[:10]}, from {order.base}")
    if dry or not order.push:
        return 0
    reference = f"refs/heads/{order.branch}:refs/heads/{order.branch}"
    pushed = run_git(order.repository, "push", "--porcelain", order.push, reference, timeout_s=timeout_s, remote=True)
    say(pushed.text.strip() or pushed.complaint)
    return 1 if pushed.code else 0


def _revert(order: _Order, folder: Path, commit: str, *, say: Callable[[str], None]) -> int:
    parents = run_git(folder, "rev-list", "--parents", "--max-count=1", commit).text.split()[1:]
    mainline = ["--mainline", "1"] if len(parents) > 1 else []
    done = run_git(folder, "revert", "--no-edit", *mainline, commit, variables=_WHO, timeout_s=60)
    if done.code == 0:
        return 0
    unmerged = run_git(folder, "diff", "--name-only", "--diff-filter=U").text.split("\n")
    files = [name for name in unmerged if name]
    if files:
        say(f"later commits changed the same lines; conflicts in {', '.join(files)}. Nothing was kept.")
    elif run_git(folder, "status", "--porcelain").text.strip() == "":
        say(f"{order.base} already is without {order.commit}: there is nothing to revert")
    else:
        say(f"git could not revert it: {done.complaint}")
    return 1


def _delete(order: _Order, *, timeout_s: float, say: Callable[[str], None]) -> int:
    if order.push:
        reference = f":refs/heads/{order.branch}"
        gone = run_git(order.repository, "push", "--porcelain", order.push, reference, timeout_s=timeout_s, remote=True)
        if gone.code and "remote ref does not exist" not in gone.complaint:
            say(gone.text.strip() or gone.complaint)
            return 1
    if Repository(order.repository).resolve(f"refs/heads/{order.branch}"):
        _must(run_git(order.repository, "branch", "-D", order.branch))
    say(f"branch {order.branch} deleted")
    return 0


def _reverts(order: _Order, tip: str, commit: str) -> bool:
    """Tell whether the branch's newest commit is the revert of `commit`."""
    body = run_git(order.repository, "show", "--no-patch", "--format=%B", tip).text
    return f"This reverts commit {commit}" in body


@contextmanager
def _worktree(order: _Order) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="stanch-revert-") as parent:
        folder = Path(parent) / "tree"
        _must(run_git(order.repository, "worktree", "add", "--detach", str(folder), order.base, timeout_s=60))
        try:
            yield folder
        finally:
            run_git(order.repository, "worktree", "remove", "--force", str(folder))


def _must(output: Output) -> None:
    if output.code:
        raise Unavailable(f"git could not do it: {output.complaint}", retry=False)
