"""Reads what senders post: alerts and silences, each with everything that is wrong with it by field.

A member that is wrong does not keep the others out: they are returned beside the problems.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from stanch.alerts.intake.fingerprint import canonical, read_labels
from stanch.alerts.intake.matchers import Matcher, Op
from stanch.alerts.intake.model import Received
from stanch.alerts.intake.recognition import Recognition
from stanch.alerts.intake.silences import Silence
from stanch.kernel.errors import Invalid, Problem
from stanch.kernel.jsontext import without_half_characters

MOST_LABELS: Final = 1000
MOST_BYTES: Final = 65_536
"""What the labels of one alert may take as JSON, and its annotations eight times; Prometheus sends a few hundred."""

# A text so short has fewer labels than are allowed: each takes at least 6 bytes.
_SHORT: Final = 4096
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
# Clients that leave a time out send Go's zero time.
_ZERO: Final = datetime(1, 1, 1, tzinfo=UTC)
_MOST_PROBLEMS: Final = 20
_MOST_NOTES: Final = 8 * MOST_BYTES
_LONGEST_URL: Final = 8192
_MOST_INSTANTS: Final = 10_000
# The last microsecond of the year 9999; an offset can reach beyond it.
_LAST: Final = 253_402_300_799_999_999


class PostedAlert(msgspec.Struct, rename="camel", gc=False):
    """An alert as it is posted; fields that are not known are passed over. Times are read one step later."""

    labels: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    annotations: msgspec.Raw = msgspec.field(default_factory=msgspec.Raw)
    starts_at: str | None = None
    ends_at: str | None = None
    generator_url: str | None = msgspec.field(default=None, name="generatorURL")


class PostedMatcher(msgspec.Struct, rename="camel"):
    """A matcher of a posted silence."""

    name: str
    value: str
    is_regex: bool
    is_equal: bool | None = None


class PostedSilence(msgspec.Struct, rename="camel"):
    """A silence as it is posted."""

    matchers: list[PostedMatcher]
    starts_at: str
    ends_at: str
    created_by: str
    comment: str
    id: str | None = None
    annotations: dict[str, str] | None = None


class Unprocessable(Exception):
    """What was posted lacks something that must be there; answered 422, as Alertmanager does."""


_alerts: Final = msgspec.json.Decoder(list[PostedAlert])
_apart: Final = msgspec.json.Decoder(list[msgspec.Raw])
_alert: Final = msgspec.json.Decoder(PostedAlert)
_silence: Final = msgspec.json.Decoder(PostedSilence)


class _Wrong(Exception):
    """One alert cannot be stored: the field below it, and why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def read_alerts(
    raw: bytes, *, now: datetime, resolve_timeout: timedelta, recognition: Recognition | None = None
) -> tuple[list[Received], list[Problem]]:
    """Return the alerts of a body that can be stored, and what is wrong with the others.

    Raises `Invalid` for a body that is no list, and `Unprocessable` when an alert has no `labels` at all.
    """
    problems: list[Problem] = []
    try:
        posted: Iterable[tuple[int, PostedAlert]] = enumerate(_alerts.decode(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        posted = _one_by_one(without_half_characters(raw), problems)
    at, timeout = (now - _EPOCH) // _MICRO, resolve_timeout // _MICRO
    check = _checker(recognition or Recognition(), at, timeout)
    received = []
    for number, one in posted:
        try:
            received.append(check(one))
        except _Absent:
            raise Unprocessable(f"[{number}].labels is required") from None
        except _Wrong as wrong:
            problems.append(Problem(field=f"[{number}].{wrong.field}", message=str(wrong)))
    return received, problems


def _one_by_one(raw: bytes, problems: list[Problem]) -> list[tuple[int, PostedAlert]]:
    """Return the members that can be read, by their place in the list."""
    try:
        members = _apart.decode(raw)
    except msgspec.ValidationError as error:
        raise Invalid(f"send a list of alerts: {error}", field="body") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"this is not JSON: {error}", field="body") from error
    except RecursionError:
        raise Invalid("this is nested too deeply", field="body") from None
    found = []
    for number, member in enumerate(members):
        try:
            found.append((number, _alert.decode(member)))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            path, message = _told_apart(error)
            problems.append(Problem(field=f"[{number}]{path}", message=message))
    return found


def _told_apart(error: Exception) -> tuple[str, str]:
    """Return where in a member something is wrong (`.startsAt`, empty for the whole) and what."""
    if isinstance(error, RecursionError):
        return "", "this is nested too deeply"
    if not isinstance(error, msgspec.ValidationError):
        return "", f"this is not JSON: {error}"
    message, _, path = str(error).partition(" - at `$")
    return path.rstrip("`"), message


class _Absent(Exception):
    """There are no labels."""


def _checker(known: Recognition, at: int, timeout: int) -> Callable[[PostedAlert], Received]:
    """Return what checks an alert that was received at `at`, in microseconds.

    This runs for every alert, thousands of times a second, so what is usual happens here without further calls.
    """
    secret, ids, notes, instants = known.secret, known.ids, known.notes, _instants

    def check(posted: PostedAlert) -> Received:
        raw, told = posted.labels, posted.annotations
        url = posted.generator_url or ""
        keyed = secret + raw
        said = hash(keyed)
        id = ids.get(said, 0)
        labels = {} if id else _labels(raw, keyed)
        noted = hash(secret + told) ^ hash(url)
        note = notes.get(noted)
        if note is None:
            note = _note(told, url, known, noted)
        # Most times were read a moment ago.
        start = instants.get(posted.starts_at)
        if start is None:
            start = _read_instant(posted.starts_at or "", "startsAt")
        end = instants.get(posted.ends_at)
        if end is None:
            end = _read_instant(posted.ends_at or "", "endsAt")
        assumed = end == _ABSENT
        if start == _ABSENT:
            start = at if assumed else end
        if assumed:
            end = at + timeout
        if end < start:
            raise _Wrong("endsAt", "start time must be before end time")
        return Received(said, id, raw, told, url, note, start, end, assumed, labels)

    return check


_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""A NUL as JSON writes it, which PostgreSQL cannot keep; not the six characters that look like one."""


def _has_nul(text: bytes) -> bool:
    # The expression tries every byte, 15 us an alert; that the six characters are nowhere takes half of one.
    return b"\\u0000" in text and _NUL.search(text) is not None


def _labels(raw: msgspec.Raw, text: bytes) -> dict[str, str]:
    """Return labels that have been checked; `text` ends with what is in `raw`, whatever is before it."""
    try:
        labels = read_labels(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if not bytes(raw):
            raise _Absent from None
        path, message = _told_apart(error)
        raise _Wrong(f"labels{path}", message) from None
    if not labels:
        if labels is None:
            raise _Absent
        raise _Wrong("labels", "at least one label pair required")
    if len(text) > _SHORT or b'""' in text or b"\\u0000" in text:
        return _checked(labels)
    return labels


def _checked(labels: dict[str, str]) -> dict[str, str]:
    text = canonical(labels)
    if _has_nul(text):
        raise _Wrong("labels", "a NUL character cannot be kept")
    if "" in labels:
        raise _Wrong("labels", "the name of a label is empty")
    if "" in labels.values():
        # A label with an empty value is as good as not there.
        labels = {name: value for name, value in labels.items() if value}
        if not labels:
            raise _Wrong("labels", "at least one label pair required")
        text = canonical(labels)
    if len(labels) > MOST_LABELS:
        raise _Wrong("labels", f"there are {len(labels)} labels; at most {MOST_LABELS} are kept")
    if len(text) > MOST_BYTES:
        raise _Wrong("labels", f"the labels take more than {MOST_BYTES} bytes")
    return labels


def _note(raw: msgspec.Raw, url: str, known: Recognition, noted: int) -> int:
    text = bytes(raw)
    if len(text) > _MOST_NOTES:
        raise _Wrong("annotations", f"they take more than {_MOST_NOTES} bytes")
    if _has_nul(text):
        raise _Wrong("annotations", "a NUL character cannot be kept")
    if "\0" in url:
        raise _Wrong("generatorURL", "a NUL character cannot be kept")
    if len(url) > _LONGEST_URL:
        raise _Wrong("generatorURL", f"is longer than {_LONGEST_URL} characters")
    try:
        return known.note_of(text, url, noted)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        path, message = _told_apart(error)
        raise _Wrong(f"annotations{path}", message) from None


_ABSENT: Final = -1
_instants: dict[str | None, int] = {None: _ABSENT, "": _ABSENT}
"""Times that were read lately, in microseconds since 1970: within a batch most are the same."""


def _read_instant(text: str, field: str) -> int:
    """Return microseconds since 1970, `_ABSENT` for Go's zero time, and remember it."""
    instant = _parsed(text)
    if instant is None:
        raise _Wrong(field, f"{text[:40]!r} {_NO_TIME}")
    micros = _ABSENT if instant == _ZERO else (instant - _EPOCH) // _MICRO
    if micros < 0 and instant != _ZERO:
        raise _Wrong(field, "lies before 1970")
    if micros > _LAST:
        raise _Wrong(field, "lies after the year 9999")
    if len(_instants) >= _MOST_INSTANTS:
        _instants.clear()
        _instants.update({None: _ABSENT, "": _ABSENT})
    _instants[text] = micros
    return micros


_NO_TIME: Final = "is no time; write 2026-11-21T14:30:00Z"
_FINER: Final = re.compile(r"(\.\d{6})\d+")


def _parsed(text: str) -> datetime | None:
    """Return the time in `text`, None where it is none. What is finer than a microsecond is cut off.

    It is not rounded: rounded up, the last nanosecond of the year 9999, by which some say never, would be no time.
    """
    try:
        instant = msgspec.convert(_FINER.sub(r"\1", text), datetime)
    except msgspec.ValidationError:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant


def read_silence(raw: bytes, *, now: datetime) -> Silence:
    """Return the silence in a body; its id is empty when it is to be a new one.

    Raises `Invalid`, and `Unprocessable` when something that must be there is not.
    """
    try:
        posted = _silence.decode(without_half_characters(raw))
    except msgspec.ValidationError as error:
        message, _, path = str(error).partition(" - at `$")
        if "missing required field" in message:
            raise Unprocessable(f"{message.split('`')[1]} in body is required") from error
        raise Invalid(message, field=path.strip("`").lstrip(".") or "body") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Invalid(f"this is not JSON: {error}", field="body") from error
    except RecursionError:
        raise Invalid("this is nested too deeply", field="body") from None
    matchers = []
    for number, one in enumerate(posted.matchers):
        try:
            matchers.append(Matcher(name=one.name, value=one.value, op=_op(one)))
        except Invalid as error:
            place = f"matchers[{number}].value"
            raise Invalid(f"{place} of {one.name[:100]!r}: {error.message}", field=place) from error
    return Silence(
        id=posted.id or "",
        matchers=tuple(matchers),
        starts_at=_instant(posted.starts_at, "startsAt"),
        ends_at=_instant(posted.ends_at, "endsAt"),
        updated_at=now,
        created_by=posted.created_by,
        comment=posted.comment,
        annotations=posted.annotations or {},
    )


def _op(posted: PostedMatcher) -> Op:
    if posted.is_equal is False:
        return Op.NOT_REGEX if posted.is_regex else Op.NOT_EQUAL
    return Op.REGEX if posted.is_regex else Op.EQUAL


def _instant(text: str, field: str) -> datetime:
    instant = _parsed(text)
    if instant is None:
        raise Invalid(f"{field}: {text[:40]!r} {_NO_TIME}", field=field)
    if instant < _EPOCH:
        raise Invalid(f"{field}: lies before 1970", field=field)
    if (instant - _EPOCH) // _MICRO > _LAST:
        raise Invalid(f"{field}: lies after the year 9999", field=field)
    return instant.astimezone(UTC)


def told(problems: list[Problem]) -> str:
    """Return problems as one line for the sender, the first twenty of them."""
    lines = [f"{problem.field}: {problem.message}" for problem in problems[:_MOST_PROBLEMS]]
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"and {len(problems) - _MOST_PROBLEMS} more")
    return "; ".join(lines)
