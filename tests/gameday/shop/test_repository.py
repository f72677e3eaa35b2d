"""The repositories of the shop: real commits and tags, whatever the user's own git is set to."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.gameday.shop.history import code_trees
from stanch.gameday.shop.places import ShopError
from stanch.gameday.shop.repository import (
    build_configuration,
    build_repository,
    commit_of,
    commits_between,
    extract,
    git,
    read_text,
)

NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository of the shop's code, as of NOW."""
    return build_repository(tmp_path_factory.mktemp("code") / "repository", now=NOW)


def said(repository: Path, *arguments: str) -> list[str]:
    """Return the lines that git prints."""
    return git(repository, *arguments).decode().splitlines()


def test_tags(repository: Path) -> None:
    """The releases are tags, among them one that changes documentation only."""
    tags = said(repository, "tag", "--list")

    assert ["v3.1.0", "v3.2.0", "v3.2.0+docs1", "v3.2.1"] == tags


def test_several_authors(repository: Path) -> None:
    """Four people wrote the shop."""
    authors = set(said(repository, "log", "--format=%an"))

    assert {"Ines Aalto", "Tomas Brandt", "Wei Lindqvist", "Priya Raman"} == authors


def test_dates_are_before_now_and_in_order(repository: Path) -> None:
    """Every commit is older than the moment the repository is made for, and younger than its parent."""
    dates = [datetime.fromisoformat(line) for line in said(repository, "log", "--format=%aI")]

    assert sorted(dates, reverse=True) == dates
    assert dates[0] < NOW < dates[0] + timedelta(hours=2)


def test_same_moment_same_commits(repository: Path, tmp_path: Path) -> None:
    """Made for the same moment, the repository is the same to the last bit."""
    again = build_repository(tmp_path / "again", now=NOW)

    assert commit_of(repository, "v3.2.1") == commit_of(again, "v3.2.1")


def test_user_configuration_has_no_effect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GIT_ variables of the caller, which would point git elsewhere, have no effect."""
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00Z")

    built = build_repository(tmp_path / "repository", now=NOW)

    assert ["2026"] == said(built, "log", "-1", "--format=%ad", "--date=format:%Y")


def test_work_tree_is_clean(repository: Path) -> None:
    """What is checked out is what was committed last."""
    assert [] == said(repository, "status", "--porcelain")


def test_release_touches_payments_once(repository: Path) -> None:
    """Between the two releases one commit touches payments, and others touch other things."""
    payments = commits_between(repository, "v3.2.0", "v3.2.1", "payments", "shoplib")
    everything = commits_between(repository, "v3.2.0", "v3.2.1", ".")

    assert (1, 3) == (len(payments), len(everything))


def test_every_version_compiles() -> None:
    """The Python files of every commit are valid Python."""
    for _, tree in code_trees():
        for path, text in tree.items():
            if path.endswith(".py"):
                compile(text, path, "exec")


def test_first_commit_adds_only_its_own() -> None:
    """The trees before the stored one follow by taking commits back, down to the shared library."""
    _, tree = code_trees()[0]

    assert {"shoplib", "docs", "README.md", "OWNERS"} == {path.partition("/")[0] for path in tree}


def test_extract(repository: Path, tmp_path: Path) -> None:
    """A release of one service holds the service and the shared library."""
    extract(repository, "v3.2.0", tmp_path / "release", "payments", "shoplib")

    assert ["payments", "shoplib"] == sorted(path.name for path in (tmp_path / "release").iterdir())


def test_unknown_revision(repository: Path) -> None:
    """A tag that does not exist is named in the error."""
    with pytest.raises(ShopError, match=r"repository has no revision v9\.9\.9"):
        commit_of(repository, "v9.9.9")


def test_configuration_revisions(tmp_path: Path) -> None:
    """The configuration is versioned too; c42 changes payments only."""
    configuration = build_configuration(tmp_path / "config", now=NOW)

    assert ["payments.json"] == said(configuration, "diff", "--name-only", "c41", "c42")
    assert '"batch": 1000' in read_text(configuration, "c41", "payments.json")


def test_tool_sees_a_normal_repository(repository: Path) -> None:
    """Git with the user's own settings reads it as any other repository."""
    done = subprocess.run(["git", "-C", repository, "fsck", "--strict"], capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stderr
