"""What a key of the configuration is: its type, its bounds, what it means. The lists of them are `keys` and others'."""

from dataclasses import dataclass
from enum import StrEnum


class Type(StrEnum):
    """What a value looks like in the file."""

    TEXT = "text"
    BOOLEAN = "true or false"
    NUMBER = "number"
    INTEGER = "whole number"
    RATIO = 'number from 0 to 1, or text such as "5%"'
    SECONDS = 'seconds, or text such as "15m"'
    CLOCK = 'time of day such as "09:00"'
    CLOCKS = 'two times of day such as ["22:00", "07:00"]'
    LOCAL = 'local date or date-time, such as "2026-01-05T09:00"'
    TEXTS = "list of texts"
    LISTS_OF_TEXTS = "list of lists of texts"
    SECONDS_BY_SEVERITY = "list of four lengths of time, SEV1 first"
    COUNTS_BY_SEVERITY = "list of four whole numbers, SEV1 first"
    TABLE = "table"
    TABLES = "table of tables"
    LIST_OF_TABLES = "list of tables"


@dataclass(frozen=True, kw_only=True)
class Key:
    """One key. `low` and `high` bound a number, both included; `words` are the only texts allowed, if there are any."""

    name: str
    type: Type
    doc: str
    required: bool = False
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()
