"""How a command fails: words, JSON, exit codes. Pure formatting; the processes are in the other files."""

import json

import click
import pytest

from stanch.kernel.errors import Bug, Conflict, Forbidden, Invalid, NotFound, Problem, Refused, StanchError, Unavailable
from stanch.surfaces.cli.commands.settings import TOPICS
from stanch.surfaces.cli.failing import exit_code, report_error
from stanch.surfaces.cli.remote import remote_way

CODES = [
    (Bug("x"), 1),
    (Invalid("x"), 2),
    (Forbidden("x"), 4),
    (NotFound("x"), 5),
    (Refused("x"), 6),
    (Conflict("x"), 6),
    (Unavailable("x", retry=True), 8),
]


@pytest.mark.parametrize(("error", "code"), CODES)
def test_every_error_has_its_exit_code(error: StanchError, code: int) -> None:
    """A script can tell what went wrong without reading words."""
    assert code == exit_code(error)


@pytest.mark.parametrize("code", sorted({code for _, code in CODES} | {0, 130}))
def test_every_exit_code_is_documented(code: int) -> None:
    """`stanch help exit-codes` lists what there is."""
    assert str(code) in {line.split()[0] for line in TOPICS["exit-codes"].splitlines()}


def told(capsys: pytest.CaptureFixture[str], error: BaseException, *arguments: str) -> tuple[int, str]:
    """Return the exit code and what standard error says; standard output must be empty."""
    code = report_error(error, arguments=arguments)
    said = capsys.readouterr()
    assert "" == said.out
    return code, said.err


def test_an_error_is_json_where_json_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """One object with stable names."""
    error = Invalid(problems=[Problem(field="title", message="say what is wrong")], hint="like this")
    _, err = told(capsys, error, "declare", "", "--json")

    assert {
        "code": "invalid",
        "message": "title: say what is wrong",
        "hint": "like this",
        "reason": "",
        "problems": [{"field": "title", "message": "say what is wrong"}],
    } == json.loads(err)["error"]


@pytest.mark.parametrize(
    ("error", "code", "word"),
    [
        (click.UsageError("no such thing"), 2, "usage"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (OSError(28, "No space left on device"), 8, "unavailable"),
        (ZeroDivisionError("division by zero"), 1, "bug"),
    ],
)
def test_whatever_fails_is_json_too(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, word: str
) -> None:
    """Nothing ends in a stack trace that a program cannot read."""
    assert (code, word) == (
        (found := told(capsys, error, "--json"))[0],
        json.loads(found[1])["error"]["code"],
    )


def test_a_defect_is_no_stack_trace(capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody foresaw is a sentence, and says how to see more."""
    _, err = told(capsys, ZeroDivisionError("division by zero"))

    assert "stanch: ZeroDivisionError: division by zero\n  see where it comes from: stanch --debug ...\n" == err


def test_a_defect_shows_where_it_comes_from_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """With --debug the trace is there."""
    _, err = told(capsys, ZeroDivisionError("division by zero"), "--debug")

    assert "Traceback" in err or "ZeroDivisionError" in err.splitlines()[0]


def test_one_problem_names_its_field_once(capsys: pytest.CaptureFixture[str]) -> None:
    """The field stands before the words, where they do not say it themselves."""
    _, err = told(capsys, Invalid("lies in the future", field="started_at"))

    assert "stanch: started_at: lies in the future\n" == err


def test_words_from_outside_obey_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """An error that quotes a hostile name is shown without its control codes."""
    _, err = told(capsys, NotFound("there is no \x1b[31mred\x1b[0m thing", hint="\x07ring"))

    assert "stanch: there is no red thing\n  ring\n" == err


@pytest.mark.parametrize("url", ["http://alice:hunter2@127.0.0.1:8484", "alice:hunter2@host", "ftp://a:hunter2@host"])
def test_a_password_in_the_address_is_not_repeated(url: str) -> None:
    """The refusal says where a token belongs, and nothing of what was given."""
    with pytest.raises(Invalid) as failed:
        remote_way(url, actor="alice")

    assert (False, "put the token into STANCH_TOKEN") == ("hunter2" in repr(failed.value), failed.value.hint)
