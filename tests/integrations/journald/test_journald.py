"""The journal, as journalctl prints it: the real program on an exported journal where it is there, else a stand-in."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.integrations.journald import Journal
from stanch.integrations.journald.source import line_of
from stanch.integrations.program import LocalPrograms
from stanch.kernel.errors import Invalid, Unavailable
from stanch.ports.query import SystemSpec
from tests.support.needs import require

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)


def journal(unit: str = "{service}.service") -> Journal:
    """Return the journal as a configured system."""
    spec = SystemSpec(name="journal", kind="journald", settings={"unit": unit})
    return Journal(spec, programs=LocalPrograms())


def entry(message: object, *, priority: int = 6) -> str:
    """Return an entry as `journalctl -o json` prints it."""
    return json.dumps({"MESSAGE": message, "PRIORITY": str(priority), "__REALTIME_TIMESTAMP": "1795271400000000"})


@pytest.fixture
def journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Give a function that puts a script in the place of journalctl; it returns where the arguments are kept."""

    def put(script: str) -> Path:
        (tmp_path / "journalctl").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{tmp_path}/asked"\n{script}\n')
        (tmp_path / "journalctl").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        return tmp_path / "asked"

    return put


def read(unit: str = "{service}.service", *, timeout_s: float = 3.0, most_bytes: int = 1_000_000) -> list[bytes]:
    """Return the lines of payments in the last hour."""
    start = NOW - timedelta(hours=1)
    return list(journal(unit).lines("payments", start=start, end=NOW, timeout_s=timeout_s, most_bytes=most_bytes))


def test_the_unit_and_the_window_are_asked_for(journalctl: Callable[[str], Path]) -> None:
    """The unit is that of the service, the window is in seconds since 1970, and nothing follows or writes."""
    asked = journalctl("true")
    read()

    assert ["--unit=payments.service", "--since=@1795267800", "--until=@1795271400"] == [
        line for line in asked.read_text().splitlines() if line.startswith(("--unit", "--since", "--until"))
    ]


def test_messages_become_lines(journalctl: Callable[[str], Path]) -> None:
    """A plain message carries its time and level; one that is JSON stays as it is."""
    journalctl(f"cat <<'END'\n{entry('cannot pay', priority=3)}\n{entry(json.dumps({'msg': 'paid'}))}\nEND")

    assert [
        {"message": "cannot pay", "time": "2026-11-21T14:30:00+00:00", "level": "error"},
        {"msg": "paid"},
    ] == [json.loads(line) for line in read()]


def test_bytes_that_are_no_text_are_read(journalctl: Callable[[str], Path]) -> None:
    """A message that journald gives as numbers is text with what could not be read marked."""
    assert b"caf\xc3\xa9" in (line_of(entry(list("café".encode())).encode()) or b"")


def test_something_else_is_told(journalctl: Callable[[str], Path]) -> None:
    """A program that prints no JSON is a failure, not silence."""
    journalctl("echo hello; echo world")
    with pytest.raises(Unavailable, match="not JSON"):
        read()


def test_an_error_is_told(journalctl: Callable[[str], Path]) -> None:
    """What journalctl complains of is in the error."""
    journalctl("echo 'No journal files were found' >&2; exit 1")
    with pytest.raises(Unavailable, match="No journal files"):
        read()


def test_a_journal_that_hangs_is_left(journalctl: Callable[[str], Path]) -> None:
    """A journalctl that prints nothing and does not end is ended at the time-out."""
    journalctl("sleep 30")
    with pytest.raises(Unavailable, match="printed nothing within"):
        read(timeout_s=0.3)


def test_a_flood_is_cut(journalctl: Callable[[str], Path]) -> None:
    """Of an endless journal no more is read than may be."""
    journalctl(f"exec yes '{entry('again')}'")

    assert 0 < sum(map(len, read(most_bytes=200_000))) < 2_000_000


@pytest.mark.parametrize("unit", ["-f", "a b", "x;rm -rf /", ""])
def test_a_unit_that_is_none_is_refused(unit: str) -> None:
    """An option or a command cannot hide in the name of a unit."""
    with pytest.raises(Invalid):
        journal(unit or "\n").command("payments", start=NOW)


def test_the_real_program_takes_the_command(tmp_path: Path) -> None:
    """The journalctl of this machine understands every option; a machine without a journal has no lines."""
    require("journalctl")
    try:
        found = read()
    except Unavailable as error:
        assert "unrecognized option" not in error.message and "Failed to parse" not in error.message
        return

    assert [] == found
