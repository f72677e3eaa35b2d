"""Reads what senders post: alerts and silences, each with everything that is wrong with it by field.

A member that is wrong does not keep the others out: they are returned beside the problems.
"""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

import msgspec

from stanch.alerts.intake.episodes import Episode
from stanch.alerts.intake.fingerprint import canonical, fingerprint
from stanch.alerts.intake.matchers import Matcher, Op
from stanch.alerts.intake.model import Received
from stanch.alerts.intake.silences import Silence
from stanch.kernel.errors import Invalid, Problem

MOST_LABELS: Final = 1000
MOST_BYTES: Final = 65_536
"""What the labels of one alert may take as JSON, and its annotations eight times; Prometheus sends a few hundred."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
# Clients that leave a time out send Go's zero time.
_ZERO: Final = datetime(1, 1, 1, tzinfo=UTC)
_MOST_PROBLEMS: Final = 20


class PostedAlert(msgspec.Struct, rename="camel"):
    """An alert as it is posted; fields that are not known are passed over."""

    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
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
    starts_at: datetime
    ends_at: datetime
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


def read_alerts(raw: bytes, *, now: datetime, resolve_timeout: timedelta) -> tuple[list[Received], list[Problem]]:
    """Return the alerts of a body that can be stored, and what is wrong with the others.

    Raises `Invalid` for a body that is no list, and `Unprocessable` when an alert has no `labels` at all.
    """
    problems: list[Problem] = []
    try:
        posted = list(enumerate(_alerts.decode(raw)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        posted = _one_by_one(raw, problems)
    at, timeout = (now - _EPOCH) // _MICRO, resolve_timeout // _MICRO
    received = []
    for number, one in posted:
        found = _checked(one, number, at, timeout, problems)
        if found is not None:
            received.append(found)
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
        except msgspec.ValidationError as error:
            message, _, path = str(error).partition(" - at `$")
            problems.append(Problem(field=f"[{number}]{path.rstrip('`')}", message=message))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problems.append(Problem(field=f"[{number}]", message=f"this is not JSON: {error}"))
        except RecursionError:
            problems.append(Problem(field=f"[{number}]", message="this is nested too deeply"))
    return found


def _checked(posted: PostedAlert, number: int, at: int, timeout: int, problems: list[Problem]) -> Received | None:
    labels, annotations = posted.labels, posted.annotations or {}
    if labels is None:
        raise Unprocessable(f"[{number}].labels is required")
    if "" in labels.values():
        labels = {name: value for name, value in labels.items() if value}
    text = canonical(labels)
    if not labels or "" in labels or len(labels) > MOST_LABELS or len(text) > MOST_BYTES:
        problems.append(Problem(field=f"[{number}].labels", message=_label_trouble(labels)))
        return None
    note = canonical(annotations)
    if len(note) > 8 * MOST_BYTES:
        message = f"is {len(note)} bytes; at most {8 * MOST_BYTES} are kept"
        problems.append(Problem(field=f"[{number}].annotations", message=message))
        return None
    episode = _episode(posted, number, at, timeout, problems)
    if episode is None:
        return None
    url = posted.generator_url or ""
    digest = blake2b(note, digest_size=8, key=url.encode()[:64]) if url else blake2b(note, digest_size=8)
    return Received(
        fingerprint=fingerprint(text),
        canonical=text,
        labels=labels,
        annotations=note,
        generator_url=url,
        note=int.from_bytes(digest.digest(), "little", signed=True),
        episode=episode,
    )


def _label_trouble(labels: dict[str, str]) -> str:
    if not labels:
        return "at least one label pair required"
    if "" in labels:
        return "the name of a label is empty"
    if len(labels) > MOST_LABELS:
        return f"there are {len(labels)} labels; at most {MOST_LABELS} are kept"
    return f"the labels take more than {MOST_BYTES} bytes"


def _episode(posted: PostedAlert, number: int, at: int, timeout: int, problems: list[Problem]) -> Episode | None:
    starts_at = _micros(posted.starts_at, f"[{number}].startsAt", problems)
    ends_at = _micros(posted.ends_at, f"[{number}].endsAt", problems)
    if starts_at is False or ends_at is False:
        return None
    if starts_at is None:
        starts_at = at if ends_at is None else ends_at
    if ends_at is None:
        if at + timeout < starts_at:
            problems.append(Problem(field=f"[{number}].endsAt", message="start time must be before end time"))
            return None
        return Episode(starts_at, at + timeout, True)
    if ends_at < starts_at:
        problems.append(Problem(field=f"[{number}].endsAt", message="start time must be before end time"))
        return None
    return Episode(starts_at, ends_at, False)


def _micros(instant: datetime | None, field: str, problems: list[Problem]) -> int | bool | None:
    """Return microseconds since 1970, None for no time, False after noting what is wrong."""
    if instant is None:
        return None
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    if instant == _ZERO:
        return None
    micros = (instant - _EPOCH) // _MICRO
    if micros < 0:
        problems.append(Problem(field=field, message="lies before 1970"))
        return False
    return micros


def read_silence(raw: bytes, *, now: datetime) -> Silence:
    """Return the silence in a body; its id is empty when it is to be a new one.

    Raises `Invalid`, and `Unprocessable` when something that must be there is not.
    """
    try:
        posted = _silence.decode(raw)
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
            raise Invalid(error.message, field=f"matchers[{number}].value") from error
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


def _instant(instant: datetime, field: str) -> datetime:
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    if instant < _EPOCH:
        raise Invalid("lies before 1970", field=field)
    # An offset can reach beyond the last year there is.
    if (instant - _EPOCH) // _MICRO > 253_402_300_799_999_999:
        raise Invalid("lies after the year 9999", field=field)
    return instant.astimezone(UTC)


def told(problems: list[Problem]) -> str:
    """Return problems as one line for the sender, the first twenty of them."""
    lines = [f"{problem.field}: {problem.message}" for problem in problems[:_MOST_PROBLEMS]]
    if len(problems) > _MOST_PROBLEMS:
        lines.append(f"and {len(problems) - _MOST_PROBLEMS} more")
    return "; ".join(lines)
