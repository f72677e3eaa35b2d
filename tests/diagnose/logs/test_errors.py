"""Failures of one kind form one group."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from stanch.diagnose.logs.errors import ErrorGroup, ErrorGrouper
from stanch.diagnose.logs.model import ExceptionInfo, Frame, Level, LogRecord

NOON = datetime(2026, 6, 20, 12, 0, 30, tzinfo=UTC)


def group_errors(records: Iterable[LogRecord]) -> list[ErrorGroup]:
    """Group the failures among some records."""
    grouper = ErrorGrouper()
    for record in records:
        grouper.add(record)
    return grouper.groups()


def failure(*, minute: int = 0, line: int = 42, message: str = "no card 17", version: str = "v1") -> LogRecord:
    """Build a failure of the payment client at a minute after noon."""
    frames = (
        Frame(file="/srv/app/pay.py", line=line, function="charge"),
        Frame(file="/usr/lib/python3.11/site-packages/x.py", line=3, function="send"),
    )
    return LogRecord(
        message="request failed",
        at=NOON + timedelta(minutes=minute),
        level=Level.ERROR,
        service="payment",
        version=version,
        exception=ExceptionInfo(type="TypeError", message=message, frames=frames),
    )


def test_one_kind_is_one_group() -> None:
    """Neither the line number nor a value in the message makes another group."""
    (group,) = group_errors([failure(), failure(minute=2, line=44, message="no card 18")])

    assert (2, "TypeError: no card 18") == (group.count, group.title)


def test_the_culprit_is_the_applications_frame() -> None:
    """The culprit is the innermost frame outside the libraries."""
    (group,) = group_errors([failure()])

    assert "/srv/app/pay.py:42 in charge" == str(group.culprit)


def test_counts_by_minute_and_span() -> None:
    """A group knows its first and last time and its count in each minute."""
    (group,) = group_errors([failure(minute=3), failure(), failure()])
    start = NOON.replace(second=0)

    assert (NOON, NOON + timedelta(minutes=3), {start: 2, start + timedelta(minutes=3): 1}) == (
        group.first_seen,
        group.last_seen,
        dict(group.per_minute),
    )


def test_versions_are_kept_in_order() -> None:
    """A group lists the versions it was seen in."""
    (group,) = group_errors([failure(version="v1"), failure(version="v2"), failure(version="v1")])

    assert ("v1", "v2") == group.versions


def test_words_tell_messages_apart() -> None:
    """Failures without an exception group by their words, not by their values."""
    texts = ["timeout after 30 ms", "timeout after 31 ms", "connection refused"]
    groups = group_errors(LogRecord(message=text, level=Level.ERROR) for text in texts)

    assert [2, 1] == [group.count for group in groups]


def test_what_is_no_failure_is_no_group() -> None:
    """Information and warnings without an exception form no group."""
    assert [] == group_errors([LogRecord(message="x", level=Level.WARNING)])
