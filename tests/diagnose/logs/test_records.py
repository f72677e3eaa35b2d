"""Log text becomes records: headers of many programs, JSON lines, and traces over several lines."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.diagnose.logs.model import MAX_FRAMES, Level, LogRecord
from stanch.diagnose.logs.records import parse_line, read_records

NOON = datetime(2026, 6, 20, 13, 53, tzinfo=UTC)
REFERENCE = datetime(2026, 7, 1, tzinfo=UTC)


def parsed(line: str) -> LogRecord:
    """Parse a line that must not be blank."""
    record = parse_line(line, reference=REFERENCE)
    assert record is not None
    return record


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        ("2026-06-20 13:53:00,000 - shop.pay - ERROR - no card", Level.ERROR, "no card"),
        ("2026-06-20 13:53:00,000 INFO  [main] c.e.Foo - done in 3 ms", Level.INFO, "done in 3 ms"),
        ("2026-06-20T13:53:00.000Z  INFO 1 --- [main] c.e.Foo : Started", Level.INFO, "Started"),
        ("[2026-06-20 13:53:00 +0000] [123] [INFO] Listening", Level.INFO, "Listening"),
        ("E0620 13:53:00.000000       1 controller.go:42] failed: x", Level.ERROR, "failed: x"),
        ("Jun 20 13:53:00 web1 sshd[123]: Failed password", Level.UNKNOWN, "Failed password"),
        ("<34>1 2026-06-20T13:53:00.000Z host su - ID47 - su failed", Level.FATAL, "su failed"),
        ("2026/06/20 13:53:00 [error] 31#31: *1 connect() failed", Level.ERROR, "*1 connect() failed"),
        ("[Sat Jun 20 13:53:00.00 2026] [core:error] [pid 3] No file", Level.ERROR, "No file"),
        ("2026-06-20 15:53:00+02:00 WARNING slow", Level.WARNING, "slow"),
        ('time="2026-06-20T13:53:00Z" level=error msg="it \\"broke\\""', Level.ERROR, 'it "broke"'),
        ("2026-06-20T13:53:00.000000000Z stderr F ERROR: x", Level.ERROR, "x"),
        ("web-1  | 2026-06-20 13:53:00 WARNING slow thing", Level.WARNING, "slow thing"),
        ("13:53:00.000 [main] ERROR c.e.F - x", Level.ERROR, "x"),
        ("2026-06-20 13:53:00 starting the ERROR handler", Level.UNKNOWN, "starting the ERROR handler"),
        ('{"ts": 1781963580, "severity": "warn", "msg": "slow"}', Level.WARNING, "slow"),
        ('{"@timestamp": "2026-06-20T13:53:00Z", "level": "INFO", "message": "up"}', Level.INFO, "up"),
        ('{"level": 50, "time": 1781963580000, "msg": "bad"}', Level.ERROR, "bad"),
        ('2026-06-20T13:53:00Z {"level": "error", "msg": "bad"}', Level.ERROR, "bad"),
        ('{"log": "ERROR bad\\n", "stream": "stderr", "time": "2026-06-20T13:53:00Z"}', Level.ERROR, "bad"),
        ('{"__REALTIME_TIMESTAMP": "1781963580000000", "MESSAGE": "oops", "PRIORITY": "4"}', Level.WARNING, "oops"),
    ],
)
def test_a_header_is_split_from_its_message(line: str, level: Level, message: str) -> None:
    """The common headers give the same instant in UTC, their level, and the message without the header."""
    record = parsed(line)
    if not line.startswith("13:") and record.at is not None:
        assert NOON == record.at
    assert record.at is None or record.at.tzinfo is UTC

    assert (level, message) == (record.level, record.message)


def test_the_clock_alone_takes_the_nearest_day() -> None:
    """A time without a date falls on the day that brings it closest to the reference."""
    record = parse_line("23:59:59.500 [main] INFO a.b - x", reference=REFERENCE)
    assert record is not None

    assert datetime(2026, 6, 30, 23, 59, 59, 500_000, tzinfo=UTC) == record.at


def test_a_year_is_not_guessed() -> None:
    """Syslog has no year; without a reference the record has no time."""
    record = parse_line("Jun 20 13:53:00 web1 sshd[1]: x")
    assert record is not None

    assert record.at is None


def test_service_and_version_come_from_the_line() -> None:
    """A structured line names its service and version under the keys of several conventions."""
    line = '{"msg": "x", "service.name": "cart", "service.version": "3.2.1", "region": "eu"}'
    record = parsed(line)

    assert ("cart", "3.2.1", "eu") == (record.service, record.version, record.fields["region"])


PYTHON = """\
2026-06-20 13:53:00,000 ERROR shop.app: request failed
Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/flask/app.py", line 1511, in wsgi_app
    response = self.full_dispatch_request()
               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/shop/payment/client.py", line 42, in charge
    return card["token"]["id"]
TypeError: 'NoneType' object is not subscriptable
"""
JAVA = """\
2026-06-20 13:53:00,000 ERROR [main] c.e.Foo - request failed
java.lang.IllegalStateException: outer
\tat com.example.web.Ctl.handle(Ctl.java:33)
Caused by: java.sql.SQLException: pool empty
\tat com.zaxxer.hikari.Pool.get(Pool.java:12)
\tat com.example.Dao.load(Dao.java:77)
\t... 12 more
"""
NODE = """\
/app/server.js:12
    throw new Error("x")
    ^

TypeError: Cannot read properties of undefined (reading 'id')
    at charge (/app/src/pay.js:10:15)
    at async Router.handle (/app/node_modules/express/lib/router.js:1:2)
"""
GO = """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x45]

goroutine 18 [running]:
runtime.gopanic({0x1, 0x2})
\t/usr/local/go/src/runtime/panic.go:884 +0x212
main.(*Server).Charge(0x0, {0xc000, 0x3})
\t/app/services/payment/charge.go:42 +0x1d
created by net/http.(*Server).Serve in goroutine 1
\t/usr/local/go/src/net/http/server.go:3086 +0x5cb
"""


@pytest.mark.parametrize(
    ("trace", "title", "culprit"),
    [
        (PYTHON, "TypeError: 'NoneType' object is not subscriptable", "/srv/shop/payment/client.py:42 in charge"),
        (JAVA, "java.sql.SQLException: pool empty", "Dao.java:77 in com.example.Dao.load"),
        (NODE, "TypeError: Cannot read properties of undefined (reading 'id')", "/app/src/pay.js:10 in charge"),
        (
            GO,
            "runtime error: invalid memory address or nil pointer dereference",
            "/app/services/payment/charge.go:42 in main.(*Server).Charge",
        ),
    ],
)
def test_a_trace_over_several_lines_is_one_record(trace: str, title: str, culprit: str) -> None:
    """The lines of a trace join the record they belong to, and name the application's innermost frame."""
    lines = ["2026-06-20 13:52:59 INFO up", *trace.splitlines(), "2026-06-20 13:53:01 INFO next"]
    first, middle, last = read_records(lines)
    assert middle.exception is not None

    assert ("up", title, culprit, "next") == (
        first.message,
        middle.exception.title,
        str(middle.exception.culprit),
        last.message,
    )


def test_a_bare_trace_happened_when_the_line_before_it_did() -> None:
    """An uncaught exception has no time of its own and takes that of the line before."""
    _, crash = read_records(["2026-06-20 13:53:00 INFO up", *PYTHON.splitlines()[1:]])

    assert NOON == crash.at


def test_a_wrapped_cause_is_the_exception() -> None:
    """With `raise X from Y` the record is about Y, and tells that X wraps it."""
    text = (
        "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 'x'\n\n"
        "The above exception was the direct cause of the following exception:\n\n"
        'Traceback (most recent call last):\n  File "b.py", line 2, in g\nshop.errors.Bad: failed\n'
    )
    record = parsed(text)
    assert record.exception is not None

    assert ("KeyError", ("shop.errors.Bad",)) == (record.exception.type, record.exception.wrapped_by)


_FRAME = '{"filename": "D.java", "lineno": 3, "name": "c.D.e"}'


def _error(pairs: str) -> str:
    return '{"level": "error", "msg": "x", ' + pairs + "}"


@pytest.mark.parametrize(
    "line",
    [
        _error('"exception": {"type": "A.B", "message": "m", "stacktrace": "A.B: m\\n\\tat c.D.e(D.java:3)"}'),
        _error('"error.type": "A.B", "error.message": "m", "error.stack_trace": "A.B: m\\n\\tat c.D.e(D.java:3)"'),
        _error('"stack_trace": "A.BException: m\\n\\tat c.D.e(D.java:3)"'),
        _error('"error": "m", "stacktrace": "c.D.e\\n\\tD.java:3"'),
        _error('"exception": [{"exc_type": "B", "exc_value": "m", "frames": [' + _FRAME + "]}]"),
    ],
)
def test_a_structured_exception_has_its_frames(line: str) -> None:
    """The conventions for exceptions in JSON lines all give the message and the frame that raised."""
    record = parsed(line)
    assert record.exception is not None

    assert ("m", "D.java:3 in c.D.e") == (record.exception.message, str(record.exception.innermost))


@given(st.binary(max_size=400))
def test_any_bytes_are_read(raw: bytes) -> None:
    """No bytes make the parser raise."""
    record = parse_line(raw, reference=REFERENCE)

    assert record is None or isinstance(record.message, str)


_ALPHABET = st.sampled_from(
    ["\n", "\t", " ", "at ", "{", "}", "[", "]", '"', ":", "=", "Error", "Traceback (most recent call last):\n", "1",
     "2026-06-20T13:53:00", "Caused by: ", "goroutine 1 [", "panic: ", 'File "a", line 3, in f', "(", ")", "a.b.C",
     '{"time":', "1e999", "NaN", "level=error msg=", "\x00", "\ud800", "| ", "-", "Jun 31 99:99:99", "<34>1 ", "…"]
)  # fmt: skip


@given(st.lists(_ALPHABET, max_size=40).map("".join))
def test_anything_like_a_log_is_read(text: str) -> None:
    """Pieces of logs in any order neither raise nor lose a stream's last line."""
    parse_line(text, reference=REFERENCE)
    records = list(read_records(text.split("\n"), reference=REFERENCE))

    assert bool(records) == bool(text.replace("\x00", "").strip()) or "\x00" in text or text.isspace()


def test_deep_json_is_plain_text() -> None:
    """A line that nests too deep for the JSON reader is read as text."""
    record = parsed('{"a":' * 100_000)

    assert record.message.startswith('{"a":')


def test_a_runaway_trace_is_cut() -> None:
    """A trace that never ends costs no more than the bound of one record."""
    lines = ["ERROR x", "Traceback (most recent call last):"] + ['  File "a.py", line 3, in f'] * 100_000
    (record,) = read_records(lines)
    assert record.exception is not None

    assert len(record.exception.frames) <= MAX_FRAMES


def test_a_json_line_with_a_trace_does_not_take_the_next_one() -> None:
    """The trace inside a JSON line is whole: what follows is a record of its own."""
    trace = 'Traceback (most recent call last):\\n  File \\"a.py\\", line 1, in f\\nTypeError: no\\n'
    lines = [
        f'{{"ts": "2026-03-04T14:30:00Z", "level": "error", "message": "failed", "stacktrace": "{trace}"}}',
        '{"ts": "2026-03-04T14:30:01Z", "level": "info", "message": "answered"}',
    ]

    assert ["failed", "answered"] == [record.message for record in read_records(lines)]
