"""Runs the `git` command: an argument list, no shell, a clean environment, a time-out, bounded output.

A repository is somebody else's data. Its configuration may name programs for git to run (a diff driver, a signature
checker, a file-system monitor) and a partial clone may want to go to the network; all of that is switched off here.
"""

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stanch.kernel.blocks import clean
from stanch.kernel.errors import Unavailable
from stanch.kernel.redaction import redact

# What git needs to find itself and the user's own configuration (safe.directory); no GIT_DIR and the like.
_PASSED_ON: Final = ("PATH", "HOME", "XDG_CONFIG_HOME", "SYSTEMROOT", "TMPDIR")
_ENVIRONMENT: Final = {
    "LC_ALL": "C.UTF-8",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_PAGER": "cat",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_ASKPASS": "true",
    "GIT_ALLOW_PROTOCOL": "none",
}
_SETTINGS: Final = (
    *("core.fsmonitor=false", "core.hooksPath=/dev/null", "core.quotePath=false", "core.attributesFile=/dev/null"),
    *("log.showSignature=false", "color.ui=false", "diff.noprefix=false", "diff.mnemonicPrefix=false"),
    *("protocol.allow=never", "log.mailmap=false", "diff.orderFile=/dev/null"),
)
_REMOTE: Final = ("protocol.file.allow=always", "protocol.https.allow=always", "protocol.ssh.allow=always")
_MOST_OUTPUT: Final = 8 * 1024 * 1024
_LONGEST_COMPLAINT: Final = 400


@dataclass(frozen=True, kw_only=True)
class Output:
    """What git printed, at most as much as was asked for; `cut` when there was more. `code` is its exit code."""

    text: str
    code: int
    complaint: str = ""
    cut: bool = False


def run_git(
    folder: Path,
    *arguments: str,
    timeout_s: float = 10.0,
    most_bytes: int = _MOST_OUTPUT,
    variables: Mapping[str, str] | None = None,
    remote: bool = False,
) -> Output:
    """Run git in `folder` and return what it printed; `variables` come to its environment.

    With `remote` it may go to another repository, by a path, `https` or `ssh`; else it goes nowhere.

    Raises `Unavailable` when git is not installed, cannot be started there, or takes longer than `timeout_s`.
    """
    settings = (*_SETTINGS, *_REMOTE) if remote else _SETTINGS
    options = [option for setting in settings for option in ("-c", setting)]
    command = ["git", "--no-pager", "-C", str(folder), *options, *arguments]
    passed_on = (*_PASSED_ON, "SSH_AUTH_SOCK") if remote else _PASSED_ON
    environment = {name: os.environ[name] for name in passed_on if name in os.environ} | _ENVIRONMENT
    if remote:
        environment |= {"GIT_ALLOW_PROTOCOL": "file:https:ssh", "GIT_SSH_COMMAND": "ssh -oBatchMode=yes"}
    environment |= variables or {}
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise Unavailable("there is no program git: install it to read repositories", retry=False) from None
        except OSError as error:
            raise Unavailable(f"cannot run git in {folder}: {error.strerror}", retry=True) from error
        printed, cut, expired = _read(process, timeout_s=timeout_s, most_bytes=most_bytes)
        errors.seek(0)
        complaint = clean(errors.read(_LONGEST_COMPLAINT).decode(errors="replace")).strip()
    if expired:
        raise Unavailable(f"git {arguments[0]} in {folder} took longer than {timeout_s:g} s", retry=True)
    text = printed.decode(errors="replace")
    return Output(text=text, code=0 if cut else process.returncode, complaint=redact(complaint), cut=cut)


def _read(process: "subprocess.Popen[bytes]", *, timeout_s: float, most_bytes: int) -> tuple[bytes, bool, bool]:
    """Return what the process printed, whether there was more, and whether the time was over."""
    expired = threading.Event()

    def expire() -> None:
        expired.set()
        _kill(process)

    timer = threading.Timer(timeout_s, expire)
    timer.start()
    try:
        printed = process.stdout.read(most_bytes + 1) if process.stdout else b""
        cut = len(printed) > most_bytes
        if cut:
            _kill(process)
        if process.stdout:
            process.stdout.close()
        process.wait()
    finally:
        timer.cancel()
    return printed[:most_bytes], cut, expired.is_set()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    # The group: a helper that git started must not go on, nor keep the pipe open.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
