"""Reads one line of a log and says whether it reports an error, which one, and when. Knows many dialects of JSON logs.

The dialects are those of structlog, python-json-logger, pino, bunyan, zap, zerolog, logstash, the Elastic Common
Schema, Google Cloud and Graylog. A line that is not JSON counts when it says ERROR or worse.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from stanch.integrations.jsonlog.traces import Raised, read_trace
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact, redact_tree

LONGEST_LINE: Final = 262_144
LONGEST_TITLE: Final = 300
LONGEST_SAMPLE: Final = 8_192

_LEVELS: Final = ("level", "severity", "lvl", "levelname", "log.level", "loglevel", "log_level")
_TIMES: Final = ("ts", "time", "timestamp", "@timestamp", "datetime", "at", "asctime", "date")
_MESSAGES: Final = ("message", "msg", "event", "text", "short_message", "textPayload")
_VERSIONS: Final = ("version", "service.version", "release", "app_version", "serviceContext.version")
_EXCEPTIONS: Final = ("exception", "error", "err", "exc_info", "exc", "throwable", "thrown")
_TYPES: Final = ("type", "class", "name", "kind", "exc_type", "error.type", "exception.type", "exc_type")
_SAID: Final = ("message", "msg", "value", "exc_value", "error.message", "exception.message")
_STACKS: Final = (
    "stacktrace",
    "stack_trace",
    "stack",
    "traceback",
    "backtrace",
    "error.stack_trace",
    "exception.stacktrace",
    "error.stack",
    "exc_info",
    "exc_text",
)
_CALLERS: Final = ("caller", "log.origin.function", "funcName", "logger", "logger_name", "log.logger")

_ERROR_WORDS: Final = frozenset(
    {"error", "err", "eror", "critical", "crit", "fatal", "alert", "emerg", "emergency", "panic", "severe", "dpanic"}
)
_SYSLOG_ERROR: Final = 3
_PINO_ERROR: Final = 50
_PLAIN_ERROR: Final = re.compile(rb"\b(?:ERROR|CRITICAL|FATAL|SEVERE|PANIC|Error|Exception)\b")
_PLAIN_TIME: Final = re.compile(r"\[?(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?)\]?\s*")
_VALUE: Final = re.compile(r"[\w\-+.:/@]*\d[\w\-+.:/@]*")
_DECODER: Final = msgspec.json.Decoder(dict[str, JSON])


@dataclass(frozen=True, kw_only=True)
class ErrorRecord:
    """One error as a line reports it. `at` is in UTC, None where the line says no time; nothing is redacted yet."""

    fingerprint: str
    title: str
    culprit: str
    version: str
    at: datetime | None
    line: bytes


def read_error(line: bytes) -> ErrorRecord | None:
    """Return the error that a line reports, None where it reports none."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        record = _DECODER.decode(line)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _plain(line)
    level = _value(record, _LEVELS)
    if level is not None and not _is_error(level):
        return None
    raised = _raised(record)
    if level is None and raised is None:
        return None
    raised = raised or Raised()
    said = _text(record, _MESSAGES)
    title = _title(raised) or said or "error without a message"
    return ErrorRecord(
        fingerprint=_fingerprint(raised, said),
        title=title.split("\n", 1)[0].strip()[:LONGEST_TITLE],
        culprit=(raised.place or _text(record, _CALLERS))[:LONGEST_TITLE],
        version=_text(record, _VERSIONS)[:100],
        at=_time(record),
        line=line,
    )


def shown_sample(line: bytes) -> str:
    """Return a line as it may be kept: without secrets, at most 8 KiB."""
    try:
        text = msgspec.json.encode(redact_tree(_DECODER.decode(line))).decode()
    except (msgspec.DecodeError, ValueError, RecursionError):
        text = redact(line.decode("utf-8", "replace"))
    return text[:LONGEST_SAMPLE]


def normalised(text: str) -> str:
    """Return the first line of `text` with its values masked: `order 17 of c-9 failed` is `order * of * failed`."""
    return _VALUE.sub("*", text.split("\n", 1)[0][:400])


def _is_error(level: JSON) -> bool:
    if isinstance(level, str):
        return level.strip().lower() in _ERROR_WORDS
    # Graylog counts 0 (emergency) to 7 (debug), pino 10 (trace) to 60 (fatal).
    return isinstance(level, int | float) and (level <= _SYSLOG_ERROR or level >= _PINO_ERROR)


def _raised(record: Mapping[str, JSON]) -> Raised | None:
    """Return the exception that a record holds, as an object, as text, or spread over its own keys."""
    for key in _EXCEPTIONS:
        found = _at(record, key)
        if isinstance(found, dict) and found:
            trace = read_trace(_text(found, _STACKS))
            name, said = _text(found, _TYPES), _text(found, _SAID)
            if name or said or trace.type:
                return Raised(
                    type=name or trace.type, message=said or trace.message, place=trace.place, site=trace.site
                )
        if isinstance(found, str) and ("\n" in found or "Traceback" in found):
            return read_trace(found)
    name, stack = _text(record, _TYPES[4:]), _text(record, _STACKS)
    if stack or name:
        trace = read_trace(stack) if stack else Raised()
        said = _text(record, _SAID[3:]) or trace.message
        return Raised(type=name or trace.type, message=said, place=trace.place, site=trace.site)
    said = _text(record, _MESSAGES)
    return read_trace(said) if "Traceback (most recent call last)" in said or "\n\tat " in said else None


def _title(raised: Raised) -> str:
    if raised.type and raised.message:
        return f"{raised.type}: {raised.message}"
    return raised.type or raised.message


def _fingerprint(raised: Raised, said: str) -> str:
    """Return 16 hexadecimal digits: the same for one type, the same words and one place in the code."""
    parts = (
        (raised.type, normalised(raised.message), raised.site) if raised.type else ("", normalised(said), raised.site)
    )
    return hashlib.blake2b("\x00".join(parts).encode("utf-8", "replace"), digest_size=8).hexdigest()


def _plain(line: bytes) -> ErrorRecord | None:
    if not _PLAIN_ERROR.search(line[:400]):
        return None
    text = line.decode("utf-8", "replace").strip()
    found = _PLAIN_TIME.match(text)
    said = text[found.end() :] if found else text
    return ErrorRecord(
        fingerprint=_fingerprint(Raised(), said),
        title=said[:LONGEST_TITLE],
        culprit="",
        version="",
        at=_instant(found.group(1)) if found else None,
        line=line,
    )


def _time(record: Mapping[str, JSON]) -> datetime | None:
    found = _value(record, _TIMES)
    return _instant(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else None


def _instant(value: str | int | float) -> datetime | None:
    """Return an instant from ISO 8601, or from a count since 1970 in s, ms, us or ns by its size; without zone UTC."""
    try:
        if isinstance(value, str):
            if not re.fullmatch(r"\d{9,19}(?:\.\d+)?", value):
                at = datetime.fromisoformat(value.strip().replace(" UTC", "Z"))
                return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
            value = float(value)
        for scale in (1.0, 1e3, 1e6, 1e9):
            if value / scale < 1e11:
                return datetime.fromtimestamp(value / scale, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _text(record: Mapping[str, JSON], names: tuple[str, ...]) -> str:
    """Return the first of `names` that holds a text, empty for none."""
    return next((value for name in names if isinstance(value := _at(record, name), str) and value), "")


def _value(record: Mapping[str, JSON], names: tuple[str, ...]) -> JSON:
    return next(_present(record, names), None)


def _present(record: Mapping[str, JSON], names: tuple[str, ...]) -> Iterator[JSON]:
    for name in names:
        found = _at(record, name)
        if found is not None and not isinstance(found, dict | list):
            yield found


def _at(record: Mapping[str, JSON], name: str) -> JSON:
    """Return what stands at `name`; `log.level` is a key of that name or the key `level` inside `log`."""
    if name in record:
        return record[name]
    outer, dot, inner = name.partition(".")
    inside = record.get(outer) if dot else None
    return inside.get(inner) if isinstance(inside, dict) else None
