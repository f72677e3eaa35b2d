"""A hotfix branch from what runs in production, in real repositories with a real remote."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stanch.integrations.git import HotfixActuator
from stanch.kernel.event import JSON
from stanch.ports.actuator import Outlook, Step, StepResult
from tests.integrations.git.conftest import Workshop

AT = datetime(2026, 11, 21, 14, tzinfo=UTC)


@pytest.fixture
def shop(workshop: Callable[[str], Workshop], tmp_path: Path) -> Workshop:
    """Give a repository with v1 in production, then a feature, then a fix; and its remote."""
    shop = workshop("shop")
    shop.commit("first", at=AT, files={"pay.py": "a = 1\n", "other.py": "1\n"})
    shop.tag("v1", at=AT)
    shop.commit("feature", at=AT, files={"other.py": "2\n"})
    shop.commit("fix $(reboot) --force", at=AT, files={"pay.py": "a = 2\n"})
    shop.git("clone", "--quiet", "--bare", str(shop.folder), str(tmp_path / "far.git"))
    shop.git("remote", "add", "origin", str(tmp_path / "far.git"))
    return shop


def step(shop: Workshop, **data: JSON) -> Step:
    """Return the step that takes the fix over to v1."""
    told: dict[str, JSON] = {"repository": str(shop.folder), "from": "v1", "commits": shop.git("rev-parse", "HEAD")}
    return Step(actuator="git.hotfix", data={**told, "push": "origin", **data}, timeout_s=20)


def run(shop: Workshop, **data: JSON) -> StepResult:
    """Carry it out."""
    return HotfixActuator().run(step(shop, **data), emit=lambda _: None)


def look(shop: Workshop, **data: JSON) -> Outlook:
    """Look at it."""
    return HotfixActuator().look(step(shop, **data))


def there(shop: Workshop) -> list[str]:
    """Return the branches of the remote."""
    return [line.rpartition("/")[2] for line in shop.git("ls-remote", "--heads", "origin").splitlines()]


def test_the_fix_stands_on_what_runs_in_production(shop: Workshop) -> None:
    """Without what else was made since; pushed, and it says which commit it was."""
    result = run(shop)

    assert (0, "a = 2", "1", True, ["hotfix-v1", "main"]) == (
        result.code,
        shop.git("show", "hotfix-v1:pay.py"),
        shop.git("show", "hotfix-v1:other.py"),
        f"cherry picked from commit {shop.git('rev-parse', 'HEAD')}" in shop.git("show", "hotfix-v1"),
        there(shop),
    )


def test_looking_makes_it_exact_and_keeps_nothing(shop: Workshop) -> None:
    """The tag becomes the commit it names now, and the difference is shown."""
    outlook = look(shop)
    start = shop.git("rev-parse", "v1")

    assert (start, start, True, True, ["main"]) == (
        outlook.step.data["from"],
        outlook.fingerprint,
        "+a = 2" in outlook.preview,
        outlook.undo is not None and outlook.undo.data["undo"],
        shop.git("branch", "--format=%(refname:short)").split(),
    )


def test_the_exact_step_and_its_undo_can_be_carried_out(shop: Workshop) -> None:
    """What was looked at is what is made, and deleted again here and there."""
    outlook = look(shop)
    assert outlook.undo is not None
    made = HotfixActuator().run(outlook.step, emit=lambda _: None)
    branches = there(shop)
    undone = HotfixActuator().run(outlook.undo, emit=lambda _: None)

    assert (0, ["hotfix-v1", "main"], 0, ["main"]) == (made.code, branches, undone.code, there(shop))


def test_doing_it_twice_is_done_once(shop: Workshop) -> None:
    """A run that is repeated finds its branch."""
    assert ([0, 0], ["hotfix-v1", "main"]) == ([run(shop).code, run(shop).code], there(shop))


def test_several_commits_keep_their_order(shop: Workshop) -> None:
    """The second builds on the first."""
    first = shop.git("rev-parse", "HEAD")
    second = shop.commit("again", at=AT, files={"pay.py": "a = 3\n"})
    result = run(shop, commits=f"{first}, {second}")

    assert (0, "a = 3") == (result.code, shop.git("show", "hotfix-v1:pay.py"))


def test_a_merge_is_taken_over_as_what_it_brought(shop: Workshop) -> None:
    """Against its first parent."""
    shop.git("checkout", "--quiet", "-b", "side", "v1")
    shop.commit("side", at=AT, files={"side.py": "x\n"})
    shop.git("checkout", "--quiet", "main")
    shop.git("merge", "--quiet", "--no-ff", "-m", "merge", "side", at=AT)
    result = run(shop, commits=shop.git("rev-parse", "HEAD"))

    assert (0, True) == (result.code, "side.py" in shop.git("ls-tree", "--name-only", "hotfix-v1"))


def test_a_conflict_leaves_nothing(shop: Workshop) -> None:
    """It is known beforehand, with the files."""
    second = shop.commit("on top", at=AT, files={"pay.py": "a = 3\n"})
    refusal, result = look(shop, commits=second).refusal, run(shop, commits=second)

    assert (True, 1, ["main"], ["main"], 1) == (
        "conflicts in pay.py" in refusal,
        result.code,
        shop.git("branch", "--format=%(refname:short)").split(),
        there(shop),
        len(shop.git("worktree", "list").splitlines()),
    )


def test_a_branch_that_somebody_went_on_with_is_not_deleted(shop: Workshop) -> None:
    """Neither here nor there."""
    run(shop)
    shop.git("checkout", "--quiet", "hotfix-v1")
    shop.commit("more", at=AT, files={"more.py": "x\n"})
    shop.git("checkout", "--quiet", "main")

    assert (1, ["hotfix-v1", "main"]) == (run(shop, undo=True).code, there(shop))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"from": "v9"}, "has no tag, branch or commit v9"),
        ({"from": "--all"}, "is no name"),
        ({"commits": "HEAD"}, "is no hash"),
        ({"commits": "--abort"}, "is no hash"),
        ({"commits": ""}, "is no hash"),
        ({"commits": "0123456789"}, "has no commit"),
        ({"branch": "main"}, "with something else on it"),
        ({"push": "--mirror"}, "is no name"),
    ],
)
def test_what_cannot_be_done_says_why(shop: Workshop, data: dict[str, JSON], why: str) -> None:
    """Before anything is touched; a name never becomes an option."""
    assert why in look(shop, **data).refusal


def test_a_commit_that_runs_there_already_is_refused(shop: Workshop) -> None:
    """There is nothing to take over."""
    assert "is part of v1 already" in look(shop, commits=shop.git("rev-parse", "v1")).refusal
