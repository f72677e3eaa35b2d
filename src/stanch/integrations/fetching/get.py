"""The fetch port: GET with a deadline for the whole answer, a limit in bytes, no redirect elsewhere or out of HTTPS."""

import ssl
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx2

from stanch.kernel.errors import Unavailable
from stanch.ports.fetch import Got

_MOST_BYTES: Final = 4 * 1024 * 1024
_MOST_HOPS: Final = 3
_NONE: Final[Mapping[str, str]] = MappingProxyType({})
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class HttpGet:
    """GETs, each over a connection of its own: looks are rare, and nothing is left open between them.

    The certificates that are trusted are read when HTTPS is first used, which takes a while; `trust` replaces them.
    """

    def __init__(self, *, trust: ssl.SSLContext | None = None) -> None:
        self._trust = trust

    def __call__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = _NONE,
        timeout_s: float = 5.0,
        most_bytes: int = _MOST_BYTES,
    ) -> Got:
        """Return what was answered within `timeout_s`; raises `Unavailable` when nothing was."""
        began = time.monotonic()
        for _ in range(_MOST_HOPS + 1):
            left_s = timeout_s - (time.monotonic() - began)
            if left_s <= 0:
                break
            got, moved = self._once(url, headers=headers, timeout_s=left_s, most_bytes=most_bytes, began=began)
            if not moved:
                return got
            before, after = urlsplit(url), urlsplit(moved)
            if before.netloc != after.netloc or (before.scheme, after.scheme) == ("https", "http"):
                # A token must not follow to a host that nobody configured, nor where everybody can read it.
                raise Unavailable(f"{shown(url)} points to another host, or to plain HTTP", retry=False)
            url = moved
        raise Unavailable(f"{shown(url)} did not answer within {timeout_s:g} s", retry=True)

    def _once(
        self, url: str, *, headers: Mapping[str, str], timeout_s: float, most_bytes: int, began: float
    ) -> tuple[Got, str]:
        given = {"Accept": "application/json", "Accept-Encoding": "identity", **headers}
        body = bytearray()
        cut = False
        try:
            with (
                httpx2.Client(follow_redirects=False, verify=self._trusted(url), timeout=timeout_s) as client,
                client.stream("GET", url, headers=given) as response,
            ):
                if response.status_code in _REDIRECTS and (place := response.headers.get("location")):
                    return Got(status=response.status_code, body=b"", took_s=0.0), urljoin(url, place)
                # As they come: each read has a time-out of its own, so a far end that drips must be stopped here.
                for piece in response.iter_raw():
                    body += piece
                    if time.monotonic() - began > timeout_s:
                        raise Unavailable(f"{shown(url)} had not sent all within {timeout_s:g} s", retry=True)
                    if len(body) > most_bytes:
                        cut = True
                        break
                took_s = time.monotonic() - began
                headers = {name.lower(): value for name, value in response.headers.items()}
                status, kept = response.status_code, bytes(body[:most_bytes])
                return Got(status=status, body=kept, took_s=took_s, cut=cut, headers=headers), ""
        except httpx2.TimeoutException:
            raise Unavailable(f"{shown(url)} did not answer within {timeout_s:g} s", retry=True) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            said = (str(error) or type(error).__name__).splitlines()[0][:200]
            raise Unavailable(f"{shown(url)} does not answer: {said}", retry=True) from error

    def _trusted(self, url: str) -> ssl.SSLContext | bool:
        if not url.lower().startswith("https:"):
            return False  # nothing to verify, and no certificates to read for it
        if self._trust is None:
            self._trust = ssl.create_default_context()
        return self._trust


def shown(url: str) -> str:
    """Return a URL without a user, a password and a query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
