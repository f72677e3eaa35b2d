"""Splits one log line into its header (time, level, who) and its message, for the headers programs write.

Owns the shape of headers only; traces and streams are `records`' part. Never raises, whatever the line holds.
"""

import re
from dataclasses import replace
from datetime import datetime, tzinfo

from stanch.diagnose.logs.levels import KLOG, level_of_priority, level_of_word
from stanch.diagnose.logs.model import MAX_MESSAGE, Level, LogRecord
from stanch.diagnose.logs.structured import parse_json, record_of
from stanch.diagnose.logs.timestamps import parse_time

_LEVEL_WORD = re.compile(
    r"(?P<word>TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|SEVERE|CRITICAL|FATAL|PANIC|EMERG|ALERT|CRIT|ERR|LOG(?=:  )"
    r"|(?<=\[)(?:trace|debug|info|notice|warn|warning|error|crit|alert|emerg|fatal)(?=\])"
    r"|(?<=:)(?:debug|info|notice|warn|error|crit|alert|emerg)(?=\])"
    r"|(?:Trace|Debug|Info|Warning|Error|Critical|Fatal)(?= {2}|\t|:|\]|,))(?![A-Za-z_])"
)
_MARKED_LEVEL = re.compile(r"\[?[A-Za-z]{3,8}(?:\]|:\s)|\S+ [A-Z]{4,8}\s|\d{4}-")
_PIECE = re.compile(
    r"[\s\-|:>]*(?:\[[^\][]{0,100}(?:\[[^\][]{0,60}\][^\][]{0,60})?\](?:[:\s]|$)|\(\d{1,9}\)\s|\d{1,9}#\d{1,9}:|\d{1,9}\s(?=---|\[|[A-Z]{4}))"
)
_LOGGER = re.compile(
    r"[\s\-|:]*(?P<name>[A-Za-z_$][\w.$/\-]{0,120}(?::\d{1,6})?(?:\.\w+\(\))?)\s*(?: - |: | : |\] ?:? ?)(?=\S)"
)
_SYSLOG = re.compile(
    r"\s?(?P<host>[A-Za-z0-9_.\-/]{1,80}) (?P<program>[^\s\[\]:]{1,60})(?:\[(?P<pid>[\w.]{1,12})\])?: ?"
)
_RFC5424 = re.compile(r"<(?P<pri>\d{1,3})>(?:1 )?")
_RFC5424_REST = re.compile(
    r" (?P<host>\S{1,255}) (?P<app>\S{1,48}) (?P<pid>\S{1,128}) (?P<id>\S{1,32}) (?:-|(?:\[[^\]]*\])+) ?"
)
_KLOG_REST = re.compile(r"\s+\d{1,9} (?P<place>[\w./\-]{1,120}:\d{1,7})\] ?")
_CRI = re.compile(r" (?:stdout|stderr) [FP] ")
_COMPOSE = re.compile(r"(?P<name>[a-z0-9][a-z0-9_.\-]{0,60})\s{0,20}\| ")
_ACCESS = re.compile(r"(?P<client>\S{1,60}) \S{1,60} (?P<user>\S{1,60}) \[")
_REQUEST = re.compile(r'"(?P<request>[^"]{0,4096})" (?P<status>\d{3}) ')
_PYTHON_DEFAULT = re.compile(r"(?P<level>DEBUG|INFO|WARNING|ERROR|CRITICAL):(?P<name>[\w.]{1,120}):")
_PAIR = re.compile(r'([A-Za-z_@][\w.@\-]{0,60})=(?:"((?:[^"\\]|\\.){0,8192})"|(\S{0,1024}))')
_UPPER_HEAD = re.compile(
    r"\s*\[?(?P<word>TRACE|DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|SEVERE|CRITICAL|FATAL|PANIC)\]?(?=[\s:\-|\[])"
)


def parse_head(text: str, *, service: str, reference: datetime | None, zone: tzinfo) -> LogRecord:
    """Read one physical line; what has no header becomes a record with the line as its message."""
    start = len(text) - len(text.lstrip())
    level = Level.UNKNOWN
    if text.startswith("{", start):
        record = _json(text[start:], service=service, reference=reference, zone=zone)
        if record is not None:
            return record
    elif text.startswith("<", start) and (found := _RFC5424.match(text, start)):
        level = level_of_priority(int(found.group("pri")) % 8)
        start = found.end()
    elif (found := _COMPOSE.match(text, start)) and found.group("name") not in ("at", "info", "error"):
        return replace(
            parse_head(
                text[found.end() :] or " ", service=service or found.group("name"), reference=reference, zone=zone
            )
        )
    opened = start + 1 if text.startswith("[", start) else start
    timed = parse_time(text, start=opened, reference=reference, zone=zone)
    if timed is None:
        return _untimed(text, start, level=level, service=service, reference=reference, zone=zone)
    at, end = timed
    return _timed(text, at=at, start=start, end=end, level=level, service=service, reference=reference, zone=zone)


def _json(text: str, *, service: str, reference: datetime | None, zone: tzinfo) -> LogRecord | None:
    record = parse_json(text, service=service, zone=zone)
    if record is None or record.level is not Level.UNKNOWN or not record.message:
        return record
    if "stream" not in record.fields and "MESSAGE" not in text:
        return record
    # docker's json-file and journald carry the program's own line inside.
    inner = parse_head(record.message.rstrip("\n") or " ", service=record.service, reference=reference, zone=zone)
    return replace(inner, at=inner.at or record.at, fields=inner.fields or record.fields)


def _timed(
    text: str,
    *,
    at: datetime | None,
    start: int,
    end: int,
    level: Level,
    service: str,
    reference: datetime | None,
    zone: tzinfo,
) -> LogRecord:
    cri = _CRI.match(text, end)
    if cri is not None:
        end = cri.end() - 1
    following = text[end + 1 : end + 2] if end < len(text) else ""
    if following in "{[" and following and text.startswith(" ", end):
        # `kubectl logs --timestamps` and the container runtime put their own time before the program's line.
        record = parse_head(text[end + 1 :], service=service, reference=reference, zone=zone)
        if record.at is not None or following == "{":
            return replace(record, at=record.at or at)
    if cri is not None:
        record = parse_head(text[end + 1 :] or " ", service=service, reference=reference, zone=zone)
        return replace(record, at=record.at or at)
    if text[start] in "IWEFD" and (klog := _KLOG_REST.match(text, end)):
        return LogRecord(
            at=at,
            level=KLOG[text[start]],
            service=service,
            logger=klog.group("place"),
            message=text[klog.end() :][:MAX_MESSAGE],
        )
    if level is not Level.UNKNOWN and (rest := _RFC5424_REST.match(text, end)):
        return LogRecord(
            at=at,
            level=level,
            service=service or rest.group("app"),
            message=text[rest.end() :].lstrip("\ufeff")[:MAX_MESSAGE],
        )
    syslog = _SYSLOG.match(text, end)
    if (
        syslog is not None
        and (syslog.group("pid") or text[start].isalpha())
        and _is_program(syslog.group("program"), syslog.group("host"))
    ):
        # Behind a program's name a bare word like ALERT begins the message; a level has a colon or brackets.
        marked = _MARKED_LEVEL.match(text, syslog.end()) is not None
        inner = _after_header(text, syslog.end(), level=level) if marked else (level, "", text[syslog.end() :])
        return LogRecord(
            at=at, level=inner[0], service=service or syslog.group("program"), message=inner[2][:MAX_MESSAGE]
        )
    level, logger, message = _after_header(text, end, level=level)
    return LogRecord(at=at, level=level, service=service, logger=logger, message=message[:MAX_MESSAGE])


def _is_program(program: str, host: str) -> bool:
    return level_of_word(program) is Level.UNKNOWN and level_of_word(host) is Level.UNKNOWN and host not in ("-", "|")


def _after_header(text: str, end: int, *, level: Level) -> tuple[Level, str, str]:
    """Split what follows the time into level, logger and message, by stepping over the pieces headers are made of."""
    if text.startswith("]", end):
        end += 1
    logger = ""
    found = _LEVEL_WORD.search(text, end, end + 120)
    if found is not None and _in_header(text, end, found.start()):
        level = level_of_word(found.group("word"))
        before = text[end : found.start()].strip(" -|[]:,\t")
        logger = before if before and " " not in before and not before.isdigit() else ""
        end = found.end()
        if text.startswith("]", end):
            end += 1
    elif found is not None:
        found = None
    while (piece := _PIECE.match(text, end)) and piece.end() > end:
        end = piece.end()
        if end and text[end - 1 : end].isspace():
            end -= 1
    if found is not None:
        named = _LOGGER.match(text, end)
        # An all-capital word with a dash behind it is the message's own: `FOLLOWING - LEADER ELECTION TOOK`.
        if (
            named is not None
            and not named.group("name").isupper()
            and ("." in named.group("name") or text[named.end() - 3 : named.end()] in (" - ", " : "))
        ):
            logger, end = named.group("name"), named.end()
    return level, logger, text[end:].lstrip(" -|:,\t")


def _in_header(text: str, start: int, stop: int) -> bool:
    """Say whether only header pieces stand between the time and the level: brackets, numbers, one logger name."""
    between = re.sub(r"\[[^\][]{0,100}\]?|\d+", " ", text[start:stop])
    words = between.replace("-", " ").replace("|", " ").split()
    return len(words) <= 1


def _untimed(
    text: str, start: int, *, level: Level, service: str, reference: datetime | None, zone: tzinfo
) -> LogRecord:
    access = _ACCESS.match(text, start)
    if access is not None:
        timed = parse_time(text, start=access.end(), reference=reference, zone=zone)
        request = _REQUEST.search(text, access.end(), access.end() + 4200) if timed else None
        if timed is not None and request is not None:
            status = int(request.group("status"))
            return LogRecord(
                at=timed[0],
                level=Level.ERROR if status >= 500 else Level.WARNING if status >= 400 else Level.INFO,
                service=service,
                message=f"{request.group('request')} {text[request.end('request') + 2 :]}"[:MAX_MESSAGE],
                fields={"client": access.group("client"), "status": request.group("status")},
            )
    if "=" in text[:400]:
        pairs = _logfmt(text, start)
        if pairs is not None:
            record = _of_pairs(pairs, service=service, zone=zone)
            if record is not None:
                return record
    default = _PYTHON_DEFAULT.match(text, start)
    if default is not None:
        return LogRecord(
            level=level_of_word(default.group("level")),
            logger=default.group("name"),
            service=service,
            message=text[default.end() :][:MAX_MESSAGE],
        )
    word = _UPPER_HEAD.match(text, start)
    if word is not None:
        _, logger, message = _after_header(text, start, level=level)
        return LogRecord(
            level=level_of_word(word.group("word")), service=service, logger=logger, message=message[:MAX_MESSAGE]
        )
    return LogRecord(level=level, service=service, message=text[start:][:MAX_MESSAGE])


def _logfmt(text: str, start: int) -> dict[str, object] | None:
    first = _PAIR.match(text, start)
    if first is None:
        return None
    pairs: dict[str, object] = {}
    for key, quoted, bare in _PAIR.findall(text, start):
        pairs.setdefault(key, quoted.replace('\\"', '"').replace("\\n", "\n").replace("\\t", "\t") if quoted else bare)
        if len(pairs) >= 64:
            break
    return pairs


def _of_pairs(pairs: dict[str, object], *, service: str, zone: tzinfo) -> LogRecord | None:
    """Build a record from logfmt pairs; None where they hold neither a level nor a message key."""
    if not ({"level", "lvl", "severity"} & pairs.keys() and {"msg", "message", "event"} & pairs.keys()):
        return None
    return record_of(pairs, service=service, zone=zone)
