"""The command actuator: exact arguments, its own process group, a clean environment, an end in time."""

import os
import sys
import time
from pathlib import Path

import pytest

from stanch.integrations.command import CommandActuator
from stanch.ports.actuator import Step, StepResult


def run(*argv: str, cwd: str = "", timeout_s: float = 20.0) -> tuple[StepResult, list[str]]:
    """Run one step and return how it ended, with every line that was passed on."""
    lines: list[str] = []
    step = Step(actuator="command", argv=argv, cwd=cwd, timeout_s=timeout_s)
    return CommandActuator().run(step, emit=lines.append), lines


def is_running(pid: int) -> bool:
    """Tell whether a process lives; one that only waits to be collected does not."""
    try:
        return "Z" != Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False


def test_output_and_code() -> None:
    """Lines of both streams are passed on in order, and the code is the program's."""
    result, lines = run("sh", "-c", "echo one; echo two >&2; exit 3")

    assert (3, ["one", "two"], False) == (result.code, lines, result.timed_out)


def test_no_shell_reads_an_argument() -> None:
    """What a shell would act on arrives as it is."""
    hostile = "$(touch pwned); `id` && echo *"

    assert [hostile] == run("printf", "%s\n", hostile)[1]


def test_secrets_of_this_process_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command gets its path and home, and no token of the server."""
    monkeypatch.setenv("STANCH_TOKEN", "hunter2")
    names = {line.partition("=")[0] for line in run("env")[1]}

    assert (True, False) == ("PATH" in names, "STANCH_TOKEN" in names)


def test_it_runs_where_it_is_told(tmp_path: Path) -> None:
    """The step's folder is the program's."""
    assert [str(tmp_path.resolve())] == run("pwd", "-P", cwd=str(tmp_path))[1]


def test_a_time_out_kills_the_whole_group() -> None:
    """What the program started in the background dies with it."""
    result, lines = run("sh", "-c", "sleep 60 & echo $!; wait", timeout_s=4)
    deadline = time.monotonic() + 5
    while is_running(int(lines[0])) and time.monotonic() < deadline:
        time.sleep(0.02)

    assert (124, True, False) == (result.code, result.timed_out, is_running(int(lines[0])))


def test_it_is_not_killed_with_its_parent_group() -> None:
    """The program leads a group of its own."""
    code = "import os; print(os.getpgrp() == os.getpid())"

    assert ["True"] == run(sys.executable, "-c", code)[1]


def test_the_newest_output_is_kept() -> None:
    """Of a flood at most 64 KiB stay in the result, the end of it."""
    result, _ = run(sys.executable, "-c", "for n in range(20_000): print(f'line {n}')")

    assert (True, "line 19999") == (len(result.output) <= 64 * 1024, result.output.splitlines()[-1])


def test_a_long_line_is_cut() -> None:
    """One line is at most 4,000 characters."""
    assert [4000] == [len(line) for line in run(sys.executable, "-c", "print('x' * 100_000)")[1]]


def test_bytes_that_are_no_text_do_no_harm() -> None:
    """Output that is not UTF-8 is shown with marks."""
    assert ["\ufffdok"] == run("printf", r"\377ok\n")[1]


def test_it_does_not_wait_for_input() -> None:
    """Nobody types: a program that reads gets the end at once."""
    assert 0 == run("cat")[0].code


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (Step(actuator="command"), "there is no command to run"),
        (Step(actuator="command", argv=("no-such-program",)), "there is no program 'no-such-program'"),
        (Step(actuator="command", argv=("true",), cwd="/no/such"), "there is no folder '/no/such'"),
        (Step(actuator="command", argv=("true", "a\0b")), "an argument contains a NUL character"),
    ],
)
def test_problems_are_said_before(step: Step, problem: str) -> None:
    """What cannot run is known without trying."""
    assert (problem,) == CommandActuator().problems(step)


def test_a_step_that_can_run_has_no_problems() -> None:
    """Nothing stands in its way."""
    assert () == CommandActuator().problems(Step(actuator="command", argv=("true",), cwd=os.sep))


def test_a_program_that_is_not_on_the_list_is_refused() -> None:
    """With a list, a program must stand in it as it is called; also its path must."""
    actuator = CommandActuator(("true", "/bin/echo"))
    tried = [("true",), ("/bin/echo",), ("echo",), ("/bin/true",), ("sh",)]

    assert [True, True, False, False, False] == [
        not actuator.problems(Step(actuator="command", argv=argv)) for argv in tried
    ]


def test_what_has_problems_is_not_run_either() -> None:
    """The list holds at the run, not only before."""
    lines: list[str] = []
    result = CommandActuator(("false",)).run(Step(actuator="command", argv=("true",)), emit=lines.append)

    assert (127, True) == (result.code, "not on the list" in lines[0])


def test_secrets_in_output_are_taken_out_before_it_is_passed_on() -> None:
    """Also a key over many lines."""
    code = "print('token=hunter2-hunter2'); print('-----BEGIN PRIVATE KEY-----'); print('MIIEvQIBADANBgkqhkiG')"
    result, lines = run(sys.executable, "-c", code)

    assert (False, False, result.output) == (
        "hunter2" in "".join(lines),
        "MIIE" in "".join(lines),
        "\n".join(lines),
    )


def test_what_a_terminal_would_obey_is_taken_out() -> None:
    """Colours, titles and marks that turn the direction around."""
    assert ["red"] == run("printf", r"\033[31mred\033]0;owned\007\342\200\256\n")[1]


def test_a_line_without_an_end_takes_no_memory() -> None:
    """Ten million characters in one line are read, cut and gone."""
    result, lines = run(sys.executable, "-c", "import sys; sys.stdout.write('x' * 10_000_000)")

    assert (0, [4000]) == (result.code, [len(line) for line in lines])


def test_what_is_left_running_is_not_waited_for() -> None:
    """A service that was started goes on and holds the pipe; its command is done when it ends itself."""
    result, lines = run("sh", "-c", "sleep 60 & echo $!")
    pid = int(lines[0])
    alive = is_running(pid)
    os.kill(pid, 9)

    assert (0, True, True) == (result.code, result.took_s < 10, alive)
