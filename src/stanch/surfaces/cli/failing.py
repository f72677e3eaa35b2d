"""How a command fails: what is said on standard error, as text or as JSON, and the exit code."""

import difflib
import json
import traceback
from collections.abc import Sequence

import click

from stanch.kernel.blocks import clean
from stanch.kernel.errors import Forbidden, Invalid, NotFound, Refused, StanchError, Unavailable

USAGE = 2
INTERRUPTED = 130


def exit_code(error: StanchError) -> int:
    """Return the exit code for an error, as `stanch help exit-codes` lists them."""
    match error:
        case Invalid():
            return USAGE
        case Forbidden():
            return 4
        case NotFound():
            return 5
        case Refused():
            return 6
        case Unavailable():
            return 8
        case _:
            return 1


def failed(error: StanchError, *, as_json: bool, debug: bool = False) -> int:
    """Say what went wrong, and what helps; return the exit code."""
    if debug:
        traceback.print_exception(error)
    problems = error.problems if isinstance(error, Invalid) else ()
    if as_json:
        told = {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "reason": getattr(error, "reason", ""),
            "problems": [{"field": one.field, "message": one.message} for one in problems],
        }
        click.echo(json.dumps({"error": told}), err=True)
        return exit_code(error)
    if len(problems) > 1:
        click.echo(f"stanch: {len(problems)} things are wrong:", err=True)
        for one in problems:
            click.echo(f"  {clean(one.field)}: {clean(one.message)}", err=True)
    else:
        field = f"{problems[0].field}: " if problems and problems[0].field not in error.message else ""
        click.echo(f"stanch: {clean(field)}{clean(error.message)}", err=True)
    if error.hint:
        click.echo(f"  {clean(error.hint)}", err=True)
    return exit_code(error)


def usage(error: click.ClickException, *, as_json: bool) -> int:
    """Say how the command is used; return the exit code."""
    if as_json:
        told = {"code": "usage", "message": clean(error.format_message()), "hint": "", "reason": "", "problems": []}
        click.echo(json.dumps({"error": told}), err=True)
    else:
        error.show()
    return error.exit_code


def interrupted(*, as_json: bool) -> int:
    """Say that it was interrupted; return the exit code."""
    told = {"code": "interrupted", "message": "interrupted", "hint": "", "reason": "", "problems": []}
    click.echo(json.dumps({"error": told}) if as_json else "interrupted", err=True)
    return INTERRUPTED


def no_command(word: str, known: Sequence[str]) -> str:
    """Return what is said about a command that does not exist, with the one that was probably meant."""
    close = difflib.get_close_matches(word, known, n=1)
    meant = f"; did you mean `stanch {close[0]}`?" if close else "; see stanch --help"
    return f"there is no command {clean(word)!r}{meant}"
