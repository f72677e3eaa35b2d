"""Files and standard input as text for the commands that work on files alone: unpacked, line by line, with progress."""

import gzip
import io
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TextIO

import click

from stanch.kernel.errors import Invalid

_PROGRESS_EVERY: Final = 500_000
_GZIP: Final = b"\x1f\x8b"
_LONGEST: Final = 4_000_000
"""Characters of one line; what is beyond them is left out, so that a file without line ends costs no more memory."""


class Lines:
    """The lines of several files, one after the other, counted; progress goes to standard error on a terminal.

    A packed file that ends in the middle, as one that is still written does, gives what can be read of it, and is named
    in `cut_short`.
    """

    def __init__(self, files: Sequence[str]) -> None:
        self._files = files
        self.read = 0
        self.cut_short: list[str] = []

    def __iter__(self) -> Iterator[str]:
        shown = sys.stderr.isatty()
        for name in self._files:
            with ExitStack() as stack:
                for line in self._of(name, open_text(name, stack)):
                    self.read += 1
                    if shown and self.read % _PROGRESS_EVERY == 0:
                        click.echo(f"\r{self.read:,} lines", nl=False, err=True)
                    yield line
        if shown and self.read >= _PROGRESS_EVERY:
            click.echo("", err=True)

    def _of(self, name: str, text: TextIO) -> Iterator[str]:
        try:
            while line := text.readline(_LONGEST):
                yield line
                while len(line) == _LONGEST and not line.endswith("\n"):
                    line = text.readline(_LONGEST)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.cut_short.append(name)
            click.echo(f"{name} ends in the middle: what could be read of it is used", err=True)


def open_text(name: str, stack: ExitStack) -> TextIO:
    """Open a file or standard input as text, unpacked where it is gzip. Raises `Invalid` when it cannot be read."""
    try:
        raw = sys.stdin.buffer if name == "-" else stack.enter_context(Path(name).open("rb"))  # noqa: SIM115  # the stack closes it
        if not isinstance(raw, io.BufferedReader):
            raise Invalid(f"cannot read {name}: it is no file", field="file")
        packed = raw.peek(2)[:2] == _GZIP
        source = stack.enter_context(gzip.open(raw, "rb")) if packed else raw  # noqa: SIM115  # and this
        return io.TextIOWrapper(source, encoding="utf-8", errors="replace", newline="\n")
    except OSError as error:
        raise Invalid(f"cannot read {name}: {error.strerror}", field="file") from error


def text_in(name: str) -> str:
    with ExitStack() as stack:
        return open_text(name, stack).read()
