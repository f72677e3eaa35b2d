"""How an incident is named at the terminal: the same in every command, and not at all where one alone is open."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from stanch.surfaces.cli.main import stanch
from stanch.surfaces.cli.shared import told_apart


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield every command and every group with its words."""
    left: list[tuple[str, click.Command]] = [("", stanch)]
    while left:
        words, command = left.pop()
        yield words, command
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                found = command.get_command(context, name)
                assert found is not None
                left.append((f"{words} {name}".strip(), found))


def test_an_incident_may_be_left_out_everywhere() -> None:
    """Where one alone is open it is meant: an argument that must be given would be the exception."""
    needed = [
        words
        for words, command in commands()
        for one in command.params
        if isinstance(one, click.Argument) and one.name == "incident" and one.required
    ]

    assert [] == needed


def test_every_group_of_commands_has_an_example() -> None:
    """What one copies is what one reads first."""
    without = [
        words
        for words, command in commands()
        if words and isinstance(command, click.Group) and f"stanch {words}" not in (command.help or "")
    ]

    assert [] == without


def test_every_example_of_a_group_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words are a command, and its options are that command's."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "alertmanager.yml").touch()
    known = dict(commands())
    wrong = []
    for text in (command.help or "" for _, command in commands() if isinstance(command, click.Group)):
        for line in (one.strip() for one in text.splitlines() if one.strip().startswith("stanch ")):
            # What stands after two blanks explains it.
            rest = shlex.split(line.partition("  ")[0])[1:]
            words = ""
            while rest and f"{words} {rest[0]}".strip() in known:
                words = f"{words} {rest.pop(0)}".strip()
            try:
                known[words].make_context(words, rest)
            except click.UsageError as error:
                wrong.append(f"{line}: {error.format_message()}")

    assert [] == wrong


@pytest.mark.parametrize(
    ("incident", "word", "expected"),
    [
        ("INC-7", "rollback", ("INC-7", "rollback")),
        ("7", "1", ("7", "1")),
        ("rollback", "", ("current", "rollback")),
        ("1", "", ("current", "1")),
    ],
)
def test_a_word_that_is_needed_may_stand_alone(incident: str, word: str, expected: tuple[str, str]) -> None:
    """A number alone is the word then: the first of the causes, of the incident that is open."""
    assert expected == told_apart(incident, word, needed="WHICH")


@pytest.mark.parametrize(
    ("incident", "word", "expected"),
    [
        ("INC-7", "rollback", ("INC-7", "rollback")),
        ("INC-7", "", ("INC-7", "")),
        ("7", "", ("7", "")),
        ("current", "", ("current", "")),
        ("rollback-payments", "", ("current", "rollback-payments")),
    ],
)
def test_a_word_that_may_be_left_out_is_told_from_an_incident(
    incident: str, word: str, expected: tuple[str, str]
) -> None:
    """A number alone is the incident then."""
    assert expected == told_apart(incident, word)


@pytest.mark.parametrize("incident", ["current", "INC-7", "http://stanch.example/i/7"])
def test_a_word_that_is_needed_and_not_said_is_asked_for(incident: str) -> None:
    """An incident alone is not taken for a plan of that name."""
    with click.Context(stanch), pytest.raises(click.UsageError, match="Missing argument 'PLAN'"):
        told_apart(incident, "", needed="PLAN")
