"""The actuator that reverts a commit on a branch of its own, and pushes the branch; no branch that is gets touched."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from stanch.integrations.git.branching import (
    COMMIT,
    WHO,
    Order,
    attempt,
    behind,
    conflicts,
    delete,
    folder_of,
    make,
)
from stanch.integrations.git.repository import Repository
from stanch.integrations.git.runner import run_git
from stanch.kernel.errors import Unavailable
from stanch.ports.actuator import Outlook, Say, Step, StepResult, carried_out


@dataclass(frozen=True, kw_only=True)
class RevertOrder(Order):
    """A branch that takes one commit back; `undo` deletes it again."""

    commit: str
    undo: bool = False

    @classmethod
    def of(cls, step: Step, *, push: str = "") -> "RevertOrder":
        """Read a step's data; `push` is the remote where it names none."""
        given = {name: value for name, value in step.data.items() if isinstance(value, str)}
        commit = given.get("commit", "")
        return cls(
            repository=folder_of(step),
            commit=commit,
            base=given.get("base", "") or "main",
            branch=given.get("branch", "") or f"revert-{commit[:10]}",
            push=given.get("push", "") or push,
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
        return revert_problems(RevertOrder.of(step))

    def look(self, step: Step) -> Outlook:
        """Try the revert where nothing is kept; raises `Unavailable` when the repository cannot be worked in."""
        return look_at_revert(step, RevertOrder.of(step))

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Make the branch and push it; or with `undo`, delete it again; or with `dry_run`, only try the revert."""
        return carried_out(lambda say: run_revert(step, RevertOrder.of(step), say=say), emit=emit)


def revert_problems(order: RevertOrder) -> tuple[str, ...]:
    """Return why a revert cannot be done, without trying it."""
    if not COMMIT.fullmatch(order.commit):
        return (f"{order.commit!r} is no hash of a commit",)
    if order.name_problems:
        return order.name_problems
    repository = Repository(order.repository)
    try:
        repository.check()
        return _problems(repository, order)
    except Unavailable as error:
        return (error.message,)


def look_at_revert(step: Step, order: RevertOrder) -> Outlook:
    """Return what a revert would meet: exact commits, the diff, whether the remote is further than this clone.

    The fingerprint is the commit that the branch would start from. Raises `Unavailable`.
    """
    if found := revert_problems(order):
        return Outlook(step=step, refusal="; ".join(found))
    repository = Repository(order.repository)
    if order.undo:
        return look_at_delete(step, order, is_ours=partial(_reverts, order))
    commit, base = repository.resolve(order.commit) or order.commit, repository.resolve(order.base) or ""
    warnings = behind(order, timeout_s=min(step.timeout_s, 10.0))
    exact = replace(step, data={**step.data, "commit": commit, "branch": order.branch, "fingerprint": base})
    if order.tip:
        # It is there already and reverts this commit: it would only be pushed, and deleting it would undo more.
        preview = (f"branch {order.branch} is there already, at {order.tip[:10]}",)
        return Outlook(step=exact, fingerprint=base, warnings=warnings, preview=preview)
    trial = attempt(order, partial(_revert, order, commit))
    undo = replace(exact, data={**exact.data, "undo": True}, describe=f"Undo: {step.describe}".strip())
    return Outlook(
        step=exact,
        undo=None if trial.refusal else undo,
        fingerprint=base,
        warnings=warnings,
        preview=trial.preview,
        refusal=trial.refusal,
    )


def look_at_delete(step: Step, order: Order, *, is_ours: Callable[[str], bool]) -> Outlook:
    """Return what deleting the branch again would meet; one that somebody went on with is left alone."""
    tip = order.tip
    if tip is None:
        return Outlook(step=step, refusal=f"there is no branch {order.branch}: there is nothing to undo")
    if not is_ours(tip):
        return Outlook(step=step, refusal=f"somebody has gone on with {order.branch}: it is not deleted")
    where = f" here and on {order.push}" if order.push else ""
    return Outlook(
        step=replace(step, data={**step.data, "fingerprint": tip}),
        fingerprint=tip,
        preview=(f"delete branch {order.branch}, which is at {tip[:10]}{where}",),
    )


def run_revert(step: Step, order: RevertOrder, *, say: Say) -> int:
    """Carry a revert out, or undo it; returns 0 or 1. Raises `Unavailable` when git cannot do it."""
    if found := revert_problems(order):
        say("; ".join(found))
        return 1
    if order.undo:
        if (tip := order.tip) and not _reverts(order, tip):
            say(f"somebody has gone on with {order.branch}: it is not deleted")
            return 1
        return delete(order, timeout_s=step.timeout_s, say=say)
    repository = Repository(order.repository)
    looked_at = step.data.get("fingerprint")
    if looked_at and looked_at != repository.resolve(order.base):
        say(f"{order.base} has changed since it was looked at: nothing was done")
        return 1
    commit = repository.resolve(order.commit) or order.commit
    dry = step.data.get("dry_run") is True
    return make(order, partial(_revert, order, commit), dry=dry, timeout_s=step.timeout_s, say=say)


def _problems(repository: Repository, order: RevertOrder) -> tuple[str, ...]:
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
    if commit and (tip := order.tip) and not _reverts(replace(order, commit=commit), tip):
        found.append(f"there is a branch {order.branch} already, with something else on it")
    return tuple(found)


def _revert(order: RevertOrder, commit: str, folder: Path, say: Say) -> int:
    parents = run_git(folder, "rev-list", "--parents", "--max-count=1", commit).text.split()[1:]
    mainline = ["--mainline", "1"] if len(parents) > 1 else []
    revert = ("revert", "--no-edit", "--no-gpg-sign", *mainline, commit)
    done = run_git(folder, *revert, variables=WHO, timeout_s=60)
    if done.code == 0:
        return 0
    if files := conflicts(folder):
        say(f"later commits changed the same lines; conflicts in {', '.join(files)}. Nothing was kept.")
    elif run_git(folder, "status", "--porcelain").text.strip() == "":
        say(f"{order.base} already is without {order.commit}: there is nothing to revert")
    else:
        say(f"git could not revert it: {done.complaint}")
    return 1


def _reverts(order: RevertOrder, tip: str) -> bool:
    """Tell whether the branch's newest commit is the revert of the commit, which may be named by its beginning."""
    body = run_git(order.repository, "show", "--no-patch", "--format=%B", tip).text
    return f"This reverts commit {order.commit}" in body
