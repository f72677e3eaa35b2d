"""Turns log text into records: one line with `parse_line`, a stream with its multi-line traces with `read_records`.

Reads plain lines behind the usual headers (ISO 8601, syslog, nginx and Apache, Python logging, klog, log4j, logback,
logfmt) and JSON lines, also wrapped by docker, the container runtime or `kubectl logs --timestamps`. Hostile input
never raises: what can not be read becomes a record with the text as its message.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, tzinfo

from stanch.diagnose.logs.headers import parse_head
from stanch.diagnose.logs.model import MAX_LINE, MAX_MESSAGE, Level, LogRecord
from stanch.diagnose.logs.timestamps import parse_time
from stanch.diagnose.logs.traces import continues_trace, exception_in_message, names_exception, parse_exception

MAX_RECORD_LINES = 400
"""Lines joined into one record; with lines cut at 64 KiB and `MAX_RECORD_TEXT` this bounds a runaway trace."""
MAX_RECORD_TEXT = 262_144


def parse_line(
    raw: bytes | str, *, service: str = "", reference: datetime | None = None, zone: tzinfo = UTC
) -> LogRecord | None:
    """Read one log entry, its trace on further lines included; None for a blank one.

    `service` is used where the line does not name one. `reference` gives the year to formats without one, and
    `zone` is that of times without a zone.
    """
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    text = text[:MAX_RECORD_TEXT].rstrip("\r\n \t\x00")
    if not text or text.isspace():
        return None
    head, newline, rest = text.partition("\n")
    record = parse_head(head[:MAX_LINE], service=service, reference=reference, zone=zone)
    if newline:
        return _with_trace(record, text, rest)
    return _single(record)


class RecordReader:
    """Joins the lines of one stream into records. Memory: at most one record of 256 KiB is open at a time."""

    def __init__(self, *, service: str = "", reference: datetime | None = None, zone: tzinfo = UTC) -> None:
        self._service = service
        self._reference = reference
        self._zone = zone
        self._lines: list[str] = []
        self._size = 0
        self._head: LogRecord | None = None
        self._last_at: datetime | None = None
        self._python_open = False
        self._go_open = False

    def feed(self, raw: bytes | str) -> LogRecord | None:
        """Take the next line; return the record that ended before it, if one did."""
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        text = text[:MAX_LINE].rstrip("\r\n\x00")
        if self._joins(text):
            if len(self._lines) < MAX_RECORD_LINES and self._size < MAX_RECORD_TEXT:
                self._lines.append(text)
                self._size += len(text)
            return None
        done = self.flush()
        head = _head_or_none(text, service=self._service, reference=self._reference, zone=self._zone)
        if head is not None:
            self._head, self._lines, self._size = head, [text], len(text)
            self._track(text)
        return done

    def flush(self) -> LogRecord | None:
        """Return the record that is still open, if there is one; call it at the end of the stream."""
        head, lines = self._head, self._lines
        self._head, self._lines, self._size = None, [], 0
        self._python_open = self._go_open = False
        if head is None:
            return None
        if len(lines) > 1:
            record = _with_trace(head, "\n".join(lines), "\n".join(lines[1:]))
        else:
            record = _single(head)
        if record.at is None and self._last_at is not None:
            record = replace(record, at=self._last_at)  # a bare trace happened right after the line before it
        self._last_at = record.at
        return record

    def _joins(self, text: str) -> bool:
        """Decide whether a line belongs to the open record, and keep track of the trace it is in."""
        if self._head is None:
            return False
        first = text[:1]
        if not text.strip():
            # A blank line stands inside a Go trace, between chained Python blocks, and below Node's source line.
            return len(self._lines) > 1 or self._go_open or self._head.at is None
        if first in " \t" or (first in "|+" and self._python_open):
            return True
        if self._python_open and not text.startswith("Traceback"):
            self._python_open = False  # this is the line with the type and the message
            return True
        if first in "{<[" or first.isdigit():
            return text.startswith("[signal ") and self._go_open
        joined = self._opens_or_goes_on(text)
        if joined:
            self._track(text)
        return joined

    def _opens_or_goes_on(self, text: str) -> bool:
        head = self._head
        if head is None:
            return False
        inside = len(self._lines) > 1
        if continues_trace(text):
            # A trace right after a line about something else is an event of its own.
            return inside or head.at is None or head.level not in (Level.INFO, Level.DEBUG, Level.TRACE)
        if self._go_open:
            return parse_time(text) is None
        if names_exception(text):
            wants = head.level.is_failure or head.level is Level.WARNING or head.at is None
            # Node prints the source line, a blank one, and only then the type.
            fresh = not inside or (not self._lines[-1].strip() and head.at is None)
            return wants and fresh and not names_exception(self._lines[0])
        return False

    def _track(self, text: str) -> None:
        # A JSON line that quotes a trace holds all of it, and the line after it is a record of its own.
        if text.rstrip().endswith("Traceback (most recent call last):"):
            self._python_open = True
        if text.startswith(("panic: ", "fatal error: ", "goroutine ")):
            self._go_open = True


def read_records(
    lines: Iterable[bytes | str], *, service: str = "", reference: datetime | None = None, zone: tzinfo = UTC
) -> Iterator[LogRecord]:
    """Read a stream of lines into records, multi-line traces joined; holds one record in memory."""
    reader = RecordReader(service=service, reference=reference, zone=zone)
    for line in lines:
        record = reader.feed(line)
        if record is not None:
            yield record
    record = reader.flush()
    if record is not None:
        yield record


def _single(record: LogRecord) -> LogRecord:
    if record.exception is not None or not record.level.is_failure:
        return record
    found = parse_exception(record.message) or exception_in_message(record.message)
    return record if found is None else replace(record, exception=found)


def _with_trace(record: LogRecord, text: str, rest: str) -> LogRecord:
    if record.exception is not None:
        return record
    found = parse_exception(text)
    if found is None:
        return replace(record, message=f"{record.message}\n{rest}"[:MAX_MESSAGE])
    level = Level.ERROR if record.level is Level.UNKNOWN else record.level
    # A record that is nothing but its trace is called by the exception, not by "Traceback (most recent call last):".
    bare = continues_trace(record.message) or (record.at is None and record.level is Level.UNKNOWN)
    return replace(record, exception=found, level=level, message=found.title if bare else record.message)


def _head_or_none(text: str, *, service: str, reference: datetime | None, zone: tzinfo) -> LogRecord | None:
    if not text or text.isspace():
        return None
    return parse_head(text, service=service, reference=reference, zone=zone)
