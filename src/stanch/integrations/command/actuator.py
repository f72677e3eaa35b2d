"""The command actuator. What may run is what the catalog declares; the operations see to that, this sees to how."""

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from stanch.ports.actuator import Step, StepResult

_MOST_OUTPUT: Final = 64 * 1024
_LONGEST_LINE: Final = 4_000
_TIMED_OUT: Final = 124
_NOT_FOUND: Final = 127
# What a command needs to find its programs, its home and its words; secrets of this process stay here.
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME", "KUBECONFIG", "SSH_AUTH_SOCK")


class CommandActuator:
    """Runs one program with its arguments, in its own process group."""

    @property
    def name(self) -> str:
        """Return `command`."""
        return "command"

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return why the step cannot run: nothing to run, no such program, no such folder, a NUL in an argument."""
        if not step.argv:
            return ("there is no command to run",)
        found = []
        if any("\0" in argument for argument in step.argv):
            found.append("an argument contains a NUL character")
        elif shutil.which(step.argv[0]) is None and not (Path(step.cwd or ".") / step.argv[0]).is_file():
            found.append(f"there is no program {step.argv[0]!r}")
        if step.cwd and not Path(step.cwd).is_dir():
            found.append(f"there is no folder {step.cwd!r}")
        return tuple(found)

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Run the step's program and pass on each line it prints; kill its whole group when the time is over."""
        began = time.monotonic()
        try:
            process = subprocess.Popen(
                step.argv,
                cwd=step.cwd or None,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                start_new_session=True,
            )
        except OSError as error:
            line = f"cannot run {step.argv[0]}: {error.strerror}"
            emit(line)
            return StepResult(code=_NOT_FOUND, output=line, took_s=time.monotonic() - began)
        expired = threading.Event()
        timer = threading.Timer(step.timeout_s, _expire, args=(process, expired))
        timer.start()
        try:
            output = _read(process, emit)
            code = process.wait()
        finally:
            timer.cancel()
        if expired.is_set():
            emit(f"killed after {step.timeout_s:.0f} s")
            code = _TIMED_OUT
        return StepResult(code=code, output=output, took_s=time.monotonic() - began, timed_out=expired.is_set())


def _read(process: "subprocess.Popen[str]", emit: Callable[[str], None]) -> str:
    if process.stdout is None:
        return ""
    kept: list[str] = []
    size = 0
    with process.stdout as stream:
        for line in stream:
            text = line.rstrip("\n")[:_LONGEST_LINE]
            emit(text)
            kept.append(text)
            size += len(text) + 1
            while size > _MOST_OUTPUT:
                size -= len(kept.pop(0)) + 1
    return "\n".join(kept)


def _expire(process: "subprocess.Popen[str]", expired: threading.Event) -> None:
    expired.set()
    # The group, not only the program: what it started must not go on, nor keep the pipe open.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
