"""The log source port on journald: `journalctl -o json` of a service's unit, its messages as lines.

A message that is JSON stays as it is. Any other becomes a line of JSON with its time and level, so that nothing has to
be guessed from its text (https://www.freedesktop.org/software/systemd/man/latest/systemd.journal-fields.html).
"""

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from stanch.kernel.errors import Invalid, Unavailable
from stanch.kernel.readonly import check_program
from stanch.ports.program import Programs
from stanch.ports.query import SystemSpec

_LEVELS: Final = ("fatal", "fatal", "fatal", "error", "warning", "info", "info", "debug")
"""By the priority of syslog, 0 (emergency) to 7 (debug)."""
_UNIT: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@:\\-]{0,200}")
_LARGEST_LINE: Final = 64 * 1024


class Journal:
    """The journal of this machine."""

    def __init__(self, spec: SystemSpec, *, programs: Programs) -> None:
        self._spec = spec
        self._programs = programs

    @property
    def name(self) -> str:
        """Return its name in the configuration."""
        return self._spec.name

    @property
    def where(self) -> str:
        """Return where the lines come from."""
        return "the journal of this machine"

    @property
    def services(self) -> tuple[str, ...]:
        """Return the services that log there."""
        return self._spec.services

    def command(self, service: str, *, start: datetime) -> str:
        """Return the command that shows the lines of `service` since `start` (UTC)."""
        return shlex.join(self._argv(service, start=start, form="short-iso"))

    def lines(
        self, service: str, *, start: datetime, end: datetime, timeout_s: float, most_bytes: int
    ) -> Iterator[bytes]:
        """Yield the lines of `service` in the window. Raises `Unavailable` and `Refused`."""
        argv = self._argv(service, start=start, form="json", end=end)
        check_program(argv)
        read = bad = 0
        for line in self._programs.lines(argv, timeout_s=timeout_s, most_bytes=most_bytes):
            if not line.strip():
                continue
            read += 1
            told = line_of(line) if len(line) <= _LARGEST_LINE else None
            if told is None:
                bad += 1
            else:
                yield told
        if read and bad == read:
            raise Unavailable("journalctl printed something that is not JSON", retry=False)

    def _argv(self, service: str, *, start: datetime, form: str, end: datetime | None = None) -> list[str]:
        unit = self._spec.settings.get("unit", "{service}").replace("{service}", service)
        if not _UNIT.fullmatch(unit):
            raise Invalid(f"{unit!r} is no name of a unit", field="unit")
        until = [f"--until=@{end.timestamp():.0f}"] if end is not None else []
        since = f"--since=@{start.timestamp():.0f}" if end is not None else f"--since={start.astimezone(UTC):%F %T} UTC"
        return ["journalctl", f"--unit={unit}", f"--output={form}", "--no-pager", "--quiet", "--utc", since, *until]


def line_of(entry: bytes) -> bytes | None:
    """Return the line of one journal entry, None where it is none."""
    try:
        found = msgspec.json.decode(entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    message = found.get("MESSAGE", "")
    if isinstance(message, list):
        # A message with bytes that are no text comes as a list of numbers.
        message = bytes(one for one in message if isinstance(one, int) and 0 <= one < 256).decode(errors="replace")
    if not isinstance(message, str):
        return None
    if message.startswith("{") and message.endswith("}"):
        return message.encode()
    stamp, priority = found.get("__REALTIME_TIMESTAMP"), found.get("PRIORITY")
    told: dict[str, str] = {"message": message}
    if isinstance(stamp, str) and stamp.isdigit() and len(stamp) <= 17:
        told["time"] = datetime.fromtimestamp(int(stamp) / 1e6, UTC).isoformat()
    if isinstance(priority, str) and priority.isdigit() and int(priority) < len(_LEVELS):
        told["level"] = _LEVELS[int(priority)]
    return msgspec.json.encode(told)
