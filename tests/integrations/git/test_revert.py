"""Reverting a commit on a branch of its own, in real repositories with a real remote."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stanch.integrations.git import RevertActuator
from stanch.kernel.event import JSON
from stanch.ports.actuator import Step, StepResult
from tests.integrations.git.conftest import Workshop

AT = datetime(2026, 11, 21, 14, tzinfo=UTC)
GOOD = "def pay():\n    return 1\n"
BAD = "def pay():\n    return None + 1\n"


@pytest.fixture
def shop(workshop: Callable[[str], Workshop]) -> Workshop:
    """Give a repository whose second commit is bad and whose third is about something else."""
    shop = workshop("shop")
    shop.commit("first", at=AT, files={"pay.py": GOOD, "other.py": "a\n"})
    shop.commit("bad", at=AT, files={"pay.py": BAD})
    shop.commit("later", at=AT, files={"other.py": "b\n"})
    return shop


def bad_of(shop: Workshop) -> str:
    """Return the bad commit."""
    return shop.git("rev-parse", "HEAD~1")


def run(shop: Workshop, commit: str, **data: JSON) -> StepResult:
    """Revert `commit`."""
    step = Step(actuator="git.revert", data={"repository": str(shop.folder), "commit": commit, **data})
    return RevertActuator().run(step, emit=lambda _: None)


def problems(shop: Workshop, commit: str, **data: JSON) -> str:
    """Return why `commit` cannot be reverted."""
    step = Step(actuator="git.revert", data={"repository": str(shop.folder), "commit": commit, **data})
    return "; ".join(RevertActuator().problems(step))


def branches(shop: Workshop) -> list[str]:
    """Return the branches there are."""
    return shop.git("branch", "--format=%(refname:short)").split()


def test_the_bad_commit_is_taken_back_on_its_own_branch(shop: Workshop) -> None:
    """What came later stays, and main is as it was."""
    bad, before = bad_of(shop), shop.git("rev-parse", "main")
    result = run(shop, bad)
    branch = f"revert-{bad[:10]}"

    assert (0, GOOD.strip(), "b", before) == (
        result.code,
        shop.git("show", f"{branch}:pay.py"),
        shop.git("show", f"{branch}:other.py"),
        shop.git("rev-parse", "main"),
    )


def test_what_was_checked_out_is_left_alone(shop: Workshop) -> None:
    """A person's uncommitted work stays."""
    (shop.folder / "pay.py").write_text("half-done\n")
    run(shop, bad_of(shop))

    assert ("half-done\n", "main") == ((shop.folder / "pay.py").read_text(), shop.git("branch", "--show-current"))


def test_the_branch_is_pushed(shop: Workshop, tmp_path: Path) -> None:
    """To the remote that the configuration names."""
    shop.git("clone", "--quiet", "--bare", str(shop.folder), str(tmp_path / "far.git"))
    shop.git("remote", "add", "origin", str(tmp_path / "far.git"))
    bad = bad_of(shop)
    result = run(shop, bad, push="origin")

    assert (0, True) == (result.code, f"revert-{bad[:10]}" in shop.git("ls-remote", "--heads", "origin"))


def test_a_remote_that_refuses_is_told(shop: Workshop) -> None:
    """The branch stays here, and the answer is no success."""
    shop.git("remote", "add", "origin", "/nowhere/far.git")
    result = run(shop, bad_of(shop), push="origin")

    assert (1, True) == (result.code, "nowhere" in result.output)


def test_doing_it_twice_is_done_once(shop: Workshop) -> None:
    """A run that is repeated finds its branch."""
    bad = bad_of(shop)
    codes = [run(shop, bad).code, run(shop, bad).code]

    assert ([0, 0], 2) == (codes, len(branches(shop)))


def test_a_merge_is_reverted_against_its_first_parent(shop: Workshop) -> None:
    """All that it brought is taken back."""
    shop.git("checkout", "--quiet", "-b", "feature", "HEAD~2")
    shop.commit("feature", at=AT, files={"new.py": "x\n"})
    shop.git("checkout", "--quiet", "main")
    shop.git("merge", "--quiet", "--no-ff", "-m", "merge", "feature", at=AT)
    merge = shop.git("rev-parse", "HEAD")
    result = run(shop, merge)

    assert (0, False) == (result.code, "new.py" in shop.git("ls-tree", "--name-only", f"revert-{merge[:10]}"))


def test_a_conflict_leaves_nothing(shop: Workshop) -> None:
    """It names the files; no branch, no worktree, no half-done revert is left."""
    bad = bad_of(shop)
    shop.commit("on top", at=AT, files={"pay.py": "def pay():\n    return None + 2\n"})
    result = run(shop, bad)

    assert (1, True, ["main"], 1) == (
        result.code,
        "pay.py" in result.output,
        branches(shop),
        len(shop.git("worktree", "list").splitlines()),
    )


def test_a_try_keeps_nothing(shop: Workshop) -> None:
    """The dry run shows what would change."""
    result = run(shop, bad_of(shop), dry_run=True)

    assert (0, True, ["main"]) == (result.code, "pay.py" in result.output, branches(shop))


def test_undo_deletes_the_branch_here_and_there(shop: Workshop, tmp_path: Path) -> None:
    """What it made is gone."""
    shop.git("clone", "--quiet", "--bare", str(shop.folder), str(tmp_path / "far.git"))
    shop.git("remote", "add", "origin", str(tmp_path / "far.git"))
    bad = bad_of(shop)
    run(shop, bad, push="origin")
    result = run(shop, bad, push="origin", undo=True)

    assert (0, ["main"], "") == (
        result.code,
        branches(shop),
        shop.git("ls-remote", "--heads", "origin", f"revert-{bad[:10]}"),
    )


def test_a_commit_that_was_reverted_already(shop: Workshop) -> None:
    """There is nothing to do, and it is said."""
    bad = bad_of(shop)
    shop.git("revert", "--no-edit", bad, at=AT)
    result = run(shop, bad)

    assert (1, True, ["main"]) == (result.code, "nothing to revert" in result.output, branches(shop))


@pytest.mark.parametrize(
    ("commit", "data", "why"),
    [
        ("--force", {}, "no hash"),
        ("HEAD; rm -rf /", {}, "no hash"),
        ("0123456789", {}, "has no commit"),
        (None, {"base": "--force"}, "no name"),
        (None, {"branch": "a b"}, "no name"),
        (None, {"push": "--mirror"}, "no name"),
        (None, {"base": "gone"}, "no branch gone"),
        (None, {"branch": "main"}, "something else"),
    ],
)
def test_what_cannot_be_done_says_why(shop: Workshop, commit: str | None, data: dict[str, JSON], why: str) -> None:
    """Before anything is touched; a name never becomes an option."""
    assert why in problems(shop, commit or bad_of(shop), **data)


def test_hooks_of_the_repository_do_not_run(shop: Workshop) -> None:
    """A repository is somebody else's data."""
    hook = shop.folder / ".git" / "hooks" / "post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {shop.folder}/hooked\n")
    hook.chmod(0o755)
    run(shop, bad_of(shop))

    assert not (shop.folder / "hooked").exists()


def test_looking_shows_the_difference_and_keeps_nothing(shop: Workshop) -> None:
    """The step is exact, starts from the commit that main is at, and can be undone."""
    bad, base = bad_of(shop), shop.git("rev-parse", "main")
    step = Step(actuator="git.revert", data={"repository": str(shop.folder), "commit": bad[:8]})
    outlook = RevertActuator().look(step)

    assert (bad, base, "", True, True, ["main"]) == (
        outlook.step.data["commit"],
        outlook.fingerprint,
        outlook.refusal,
        "-    return None + 1" in outlook.preview and "+    return 1" in outlook.preview,
        outlook.undo is not None,
        branches(shop),
    )


def test_a_conflict_is_known_beforehand(shop: Workshop) -> None:
    """So that no plan is made of it."""
    bad = bad_of(shop)
    shop.commit("on top", at=AT, files={"pay.py": "def pay():\n    return None + 2\n"})
    step = Step(actuator="git.revert", data={"repository": str(shop.folder), "commit": bad})

    assert "conflicts in pay.py" in RevertActuator().look(step).refusal


def test_a_base_that_moved_on_is_not_built_on(shop: Workshop) -> None:
    """What was looked at is no longer what would be made."""
    step = Step(actuator="git.revert", data={"repository": str(shop.folder), "commit": bad_of(shop)})
    exact = RevertActuator().look(step).step
    shop.commit("another", at=AT, files={"third.py": "x\n"})
    result = RevertActuator().run(exact, emit=lambda _: None)

    assert (1, ["main"]) == (result.code, branches(shop))


def test_a_clone_that_is_behind_is_told(shop: Workshop, tmp_path: Path) -> None:
    """The remote's main has commits that this clone does not know."""
    shop.git("clone", "--quiet", "--bare", str(shop.folder), str(tmp_path / "far.git"))
    shop.git("remote", "add", "origin", str(tmp_path / "far.git"))
    bad = bad_of(shop)
    shop.git("update-ref", "refs/heads/main", "main~1")
    data: dict[str, JSON] = {"repository": str(shop.folder), "commit": bad, "push": "origin"}
    outlook = RevertActuator().look(Step(actuator="git.revert", data=data))

    assert [True] == ["fetch it first" in warning for warning in outlook.warnings]
