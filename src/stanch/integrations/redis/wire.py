"""A Redis connection: RESP2 over TCP, with a deadline for each answer and a limit in bytes. Sends what it is told.

The protocol is described at https://redis.io/docs/latest/develop/reference/protocol-spec/.
"""

import socket
import ssl
import time
from collections.abc import Sequence
from typing import Final, TypeAlias

from stanch.kernel.errors import Unavailable

Value: TypeAlias = "str | int | list[Value] | Complaint | None"
_MOST_BYTES: Final = 4 * 1024 * 1024
_MOST_ITEMS: Final = 100_000
_DEEPEST: Final = 8


class Complaint(str):
    """An error that the server answered, e.g. `NOAUTH Authentication required.`."""

    __slots__ = ()


class Wire:
    """One connection. Everything it raises for the far end is `Unavailable`."""

    def __init__(self, host: str, port: int, *, timeout_s: float, tls: ssl.SSLContext | None = None) -> None:
        self._until = time.monotonic() + timeout_s
        self._buffer = bytearray()
        self._left = _MOST_BYTES
        try:
            raw = socket.create_connection((host, port), timeout=timeout_s)
            self._socket = tls.wrap_socket(raw, server_hostname=host) if tls else raw
        except OSError as error:
            raise Unavailable(f"cannot connect: {error.strerror or error}", retry=True) from error

    def call(self, argv: Sequence[str], *, timeout_s: float) -> Value:
        """Send one command and return its answer."""
        self._until, self._left = time.monotonic() + timeout_s, _MOST_BYTES
        words = [word.encode() for word in argv]
        sent = b"".join([b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)])
        try:
            self._socket.settimeout(max(0.01, timeout_s))
            self._socket.sendall(sent)
            return self._value(depth=0)
        except TimeoutError:
            raise Unavailable(f"no answer within {timeout_s:g} s", retry=True) from None
        except OSError as error:
            raise Unavailable(f"the connection broke: {error.strerror or error}", retry=True) from error

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _value(self, *, depth: int) -> Value:
        if depth > _DEEPEST:
            raise Unavailable("the answer is nested too deeply to be Redis's", retry=False)
        line = self._line()
        kind, rest = line[:1], line[1:]
        match kind:
            case b"+":
                return rest.decode(errors="replace")
            case b"-":
                return Complaint(rest.decode(errors="replace"))
            case b":":
                return self._count(rest)
            case b"$":
                length = self._count(rest)
                return None if length < 0 else self._bytes(length).decode(errors="replace")
            case b"*":
                count = self._count(rest)
                if count > _MOST_ITEMS:
                    raise Unavailable(f"the answer has {count:,} parts, which is too much to read", retry=False)
                return [self._value(depth=depth + 1) for _ in range(max(0, count))]
        raise Unavailable("this does not speak Redis's protocol", retry=False)

    def _count(self, text: bytes) -> int:
        try:
            return int(text)
        except ValueError:
            raise Unavailable("this does not speak Redis's protocol", retry=False) from None

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            self._more()
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _bytes(self, length: int) -> bytes:
        if length > _MOST_BYTES:
            raise Unavailable(f"the answer has {length:,} bytes, which is too much to read", retry=False)
        while len(self._buffer) < length + 2:
            self._more()
        value = bytes(self._buffer[:length])
        del self._buffer[: length + 2]
        return value

    def _more(self) -> None:
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._socket.settimeout(left_s)
        piece = self._socket.recv(65_536)
        if not piece:
            raise Unavailable("the server closed the connection", retry=True)
        self._left -= len(piece)
        if self._left < 0:
            raise Unavailable(f"the answer is longer than {_MOST_BYTES:,} bytes", retry=False)
        self._buffer += piece
