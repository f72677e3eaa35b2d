"""The query port on this machine: programs that only read; their lines become rows by a pattern."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.kernel.readonly import check_program
from stanch.ports.program import Programs
from stanch.ports.query import Ask, ConfiguredSource, Reply, Row, SystemSpec

_MOST_BYTES: Final = 1024 * 1024
_ABSENT: Final = ("No such file", "has not been booted with systemd", "No journal files were found")
_OPEN: Final = re.compile(r"\{[a-z_]+\}")
_WHOLE: Final = re.compile(r"-?\d{1,18}")
_DECIMAL: Final = re.compile(r"-?\d{1,18}\.\d{1,9}")


class ProgramSource(ConfiguredSource):
    """Asks by programs that run here. `settings` fill the placeholders, e.g. the `pid` of a process."""

    def __init__(self, spec: SystemSpec, *, programs: Programs) -> None:
        super().__init__(spec)
        self._programs = programs

    @property
    def system(self) -> str:
        """Return `linux`, `jvm` or `python`."""
        return self._spec.kind

    @property
    def where(self) -> str:
        """Return where it looks."""
        pid = self._spec.settings.get("pid", "")
        return f"process {pid} on this machine" if pid else "this machine"

    @property
    def side_by_side(self) -> int:
        """Return 2: the machine may be the one in trouble."""
        return 2

    @contextmanager
    def open(self) -> "Iterator[ProgramSource]":
        """Give itself: there is nothing to open."""
        yield self

    def ask(self, ask: Ask) -> Reply:
        """Run one program and return its lines that fit the pattern, as rows."""
        argv = shlex.split(ask.text)
        if missing := next((found.group() for one in argv if (found := _OPEN.search(one))), ""):
            raise NotFound(f"the configuration of {self.name} gives no {missing.strip('{}')}")
        check_program(argv)
        printed = self._programs.run(argv, timeout_s=ask.timeout_s, most_bytes=_MOST_BYTES)
        if printed.code and not printed.out:
            said = printed.complaint or f"exit code {printed.code}"
            if "ermission denied" in said or "not permitted" in said:
                raise Refused(f"{argv[0]} may not: {said}", reason="denied")
            if any(words in said for words in _ABSENT):
                raise NotFound(said)
            raise Unavailable(f"{argv[0]} failed: {said}", retry=True)
        rows = list(rows_of(printed.out, ask.pattern))
        kept = tuple(rows[: ask.most_rows])
        return Reply(command=shlex.join(argv), rows=kept, cut=printed.cut or len(rows) > len(kept))


def rows_of(out: bytes, pattern: str) -> Iterator[Row]:
    """Yield the lines that a pattern with named groups fits, as rows; without a pattern every line as `line`."""
    fits = re.compile(pattern) if pattern else None
    for line in out.decode(errors="replace").splitlines():
        if fits is None:
            if line.strip():
                yield {"line": line.rstrip()}
        elif found := fits.search(line):
            yield {name: _value(text) for name, text in found.groupdict().items()}


def _value(text: str | None) -> int | float | str | None:
    if text is None:
        return None
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
