"""What an agent may spend in an hour, from the environment."""

import os
from typing import Final

from stanch.catalog.agents.model import Limits
from stanch.kernel.errors import Invalid

_VARIABLES: Final = ("calls", "writes", "executions", "seconds")
_MOST: Final = 1_000_000


def agent_limits() -> Limits:
    """Return the limits: STANCH_AGENT_CALLS, ..._WRITES, ..._EXECUTIONS, ..._SECONDS. Raises `Invalid`."""
    usual = Limits()
    calls, writes, executions, seconds = (_number(name, getattr(usual, name)) for name in _VARIABLES)
    return Limits(calls=calls, writes=writes, executions=executions, seconds=seconds)


def _number(name: str, usual: int) -> int:
    variable = f"STANCH_AGENT_{name.upper()}"
    text = os.environ.get(variable, "").strip()
    if not text:
        return usual
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise Invalid(f"{variable} is a whole number from 1 to {_MOST:,}", field=variable)
    return int(text)
