"""A branch of its own for commits that somebody shall review: made in a worktree that is gone afterwards, and pushed.

No branch that is there is ever changed. What does not work out, a conflict for one, leaves nothing behind.
"""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stanch.integrations.git.repository import Repository
from stanch.integrations.git.runner import Output, run_git
from stanch.kernel.blocks import clean
from stanch.kernel.errors import Unavailable
from stanch.kernel.redaction import redact
from stanch.ports.actuator import Say, Step

COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
NAME: Final = re.compile(r"(?!-)[\w./-]{1,200}", re.ASCII)
WHO: Final = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Stanch"), ("EMAIL", "stanch@localhost"))
}
_MOST_LINES: Final = 60
_LONGEST_LINE: Final = 300

Work = Callable[[Path, Say], int]


@dataclass(frozen=True, kw_only=True)
class Order:
    """Where a branch is made: from which revision, its name, and the remote it goes to, empty for none."""

    repository: Path
    base: str
    branch: str
    push: str = ""

    @property
    def name_problems(self) -> tuple[str, ...]:
        """Return which of the names can be no name, so that none becomes an option."""
        wrong = [name for name in (self.base, self.branch, self.push or "x") if not NAME.fullmatch(name)]
        return (f"{wrong[0]!r} is no name of a branch or remote",) if wrong else ()

    @property
    def tip(self) -> str | None:
        """Return the commit the branch is at, None where there is no such branch here."""
        return Repository(self.repository).resolve(f"refs/heads/{self.branch}")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What the work would do: the lines to show, and why it cannot be done, empty when it can."""

    preview: tuple[str, ...] = ()
    refusal: str = ""


def folder_of(step: Step) -> Path:
    """Return the folder of the repository that a step speaks of."""
    given = step.data.get("repository")
    return Path(step.cwd or ".") / (given if isinstance(given, str) and given else ".")


def attempt(order: Order, work: Work) -> Trial:
    """Do the work where nothing of it is kept, and return what would change."""
    said: list[str] = []
    with worktree(order) as folder:
        if work(folder, said.append):
            return Trial(refusal=said[-1] if said else "git could not do it")
        start = run_git(order.repository, "rev-parse", f"{order.base}^{{commit}}").text.strip()
        listed = run_git(folder, "log", "--reverse", "--format=%h %s", f"{start}..HEAD").text
        changed = run_git(
            folder, "diff", "--no-ext-diff", "--no-textconv", "--no-color", "--stat", "--patch", start, "HEAD"
        )
    lines = [shown(line) for line in (*listed.splitlines(), *changed.text.splitlines())]
    rest = [f"and {len(lines) - _MOST_LINES} more lines"] if len(lines) > _MOST_LINES else []
    return Trial(preview=(f"branch {order.branch} from {order.base}", *lines[:_MOST_LINES], *rest))


def make(order: Order, work: Work, *, dry: bool, timeout_s: float, say: Say) -> int:
    """Do the work on the new branch and push it; a branch that is there already is only pushed. Returns 0 or 1."""
    tip = order.tip
    if tip is None:
        with worktree(order) as folder:
            if code := work(folder, say):
                return code
            say(run_git(folder, "show", "--stat", "--format=%h %s", "HEAD").text.strip())
            if dry:
                say("nothing was kept: this was a try")
                return 0
            tip = run_git(folder, "rev-parse", "HEAD").text.strip()
        must(run_git(order.repository, "branch", "--no-track", order.branch, tip))
    say(f"branch {order.branch} at {tip[:10]}, from {order.base}")
    if dry or not order.push:
        return 0
    reference = f"refs/heads/{order.branch}:refs/heads/{order.branch}"
    pushed = run_git(order.repository, "push", "--porcelain", order.push, reference, timeout_s=timeout_s, remote=True)
    say(pushed.text.strip() or pushed.complaint)
    return 1 if pushed.code else 0


def delete(order: Order, *, timeout_s: float, say: Say) -> int:
    """Delete the branch there and here; there only while it is at the commit that it is at here. Returns 0 or 1."""
    tip = order.tip
    if order.push:
        # What somebody else pushed onto it in the meantime must not be lost with it.
        lease = [f"--force-with-lease=refs/heads/{order.branch}:{tip}"] if tip else []
        reference = f":refs/heads/{order.branch}"
        push = ("push", "--porcelain", *lease, order.push, reference)
        gone = run_git(order.repository, *push, timeout_s=timeout_s, remote=True)
        if gone.code and "remote ref does not exist" not in f"{gone.complaint}{gone.text}":
            say(gone.text.strip() or gone.complaint)
            return 1
    if tip:
        must(run_git(order.repository, "branch", "-D", order.branch))
    say(f"branch {order.branch} deleted")
    return 0


def behind(order: Order, *, timeout_s: float) -> tuple[str, ...]:
    """Return a warning when the remote's branch is not where this clone believes it is, or does not answer."""
    if not order.push:
        return ()
    reference = f"refs/heads/{order.base}"
    asked = run_git(order.repository, "ls-remote", order.push, reference, timeout_s=timeout_s, remote=True)
    if asked.code:
        return (f"the remote {order.push} does not answer: {asked.complaint}",)
    there, here = asked.text.split("\t")[0].strip(), Repository(order.repository).resolve(order.base)
    if there and here and there != here:
        return (f"{order.base} of {order.push} is at {there[:10]} and here at {here[:10]}: fetch it first",)
    return ()


def conflicts(folder: Path) -> list[str]:
    """Return the files in which the work in a worktree ended with conflicts."""
    unmerged = run_git(folder, "diff", "--name-only", "--diff-filter=U").text.split("\n")
    return [shown(name) for name in unmerged if name]


def shown(line: str) -> str:
    """Return a line of somebody else's text fit to be shown: no control codes, no secrets, not too long."""
    return redact(clean(line).replace("\n", " "))[:_LONGEST_LINE]


@contextmanager
def worktree(order: Order) -> Iterator[Path]:
    """Give a folder with the base checked out, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="stanch-branch-") as parent:
        folder = Path(parent) / "tree"
        must(run_git(order.repository, "worktree", "add", "--detach", str(folder), order.base, timeout_s=60))
        try:
            yield folder
        finally:
            run_git(order.repository, "worktree", "remove", "--force", str(folder))


def must(output: Output) -> None:
    """Raise `Unavailable` with what git complained of, unless it did what it was asked."""
    if output.code:
        raise Unavailable(f"git could not do it: {output.complaint}", retry=False)
