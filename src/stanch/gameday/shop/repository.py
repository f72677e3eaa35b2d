"""Builds the git repositories of the shop with real commits and tags, and reads trees out of them.

A repository is written by one `git fast-import`, which needs no user configuration and takes dates as they are.
"""

import io
import os
import subprocess
import tarfile
from datetime import datetime, timedelta
from pathlib import Path

from stanch.gameday.shop.history import Commit, Tree, code_trees, configuration_trees
from stanch.gameday.shop.places import ShopError


def build_repository(path: Path, *, now: datetime) -> Path:
    """Make the repository of the shop's code at `path`, with commits dated before `now`, and check it out."""
    return _build(path, code_trees(), now=now)


def build_configuration(path: Path, *, now: datetime) -> Path:
    """Make the repository of the shop's configuration, with the revisions c40, c41 and c42 as tags."""
    return _build(path, configuration_trees(), now=now)


def git(repository: Path, *arguments: str, stdin: bytes | None = None) -> bytes:
    """Run git in a repository without any configuration of the user; raise ShopError with what git said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    command = ["git", "-C", str(repository), "-c", "core.autocrlf=false", *arguments]
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, env=environment, check=False)
    except FileNotFoundError as error:
        raise ShopError("the sample shop needs git on the PATH") from error
    if done.returncode:
        raise ShopError(f"git {' '.join(arguments)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


def commit_of(repository: Path, revision: str) -> str:
    """Return the full id of the commit that a tag or other revision names; raise ShopError when there is none."""
    try:
        return git(repository, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").decode().strip()
    except ShopError as error:
        raise ShopError(f"{repository.name} has no revision {revision}") from error


def commits_between(repository: Path, old: str, new: str, *paths: str) -> list[str]:
    """Return one line per commit that `new` has and `old` has not, newest first, limited to paths."""
    listing = git(repository, "log", "--format=%h %an: %s", f"{old}..{new}", "--", *paths)
    return listing.decode().splitlines()


def extract(repository: Path, revision: str, target: Path, *paths: str) -> None:
    """Put folders of a revision into `target`, which appears at once and whole."""
    archive = git(repository, "archive", "--format=tar", revision, "--", *paths)
    partial = target.with_name(f".{target.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            content = tar.extractfile(member)
            if content is not None:
                file = partial / member.name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content.read())
    partial.rename(target)


def read_text(repository: Path, revision: str, path: str) -> str:
    """Return a file as it is in a revision."""
    return git(repository, "show", f"{revision}:{path}").decode()


def _build(path: Path, trees: list[tuple[Commit, Tree]], *, now: datetime) -> Path:
    path.mkdir(parents=True)
    git(path, "-c", "init.defaultBranch=main", "init", "--quiet")
    git(path, "fast-import", "--quiet", stdin=_stream(trees, now=now))
    git(path, "reset", "--quiet", "--hard", "main")
    return path


def _stream(trees: list[tuple[Commit, Tree]], *, now: datetime) -> bytes:
    out = io.BytesIO()
    tags = io.BytesIO()
    for mark, (commit, tree) in enumerate(trees, start=1):
        stamp = _stamp(commit, now=now)
        out.write(f"commit refs/heads/main\nmark :{mark}\n".encode())
        out.write(f"author {commit.author} {stamp}\ncommitter {commit.author} {stamp}\n".encode())
        out.write(_data(commit.message + "\n"))
        if mark > 1:
            out.write(f"from :{mark - 1}\n".encode())
        out.write(b"deleteall\n")
        for name, text in sorted(tree.items()):
            out.write(f"M 100644 inline {name}\n".encode() + _data(text))
        if commit.tag:
            tags.write(f"tag {commit.tag}\nfrom :{mark}\ntagger {commit.author} {stamp}\n".encode())
            tags.write(_data(f"{commit.tag}\n"))
    return out.getvalue() + tags.getvalue() + b"done\n"


def _stamp(commit: Commit, *, now: datetime) -> str:
    return f"{int((now - timedelta(hours=commit.hours_ago)).timestamp())} +0000"


def _data(text: str) -> bytes:
    raw = text.encode()
    return b"data %d\n%s\n" % (len(raw), raw)
