"""A terminal at which the real `stanch` is typed: a process of its own, with a state folder of its own."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# Opening an incident computes for six seconds, and a busy machine with two cores gives it a tenth of one.
WITHIN_S: Final = 120.0
STANCH: Final = (sys.executable, "-m", "stanch")


@dataclass(frozen=True)
class Ran:
    """How a command went."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> object:
        """Return standard output as JSON."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, object]:
        """Return the error that standard error holds as JSON."""
        told: dict[str, dict[str, object]] = json.loads(self.err.splitlines()[-1])
        return told["error"]

    def rows(self) -> list[list[str]]:
        """Return standard output as cells separated by tabs."""
        return [line.split("\t") for line in self.out.splitlines()]


@dataclass(frozen=True)
class Terminal:
    """Where one types: the folder one stands in, and where Stanch keeps its state."""

    folder: Path
    state: Path
    env: Mapping[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a command: nothing of the machine's own settings."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ}
        own = {
            "HOME": str(self.state),
            "XDG_STATE_HOME": str(self.state),
            "XDG_CONFIG_HOME": str(self.state / "config"),
            "TZ": "UTC",
            "USER": "alice",
            "TERM": "xterm-256color",
        }
        return {**kept, **own, **self.env, **more}

    def __call__(self, *arguments: str, stdin: str = "", **env: str) -> Ran:
        """Run `stanch` with these arguments, its output in pipes."""
        done = subprocess.run(
            [*STANCH, *arguments],
            cwd=self.folder,
            env=self.environment(**env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def typed(self, *arguments: str, answer: str = "", **env: str) -> Ran:
        """Run `stanch` on a real terminal, and type `answer` when it asks; what it prints is in `out`."""
        near, far = pty.openpty()
        process = subprocess.Popen(
            [*STANCH, *arguments],
            cwd=self.folder,
            env=self.environment(**env),
            stdin=far,
            stdout=far,
            stderr=far,
            start_new_session=True,
        )
        os.close(far)
        if answer:
            os.write(near, answer.encode())
        seen = b"".join(_until_closed(near))
        os.close(near)
        return Ran(process.wait(WITHIN_S), seen.decode().replace("\r\n", "\n"), "")


def _until_closed(near: int) -> Iterator[bytes]:
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        if not select.select([near], [], [], 1.0)[0]:
            continue
        try:
            chunk = os.read(near, 65536)
        except OSError:  # the other end of a terminal is closed this way
            return
        if not chunk:
            return
        yield chunk


def git(folder: Path, *arguments: str, at: str = "") -> None:
    """Run git in `folder`, with commits at an instant of one's own."""
    own = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at} if at else {}
    identity = {f"GIT_{who}_{what}": "ann@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(
        ["git", "-C", folder, *arguments],
        env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", **identity, **own},
        check=True,
        capture_output=True,
    )


@contextmanager
def served(terminal: Terminal, *arguments: str) -> Iterator[str]:
    """Run `stanch serve` on a free port while the block lasts; give its address."""
    with started(terminal, *arguments) as (server, url):
        try:
            yield url
        finally:
            server.terminate()
            server.wait(WITHIN_S)


@contextmanager
def started(
    terminal: Terminal, *arguments: str, before: tuple[str, ...] = ()
) -> "Iterator[tuple[subprocess.Popen[str], str]]":
    """Start `stanch serve` on a free port, by the command `before`; give the process and its address."""
    server = subprocess.Popen(
        [*before, *STANCH, "serve", "--port", "0", *arguments],
        cwd=terminal.folder,
        env=terminal.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        assert "http://" in line, line
        yield server, line.split()[-1]
    finally:
        server.kill()
        server.communicate()
