"""Bodies that nobody should send, made from good ones: by the byte and by the value, the same for the same seed."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Final

_VALUES: Final = (
    *(None, True, 0, -1, 2**31, 2**63, -(2**70), 1e308, 0.5, "", "\x00", "a\x00b", "x" * 70_000, "\ud800", "ſ" * 10),
    *(
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.999999999Z",
        "9999-12-31T23:59:59-14:00",
    ),
    *(
        "2026-02-30T00:00:00Z",
        "1e400",
        "nan",
        "password=hunter2hunter2",
        "../../etc/passwd",
        "'; drop table events; --",
    ),
    *([], {}, [[]], [{}], {"": ""}, {"a": None}, [None], {"\x00": "\x00"}, list(range(50))),
)


def mutated(good: bytes, chance: random.Random) -> bytes:
    """Return a body that is a little, or very much, unlike `good`."""
    return chance.choice(_MUTATIONS)(good, chance)


def _flipped(good: bytes, chance: random.Random) -> bytes:
    body = bytearray(good or b"{}")
    for _ in range(chance.randint(1, 5)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    return bytes(body)


def _spliced(good: bytes, chance: random.Random) -> bytes:
    place, length = chance.randint(0, len(good)), chance.randint(0, 40)
    return good[:place] + chance.randbytes(chance.randint(0, 12)) + good[place + length :]


def _truncated(good: bytes, chance: random.Random) -> bytes:
    return good[: chance.randint(0, len(good))]


def _doubled(good: bytes, chance: random.Random) -> bytes:
    return good + good[: chance.randint(0, len(good))]


def _nested(good: bytes, chance: random.Random) -> bytes:
    depth = chance.choice((50, 500, 20_000))
    inner = good if chance.random() < 0.5 else b"1"
    opening, closing = chance.choice(((b"[", b"]"), (b'{"alerts":', b"}"), (b'{"labels":', b"}")))
    return opening * depth + inner + closing * depth


def _replaced(good: bytes, chance: random.Random) -> bytes:
    try:
        tree = json.loads(good)
    except ValueError:
        return chance.randbytes(50)
    for _ in range(chance.randint(1, 3)):
        tree = _with_other(tree, chance)
    return json.dumps(tree).encode()


def _with_other(tree: object, chance: random.Random) -> object:
    """Return `tree` with one value in it replaced, renamed or taken out."""
    if isinstance(tree, dict) and tree and chance.random() < 0.9:
        name = chance.choice(list(tree))
        match chance.randrange(5):
            case 0:
                return {key: value for key, value in tree.items() if key != name}
            case 1:
                return {**tree, chance.choice(("", "x" * 300, "\x00", f"{name}\ud800", name.upper())): tree[name]}
            case _:
                return {**tree, name: _with_other(tree[name], chance)}
    if isinstance(tree, list) and tree and chance.random() < 0.8:
        place = chance.randrange(len(tree))
        return [*tree[:place], _with_other(tree[place], chance), *tree[place + 1 :]]
    return chance.choice(_VALUES)


def _any(good: bytes, chance: random.Random) -> bytes:
    return chance.choice(
        (
            b"",
            b"null",
            b"[]",
            b"{}",
            b'"text"',
            b"\xff\xfe" + good.decode("utf-8", "replace").encode("utf-16-le"),
            b"\xef\xbb\xbf" + good,
            b"a=1&b=%00&alerts=[]",
            b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]><x>&y;</x>",
            chance.randbytes(chance.randint(0, 300)),
            b'{"a":' + b"9" * 5000 + b"}",
            b'{"a":NaN}',
        )
    )


_MUTATIONS: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (
    _flipped,
    _spliced,
    _truncated,
    _doubled,
    _nested,
    _any,
    *(_replaced,) * 6,
)


def many_labels(count: int) -> bytes:
    """Return an alert with so many labels."""
    return json.dumps([{"labels": {"alertname": "A", **{f"l{number}": "x" for number in range(count)}}}]).encode()


def chunks(body: bytes, size: int) -> Iterator[bytes]:
    """Yield a body in pieces, as HTTP/1.1 frames them."""
    for start in range(0, len(body), size):
        piece = body[start : start + size]
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"
