"""Asks a yes or a no at the terminal while somebody may answer elsewhere. Decides nothing."""

import select
from collections.abc import Callable
from typing import Final, TextIO

import click

_LOOK_EVERY_S: Final = 0.5
_ANSWERS: Final = {"": True, "y": True, "yes": True, "n": False, "no": False}


def ask_unless(question: str, *, is_settled: Callable[[], bool], answers: TextIO) -> bool | None:
    """Ask until a person answers; return None as soon as `is_settled`, which is looked at twice a second.

    Enter means yes. Raises `click.Abort` at the end of the input.
    """
    prompt = f"{question} [Y/n]: "
    click.echo(prompt, nl=False)
    while not is_settled():
        # A terminal hands over whole lines, so what is ready to be read can be read to its end.
        ready, _, _ = select.select([answers], [], [], _LOOK_EVERY_S)
        if not ready:
            continue
        line = answers.readline()
        if not line:
            raise click.Abort
        answer = _ANSWERS.get(line.strip().lower())
        if answer is not None:
            return answer
        click.echo(prompt, nl=False)
    click.echo()
    return None
