"""Commands with no server: the embedded store, and everything about the command line itself."""

import json
import os
import signal
import subprocess
import time
from functools import partial
from pathlib import Path

import pytest

from stanch.surfaces.cli.main import COMMANDS
from tests.surfaces.cli.terminal import STANCH, WITHIN_S, Terminal

pytestmark = pytest.mark.slow


def test_alone_it_helps(terminal: Terminal) -> None:
    """`stanch` alone is a short help with examples."""
    ran = terminal()

    assert (0, True) == (ran.code, 'stanch incident "500 errors on /api/checkout since 14:30 UTC"' in ran.out)


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_lists_every_command(terminal: Terminal, flag: str) -> None:
    """What there is is listed, each with what it does."""
    out = terminal(flag).out

    assert [] == [name for name in COMMANDS if f"\n  {name} " not in out]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_helps(terminal: Terminal, name: str) -> None:
    """Every command explains itself in both ways, without a store or a server."""
    ran = terminal(name, "-h")

    assert (0, True, []) == (ran.code, ran.out.startswith(f"Usage: stanch {name}"), list(terminal.state.glob("*")))


def test_a_slip_is_answered_with_what_was_meant(terminal: Terminal) -> None:
    """`statsu` is `status`."""
    ran = terminal("statsu")

    assert (2, "", True) == (ran.code, ran.out, "Did you mean 'status'?" in ran.err)


def test_a_slip_below_incident_opens_nothing(terminal: Terminal) -> None:
    """A command that is nearly one is no report."""
    ran = terminal("incident", "shwo", "INC-1")

    assert (2, True, False) == (
        ran.code,
        "did you mean `stanch incident show`?" in ran.err,
        (terminal.state / "stanch" / "stanch.db").exists(),
    )


@pytest.mark.parametrize("name", ["INC-1", "1", "#1"])
def test_the_name_of_an_incident_is_no_report(terminal: Terminal, name: str) -> None:
    """`stanch incident INC-1` shows it, and opens nothing where there is none."""
    assert (5, []) == (terminal("incident", name).code, terminal("incident", "list", "--json").answer)


def test_wrong_usage_is_json_too(terminal: Terminal) -> None:
    """A program that calls us wrongly can read why."""
    ran = terminal("incident", "--type", "weather", "--json")

    assert (2, "", "usage") == (ran.code, ran.out, ran.error["code"])


def test_nothing_open_is_not_found(terminal: Terminal) -> None:
    """Where there is nothing to acknowledge, that is said, with exit code 5."""
    ran = terminal("ack", "--json")

    assert (5, "", "no incident is open") == (ran.code, ran.out, ran.error["message"])


@pytest.mark.parametrize("words", [(), ("INC-1",), ("--json", "1")])
def test_collectors_are_sent_out_from_the_terminal(terminal: Terminal, words: tuple[str, ...]) -> None:
    """`stanch investigate` without a look is about an incident; where there is none, it is not found."""
    assert 5 == terminal("investigate", *words).code


def test_a_slip_below_investigate_is_answered(terminal: Terminal) -> None:
    """`erors` is `errors`, and no incident."""
    ran = terminal("investigate", "erors", "payments")

    assert (2, True) == (ran.code, "Did you mean 'errors'?" in ran.err)


def test_items_of_all_incidents_need_none_open(terminal: Terminal) -> None:
    """Action items outlive their incidents: without one named, those of all are listed."""
    assert [] == terminal("item", "list", "--json").answer


TRACKED = """
[people.alice]
[trackers.github]
project = "acme/shop"
secret_env = "NO_SUCH_TOKEN"
"""


def test_what_the_process_says_is_no_answer(terminal: Terminal) -> None:
    """A ticket that cannot be kept is said on standard error; standard output is the answer's alone."""
    (terminal.folder / "stanch.toml").write_text(TRACKED)
    terminal("declare", "Payments fail")
    ran = terminal("item", "add", "Test guest checkout", "-i", "1", "--json")

    assert ("Test guest checkout", True) == (dict_of(ran.answer)["title"], "ticket not kept" in ran.err)


def dict_of(answer: object) -> dict[str, object]:
    """Return an answer that is one record."""
    assert isinstance(answer, dict)
    return answer


def test_what_an_agent_spent_is_counted(terminal: Terminal) -> None:
    """An agent that has done nothing has spent nothing, of a limit that is shown."""
    terminal("agent", "create", "triage")
    row = terminal("agent", "list").rows()[1]

    assert ["0/600", "0/120"] == row[4:6]


def test_an_empty_list_is_no_prose(terminal: Terminal) -> None:
    """A program that lists gets a list."""
    assert [] == terminal("incident", "list", "--json").answer


def test_data_is_kept_where_one_says(terminal: Terminal, tmp_path: Path) -> None:
    """--data and STANCH_DATA both name the folder; the flag goes first."""
    terminal("--data", str(tmp_path / "flag"), "incident", "list", STANCH_DATA=str(tmp_path / "env"))
    terminal("incident", "list", STANCH_DATA=str(tmp_path / "env"))

    assert [True, True] == [(tmp_path / name / "stanch.db").exists() for name in ("flag", "env")]


def test_a_server_that_was_killed_is_forgotten(terminal: Terminal) -> None:
    """The file that a dead process left behind leads nowhere."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    leave_trace(terminal, pid=gone.pid, url="http://127.0.0.1:9")

    assert "server\tnone" in terminal("config", "list").out


def test_a_process_with_the_same_number_is_no_server(terminal: Terminal) -> None:
    """A number is used again; what counts is whether somebody answers there."""
    leave_trace(terminal, pid=os.getpid(), url="http://127.0.0.1:9")

    assert "server\tnone" in terminal("config", "list").out


def leave_trace(terminal: Terminal, *, pid: int, url: str) -> None:
    """Write the file in which a server says where it is."""
    folder = terminal.state / "stanch"
    folder.mkdir(parents=True)
    (folder / "server.json").write_text(json.dumps({"pid": pid, "url": url}))


def test_a_reader_that_has_seen_enough_is_no_error(terminal: Terminal) -> None:
    """`stanch ... | head -1` ends in silence."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*STANCH, "call"],
        cwd=terminal.folder,
        env=terminal.environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=WITHIN_S,
        check=False,
    )
    os.close(writing)

    assert (0, b"") == (done.returncode, done.stderr)


def test_an_interrupt_is_exit_code_130(terminal: Terminal) -> None:
    """Ctrl+C while something is under way says so, without a stack trace."""
    process = subprocess.Popen(
        [*STANCH, "note", "-"],
        cwd=terminal.folder,
        env=terminal.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Whoever started the tests in the background has told this process to ignore it.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    waits_for_input(process.pid)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=WITHIN_S)

    assert (130, b"", b"interrupted") == (process.returncode, out, err.strip())


def waits_for_input(pid: int) -> None:
    """Return once the process sleeps in a read of its standard input."""
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        if "pipe_read" in Path(f"/proc/{pid}/wchan").read_text() or reads_zero(pid):
            return
        time.sleep(0.05)
    raise AssertionError("it does not read")


def reads_zero(pid: int) -> bool:
    """Tell whether the process is in `read(0, ...)`, which is system call 0 on x86-64 and 63 on arm64."""
    try:
        call = Path(f"/proc/{pid}/syscall").read_text().split()
    except OSError:
        return False
    return len(call) > 1 and call[0] in ("0", "63") and call[1] == "0x0"


def test_a_folder_that_cannot_be_made_is_said(terminal: Terminal, tmp_path: Path) -> None:
    """A state folder where a file stands is no stack trace."""
    (tmp_path / "file").write_text("")
    ran = terminal("incident", "list", "--json", XDG_STATE_HOME=str(tmp_path / "file"))

    assert (8, "", "unavailable") == (ran.code, ran.out, ran.error["code"])


def test_settings_of_ones_own_hold(terminal: Terminal, tmp_path: Path) -> None:
    """config.toml says who one is, and the environment goes before it."""
    settings = terminal.state / "config" / "stanch"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text('actor = "carol"\n')
    told = [terminal("config", "list").out, terminal("config", "list", STANCH_ACTOR="dave").out]

    assert [True, True] == ["actor\tcarol" in told[0], "actor\tdave" in told[1]]


def test_an_unknown_setting_is_named(terminal: Terminal) -> None:
    """A slip in one's own settings is not passed over."""
    settings = terminal.state / "config" / "stanch"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text('sever = "x"\ncolor = 7\n')
    ran = terminal("config", "list")

    assert (2, True, True) == (ran.code, "sever: is no setting" in ran.err, "color: must be" in ran.err)


def test_where_everything_is(terminal: Terminal) -> None:
    """Settings, catalog, store and the server's trace, each with its path."""
    rows = terminal("config", "path").rows()

    assert ["settings", "catalog", "store", "server"] == [row[0] for row in rows]


def test_a_secret_is_never_printed(terminal: Terminal) -> None:
    """That a token is set is said, and not which."""
    ran = terminal("config", "list", STANCH_TOKEN="very-secret")

    assert (True, False) == ("token\tset" in ran.out, "very-secret" in ran.out + ran.err)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_its_completion(terminal: Terminal, shell: str) -> None:
    """The script asks us what to complete."""
    assert "_STANCH_COMPLETE" in terminal("completion", shell).out


def test_commands_are_completed(terminal: Terminal) -> None:
    """What begins with `inv` is `investigate`."""
    ran = terminal(_STANCH_COMPLETE="bash_complete", COMP_WORDS="stanch inv", COMP_CWORD="1")

    assert (0, "plain,investigate\n") == (ran.code, ran.out)


@pytest.mark.parametrize("topic", ["environment", "exit-codes", "formatting", "time", "operations"])
def test_every_topic_is_explained(terminal: Terminal, topic: str) -> None:
    """Help has more to say than usage."""
    ran = terminal("help", topic)

    assert (0, True) == (ran.code, len(ran.out.splitlines()) >= 3)


def test_a_time_that_is_none_is_said(terminal: Terminal) -> None:
    """The error shows how a time is said."""
    ran = terminal("declare", "x", "--since", "whenever")

    assert (2, True) == (ran.code, "'whenever' is no time" in ran.err)


def test_the_page_of_an_incident_needs_a_server(terminal: Terminal) -> None:
    """The address is printed, with a word on why nobody answers there yet."""
    terminal("declare", "Checkout fails")
    ran = terminal("open")

    assert ("http://127.0.0.1:8484/i/1\n", True) == (ran.out, "stanch serve" in ran.err)
