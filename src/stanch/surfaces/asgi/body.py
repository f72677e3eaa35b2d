"""Reads what a request carries as an object of JSON values, within limits. What the values mean is decided below."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request

from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import read_json

# The largest thing sent is a post-mortem: 1 MiB is about 150,000 words of it.
MOST_BYTES: Final = 1_048_576
# Integers that every JSON reader agrees on (RFC 7493 2.2), and that fit the columns they may end up in.
_LARGEST: Final = 2**53 - 1
_MOST_DIGITS: Final = 17
_MOST_FIELDS: Final = 100

_ARRAYS: Final = (
    msgspec.inspect.ListType,
    msgspec.inspect.VarTupleType,
    msgspec.inspect.TupleType,
    msgspec.inspect.SetType,
    msgspec.inspect.FrozenSetType,
)


async def json_object(request: Request) -> dict[str, JSON]:
    """Return the JSON object in the body; an empty body is an empty object.

    Raises `Invalid` naming the field, or an `HTTPException` with 413 or 415.
    """
    declared = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise HTTPException(415, "send the body as application/json")
    raw = await _read(request)
    if not raw:
        return {}
    value = read_json(raw)
    if not isinstance(value, dict):
        raise Invalid("send a JSON object", field="body")
    for name, one in value.items():
        _check(one, field=name)
    return value


async def form_fields(request: Request) -> dict[str, list[str]]:
    """Return the fields of a plain HTML form, in order; a field may be repeated. Raises as `json_object` does."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/x-www-form-urlencoded":
        raise HTTPException(415, "send the form as application/x-www-form-urlencoded")
    raw = await _read(request)
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except (ValueError, UnicodeError) as error:
        raise Invalid(f"this is no form: {error}", field="body") from error
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def query_object(request: Request, kind: type[object]) -> dict[str, JSON]:
    """Return the query as an object for a request of type `kind`; what is a list there may be repeated here."""
    query = request.query_params
    return texts_object({name: query.getlist(name) for name in query}, kind)


def texts_object(texts: Mapping[str, list[str]], kind: type[object]) -> dict[str, JSON]:
    """Return named texts as an object for a request of type `kind`. Raises `Invalid` naming the field."""
    found: dict[str, JSON] = {}
    lists = _list_fields(kind)
    for name, values in texts.items():
        for one in values:
            _check(one, field=name)
        if name in lists:
            found[name] = list(values)
        elif len(values) > 1:
            raise Invalid("is given more than once", field=name)
        else:
            _check_digits(values[0], field=name)
            found[name] = values[0]
    return found


async def _read(request: Request) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MOST_BYTES:
        raise _too_large()
    chunks, total = [], 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > MOST_BYTES:
            raise _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large() -> HTTPException:
    return HTTPException(413, f"a body is at most {MOST_BYTES} bytes")


def _check(value: JSON, *, field: str) -> None:
    """Raise `Invalid` for what no database column takes: a NUL character, an integer beyond 2^53."""
    match value:
        case str():
            if "\x00" in value or "\x00" in field:
                raise Invalid("holds a NUL character", field=field.replace("\x00", ""))
        case bool() | float() | None:
            return
        case int():
            if abs(value) > _LARGEST:
                raise Invalid(f"is larger than {_LARGEST}", field=field)
        case list():
            for number, one in enumerate(value):
                _check(one, field=f"{field}[{number}]")
        case dict():
            for name, one in value.items():
                _check(one, field=f"{field}.{name}")


def _check_digits(text: str, *, field: str) -> None:
    if text.lstrip("+-").isdigit() and len(text) > _MOST_DIGITS:
        raise Invalid(f"is larger than {_LARGEST}", field=field)


def _list_fields(kind: type[object]) -> frozenset[str]:
    info = msgspec.inspect.type_info(kind)
    if not isinstance(info, msgspec.inspect.DataclassType):
        return frozenset()
    return frozenset(one.encode_name for one in info.fields if _is_list(one.type))


def _is_list(kind: msgspec.inspect.Type) -> bool:
    if isinstance(kind, msgspec.inspect.UnionType):
        return any(_is_list(one) for one in kind.types)
    return isinstance(kind, _ARRAYS)
