"""Reads JSON that others wrote: by name, with the type that is expected, and an error that names the field.

Owns what bad JSON looks like to a sender: not JSON, not UTF-8, too deep, too large, of the wrong type. Says where.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON

LARGEST_BODY: Final = 5 * 1024 * 1024
"""What one request may carry, in bytes: GitHub's largest ordinary event is far below it."""

_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
# GitLab writes `2025-05-02 12:30:19 +0000`.
_SPACED_OFFSET: Final = re.compile(r" ([+-]\d\d:?\d\d)$")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# A backslash that is escaped, a pair, or half of one; the first two are passed over.
_HALVES: Final = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)
_ONE_ESCAPE: Final = len(b"\\ud800")


def read_json(body: bytes, *, largest: int = LARGEST_BODY) -> JSON:
    """Return the JSON value in `body`. Raises `Invalid` when there is none, or it is too large or too deep."""
    if len(body) > largest:
        raise Invalid(f"at most {largest:,} bytes, this has {len(body):,}", field="body")
    try:
        value: JSON = msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        whole = without_half_characters(body)
        if whole != body:
            return read_json(whole, largest=len(whole))
        raise Invalid(f"is not JSON: {error}", field="body") from None
    except RecursionError:
        raise Invalid("is nested too deeply", field="body") from None
    except UnicodeDecodeError:
        raise Invalid("is not UTF-8", field="body") from None
    return value


def without_half_characters(body: bytes) -> bytes:
    """Return JSON with U+FFFD for each half of a surrogate pair that stands alone.

    Senders that cut texts off write them, within an emoji; RFC 8259 section 8.2 leaves open what becomes of them, and
    what else the message says shall not be lost.
    """
    return _HALVES.sub(lambda found: b"\\ufffd" if len(found[0]) == _ONE_ESCAPE else found[0], body)


def read_object(body: bytes, *, largest: int = LARGEST_BODY) -> "JsonObject":
    """Return the JSON object in `body`. Raises `Invalid` when it is anything else."""
    value = read_json(body, largest=largest)
    if not isinstance(value, dict):
        raise Invalid(f"must be a JSON object, not {_kind(value)}", field="body")
    return JsonObject(value)


@dataclass(frozen=True)
class JsonObject:
    """A JSON object whose fields are read by name. A missing field and `null` are the same: the default."""

    data: Mapping[str, JSON]
    path: str = ""

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a value that is not null."""
        return self.data.get(name) is not None

    def text(self, name: str, default: str = "") -> str:
        """Return a text; numbers and truth values are written out, as senders mix them."""
        value = self.data.get(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str | int | float):
            return str(value)
        raise self._wrong(name, "a text", value)

    def needed(self, name: str) -> str:
        """Return a text that must be there and not empty."""
        value = self.text(name).strip()
        if not value:
            raise Invalid("is missing", field=self._at(name))
        return value

    def number(self, name: str) -> float | None:
        """Return a number; a text that is one counts."""
        value = self.data.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._wrong(name, "a number", value)
        try:
            return float(value)
        except (ValueError, OverflowError):
            raise self._wrong(name, "a number", value) from None

    def object(self, name: str) -> "JsonObject":
        """Return an object, an empty one where there is none."""
        value = self.data.get(name)
        if value is None:
            return JsonObject({}, self._at(name))
        if not isinstance(value, dict):
            raise self._wrong(name, "an object", value)
        return JsonObject(value, self._at(name))

    def objects(self, name: str) -> "list[JsonObject]":
        """Return a list of objects, an empty one where there is none."""
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(name, "a list", value)
        return list(self._each(name, value))

    def texts(self, name: str) -> dict[str, str]:
        """Return an object of texts, as labels are; values that are numbers or truth values are written out."""
        inner = self.object(name)
        return {key: inner.text(key) for key in inner.data if inner.data[key] is not None}

    def words(self, name: str) -> list[str]:
        """Return a list of texts; what is no text is left out."""
        value = self.data.get(name)
        return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []

    def instant(self, name: str) -> datetime | None:
        """Return an instant (UTC) from RFC 3339 or a Unix time in seconds or milliseconds; the year 1 is none.

        Raises `Invalid` for anything else, and for a time before 1990 or after 2199.
        """
        value = self.data.get(name)
        if value is None or value in ("", 0):
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._wrong(name, "a time", value)
        found = _instant(value)
        if found is None:
            raise self._wrong(name, "a time such as 2026-11-21T14:30:00Z", value)
        if found.year <= 1:
            return None
        if not _EARLIEST <= found < _LATEST:
            raise Invalid(f"{value!r} lies outside the years 1990 to 2199", field=self._at(name))
        return found

    def _each(self, name: str, values: list[JSON]) -> "Iterator[JsonObject]":
        for index, value in enumerate(values):
            if not isinstance(value, dict):
                raise self._wrong(f"{name}[{index}]", "an object", value)
            yield JsonObject(value, self._at(f"{name}[{index}]"))

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _wrong(self, name: str, wanted: str, value: JSON) -> Invalid:
        return Invalid(f"must be {wanted}, not {_kind(value)}", field=self._at(name))


def _instant(value: str | int | float) -> datetime | None:
    try:
        count = float(value)
    except ValueError:
        return _from_text(str(value))
    try:
        # Above 10^11 it can only be milliseconds: as seconds that is the year 5138.
        seconds = count / 1000 if abs(count) > 1e11 else count
        return _EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None


def _from_text(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(_SPACED_OFFSET.sub(r"\1", text.strip().replace(" UTC", "+00:00")))
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:
        # The year 1 in a zone east of Greenwich lies before the first instant there is.
        return datetime.min.replace(tzinfo=UTC)
    except ValueError:
        return None


def _kind(value: JSON) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case str():
            return "a text"
        case int() | float():
            return "a number"
        case list():
            return "a list"
        case _:
            return "an object"
