"""Flags of flagd: its file replaced all at once, or by a commit on its repository, and read back from flagd itself."""

import json
import subprocess
from pathlib import Path

import pytest

from stanch.integrations.flags import FlagActuator, Flagd
from stanch.integrations.git import FileOnBranch
from stanch.kernel.event import JSON
from stanch.ports.actuator import Outlook, Step
from stanch.ports.keeping import Keeping, Moved
from tests.integrations.flags.far import FAST, FLAGD, OTHER, FlagdFar
from tests.support.farend import site


def keep(clone: Path, path: str, branch: str, remote: str) -> Keeping:
    """Return what keeps a file in git, as it is wired."""
    return FileOnBranch(clone, path=path, branch=branch, remote=remote)


def step(folder: Path, **settings: JSON) -> Step:
    """Return a step on the file of a folder."""
    data: dict[str, JSON] = {"flag": "fast", "file": "flags.json", **settings}
    return Step(actuator="flag.flagd", cwd=str(folder), timeout_s=5, data=data)


def looked(folder: Path, **settings: JSON) -> Outlook:
    """Look at a step."""
    return FlagActuator(Flagd(keep), read_back_s=0.3).look(step(folder, **settings))


def run(one: Step | None) -> tuple[int, str]:
    """Carry a step out."""
    if one is None:
        raise AssertionError("there is no step")
    result = FlagActuator(Flagd(keep), read_back_s=0.3).run(one, emit=lambda line: None)
    return result.code, result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with a file of flagd."""
    (tmp_path / "flags.json").write_text(json.dumps(FLAGD, indent=2) + "\n")
    return tmp_path


def flags_of(folder: Path) -> dict[str, dict[str, JSON]]:
    """Return the flags of the file."""
    found: dict[str, dict[str, JSON]] = json.loads((folder / "flags.json").read_text())["flags"]
    return found


@pytest.mark.parametrize(
    ("wanted", "variant", "targeting"),
    [("on", "quick", {}), ("off", "steady", {}), ("25", "steady", {"fractional": [["quick", 25], ["steady", 75]]})],
)
def test_one_flag_is_changed_and_no_other(folder: Path, wanted: str, variant: str, targeting: JSON) -> None:
    """Off and on are for everybody: the targeting would go before the default."""
    code, _ = run(step(folder, set=wanted))
    flags = flags_of(folder)

    assert (0, variant, targeting, OTHER) == (
        code,
        flags["fast"]["defaultVariant"],
        flags["fast"]["targeting"],
        flags["other"],
    )


def test_the_undo_brings_back_every_byte(folder: Path) -> None:
    """Targeting and indentation as they were."""
    before = (folder / "flags.json").read_bytes()
    outlook = looked(folder, set="off")
    run(outlook.step)
    code, _ = run(outlook.undo)

    assert (0, before) == (code, (folder / "flags.json").read_bytes())


def test_the_file_keeps_its_mode_and_nothing_is_left_beside_it(folder: Path) -> None:
    """It is replaced by renaming."""
    (folder / "flags.json").chmod(0o640)
    run(step(folder, set="off"))
    mode = (folder / "flags.json").stat().st_mode & 0o777

    assert (0o640, ["flags.json"]) == (mode, [one.name for one in folder.iterdir()])


def test_a_link_is_followed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the link points to is replaced; the link stays one."""
    real = tmp_path_factory.mktemp("real") / "flags.json"
    (folder / "flags.json").rename(real)
    (folder / "flags.json").symlink_to(real)
    run(step(folder, set="off"))

    assert (True, {}) == ((folder / "flags.json").is_symlink(), flags_of(real.parent)["fast"]["targeting"])


def test_a_definition_that_was_changed_since_is_left_alone(folder: Path) -> None:
    """The step knows what it was looked at for."""
    exact = looked(folder, set="off").step
    run(step(folder, set="on"))
    code, said = run(exact)

    assert (1, True, "quick") == (code, "somebody else changed it" in said, flags_of(folder)["fast"]["defaultVariant"])


def test_flagd_itself_is_asked(folder: Path) -> None:
    """What it serves to forty keys is told."""
    with site(FlagdFar(folder / "flags.json").answer) as here:
        code, said = run(step(folder, set="25", ofrep_url=here.url))

    assert (0, True) == (code, "flagd serves quick to 25 % of 40 asked" in said)


def test_what_flagd_does_not_serve_is_no_success(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The file says on and flagd still serves the other variant, because it reads another file."""
    other = tmp_path_factory.mktemp("other") / "flags.json"
    other.write_text((folder / "flags.json").read_text())
    with site(FlagdFar(other).answer) as here:
        code, said = run(step(folder, set="on", ofrep_url=here.url))

    assert (1, True) == (code, "flagd serves steady" in said)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"file": "../flags.json"}, "below its folder"),
        ({"file": "absent.json"}, "cannot be read"),
        ({"flag": "absent"}, "has no flag absent"),
        ({"on": "warp"}, "which variant is on cannot be told"),
        ({"set": "12.5"}, "whole numbers"),
        ({"repository": "clone", "branch": "--upload-pack=x"}, "no name of a file, branch or remote"),
    ],
)
def test_what_cannot_be_done_says_why(folder: Path, settings: dict[str, JSON], why: str) -> None:
    """The look is a refusal in words."""
    assert why in looked(folder, **{"set": "off", **settings}).refusal


def git(folder: Path, *arguments: str) -> str:
    """Run git as a person does."""
    who = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Give a clone whose remote has a file of flagd on `main`."""
    remote, folder = tmp_path / "remote.git", tmp_path / "clone"
    git(tmp_path, "init", "-q", "--bare", "-b", "main", str(remote))
    git(tmp_path, "init", "-q", "-b", "main", str(folder))
    git(folder, "remote", "add", "origin", str(remote))
    (folder / "flags.json").write_text(json.dumps(FLAGD, indent=2) + "\n")
    git(folder, "add", "flags.json")
    git(folder, "commit", "-q", "-m", "flags")
    git(folder, "push", "-q", "origin", "main")
    return folder


def test_a_repository_gets_one_commit_on_its_branch(clone: Path) -> None:
    """Pushed onto what was read; the clone's own files stay as they are."""
    before = (clone / "flags.json").read_text()
    code, _ = run(step(clone.parent, set="off", repository="clone"))
    git(clone, "fetch", "-q", "origin")
    pushed = json.loads(git(clone, "show", "origin/main:flags.json"))

    assert (0, "fast: off\n", {}, before, "") == (
        code,
        git(clone, "log", "-1", "--format=%s", "origin/main"),
        pushed["flags"]["fast"]["targeting"],
        (clone / "flags.json").read_text(),
        git(clone, "status", "--porcelain"),
    )


def test_a_branch_that_moved_refuses_the_push(clone: Path) -> None:
    """Somebody pushes between the read and the write: the remote says no, and it is told as that."""
    kept = keep(clone, "flags.json", "main", "origin")
    former = kept.read()
    (clone / "other").write_text("x")
    git(clone, "add", "other")
    git(clone, "commit", "-q", "-m", "other")
    git(clone, "push", "-q", "origin", "main")

    with pytest.raises(Moved, match="has moved"):
        kept.replace(former, "{}", why="off")


def test_the_undo_of_a_repository_is_a_commit_too(clone: Path) -> None:
    """The definition is the former one again."""
    outlook = looked(clone.parent, set="off", repository="clone")
    run(outlook.step)
    code, _ = run(outlook.undo)
    git(clone, "fetch", "-q", "origin")

    assert (0, FAST) == (code, json.loads(git(clone, "show", "origin/main:flags.json"))["flags"]["fast"])
