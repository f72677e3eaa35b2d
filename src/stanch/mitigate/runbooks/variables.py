"""What a variable of a runbook looks like, and which values may stand for one. Pure.

`{{service}}` is ours; `{{ $labels.pod }}` and `{{ .CommonLabels.pod }}` are those of runbooks that were written for
Prometheus and its Alertmanager, and mean the same.
"""

import re
from collections.abc import Mapping
from typing import Final

from stanch.kernel.errors import Refused

VARIABLE: Final = re.compile(
    r"\{\{-?\s*\$?\.?(?:(?:common|group)?labels\.)?([A-Za-z_][\w.-]*?)\s*-?\}\}", re.IGNORECASE
)
_LONGEST: Final = 1_000


def variables_of(text: str) -> tuple[str, ...]:
    """Return the names of the variables in `text`, each once, in order."""
    return tuple(dict.fromkeys(VARIABLE.findall(text)))


def value_of(name: str, values: Mapping[str, str]) -> str:
    """Return the value of a variable. Raises `Refused` where it is missing, or no plain text on one line."""
    value = values.get(name, "")
    if not value:
        raise Refused(f"nothing is known of {name}", reason="missing_argument")
    if len(value) > _LONGEST or not value.isprintable():
        raise Refused(f"{name} is no plain text on one line of at most {_LONGEST} characters", reason="unsafe_argument")
    return value
