"""Reads one JSON log line into a record: structlog, zap, zerolog, pino, bunyan, logback, ECS, OTel, journald, docker.

The names of the keys differ, the ideas do not: a time, a level, a message, who said it, which version, which error.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo

from stanch.diagnose.logs.levels import level_of_number, level_of_priority, level_of_word
from stanch.diagnose.logs.model import MAX_FRAMES, MAX_MESSAGE, ExceptionInfo, Frame, Level, LogRecord
from stanch.diagnose.logs.timestamps import from_epoch, parse_time
from stanch.diagnose.logs.traces import exception_in_message, parse_exception

_TIME = ("timestamp", "ts", "time", "@timestamp", "t", "datetime", "date", "asctime", "eventTime", "Timestamp")
_LEVEL = ("level", "severity", "severity_text", "SeverityText", "levelname", "lvl", "log.level", "loglevel", "Level")
_MESSAGE = ("message", "msg", "event", "body", "Body", "MESSAGE", "log", "text", "@message", "short_message")
_SERVICE = (
    "service", "service.name", "service_name", "app", "application", "component", "dd.service", "container_name",
    "_SYSTEMD_UNIT", "SYSLOG_IDENTIFIER",
)  # fmt: skip
_VERSION = ("version", "service.version", "release", "app_version", "dd.version", "service_version", "git_sha")
_LOGGER = ("logger", "logger_name", "name", "caller", "log.logger")
_ERROR = ("exception", "error", "err", "exc_info", "exc", "thrown")
_STACK = (
    "stack_trace", "stacktrace", "stack", "traceback", "error.stack", "error.stack_trace", "exception.stacktrace",
    "exception_stacktrace", "err.stack", "backtrace",
)  # fmt: skip
_MAX_FIELDS = 32
_MAX_FIELD = 256

Json = Mapping[str, object]


def parse_json(text: str, *, service: str = "", zone: tzinfo = UTC) -> LogRecord | None:
    """Read a JSON object into a record; None where `text` is no JSON object or nests too deep."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record_of(data, service=service, zone=zone) if isinstance(data, dict) and data else None


def record_of(data: Json, *, service: str = "", zone: tzinfo = UTC) -> LogRecord:
    """Build a record from a decoded line. Keys it does not know become `fields`."""
    message = _text(data, _MESSAGE)
    exception = _exception(data)
    level = _level(data)
    if exception is None and (level.is_failure or "\n" in message):
        exception = parse_exception(message) or (exception_in_message(message) if level.is_failure else None)
    if not message and exception is not None:
        message = exception.title
    return LogRecord(
        at=_time(data, zone),
        level=level,
        service=_service(data) or service,
        version=_version(data),
        logger=_text(data, _LOGGER)[:_MAX_FIELD],
        message=message[:MAX_MESSAGE],
        exception=exception,
        fields=_fields(data),
    )


def _text(data: Json, keys: tuple[str, ...]) -> str:
    for key in keys:
        value = data.get(key)
        if isinstance(value, str) and value:
            return value
    return ""


def _time(data: Json, zone: tzinfo) -> datetime | None:
    for key in _TIME:
        value = data.get(key)
        if isinstance(value, str):
            parsed = parse_time(value.strip(), zone=zone)
            if parsed is not None:
                return parsed[0]
        elif isinstance(value, int | float) and not isinstance(value, bool):
            return from_epoch(value)
    journal = data.get("__REALTIME_TIMESTAMP")
    return from_epoch(int(journal)) if isinstance(journal, str) and journal.isdecimal() and len(journal) < 20 else None


def _level(data: Json) -> Level:
    for key in _LEVEL:
        value = data.get(key)
        if isinstance(value, str) and value:
            return level_of_number(int(value)) if value.isdecimal() and len(value) < 4 else level_of_word(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return level_of_number(value)
    nested = data.get("log")
    if isinstance(nested, dict) and isinstance(nested.get("level"), str):
        return level_of_word(nested["level"])
    priority = data.get("PRIORITY")
    if isinstance(priority, str) and priority.isdecimal() and len(priority) < 3:
        return level_of_priority(int(priority))
    return Level.UNKNOWN


def _service(data: Json) -> str:
    name = _text(data, _SERVICE)
    if not name:
        nested = data.get("service")
        name = _text(nested, ("name",)) if isinstance(nested, dict) else ""
    if not name:
        resource = data.get("resource") or data.get("Resource")
        name = _text(resource, ("service.name",)) if isinstance(resource, dict) else ""
    return name[:_MAX_FIELD].removesuffix(".service")


def _version(data: Json) -> str:
    name = _text(data, _VERSION)
    nested = data.get("service")
    if not name and isinstance(nested, dict):
        name = _text(nested, ("version",))
    return name[:_MAX_FIELD]


def _exception(data: Json) -> ExceptionInfo | None:
    stack = _text(data, _STACK)
    kind = _text(data, ("exception.type", "error.type", "error.kind", "exception_type", "error_type", "exc_type"))
    why = _text(data, ("exception.message", "error.message", "exception_message", "error_message", "exc_value"))
    for key in _ERROR:
        value = data.get(key)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            value = value[0]
        if isinstance(value, dict):
            return _nested(value, stack)
        if isinstance(value, str) and value:
            found = parse_exception(value) or (None if stack else exception_in_message(value))
            if found is not None:
                return found
            why = why or value
    parsed = _stack(stack)
    if parsed is None and not kind:
        return None
    return _merged(parsed, kind, why)


def _nested(value: Json, stack: str) -> ExceptionInfo | None:
    kind = _text(value, ("type", "class", "name", "exc_type", "kind", "code"))
    why = _text(value, ("message", "msg", "value", "exc_value"))
    trace = _text(value, ("stacktrace", "stack_trace", "stack", "traceback", "backtrace")) or stack
    parsed = _stack(trace)
    frames = _frames(value.get("frames") or value.get("stacktrace"))
    if not (kind or why or parsed or frames):
        return None
    merged = _merged(parsed, kind, why)
    if frames and not merged.frames:
        return ExceptionInfo(type=merged.type, message=merged.message, frames=frames)
    return merged


def _stack(text: str) -> ExceptionInfo | None:
    """Read a stack of its own; zap writes a goroutine's frames without the line that opens one."""
    if not text:
        return None
    found = parse_exception(text)
    if found is None and "\n\t" in text:
        found = parse_exception(f"goroutine 1 [running]:\n{text}")
    return found


def _merged(parsed: ExceptionInfo | None, kind: str, why: str) -> ExceptionInfo:
    """Join what the keys say with what the trace says; the keys name the error the writer meant."""
    if parsed is None:
        return ExceptionInfo(type=kind[:_MAX_FIELD] or "Error", message=why[:MAX_MESSAGE])
    if parsed.wrapped_by:
        return parsed
    if not kind:
        # zap's stack names no type: its `error` is the only word for what went wrong.
        return parsed if parsed.message or not why else ExceptionInfo(type="Error", message=why, frames=parsed.frames)
    return ExceptionInfo(type=kind[:_MAX_FIELD], message=(why or parsed.message)[:MAX_MESSAGE], frames=parsed.frames)


def _frames(value: object) -> tuple[Frame, ...]:
    """Read frames given as objects (structlog, Sentry), outermost first as both write them."""
    if isinstance(value, dict):
        value = value.get("frames")
    if not isinstance(value, list):
        return ()
    found = []
    for entry in value[-MAX_FRAMES:]:
        if isinstance(entry, dict):
            number = entry.get("lineno") or entry.get("line") or 0
            found.append(
                Frame(
                    file=_text(entry, ("filename", "file", "abs_path", "path"))[:1024],
                    line=number if isinstance(number, int) and 0 <= number < 10**9 else 0,
                    function=_text(entry, ("function", "name", "method"))[:256],
                )
            )
    return tuple(found)


def _fields(data: Json) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for key, value in data.items():
        if key in _SPOKEN:
            continue
        # `"user": {"id": "c-1"}` says the same as `"user.id": "c-1"`.
        inner = ((f"{key}.{name}", one) for name, one in value.items()) if isinstance(value, dict) else ((key, value),)
        for name, one in inner:
            if isinstance(one, str | int | float) and len(found) < _MAX_FIELDS:
                found[name[:_MAX_FIELD]] = str(one)[:_MAX_FIELD]
    return found


_SPOKEN = frozenset((*_TIME, *_LEVEL, *_MESSAGE, *_STACK, *_ERROR, "__REALTIME_TIMESTAMP", "PRIORITY"))
