"""Commands against a server that runs: found by itself, the same answers, errors with their exit codes."""

import json
import re
import shlex
import socket
from pathlib import Path

import pytest

from tests.surfaces.cli.terminal import STANCH, Ran, Terminal

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def declared(desk: Terminal) -> Ran:
    """Give what declaring the module's first incident prints."""
    return desk("declare", "Checkout fails", "-s", "checkout", "--since", "25m", "--json")


@pytest.fixture
def number(declared: Ran, desk: Terminal) -> str:
    """Give the name of an open incident of this test's own."""
    answer = desk("declare", "Something else", "-s", "gateway", "--json").answer
    assert isinstance(answer, dict)
    return str(answer["card"]["key"])


def notes(desk: Terminal, number: str) -> list[list[str]]:
    """Return the notes in a time line; what is investigated meanwhile stands between and after them."""
    return [row for row in desk("timeline", number).rows() if row[2] == "incident.note_added"]


def test_the_server_is_found(desk: Terminal) -> None:
    """Nobody has to say where the server is."""
    assert "http://127.0.0.1:" in desk("version").out


def test_client_and_server_say_their_versions(desk: Terminal) -> None:
    """Whether they fit is seen at a glance."""
    answer = desk("version", "--json").answer
    assert isinstance(answer, dict)

    assert answer["stanch"] == answer["server"]


def test_a_declaration_answers_with_the_incident(declared: Ran) -> None:
    """Its name and its address are in the answer."""
    card = declared.answer["card"]  # type: ignore[index]  # an object

    assert ("INC-1", True) == (card["key"], card["url"].endswith("/i/1"))


def test_how_a_time_was_read_is_echoed(declared: Ran) -> None:
    """25m is turned into an instant, and whoever typed it sees which."""
    assert "25m is " in declared.err


def test_an_acknowledgement_names_the_incident(desk: Terminal, number: str) -> None:
    """What was done, to which incident, and where it is found."""
    ran = desk("ack", number)

    assert (0, True, True) == (
        ran.code,
        f"{number} acknowledged by Alice Adams" in ran.out,
        f"/i/{number[4:]}" in ran.out,
    )


@pytest.mark.parametrize("form", ["{n}", "#{n}", "inc-{n}", "http://127.0.0.1:8484/i/{n}", "http://x/i/{n}#e-3"])
def test_an_incident_is_named_in_many_ways(desk: Terminal, declared: Ran, form: str) -> None:
    """Number, key and address all mean the same."""
    assert "INC-1" in desk("incident", "show", form.format(n=1)).out


def test_the_environment_may_name_the_incident(desk: Terminal, declared: Ran) -> None:
    """STANCH_INCIDENT is what `current` means."""
    assert 0 == desk("note", "pool looks full", STANCH_INCIDENT="INC-1").code


def test_several_open_incidents_must_be_told_apart(desk: Terminal, number: str) -> None:
    """Nothing is done to a guess: the error lists what is open, and is a usage error."""
    ran = desk("ack")

    assert (2, True, "") == (ran.code, "several incidents are open: " in ran.err, ran.out)


def test_a_note_is_in_the_time_line(desk: Terminal, number: str) -> None:
    """In a pipe each entry is a line: instant, number, kind, who, title, text."""
    desk("note", "pool looks\tfull", "-i", number)
    (row,) = notes(desk, number)

    assert (6, "Alice Adams", "pool looks full") == (len(row), row[3], row[5])


def test_a_note_comes_from_standard_input(desk: Terminal, number: str) -> None:
    """A dash reads what another program writes."""
    desk("note", "-", "-i", number, stdin="from a pipe\n")

    assert ["from a pipe"] == [row[5] for row in notes(desk, number)]


def test_a_note_of_earlier_stands_earlier(desk: Terminal, number: str) -> None:
    """A late entry sorts to when it happened."""
    desk("note", "deploy of payments", "-i", number, "--at", "2h")

    assert "deploy of payments" == desk("timeline", number).rows()[0][5]


def test_the_surface_is_on_record(desk: Terminal, number: str) -> None:
    """The log says that a person sat at a terminal."""
    desk("note", "x", "-i", number)
    entries = desk("timeline", number, "--json").answer
    assert isinstance(entries, list)

    assert ["cli"] == [one["via"] for one in entries if one["kind"] == "incident.note_added"]


def test_following_ends_with_the_incident(desk: Terminal, number: str) -> None:
    """Each entry is an object on a line, and the last one is about the end."""
    resolved = desk("resolve", number, "--force-reason", "a test")
    assert 0 == resolved.code, resolved.err  # else it would be followed for ever
    lines = [json.loads(line) for line in desk("timeline", number, "--follow", "--json").out.splitlines()]

    assert (True, True) == (
        [line["seq"] for line in lines] == sorted(line["seq"] for line in lines),
        any(line["kind"] == "incident.resolved" for line in lines),
    )


def test_resolving_the_unverified_is_refused(desk: Terminal, number: str) -> None:
    """A rule says no: exit code 6, the reason as a stable word, nothing on standard output."""
    ran = desk("resolve", number, "--json")

    assert (6, "", "not_verified") == (ran.code, ran.out, ran.error["reason"])


def test_a_refusal_says_what_helps(desk: Terminal, number: str) -> None:
    """What, why, and the next command."""
    err = desk("resolve", number).err

    assert (True, True) == ("is not verified" in err, "--force-reason" in err)


def test_what_is_not_there_is_exit_code_5(desk: Terminal) -> None:
    """Not found is told apart from refused."""
    ran = desk("incident", "show", "INC-999", "--json")

    assert (5, "", "not_found") == (ran.code, ran.out, ran.error["code"])


def test_bad_input_is_exit_code_2(desk: Terminal) -> None:
    """Every problem with its field."""
    ran = desk("declare", "x", "-s", "nowhere", "--severity", "SEV1", "--json")
    problems = ran.error["problems"]
    assert isinstance(problems, list)

    assert (2, ["services", "reason"]) == (ran.code, [one["field"] for one in problems])


def test_all_problems_are_listed_for_people(desk: Terminal) -> None:
    """One after the other, each on its line."""
    err = desk("declare", "x", "-s", "nowhere", "--severity", "SEV1").err

    assert ["stanch: 2 things are wrong:", "  services: there is no service 'nowhere' in the catalog"] == (
        err.splitlines()[:2]
    )


def test_a_name_that_is_none_is_bad_input(desk: Terminal) -> None:
    """Who one is must be a name that a log can hold."""
    ran = desk("--actor", "not a name!", "note", "x", "-i", "INC-1", "--json")

    assert (2, "", "invalid") == (ran.code, ran.out, ran.error["code"])


def test_a_role_is_given(desk: Terminal, number: str) -> None:
    """Who is what is said back."""
    assert "alice is technical lead" in desk("incident", "assign", "technical_lead", "alice", "-i", number).out


def test_an_unknown_role_names_the_words(desk: Terminal, number: str) -> None:
    """The error lists what could have been said."""
    ran = desk("incident", "assign", "hero", "bob", "-i", number)

    assert (2, True) == (ran.code, "commander, technical_lead" in ran.err)


def test_a_merge_takes_any_name(desk: Terminal, number: str, declared: Ran) -> None:
    """The other incident is named as everywhere."""
    ran = desk("incident", "dismiss", number, "--reason", "same", "--merge-into", "INC-1")

    assert (0, True) == (ran.code, f"{number} merged into INC-1" in ran.out)


def test_reopening_says_so(desk: Terminal, number: str) -> None:
    """It was not over."""
    desk("resolve", number, "--force-reason", "a test")

    assert f"{number} reopened" in desk("incident", "reopen", number, "--reason", "back").out


def test_the_postmortem_is_markdown(desk: Terminal, number: str) -> None:
    """What is printed can be put into a file as it is."""
    desk("resolve", number, "--force-reason", "a test")

    assert desk("postmortem", "show", number).out.startswith(f"# Post-mortem {number}: Something else\n")


def test_the_postmortem_is_written_from_a_pipe(desk: Terminal, number: str) -> None:
    """An editor is not needed."""
    desk("resolve", number, "--force-reason", "a test")
    desk("postmortem", "edit", number, "-F", "-", stdin="# What happened\n")

    assert "# What happened\n" == desk("postmortem", "show", number).out


def test_a_text_that_is_refused_is_kept(desk: Terminal, number: str, tmp_path: Path) -> None:
    """Somebody else wrote meanwhile: what was typed in the editor stands in a file, which the message names."""
    desk("resolve", number, "--force-reason", "a test")
    editor = tmp_path / "editor.sh"
    other = f"{shlex.join(STANCH)} postmortem edit {number} -F -"
    editor.write_text(f'#!/bin/sh\necho "# Theirs" | {other}\necho "# Mine" > "$1"\n')
    editor.chmod(0o700)
    ran = desk.typed("postmortem", "edit", number, VISUAL=str(editor), TMPDIR=str(tmp_path))
    kept = re.search(r"your text is kept: stanch postmortem edit INC-\d+ --file (\S+)", ran.out)

    assert ("# Mine\n", "# Theirs\n") == (
        Path(kept[1]).read_text() if kept else ran.out,
        desk("postmortem", "show", number).out,
    )


def test_a_file_can_say_on_which_revision_it_was_written(desk: Terminal, number: str) -> None:
    """It takes the place of nothing that its author did not read."""
    desk("resolve", number, "--force-reason", "a test")
    desk("postmortem", "edit", number, "-F", "-", stdin="# Theirs\n")
    ran = desk("postmortem", "edit", number, "-F", "-", "--revision", "1", stdin="# Mine\n")

    assert (True, "# Theirs\n") == ("revision 2 was written since" in ran.err, desk("postmortem", "show", number).out)


def test_publishing_says_which_revision(desk: Terminal, number: str) -> None:
    """What went out is what stands."""
    desk("resolve", number, "--force-reason", "a test")

    assert f"{number} revision 1 published\n" == desk("postmortem", "publish", number).out


def test_wording_that_blames_is_found_in_a_file(desk: Terminal) -> None:
    """A text of any length is checked before it is anywhere, and the exit code says so."""
    ran = desk("postmortem", "lint", "-F", "-", stdin="Fine. " * 2_000 + "\nIt was human error.\n")

    assert (1, "2: human error  (blame)") == (ran.code, ran.out.splitlines()[0])


def test_a_postmortem_is_reviewed_listed_and_exported(desk: Terminal, number: str, tmp_path: Path) -> None:
    """What can be done on the page can be done here."""
    desk("resolve", number, "--force-reason", "a test")
    file = tmp_path / "it.html"

    assert f"{number} revision 1 agreed with\n" == desk("postmortem", "review", number, "--agree").out
    assert "Stanch via engine" in desk("postmortem", "history", number).out
    assert f"{file}\n" == desk("postmortem", "export", number, "-o", str(file)).out
    assert file.read_text().startswith("<!doctype html>")


def test_a_change_is_told_and_listed(desk: Terminal) -> None:
    """What a pipeline tells in one line is in the list."""
    desk("change", "record", "checkout", "v9", "--id", "run/9", "--at", "10m")

    assert ["deploy", "checkout", "checkout v9"] == desk("change", "list", "--service", "checkout").rows()[0][1:]


def test_services_are_rows(desk: Terminal) -> None:
    """In a pipe a service is a row of plain cells."""
    assert [["gateway", "unknown"], ["checkout", "unknown"]] == [row[:2] for row in desk("service", "list").rows()]


def test_any_operation_can_be_called(desk: Terminal, declared: Ran) -> None:
    """What has no command of its own is still within reach."""
    answer = desk("call", "incident.show", '{"incident": 1}').answer

    assert isinstance(answer, dict)
    assert "Checkout fails" == answer["card"]["title"]


def test_a_body_that_is_no_json_is_said(desk: Terminal) -> None:
    """The error says where it stops being JSON."""
    ran = desk("call", "incident.note", "{oops")

    assert (2, True) == (ran.code, "is not JSON" in ran.err)


def test_where_the_page_is_is_printed(desk: Terminal, declared: Ran) -> None:
    """The address alone, so that it can be used by another program."""
    ran = desk("open", "INC-1")

    assert (0, True, 1) == (ran.code, ran.out.startswith("http://127.0.0.1:"), len(ran.out.splitlines()))


def test_calls_are_told_when_asked_for(desk: Terminal, declared: Ran) -> None:
    """With --debug every request is on standard error, without what must stay secret."""
    ran = desk("--debug", "incident", "show", "1", STANCH_TOKEN="very-secret")

    assert (True, False) == ("GET http://127.0.0.1:" in ran.err, "very-secret" in ran.err)


def test_a_server_that_does_not_answer_is_exit_code_8(terminal: Terminal) -> None:
    """Unavailable is told apart from wrong, with what helps."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        ran = terminal("--server", f"http://127.0.0.1:{nobody.getsockname()[1]}", "status", "--json")

    assert (8, "", "unavailable") == (ran.code, ran.out, ran.error["code"])


def test_an_address_of_no_server_is_said(terminal: Terminal) -> None:
    """An address that is none is bad input."""
    assert 2 == terminal("--server", "ftp://x", "status").code


def test_a_list_is_lined_up_on_a_terminal(desk: Terminal, declared: Ran) -> None:
    """People read columns, signs and how long ago; nobody reads tabs."""
    out = desk.typed("incident", "list").out

    assert (False, True) == ("\t" in out, " ago" in out or "just now" in out)


def test_colour_is_for_terminals(desk: Terminal, declared: Ran) -> None:
    """On a terminal there is colour, unless NO_COLOR or a dumb terminal says no."""
    coloured = [
        "\x1b[" in desk.typed("incident", "list", **env).out for env in ({}, {"NO_COLOR": "1"}, {"TERM": "dumb"})
    ]

    assert [True, False, False] == coloured


@pytest.mark.parametrize(
    ("arguments", "env", "coloured"),
    [
        (["--color", "always"], {}, True),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"CLICOLOR_FORCE": "1"}, True),
        ([], {"FORCE_COLOR": "0"}, False),
        ([], {}, False),
        ([], {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour_in_a_pipe(
    desk: Terminal, declared: Ran, arguments: list[str], env: dict[str, str], coloured: bool
) -> None:
    """Only who asks for it gets it, and the flag goes before the environment."""
    assert coloured is ("\x1b[" in desk(*arguments, "incident", "show", "1", **env).out)
