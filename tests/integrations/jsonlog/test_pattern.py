"""Patterns in log files: text, JSON, rotated, cut, long."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from stanch.integrations.jsonlog import LogPatternSampler
from stanch.kernel.event import JSON
from stanch.ports.checks import LogCheck
from stanch.ports.sampler import Look

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Reading:
    """A log, and a check that follows it."""

    def __init__(self, path: Path, settings: LogCheck) -> None:
        self.path = path
        self._sampler = LogPatternSampler(settings)
        self._cursor: dict[str, JSON] = {}
        self.path.touch()
        self.look()

    def look(self) -> Look:
        """Look once."""
        found = self._sampler.look(service="shop", target=str(self.path), cursor=self._cursor, now=NOW)
        self._cursor = found.cursor
        return found

    def count(self) -> float:
        """Return how many lines matched since the last look."""
        return self.look().samples[0].value

    def write(self, *lines: str) -> None:
        """Add lines to the file."""
        with self.path.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        (LogCheck(pattern="OutOfMemory"), 2),
        (LogCheck(pattern="outofmemory", ignore_case=True), 2),
        (LogCheck(pattern="outofmemory"), 0),
        (LogCheck(pattern="OutOfMemory", unless="retrying"), 1),
        (LogCheck(pattern="OutOfMemory", json_field="error.kind"), 1),
        (LogCheck(pattern="^5", json_field="status"), 1),
    ],
)
def test_matching_lines_are_counted(tmp_path: Path, settings: LogCheck, count: int) -> None:
    """Lines count by what is asked for: anywhere, or in a field of JSON lines."""
    log = Reading(tmp_path / "app.log", settings)
    log.write(
        "12:00 OutOfMemory in worker 3, retrying", '{"error": {"kind": "OutOfMemory"}, "status": 500}', "12:01 all well"
    )

    assert count == log.count()


def test_what_was_there_before_does_not_count(tmp_path: Path) -> None:
    """The first look finds its place only, and the second counts what came since."""
    path = tmp_path / "app.log"
    path.write_text("panic\npanic\n")
    log = Reading(path, LogCheck(pattern="panic"))
    log.write("panic")

    assert 1.0 == log.count()


def test_rotation_loses_nothing(tmp_path: Path) -> None:
    """Lines at the end of the file that was rotated away count, and those of the new one."""
    log = Reading(tmp_path / "app.log", LogCheck(pattern="panic"))
    log.write("panic 1", "panic 2")
    log.path.rename(tmp_path / "app.log.1")
    log.path.touch()
    log.write("panic 3")

    assert 3.0 == log.count()


def test_copytruncate(tmp_path: Path) -> None:
    """A file that was cut is read from its start."""
    log = Reading(tmp_path / "app.log", LogCheck(pattern="panic"))
    log.write("panic " * 20)
    log.count()
    log.path.write_text("panic again\n")

    assert 1.0 == log.count()


def test_newest_line_is_told_without_secrets(tmp_path: Path) -> None:
    """The note is the newest line that matches, with secrets taken out."""
    log = Reading(tmp_path / "app.log", LogCheck(pattern="refused"))
    log.write("refused for password=hunter2-and-more")

    assert (True, False) == ((note := log.look().samples[0].note).startswith("refused for"), "hunter2" in note)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    """A log that cannot be read is trouble."""
    sampler = LogPatternSampler(LogCheck(pattern="x"))
    look = sampler.look(service="shop", target=str(tmp_path / "none.log"), cursor={}, now=NOW)

    assert "none.log cannot be read" in look.trouble
