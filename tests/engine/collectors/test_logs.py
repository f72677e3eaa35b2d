"""Log files as findings: new errors, lines that changed, rotated and compressed parts, and broken files."""

import gzip
import json
import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from stanch.catalog.model import Service
from stanch.engine.collectors import LogsCollector
from stanch.engine.collectors.logfile import Budget, lines_since
from stanch.operations.diagnosing import question_of
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Signal
from tests.engine.crew import ONSET, START, declare, shop, state_of

TRACE = (
    "Traceback (most recent call last):\n"
    '  File "/srv/shop/shoplib/server.py", line 94, in answer\n    status, body = handler(request)\n'
    '  File "/srv/shop/payments/service.py", line 31, in pay\n    card = validation.card_of(order)\n'
    '  File "/srv/shop/payments/validation.py", line 12, in card_of\n    saved = order["account"]["saved_card"]\n'
    "TypeError: 'NoneType' object is not subscriptable\n"
)


def line(second: float, *, error: bool = False, message: str = "POST /payments answered") -> str:
    """Return a line of the log of payments, `second` after the onset."""
    at = (ONSET + timedelta(seconds=second)).isoformat().replace("+00:00", "Z")
    record: dict[str, object] = {
        "ts": at,
        "level": "info",
        "service": "payments",
        "version": "v3.2.1",
        "message": message,
    }
    if error:
        record |= {"level": "error", "message": "POST /payments failed"}
        record["exception"] = {
            "type": "TypeError",
            "message": "'NoneType' object is not subscriptable",
            "stacktrace": TRACE,
        }
    return json.dumps(record)


def usual(start: int = -300, end: int = 120) -> list[str]:
    """Return a line a second."""
    return [line(second) for second in range(start, end)]


def broken() -> list[str]:
    """Return a log in which every second request fails after the onset."""
    return [line(second, error=second > 0 and second % 2 == 0) for second in range(-300, 120)]


def shop_with_log(world: World, folder: Path, pattern: str = "payments.log") -> World:
    """Return the world with a log of payments below a folder."""
    payments = Service(name="payments", depends_on=("acquirer",), logs=(pattern,))
    return replace(world, catalog=shop(root=str(folder), payments=payments))


def write(path: Path, lines: Iterable[str]) -> None:
    """Write a log."""
    path.write_text("".join(f"{each}\n" for each in lines))


def findings(world: World, *, seconds: float = 12.0) -> list[Finding]:
    """Return what the collector finds for an incident of checkout."""
    number = declare(world)
    question = question_of(state_of(world, number), world, now=START)
    return LogsCollector(world, seconds=seconds).collect(question)


def error_of(found: list[Finding]) -> Signal:
    """Return the first error of the first finding."""
    return found[0].signals[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder for logs."""
    return tmp_path


def test_a_new_error_is_told_with_its_count(world: World, folder: Path) -> None:
    """Fifty-nine new failures are one group with the count, and nothing in the time before."""
    write(folder / "payments.log", broken())
    found = error_of(findings(shop_with_log(world, folder)))

    assert (59.0, 0.0) == (found.value, found.normal)


def test_the_sentence_reads_as_people_speak(world: World, folder: Path) -> None:
    """What people read has service, error, count, start, version and place."""
    write(folder / "payments.log", broken())
    summary = findings(shop_with_log(world, folder))[0].summary

    assert (
        "payments: TypeError: 'NoneType' object is not subscriptable, 59 times since 02:58:02Z, never before in the"
        " window; all in version v3.2.1; at payments/validation.py:12 in card_of"
    ) == summary


def test_the_signal_carries_the_trace(world: World, folder: Path) -> None:
    """The place the trace ends and the files it runs through are there for the ranking."""
    write(folder / "payments.log", broken())
    data = error_of(findings(shop_with_log(world, folder))).data

    assert ("/srv/shop/payments/validation.py:12 in card_of", 3) == (data["culprit"], len(data["files"] or ()))  # type: ignore[arg-type]


def test_new_kinds_of_lines_are_told(world: World, folder: Path) -> None:
    """A kind of line that appears with the onset is a finding of its own."""
    write(folder / "payments.log", [*usual(), *(line(s, message="ledger is out of balance") for s in range(1, 100))])
    found = findings(shop_with_log(world, folder))

    assert ["new"] == [each.data["change"] for each in found[1].signals if "ledger" in each.text]


def test_a_calm_log_says_so(world: World, folder: Path) -> None:
    """Without new errors the finding is ok, and says how many lines were read."""
    write(folder / "payments.log", usual())
    (found,) = findings(shop_with_log(world, folder))

    assert (FindingStatus.OK, True) == (found.status, "no new errors in 135 lines" in found.summary)


def test_silence_is_no_data(world: World, folder: Path) -> None:
    """A log that ends before the onset is "no data", not calm."""
    write(folder / "payments.log", usual(end=-60))

    assert FindingStatus.NO_DATA is findings(shop_with_log(world, folder))[0].status


def test_a_missing_log_is_a_failed_look(world: World, folder: Path) -> None:
    """A file that is not there is told, with the pattern."""
    (found,) = findings(shop_with_log(world, folder))

    assert (FindingStatus.FAILED, "payments: there is no log file payments.log") == (found.status, found.summary)


def test_an_unreadable_log_is_a_failed_look(world: World, folder: Path) -> None:
    """A compressed file that is none is told with the reason."""
    (folder / "payments.log.gz").write_bytes(b"\x1f\x8b but no more")
    (found,) = findings(shop_with_log(world, folder, "payments.log.gz"))

    assert FindingStatus.FAILED is found.status


def test_a_service_without_a_log_is_passed_over(world: World) -> None:
    """Where no log is named there is no finding."""
    assert [] == findings(replace(world, catalog=shop()))


def test_rotated_and_compressed_parts_are_read(world: World, folder: Path) -> None:
    """What was rotated away within the window counts to the time before."""
    old = folder / "payments.log.1.gz"
    old.write_bytes(gzip.compress("".join(f"{each}\n" for each in broken()[:150]).encode()))
    os.utime(old, (START.timestamp(), START.timestamp()))
    write(folder / "payments.log", broken()[150:])
    data = findings(shop_with_log(world, folder))[0].data

    assert (285, 135) == (data["lines_before"], data["lines_after"])


def test_a_rotated_part_is_read_once(world: World, folder: Path) -> None:
    """A pattern that also names the rotated file does not count it twice."""
    write(folder / "payments.log.1", usual(end=-100))
    os.utime(folder / "payments.log.1", (START.timestamp(), START.timestamp()))
    write(folder / "payments.log", usual(start=-100))
    data = findings(shop_with_log(world, folder, "payments.log*"))[0].data

    assert (285, 135) == (data["lines_before"], data["lines_after"])


def test_binary_rubbish_costs_nothing(world: World, folder: Path) -> None:
    """Lines that are no text and one that never ends leave the others readable."""
    rubbish = os.urandom(3_000_000).replace(b"\n", b" ")
    (folder / "payments.log").write_bytes("".join(f"{each}\n" for each in broken()).encode() + rubbish)

    assert 59.0 == error_of(findings(shop_with_log(world, folder))).value


def test_a_huge_log_is_read_from_its_place(world: World, folder: Path) -> None:
    """Of a log of a week only the window is read, found by halving."""
    path = folder / "payments.log"
    filler = "x" * 400
    write(path, (line(second, message=filler) for second in range(-60_000, 120)))
    budget = Budget()
    read = sum(1 for _ in lines_since(path, START - timedelta(minutes=12), budget=budget))

    assert (True, False) == (720 <= read < 2_500, budget.cut)


def test_what_is_too_much_is_said_to_be_missing(world: World, folder: Path) -> None:
    """Beyond the budget of bytes the newest part is read and the cut is told."""
    path = folder / "payments.log"
    write(path, (line(second, message="x" * 400) for second in range(-2000, 120)))
    budget = Budget(bytes_left=100_000)
    newest = list(lines_since(path, datetime.min.replace(tzinfo=START.tzinfo), budget=budget))[-1]

    assert (True, line(119, message="x" * 400).encode()) == (budget.cut, newest)


def test_time_is_shared_out(world: World, folder: Path) -> None:
    """With no time at all nothing is read and the collector comes back at once."""
    write(folder / "payments.log", broken())

    assert FindingStatus.NO_DATA is findings(shop_with_log(world, folder), seconds=0.0)[0].status


def test_the_command_shows_the_same_lines(world: World, folder: Path) -> None:
    """The command greps for the error's type in the files that were read."""
    write(folder / "payments.log", broken())

    assert f"grep -hF TypeError {folder}/payments.log | tail -n 5" == findings(shop_with_log(world, folder))[0].command
