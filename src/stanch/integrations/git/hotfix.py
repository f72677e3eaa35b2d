"""The actuator that makes a hotfix branch: what runs in production, and the named commits on top of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from stanch.integrations.git.branching import (
    COMMIT,
    WHO,
    Order,
    attempt,
    conflicts,
    delete,
    folder_of,
    make,
    shown,
)
from stanch.integrations.git.repository import Repository
from stanch.integrations.git.revert import look_at_delete
from stanch.integrations.git.runner import run_git
from stanch.kernel.errors import Unavailable
from stanch.ports.actuator import Outlook, Say, Step, StepResult, carried_out

_MOST_COMMITS: Final = 20
_PICKED: Final = re.compile(r"^\(cherry picked from commit ([0-9a-f]{40,64})\)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class HotfixOrder(Order):
    """A branch from `base`, what runs in production, with `commits` in their order; `undo` deletes it again."""

    commits: tuple[str, ...]
    undo: bool = False

    @classmethod
    def of(cls, step: Step) -> "HotfixOrder":
        """Read a step's data."""
        given = {name: value for name, value in step.data.items() if isinstance(value, str)}
        start = given.get("from", "")
        return cls(
            repository=folder_of(step),
            base=start,
            commits=tuple(re.split(r"[,\s]+", given.get("commits", "").strip(", \n"))),
            branch=given.get("branch", "") or f"hotfix-{start[:40]}",
            push=given.get("push", ""),
            undo=step.data.get("undo") is True,
        )


class HotfixActuator:
    """Takes commits over to what runs in production, each with where it came from. Undone by deleting the branch."""

    @property
    def name(self) -> str:
        """Return `git.hotfix`."""
        return "git.hotfix"

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return why it cannot be done: no such commit, one that runs there already, a branch with something else."""
        order = HotfixOrder.of(step)
        if wrong := [one for one in order.commits if not COMMIT.fullmatch(one)]:
            return (f"{wrong[0]!r} is no hash of a commit",)
        if len(order.commits) > _MOST_COMMITS:
            return (f"{len(order.commits)} commits are no hotfix; at most {_MOST_COMMITS}",)
        if order.name_problems:
            return order.name_problems
        repository = Repository(order.repository)
        try:
            repository.check()
            return _problems(repository, order)
        except Unavailable as error:
            return (error.message,)

    def look(self, step: Step) -> Outlook:
        """Try it where nothing is kept; raises `Unavailable` when the repository cannot be worked in.

        The step is made exact: the commits that the tag and the hashes name now.
        """
        if found := self.problems(step):
            return Outlook(step=step, refusal="; ".join(found))
        order = HotfixOrder.of(step)
        repository = Repository(order.repository)
        if order.undo:
            return look_at_delete(step, order, is_ours=lambda tip: _has_only(repository, order, tip))
        start = repository.resolve(order.base) or order.base
        commits = tuple(repository.resolve(one) or one for one in order.commits)
        told = {"from": start, "commits": ",".join(commits), "branch": order.branch, "fingerprint": start}
        exact = replace(step, data={**step.data, **told})
        if order.tip:
            preview = (f"branch {order.branch} is there already, at {order.tip[:10]}",)
            return Outlook(step=exact, fingerprint=start, preview=preview)
        trial = attempt(order, partial(_pick, replace(order, commits=commits)))
        undo = replace(exact, data={**exact.data, "undo": True}, describe=f"Undo: {step.describe}".strip())
        return Outlook(
            step=exact,
            undo=None if trial.refusal else undo,
            fingerprint=start,
            preview=trial.preview,
            refusal=trial.refusal,
        )

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Make the branch and push it; or with `undo`, delete it again; or with `dry_run`, only try it."""
        return carried_out(lambda say: self._run(step, say), emit=emit)

    def _run(self, step: Step, say: Say) -> int:
        order = HotfixOrder.of(step)
        if found := self.problems(step):
            say("; ".join(found))
            return 1
        repository = Repository(order.repository)
        if order.undo:
            if (tip := order.tip) and not _has_only(repository, order, tip):
                say(f"somebody has gone on with {order.branch}: it is not deleted")
                return 1
            return delete(order, timeout_s=step.timeout_s, say=say)
        commits = tuple(repository.resolve(one) or one for one in order.commits)
        work = partial(_pick, replace(order, commits=commits))
        return make(order, work, dry=step.data.get("dry_run") is True, timeout_s=step.timeout_s, say=say)


def _problems(repository: Repository, order: HotfixOrder) -> tuple[str, ...]:
    start = repository.resolve(order.base)
    if order.undo:
        return ()
    if start is None:
        return (f"{repository.name} has no tag, branch or commit {order.base}",)
    found = []
    for one in order.commits:
        commit = repository.resolve(one)
        if commit is None:
            found.append(f"{repository.name} has no commit {one}")
        elif not run_git(order.repository, "merge-base", "--is-ancestor", commit, start).code:
            found.append(f"{one} is part of {order.base} already")
    if not found and (tip := order.tip) and not _has_only(repository, order, tip):
        found.append(f"there is a branch {order.branch} already, with something else on it")
    return tuple(found)


def _pick(order: HotfixOrder, folder: Path, say: Say) -> int:
    for commit in order.commits:
        parents = run_git(folder, "rev-list", "--parents", "--max-count=1", commit).text.split()[1:]
        mainline = ["--mainline", "1"] if len(parents) > 1 else []
        pick = ("cherry-pick", "-x", "--no-gpg-sign", *mainline, commit)
        done = run_git(folder, *pick, variables=WHO, timeout_s=60)
        if done.code == 0:
            say(f"{commit[:10]} taken over: {_title(folder)}")
        elif files := conflicts(folder):
            say(f"{commit[:10]} does not fit {order.base}; conflicts in {', '.join(files)}. Nothing was kept.")
            return 1
        elif run_git(folder, "status", "--porcelain").text.strip() == "":
            say(f"{order.base} has what {commit[:10]} changes already. Nothing was kept.")
            return 1
        else:
            say(f"git could not take {commit[:10]} over: {done.complaint}. Nothing was kept.")
            return 1
    return 0


def _title(folder: Path) -> str:
    return shown(run_git(folder, "show", "--no-patch", "--format=%s", "HEAD").text.strip())


def _has_only(repository: Repository, order: HotfixOrder, tip: str) -> bool:
    """Tell whether the branch is what runs in production and these commits, as they say themselves."""
    start = repository.resolve(order.base)
    if start is None or run_git(order.repository, "merge-base", "--is-ancestor", start, tip).code:
        return False
    bodies = run_git(order.repository, "log", "--reverse", "--format=%B%x00", f"{start}..{tip}").text.split("\0")
    # Of several such lines the last was added last: a commit may have been taken over before.
    picked = [found[-1] for body in bodies if (found := _PICKED.findall(body))]
    there = len([body for body in bodies if body.strip()])
    return there == len(picked) and tuple(picked) == tuple(repository.resolve(one) for one in order.commits)
