"""How runbooks are kept working: how often they are tried. Record and keys."""

from dataclasses import dataclass
from typing import Final

from stanch.catalog.key import Key, Type

RUNBOOKS: Final = (
    Key(
        name="test_every_s",
        type=Type.SECONDS,
        doc="How often all runbooks are tried, as by `stanch runbook test`; 0: never by itself.",
        low=0,
        high=2_592_000,
    ),
    Key(name="test_links", type=Type.BOOLEAN, doc="Ask for the addresses that own runbooks point to as well."),
)


@dataclass(frozen=True, kw_only=True)
class Runbooks:
    """How runbooks are tried while nothing is wrong."""

    test_every_s: float = 86400.0
    test_links: bool = True
