"""Which arguments of a command are read as code by what gets them, and what may be filled into those. Pure.

No shell of ours reads a command, but a command may bring its own: `sh -c`, `ssh host`, `psql -c`, `kubectl exec -- sh`.
There a value from outside would be text of a program, whatever quotes stand around it, so only a plain word may be
filled in.
"""

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

from stanch.kernel.errors import Refused

_SHELL_WORDS: Final = """
    sh bash dash zsh ksh mksh fish csh tcsh ash busybox cmd cmd.exe powershell powershell.exe pwsh
    ssh rsh mosh su runuser eval xargs parallel watch script expect at batch
"""
_SHELLS: Final = frozenset(_SHELL_WORDS.split())
"""What joins its arguments and reads them anew, wherever in a command it stands."""
_TAKES_CODE: Final = frozenset(
    {
        "-c",
        "-e",
        "-E",
        "-x",
        "-Command",
        "-command",
        "/c",
        "/C",
        "--command",
        "--eval",
        "--execute",
        "--exec",
        "--query",
    }
)
_PLAIN: Final = re.compile(r"(?!-)[\w.:/@+,-]*", re.ASCII)


def check_filled(template: Sequence[str], filled: Sequence[str], values: Sequence[str]) -> None:
    """Refuse a value that is no plain word where `template` hands it to something that reads code.

    `values` are what was filled into any of the arguments. Raises `Refused` (`unsafe_argument`).
    """
    shell = any(PurePath(argument).name in _SHELLS for argument in template)
    for place, (before, after) in enumerate(zip(template, filled, strict=True)):
        flag = template[place - 1] if place else ""
        is_code = shell or flag in _TAKES_CODE or before.partition("=")[0] in _TAKES_CODE
        if before == after or not is_code:
            continue
        for value in values:
            if value in after and not _PLAIN.fullmatch(value):
                raise Refused(
                    f"{value[:60]!r} would be read as code by {PurePath(template[0]).name}: hand it over as an argument"
                    " of its own",
                    reason="unsafe_argument",
                )
