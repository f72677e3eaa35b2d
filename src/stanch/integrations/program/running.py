"""The program port: an argument list, no shell, an empty standard input, a time-out, bounded output."""

import os
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Final

from stanch.kernel.blocks import clean
from stanch.kernel.errors import Unavailable
from stanch.kernel.redaction import redact
from stanch.ports.program import Printed

_MOST_BYTES: Final = 8 * 1024 * 1024
_PIECE: Final = 256 * 1024
_LONGEST_LINE: Final = 1024 * 1024
_LONGEST_COMPLAINT: Final = 400
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
# What the programs need to be found and to find their own configuration; no token that happens to be in this process.
_PASSED_ON: Final = ("PATH", "HOME", "USER", "LANG", "TZ", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "TMPDIR", "KUBECONFIG")


class LocalPrograms:
    """Runs programs on this machine."""

    def run(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        most_bytes: int = _MOST_BYTES,
        environment: Mapping[str, str] = _NONE,
    ) -> Printed:
        """Run a program to its end. Raises `Unavailable` when it is not there or takes longer than `timeout_s`."""
        printed = bytearray()
        with _started(argv, timeout_s=timeout_s, environment=environment) as (process, expired, complaint):
            cut = False
            while piece := _read(process):
                printed += piece
                if len(printed) > most_bytes:
                    cut = True
                    _kill(process)
                    break
            process.wait()
            if expired.is_set():
                raise Unavailable(f"{shlex.join(argv[:2])} took longer than {timeout_s:g} s", retry=True)
            return Printed(
                out=bytes(printed[:most_bytes]), code=0 if cut else process.returncode, complaint=complaint(), cut=cut
            )

    def lines(
        self,
        argv: Sequence[str],
        *,
        timeout_s: float,
        most_bytes: int = _MOST_BYTES,
        environment: Mapping[str, str] = _NONE,
    ) -> Iterator[bytes]:
        """Yield the lines a program prints; at the limits it is ended, and what came before counts.

        Raises `Unavailable` when it is not there, ends with an error, or printed nothing within `timeout_s`.
        """
        left, rest, any_line = most_bytes, b"", False
        with _started(argv, timeout_s=timeout_s, environment=environment) as (process, expired, complaint):
            while left > 0 and (piece := _read(process)):
                left -= len(piece)
                *whole, rest = (rest + piece).split(b"\n")
                any_line = any_line or bool(whole)
                yield from whole
                if len(rest) > _LONGEST_LINE:
                    rest = b""
            if left <= 0:
                return
            process.wait()
            if expired.is_set() and not any_line:
                raise Unavailable(f"{shlex.join(argv[:2])} printed nothing within {timeout_s:g} s", retry=True)
            if process.returncode and not expired.is_set() and not any_line:
                raise Unavailable(f"{argv[0]} failed: {complaint() or f'exit code {process.returncode}'}", retry=True)
            if rest:
                yield rest


@contextmanager
def _started(
    argv: Sequence[str], *, timeout_s: float, environment: Mapping[str, str]
) -> Iterator[tuple["subprocess.Popen[bytes]", threading.Event, Callable[[], str]]]:
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    expired = threading.Event()
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                list(argv),
                env={**passed, "LC_ALL": "C.UTF-8", **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise Unavailable(f"there is no program {argv[0]} on this machine", retry=False) from None
        except OSError as error:
            raise Unavailable(f"cannot run {argv[0]}: {error.strerror}", retry=True) from error

        def expire() -> None:
            expired.set()
            _kill(process)

        def complain() -> str:
            errors.seek(0)
            return redact(clean(errors.read(_LONGEST_COMPLAINT).decode(errors="replace")).strip())

        timer = threading.Timer(timeout_s, expire)
        timer.daemon = True
        timer.start()
        try:
            yield process, expired, complain
        finally:
            timer.cancel()
            _kill(process)
            if process.stdout:
                process.stdout.close()
            process.wait()


def _read(process: "subprocess.Popen[bytes]") -> bytes:
    return os.read(process.stdout.fileno(), _PIECE) if process.stdout else b""


def _kill(process: "subprocess.Popen[bytes]") -> None:
    # The group: a helper that it started must not go on, nor keep the pipe open.
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return
