"""Real repositories, made by the git command with the dates and names a test wants."""

import os
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest


class Workshop:
    """A repository to write to; commits take an instant, files and a title."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, at: datetime | None = None, author: str = "Alice") -> str:
        """Run git with a fixed identity and clock, and return what it prints."""
        stamp = f"{int(at.timestamp())} +0000" if at else "1700000000 +0000"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": author,
            "GIT_AUTHOR_EMAIL": "a@shop.example",
            "GIT_COMMITTER_NAME": author,
            "GIT_COMMITTER_EMAIL": "a@shop.example",
            "GIT_AUTHOR_DATE": stamp,
            "GIT_COMMITTER_DATE": stamp,
        }
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, title: str, *, at: datetime, files: dict[str, str], author: str = "Alice") -> str:
        """Write the files, commit them, and return the commit's hash."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            self.git("add", "--", name)
        self.git("commit", "--quiet", "--allow-empty", "--message", title, at=at, author=author)
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, *, at: datetime, message: str = "") -> None:
        """Tag HEAD: annotated where there is a message."""
        self.git("tag", *(("--annotate", "--message", message) if message else ()), "--", name, at=at)


@pytest.fixture
def workshop(tmp_path: Path) -> Callable[[str], Workshop]:
    """Return a maker of empty repositories by name."""
    return lambda name: Workshop(tmp_path / name)
