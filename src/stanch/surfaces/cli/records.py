"""Takes answers apart: JSON objects as operations answer them, near or far. Text from outside is cleaned on the way."""

from collections.abc import Mapping
from datetime import datetime

from stanch.kernel.blocks import clean
from stanch.kernel.event import JSON

Record = Mapping[str, JSON]


def record_of(answer: JSON) -> Record:
    """Return an answer as an object, an empty one when it is none."""
    return answer if isinstance(answer, dict) else {}


def records_of(answer: JSON) -> list[Record]:
    """Return the objects of an answer that is a list."""
    return [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []


def text_of(record: Record, name: str) -> str:
    """Return a text field without control codes; an empty text where there is none."""
    value = record.get(name)
    return clean(value) if isinstance(value, str) else ""


def line_of(record: Record, name: str) -> str:
    """Return a text field in one line."""
    return " ".join(text_of(record, name).split())


def number_in(record: Record, name: str) -> float | None:
    """Return a number field, None where there is none."""
    value = record.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def count_in(record: Record, name: str) -> int:
    """Return a field that counts, 0 where there is none."""
    return int(number_in(record, name) or 0)


def child(record: Record, name: str) -> Record:
    """Return an object field, an empty one where there is none."""
    return record_of(record.get(name))


def children(record: Record, name: str) -> list[Record]:
    """Return the objects of a list field."""
    return records_of(record.get(name))


def texts(record: Record, name: str) -> list[str]:
    """Return the texts of a list field, each without control codes."""
    value = record.get(name)
    return [clean(one) for one in value if isinstance(one, str)] if isinstance(value, list) else []


def pairs(record: Record, name: str) -> list[tuple[str, str]]:
    """Return the pairs of texts of a list field."""
    value = record.get(name)
    found = [one for one in value if isinstance(one, list) and len(one) == 2] if isinstance(value, list) else []
    return [(clean(str(one[0])), clean(str(one[1]))) for one in found]


def moment(record: Record, name: str) -> datetime | None:
    """Return an instant field (UTC)."""
    value = record.get(name)
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None
