"""The command actuator. What may run is what the catalog declares; the operations see to that, this sees to how."""

import os
import selectors
import shutil
import signal
import subprocess
import threading
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from stanch.kernel.blocks import clean
from stanch.kernel.redaction import LineRedactor
from stanch.ports.actuator import Step, StepResult

_MOST_OUTPUT: Final = 64 * 1024
_LONGEST_LINE: Final = 4_000
_LONGEST_READ: Final = 2 * _LONGEST_LINE
_TIMED_OUT: Final = 124
_NOT_FOUND: Final = 127
_PIECE: Final = 64 * 1024
_LOOK_S: Final = 0.1
_REST_S: Final = 1.0
"""How long output is waited for once the program has ended: what it left running may hold the pipe for ever."""
# What a command needs to find its programs, its home and its words; secrets of this process stay here.
_PASSED_ON: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER", "LOGNAME", "KUBECONFIG", "SSH_AUTH_SOCK")


class CommandActuator:
    """Runs one program with its arguments, in its own process group. With `programs`, only one of those."""

    def __init__(self, programs: tuple[str, ...] = ()) -> None:
        self._programs = frozenset(programs)

    @property
    def name(self) -> str:
        """Return `command`."""
        return "command"

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return why the step cannot run: nothing to run, no such program, not on the list, no such folder, a NUL."""
        if not step.argv:
            return ("there is no command to run",)
        found = []
        if any("\0" in argument for argument in step.argv):
            found.append("an argument contains a NUL character")
        elif self._programs and step.argv[0] not in self._programs:
            found.append(f"{step.argv[0]!r} is not on the list of programs (`programs`)")
        elif shutil.which(step.argv[0]) is None and not (Path(step.cwd or ".") / step.argv[0]).is_file():
            found.append(f"there is no program {step.argv[0]!r}")
        if step.cwd and not Path(step.cwd).is_dir():
            found.append(f"there is no folder {step.cwd!r}")
        return tuple(found)

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Run the step's program and pass on each line it prints; kill its whole group when the time is over."""
        began = time.monotonic()
        if found := self.problems(step):
            emit("; ".join(found))
            return StepResult(code=_NOT_FOUND, output="; ".join(found), took_s=0.0)
        try:
            process = subprocess.Popen(
                step.argv,
                cwd=step.cwd or None,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
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
            output = _passed_on(process, emit)
            code = process.wait()
        finally:
            timer.cancel()
        if expired.is_set():
            emit(f"killed after {step.timeout_s:.0f} s")
            code = _TIMED_OUT
        return StepResult(code=code, output=output, took_s=time.monotonic() - began, timed_out=expired.is_set())


def _passed_on(process: "subprocess.Popen[bytes]", emit: Callable[[str], None]) -> str:
    kept: list[str] = []
    size = 0
    redactor = LineRedactor()
    for line in _lines(process):
        # Redacted whole and cut then: the first half of a token would no longer look like one. Of a line that is
        # written over itself (a progress bar) its last state is shown.
        text = redactor.line(clean(line.rstrip("\r").rpartition("\r")[2]))[:_LONGEST_LINE]
        emit(text)
        kept.append(text)
        size += len(text) + 1
        while size > _MOST_OUTPUT:
            size -= len(kept.pop(0)) + 1
    return "\n".join(kept)


def _lines(process: "subprocess.Popen[bytes]") -> Iterator[str]:
    """Yield lines as they come; of one that does not end as much is kept as is read of any."""
    decoder = getincrementaldecoder("utf-8")(errors="replace")
    rest = ""
    for piece in _pieces(process):
        *lines, rest = (rest + decoder.decode(piece)).split("\n")
        yield from (line[:_LONGEST_READ] for line in lines)
        # What is beyond the longest line is let go, until the next one begins.
        rest = rest[:_LONGEST_READ]
    if rest:
        yield rest


def _pieces(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    if process.stdout is None:
        return
    over_at = 0.0
    with process.stdout as stream, selectors.DefaultSelector() as ready:
        os.set_blocking(stream.fileno(), False)
        ready.register(stream, selectors.EVENT_READ)
        while True:
            if ready.select(_LOOK_S):
                piece = os.read(stream.fileno(), _PIECE)
                if not piece:
                    return
                yield piece
            if process.poll() is not None:
                over_at = over_at or time.monotonic() + _REST_S
                if time.monotonic() > over_at:
                    return


def _expire(process: "subprocess.Popen[bytes]", expired: threading.Event) -> None:
    expired.set()
    # The group, not only the program: what it started must not go on, nor keep the pipe open.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
