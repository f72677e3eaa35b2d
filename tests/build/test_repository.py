"""What the repository holds: no machine's paths, a fact in front of every test, links that lead somewhere."""

import re
import subprocess
import sysconfig
import tomllib
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.needs import require

ROOT: Final = Path(__file__).resolve().parents[2]
# Put together here, so that this file does not name what it forbids.
MACHINE_PATHS: Final = tuple("/".join(("", *parts)) for parts in (("work", ""), ("root", ""), ("tmp", "team")))
REGISTRIES: Final = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("registry", "npmjs", "org"),
        ("deb", "debian", "org"),
        ("proxy", "golang", "org"),
    )
)
_LINK: Final = re.compile(r"!?\[[^\]]*\]\(<?(?P<target>[^)\s>]+)")
_CODE: Final = re.compile(r"^(```|~~~).*?^\1\s*$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
_PINNED: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)


@cache
def _texts() -> dict[str, str]:
    """Return the text of every file that git knows or would take, by its path."""
    git = require("git")
    listed = subprocess.run(
        [git, "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    texts = {}
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if not path.is_file():
            continue  # deleted, or a link
        try:
            texts[name] = path.read_text()
        except UnicodeDecodeError:
            continue  # a picture
    return texts


def _found(words: tuple[str, ...]) -> list[str]:
    return [f"{name}: {word}" for name, text in _texts().items() for word in words if word in text]


def test_no_machine_path() -> None:
    """No file names a folder that only one machine has."""
    assert _found(MACHINE_PATHS) == []


def test_no_registry() -> None:
    """No file names the host of a package registry: which one is used is the machine's choice."""
    assert _found(REGISTRIES) == []


def test_every_test_states_its_fact() -> None:
    """Every test and fixture has a docstring, as do the public functions and classes beside them."""
    interrogate = Path(sysconfig.get_path("scripts")) / "interrogate"
    ran = subprocess.run(
        [interrogate, "-vv", "tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    missing = "\n".join(line for line in ran.stdout.splitlines() if "MISSED" in line or line.startswith("tests/"))

    assert ran.returncode == 0, missing or ran.stdout + ran.stderr


def test_links_lead_somewhere() -> None:
    """Every link of a Markdown file to a file of the repository leads to one that is there."""
    broken = []
    for name, text in _texts().items():
        if not name.endswith(".md"):
            continue
        for match in _LINK.finditer(_CODE.sub("", text)):
            target = match["target"].partition("#")[0]
            # `{url}` in a template of a message is filled in when it is sent.
            if target and "://" not in target and not target.startswith(("mailto:", "{")):
                base = ROOT if target.startswith("/") else (ROOT / name).parent
                if not (base / target.lstrip("/")).exists():
                    broken.append(f"{name}: {target}")

    assert broken == []


@pytest.mark.parametrize(
    ("lock", "group"),
    [("requirements.lock", "project"), ("requirements-build.lock", "build"), ("requirements-dev.lock", "dev")],
)
def test_lock_serves_the_project(lock: str, group: str) -> None:
    """Every requirement of pyproject.toml is pinned in its lock, at a version that it admits."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted: dict[str, list[str]] = {
        "project": settings["project"]["dependencies"],
        "build": settings["build-system"]["requires"],
        "dev": [*settings["project"]["dependencies"], *settings["dependency-groups"]["dev"]],
    }
    pinned: dict[str, list[str]] = {}
    for match in _PINNED.finditer((ROOT / lock).read_text()):
        pinned.setdefault(canonicalize_name(match["name"]), []).append(match["version"])

    unmet = []
    for line in wanted[group]:
        requirement = Requirement(line)
        versions = pinned.get(canonicalize_name(requirement.name), [])
        if not versions or not all(version in requirement.specifier for version in versions):
            unmet.append(f"{line}: pinned {versions}; run `make lock`")

    assert unmet == []


def test_locks_agree() -> None:
    """What runs in production is what is tested: the locks pin the same versions."""
    development = _pins("requirements-dev.lock")

    assert _pins("requirements.lock") | _pins("requirements-build.lock") <= development


def _pins(lock: str) -> set[tuple[str, str]]:
    return {(match["name"], match["version"]) for match in _PINNED.finditer((ROOT / lock).read_text())}
