"""The deploy log: lines of many pipelines become changes, and a broken file costs nothing else."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.integrations.deploylog import DeployLog
from stanch.integrations.deploylog.line import read_line
from stanch.kernel.errors import Unavailable
from stanch.ports.changes import Change, ChangeKind

AT = datetime(2026, 3, 4, 14, 29, 20, tzinfo=UTC)
DEPLOY = {
    "at": "2026-03-04T14:29:20.000Z",
    "kind": "deploy",
    "service": "payments",
    "from": "v3.2.0",
    "to": "v3.2.1",
    "commit": "c0ffee",
    "actor": "Tomas Brandt",
    "note": "release",
}


def line(**changed: object) -> str:
    """Return the line of a deploy with some keys changed; None takes a key away."""
    return json.dumps({key: value for key, value in {**DEPLOY, **changed}.items() if value is not None})


def read(text: str | bytes) -> Change:
    """Return the change of a line that has one."""
    change = read_line(text)
    assert change is not None
    return change


def log(folder: Path, *lines: str) -> DeployLog:
    """Return a source over a file with these lines."""
    path = folder / "deploys.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return DeployLog(path)


def everything(source: DeployLog, *services: str) -> list[Change]:
    """Return all changes of a source."""
    return source.changes(services=services, start=AT - timedelta(days=9999), end=AT + timedelta(days=9999))


def test_a_deploy_is_read_whole() -> None:
    """Time, kind, service, both versions, commit and author of a line are taken over."""
    change = read(line())

    assert (AT, ChangeKind.DEPLOY, "payments", "v3.2.1", "v3.2.0", "c0ffee", "Tomas Brandt") == (
        change.at,
        change.kind,
        change.service,
        change.version,
        change.previous,
        change.commit,
        change.author,
    )


@pytest.mark.parametrize(
    "when",
    [
        {"ts": "2026-03-04T14:29:20Z"},
        {"time": "2026-03-04 15:29:20+01:00"},
        {"timestamp": AT.timestamp()},
        {"ts": int(AT.timestamp() * 1000)},
        {"at": "2026-03-04T14:29:20"},
    ],
    ids=["ts", "with a zone", "unix seconds", "unix milliseconds", "no zone is UTC"],
)
def test_times_are_read_in_many_forms(when: dict[str, object]) -> None:
    """The instant is the same whatever the key and the form."""
    assert AT == read(line(**{"at": None, **when})).at


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("rollback", ChangeKind.DEPLOY),
        ("config", ChangeKind.CONFIG),
        ("Feature-Flag", ChangeKind.FLAG),
        ("migration", ChangeKind.MIGRATION),
        ("scale", ChangeKind.INFRASTRUCTURE),
        ("restart", ChangeKind.RESTART),
        ("hocus", ChangeKind.DEPLOY),
    ],
)
def test_words_for_kinds_are_understood(word: str, kind: ChangeKind) -> None:
    """A pipeline's word for what it did becomes one of ours; an unknown one with a version is a deploy."""
    assert kind == read(line(kind=word)).kind


def test_other_names_for_the_versions() -> None:
    """`previous` and `version` mean the same as `from` and `to`."""
    change = read(line(**{"from": None, "to": None, "previous": "1", "version": 2}))

    assert ("1", "2") == (change.previous, change.version)


def test_the_same_line_is_the_same_change() -> None:
    """The id depends on what the line says and not on the order of its keys."""
    assert read(line()).id == read(json.dumps(dict(reversed(DEPLOY.items())))).id


def test_another_line_is_another_change() -> None:
    """Two deploys of the same version at different times are two changes."""
    assert read(line()).id != read(line(at="2026-03-04T15:00:00Z")).id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "42",
        '{"at": "yesterday"}',
        '{"service": "payments"}',
        '{"at": 1e400}',
        "[" * 100_000,
        b"\xff\xfe",
    ],
    ids=["empty", "half", "list", "number", "words", "no time", "infinite", "deep", "bytes"],
)
def test_what_is_no_change_is_left_out(text: str | bytes) -> None:
    """A line that cannot be read is no change, and no error either."""
    assert read_line(text) is None


def test_a_file_gives_its_changes_oldest_first(tmp_path: Path) -> None:
    """Lines may stand in any order, and the same line twice is one change."""
    source = log(tmp_path, line(), line(at="2026-03-04T10:00:00Z"), line())

    assert [10, 14] == [change.at.hour for change in everything(source)]


def test_unreadable_lines_are_counted(tmp_path: Path) -> None:
    """Lines that say nothing are skipped and counted."""
    source = log(tmp_path, line(), "not json", "{}")

    assert (1, 2) == (len(everything(source)), source.skipped)


def test_the_window_is_half_open(tmp_path: Path) -> None:
    """A change at the end of the window is not in it."""
    source = log(tmp_path, line(), line(at="2026-03-04T15:00:00Z"))

    assert [AT] == [
        each.at for each in source.changes(services=(), start=AT, end=AT.replace(hour=15, minute=0, second=0))
    ]


def test_services_narrow_what_is_read(tmp_path: Path) -> None:
    """Asked for checkout, a deploy of payments is left out."""
    source = log(tmp_path, line(), line(service="checkout"))

    assert ["checkout"] == [change.service for change in everything(source, "checkout")]


def test_what_is_appended_is_seen(tmp_path: Path) -> None:
    """A file that has grown is read again."""
    source = log(tmp_path, line())
    before = len(everything(source))
    with source.path.open("a") as file:
        file.write(line(to="v3.2.2") + "\n")

    assert (1, 2) == (before, len(everything(source)))


def test_of_a_huge_file_the_newest_part_is_read(tmp_path: Path) -> None:
    """What stands beyond 4 MiB before the end is not read, and the line cut in half does not count as broken."""
    source = log(tmp_path, *(line(note=f"{number:06d} " + "x" * 500) for number in range(10_000)), line(to="newest"))
    found = everything(source)

    assert (True, 0, "newest") == (
        5_000 < len(found) < 7_000,
        source.skipped,
        next(each.version for each in found if each.version == "newest"),
    )


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    """A missing file is unavailable, with its path in the message."""
    with pytest.raises(Unavailable, match=r"gone\.jsonl"):
        everything(DeployLog(tmp_path / "gone.jsonl"))
