"""What an integration reads over HTTP has an end, whatever the far end sends."""

import ast
import asyncio
import gzip
import math
import zlib
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

import stanch.integrations
from stanch.ports.bounded import AnswerPacked, AnswerTooLong, AnswerTooSlow, async_bounds, bounds
from tests.support.farend import Reply, site

_KB = 1024


class _Far(httpx2.BaseTransport):
    """A far end that sends pieces, as they are asked for, and counts them."""

    def __init__(self, *pieces: bytes, headers: dict[str, str] | None = None) -> None:
        self._pieces = pieces
        self._headers = headers or {}
        self.sent = 0
        self.asked: list[httpx2.Request] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer with the pieces."""
        self.asked.append(request)
        far = self

        class Stream(httpx2.SyncByteStream):
            """The pieces."""

            def __iter__(self) -> Iterator[bytes]:
                """Give one after the other."""
                for piece in far._pieces:
                    far.sent += 1
                    yield piece

        return httpx2.Response(200, headers=self._headers, stream=Stream())


def _get(far: _Far, *, most_bytes: int = 4 * _KB, within_s: float = math.inf) -> bytes:
    with httpx2.Client(transport=far, event_hooks=bounds(most_bytes=most_bytes, within_s=within_s)) as client:
        return client.get("http://far.example/").content


def test_an_answer_that_fits_is_read() -> None:
    """To the last byte that may come."""
    assert b"x" * 4 * _KB == _get(_Far(b"x" * 2 * _KB, b"x" * 2 * _KB))


def test_of_an_answer_that_is_too_long_no_more_is_taken() -> None:
    """It ends at the piece that does not fit."""
    far = _Far(*[b"x" * _KB] * 1000)
    with pytest.raises(AnswerTooLong):
        _get(far)

    assert 5 == far.sent


def test_an_answer_that_does_not_end_is_left() -> None:
    """Each of its pieces comes in time."""
    far = _Far(*[b"x"] * 1000)
    with pytest.raises(AnswerTooSlow):
        _get(far, within_s=-1.0)

    assert 1 == far.sent


def test_an_answer_is_asked_for_as_it_is() -> None:
    """What comes packed is larger than it looks."""
    far = _Far(b"x")
    _get(far)

    assert "identity" == far.asked[0].headers["accept-encoding"]


def test_an_answer_that_is_packed_all_the_same_is_read() -> None:
    """Some servers do not listen."""
    packed = gzip.compress(b'{"ok": true}')

    assert b'{"ok": true}' == _get(_Far(packed[:9], packed[9:], headers={"Content-Encoding": "gzip"}))


def test_what_unpacks_to_too_much_is_not_unpacked() -> None:
    """A hundred megabytes of nothing are a hundred kilobytes."""
    packed = gzip.compress(bytes(8 * _KB * _KB))
    with pytest.raises(AnswerTooLong):
        _get(_Far(packed, headers={"Content-Encoding": "gzip"}), most_bytes=64 * _KB)


@pytest.mark.parametrize(
    ("how", "body"), [("br", b"x"), ("gzip, gzip", b"x"), ("gzip", b"no gzip"), ("deflate", zlib.compress(b"x"))]
)
def test_what_is_packed_in_another_way_is_refused(how: str, body: bytes) -> None:
    """Nobody asked for it."""
    with pytest.raises(AnswerPacked):
        _get(_Far(body, headers={"Content-Encoding": how}))


def test_what_breaks_a_bound_is_trouble_as_a_broken_connection_is() -> None:
    """Who handles that handles this."""
    assert [True, True, True] == [
        issubclass(one, httpx2.HTTPError) for one in (AnswerTooLong, AnswerTooSlow, AnswerPacked)
    ]


def test_it_holds_for_a_client_that_is_awaited() -> None:
    """The same bound, over a real connection."""

    async def get(url: str) -> int:
        async with httpx2.AsyncClient(event_hooks=async_bounds(most_bytes=4 * _KB), trust_env=False) as client:
            return len((await client.get(url)).content)

    with site(lambda asked: Reply(body="x" * (4 if asked.path == "/short" else 4000) * _KB)) as far:
        short = asyncio.run(get(f"{far.url}/short"))
        with pytest.raises(AnswerTooLong):
            asyncio.run(get(f"{far.url}/long"))

    assert 4 * _KB == short


def test_every_client_of_an_integration_is_bounded() -> None:
    """It has the bounds, or its module reads by streaming, which ends where that says; nothing is asked without one."""
    found = []
    for path in Path(stanch.integrations.__path__[0]).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        streams = ".stream(" in text
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if not isinstance(node.func.value, ast.Name) or node.func.value.id != "httpx2":
                continue
            is_client = node.func.attr in ("Client", "AsyncClient")
            is_bounded = any(one.arg == "event_hooks" for one in node.keywords) or streams
            if (is_client and not is_bounded) or node.func.attr in ("get", "post", "put", "patch", "delete", "request"):
                found.append(f"{path.name}:{node.lineno} {node.func.attr}")

    assert [] == found
