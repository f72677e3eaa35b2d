"""The next commands: aimed at this incident, complete, safe to copy."""

import shlex
from dataclasses import replace

import pytest

from stanch.incidents import events as ev
from stanch.incidents.looking import MOST, next_commands
from stanch.incidents.state import IncidentState
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import FindingStatus
from tests.incidents.lives import CAUSE, DECLARED, NOW, RANKED, Log, finding, whole_life


def commands(state: IncidentState, folder: str = "/code") -> list[str]:
    """Return the commands alone."""
    return [one.command for one in next_commands(state, folder=folder)]


def changed(*commits: str) -> ev.ChangesRanked:
    """Return a ranking of commits."""
    ranked = tuple(
        ev.RankedChange(
            change=Change(id=f"git/{commit}", at=NOW, kind=ChangeKind.COMMIT, title=f"change {commit}", commit=commit),
            score=1.0,
            verdict="",
        )
        for commit in commits
    )
    return ev.ChangesRanked(round=1, changes=ranked, none_explains=False, verdict="")


def test_the_best_causes_test_comes_first() -> None:
    """What would tell most about the likeliest cause is on top."""
    told = replace(RANKED, hypotheses=(replace(CAUSE, next_command="git diff v3.2.0..v3.2.1 -- payments"),))

    assert "git diff v3.2.0..v3.2.1 -- payments" == commands(Log().tell(told).state)[0]


def test_what_is_still_to_be_filled_in_is_no_command() -> None:
    """A line with a blank in it cannot be copied."""
    told = replace(RANKED, hypotheses=(replace(CAUSE, next_command='psql -c "EXPLAIN <the query>"'),))

    assert not any("<the " in command for command in commands(Log().tell(told).state))


def test_the_nearest_commits_are_to_be_read() -> None:
    """Each with its patch."""
    found = commands(Log().tell(changed("a" * 40, "b" * 40)).state)

    assert ["git -C /code show --stat --patch aaaaaaaaaa", "git -C /code show --stat --patch bbbbbbbbbb"] == found[:2]


def test_a_commit_is_read_where_the_code_of_its_service_is_kept() -> None:
    """The repository of a service need not be the folder of the configuration."""
    state = Log().tell(changed("a" * 40)).state
    found = next_commands(state, folder="/etc/stanch", repositories=dict.fromkeys(state.services, "/srv/shop"))

    assert "git -C /srv/shop show --stat --patch aaaaaaaaaa" == found[0].command


def test_the_code_behind_the_end_point_is_looked_for() -> None:
    """A path in the report is searched in the code, taken literally."""
    state = Log(replace(DECLARED, endpoint="/api/it's")).tell(finding("f1-git-1")).state
    found = next(command for command in commands(state) if " grep " in command)

    assert ["git", "-C", "/code", "grep", "-n", "-F", "-e", "/api/it's"] == shlex.split(found)


def test_where_there_is_no_repository_nothing_is_searched() -> None:
    """A look that failed is not suggested again."""
    state = Log(replace(DECLARED, endpoint="/api")).tell(finding("f1-git-1", status=FindingStatus.FAILED)).state

    assert not any("git" in command for command in commands(state))


@pytest.mark.parametrize(
    ("symptom", "command"),
    [("latency", "vmstat 1 5"), ("resource", "ps aux --sort=-%mem | head -15"), ("outage", "ss -ltnp")],
)
def test_the_symptom_asks_for_its_own(symptom: str, command: str) -> None:
    """Slowness, a full machine and an outage are looked into differently."""
    assert command in commands(Log(replace(DECLARED, symptom=symptom)).state)


def test_the_log_is_read_from_before_the_start() -> None:
    """Five minutes before the onset, in UTC, whatever the reader's zone."""
    assert "journalctl --no-pager --priority=err --since='2026-11-21 14:23:00 UTC'" == commands(Log().state)[-1]


def test_a_folder_with_a_blank_stays_one_word() -> None:
    """What is copied into a shell means what it says."""
    found = commands(Log().tell(changed("a" * 40)).state, folder="/my code; reboot")[0]

    assert "/my code; reboot" == shlex.split(found)[2]


def test_no_command_stands_twice() -> None:
    """The same look is suggested once."""
    found = commands(Log().tell(changed("a" * 40, "a" * 40)).state)

    assert len(found) == len(set(found))


def test_there_are_few() -> None:
    """A list that nobody reads to its end is no help."""
    causes = tuple(replace(CAUSE, id=str(n), next_command=f"test {n}") for n in range(20))
    state = Log().tell(replace(RANKED, hypotheses=causes), changed(*(str(n) * 40 for n in range(9)))).state

    assert len(commands(state)) <= MOST


def test_after_the_end_there_is_nothing_to_run() -> None:
    """What is over is written up."""
    assert [] == commands(whole_life().state)
