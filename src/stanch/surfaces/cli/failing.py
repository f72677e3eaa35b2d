"""How a command fails: what is said on standard error, as text or as JSON, and the exit code."""

import json
import os
import traceback
from collections.abc import Sequence
from typing import Final

import click

from stanch.kernel.blocks import clean
from stanch.kernel.errors import Bug, Forbidden, Invalid, NotFound, Refused, StanchError, Unavailable

USAGE: Final = 2
INTERRUPTED: Final = 130


def report_error(error: BaseException, *, arguments: Sequence[str]) -> int:
    """Say what went wrong, as JSON where JSON was asked for, and return the exit code."""
    as_json = "--json" in arguments
    debug = "--debug" in arguments or bool(os.environ.get("STANCH_DEBUG"))
    match error:
        case click.Abort() | KeyboardInterrupt() | EOFError():
            return interrupted(as_json=as_json)
        case click.ClickException():
            return usage(error, as_json=as_json)
        case StanchError():
            return failed(error, as_json=as_json, debug=debug)
        case OSError():
            told: StanchError = Unavailable(f"the system says no: {error}", retry=False)
        case _:
            told = Bug(f"{type(error).__name__}: {error}", hint="see where it comes from: stanch --debug ...")
    told.__cause__ = error
    return failed(told, as_json=as_json, debug=debug)


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
