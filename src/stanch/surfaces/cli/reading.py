"""Files and standard input as text for the commands that work on files alone: unpacked, line by line, with progress."""

import gzip
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TextIO

import click

from stanch.kernel.errors import Invalid

_PROGRESS_EVERY: Final = 500_000
_GZIP: Final = b"\x1f\x8b"


class Lines:
    """The lines of several files, one after the other, counted; progress goes to standard error on a terminal."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = files
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        shown = sys.stderr.isatty()
        for name in self._files:
            with ExitStack() as stack:
                for line in open_text(name, stack):
                    self.read += 1
                    if shown and self.read % _PROGRESS_EVERY == 0:
                        click.echo(f"\r{self.read:,} lines", nl=False, err=True)
                    yield line
        if shown and self.read >= _PROGRESS_EVERY:
            click.echo("", err=True)


def open_text(name: str, stack: ExitStack) -> TextIO:
    """Open a file or standard input as text, unpacked where it is gzip. Raises `Invalid` when it cannot be read."""
    if name == "-":
        return sys.stdin
    try:
        raw = stack.enter_context(Path(name).open("rb"))  # noqa: SIM115  # the stack closes it
        packed = raw.peek(2)[:2] == _GZIP
        source = stack.enter_context(gzip.open(raw, "rb")) if packed else raw  # noqa: SIM115  # and this
        return io.TextIOWrapper(source, encoding="utf-8", errors="replace", newline="\n")
    except OSError as error:
        raise Invalid(f"cannot read {name}: {error.strerror}", field="file") from error


def text_in(name: str) -> str:
    with ExitStack() as stack:
        return open_text(name, stack).read()
