"""`stanch incident TEXT` with no server and no configuration, as somebody types it at three in the morning."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.needs import require
from tests.surfaces.cli.terminal import Ran, Terminal, git

pytestmark = pytest.mark.slow


def clock(minutes_ago: int) -> datetime:
    """Return the full minute so many minutes ago."""
    return datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=minutes_ago)


@pytest.fixture(scope="module")
def start() -> datetime:
    """Give the instant that the report states: twenty minutes ago."""
    return clock(20)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, start: datetime) -> Path:
    """Give a git repository with commits before and after the start, and a tag."""
    require("git")
    folder = tmp_path_factory.mktemp("shop")
    git(folder, "init", "-q", "-b", "main")
    for number, minutes in enumerate((600, 90, 3, -5)):
        (folder / "checkout.py").write_text(f"# /api/checkout\nversion = {number}\n")
        git(folder, "add", "-A")
        at = (start - timedelta(minutes=minutes)).isoformat()
        git(folder, "commit", "-q", "-m", f"checkout: step {number}", at=at)
        if number == 1:
            git(folder, "tag", "-a", "-m", "v1.2.0", "v1.2.0", at=at)
    return folder


@pytest.fixture(scope="module")
def text(start: datetime) -> str:
    """Give what is typed."""
    return f"500 errors on /api/checkout since {start:%H:%M} UTC"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder in which this module's incidents are kept."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def told(repository: Path, text: str, state: Path) -> Ran:
    """Give what the command prints into a pipe."""
    return Terminal(folder=repository, state=state)("incident", text)


@pytest.fixture(scope="module")
def as_json(repository: Path, text: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Give what the command prints with --json."""
    answer = Terminal(folder=repository, state=tmp_path_factory.mktemp("json"))("incident", text, "--json").answer
    assert isinstance(answer, dict)
    return answer


def section(out: str, title: str) -> str:
    """Return what stands under a heading."""
    rest = out.partition(f"{title}:\n")[2]
    lines = []
    for line in rest.splitlines():
        if not line.startswith(" "):
            break
        lines.append(line)
    return "\n".join(lines)


def test_it_opens_an_incident(told: Ran) -> None:
    """It is open, has a name, and the exit code is 0."""
    assert (0, True) == (told.code, "SEV2  INC-1  500 errors on /api/checkout" in told.out)


def test_the_reading_is_shown(told: Ran, start: datetime) -> None:
    """Symptom, end point, and the start as date, time and zone."""
    shown = section(told.out, "How the text was read")

    assert all(
        part in shown
        for part in (
            "error spike, HTTP 500",
            "/api/checkout",
            f'{start:%Y-%m-%d %H:%M} UTC, from "since {start:%H:%M} UTC"',
        )
    )


def test_the_severity_comes_with_its_rule(told: Ran) -> None:
    """Whoever reads the severity reads why."""
    assert "Severity  SEV2 by rule reported-failure: a report of failures with nothing measured yet is SEV2" in told.out


def test_changes_before_the_start_are_ranked(told: Ran) -> None:
    """The commit three minutes before comes first, the tag is there, and what came afterwards stands last."""
    changes = section(told.out, "What changed")
    order = [changes.find(f"checkout: step {number}") for number in (2, 1, 0, 3)]

    assert (sorted(order), True, True) == (order, order[0] > 0, "v1.2.0" in changes)


def test_the_machine_is_looked_at(told: Ran) -> None:
    """Memory, disk and load of the host are among the findings."""
    found = section(told.out, "Findings")

    assert all(word in found for word in ("memory", "disk", "load"))


def test_the_next_commands_can_be_copied(told: Ran, repository: Path) -> None:
    """Each stands on a line of its own, and the one that finds the code behind the end point works."""
    shown = section(told.out, "Commands to run next")
    grep = next(line.strip() for line in shown.splitlines() if " grep " in line)

    assert f"git -C {repository} grep -n -F -e /api/checkout" == grep


def test_it_says_where_it_is_kept(told: Ran, state: Path) -> None:
    """A hint on standard error tells that there is no server, and where the incident went."""
    assert f"Kept in {state / 'stanch' / 'stanch.db'}" in told.err


def test_nothing_is_coloured_in_a_pipe(told: Ran) -> None:
    """No escape code reaches a file."""
    assert "\x1b" not in told.out + told.err


def test_json_holds_all_of_it(as_json: dict[str, object], start: datetime) -> None:
    """The same facts for a program."""
    card = as_json["card"]
    assert isinstance(card, dict)

    assert ("INC-1", f"{start:%Y-%m-%dT%H:%M:%SZ}", True) == (
        card["key"],
        card["started_at"],
        all(as_json[name] for name in ("reading", "severity", "changes", "findings", "commands")),
    )


def test_it_is_listed_afterwards(told: Ran, repository: Path, state: Path) -> None:
    """`stanch incident` alone says what is wrong now."""
    assert "INC-1" in Terminal(folder=repository, state=state)("incident").out


def test_the_list_is_json_too(told: Ran, repository: Path, state: Path) -> None:
    """`stanch incident --json` is the overview as the API gives it."""
    answer = Terminal(folder=repository, state=state)("incident", "--json").answer
    assert isinstance(answer, dict)

    assert [1] == [card["number"] for card in answer["incidents"]]


def test_outside_a_repository_it_says_what_it_could_not_see(terminal: Terminal) -> None:
    """No git is no reason to fail, and none to pretend that nothing changed."""
    ran = terminal("incident", "checkout is down since 25m ago")

    assert (0, True) == (ran.code, "it is not in a repository" in section(ran.out, "Not seen"))


def test_an_unreadable_text_is_kept_whole(terminal: Terminal) -> None:
    """What nobody can read is kept, and the output says so."""
    ran = terminal("incident", "hjkl qwerty zxcv")
    shown = section(ran.out, "How the text was read")

    assert (True, True, True) == (
        "hjkl qwerty zxcv" in ran.out,
        "No symptom was recognised" in shown,
        "The text is kept whole, as it was written." in shown,
    )


def test_a_hostile_text_obeys_nobody(terminal: Terminal) -> None:
    """Escape sequences in a text are not passed on to the terminal of the next reader."""
    ran = terminal("incident", "checkout \x1b[31mis\x1b]0;pwned\x07 down\r\n\u202ebackwards")

    assert not any(sign in ran.out for sign in ("\x1b", "\x07", "\r", "\u202e"))
