"""Webhooks of strangers who subscribed: one POST per message, to an address that is looked at before every one.

A stranger names the address, and so chooses what this server connects to. It connects to public addresses alone, to the
one that was looked at (a name may lead elsewhere a moment later), follows nowhere, and shows nothing of the answer.
"""

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx2

from stanch.ports.channel import Failure, Message, NotTaken, Receipt, lost, refused

_TIMEOUT: Final = httpx2.Timeout(5.0, connect=3.0)
_PORTS: Final = {"https": 443, "http": 80}


class SubscribedWebhook:
    """Posts a message's data to the URL that the message is for."""

    idempotent = True

    def __init__(self, *, name: str, private: bool = False) -> None:
        self._name = name
        self._private = private
        self._client = httpx2.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False)

    @property
    def name(self) -> str:
        """Return the name of this channel."""
        return self._name

    def post(self, message: Message) -> Receipt:
        """Post the data of `message`."""
        parts = urlsplit(message.to)
        host = parts.hostname or ""
        address = self._looked_up(host, parts.port or _PORTS.get(parts.scheme, 443))
        place = f"[{address}]" if ":" in address else address
        netloc = f"{place}:{parts.port}" if parts.port else place
        headers = {"Host": parts.netloc, "Idempotency-Key": message.id, "User-Agent": "Stanch"}
        try:
            with self._client.stream(
                "POST",
                urlunsplit((parts.scheme, netloc, parts.path or "/", parts.query, "")),
                json=message.data,
                headers=headers,
                extensions={"sni_hostname": host},
            ) as answer:
                status, given = answer.status_code, answer.headers
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self._name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self._name, error, begun=True) from None
        if 200 <= status < 300:
            return Receipt(detail=f"{status}")
        raise refused(self._name, status=status, words="", headers=given)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _looked_up(self, host: str, port: int) -> str:
        """Return an address of `host`. Raises `NotTaken` where any of them is none of the public internet."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NotTaken(f"{self._name}: the name is not known", failure=Failure.UNREACHABLE) from None
        addresses = [str(one[4][0]).partition("%")[0] for one in found]
        if not self._private and not all(ipaddress.ip_address(one).is_global for one in addresses):
            raise NotTaken(f"{self._name}: the address is not a public one", failure=Failure.REFUSED)
        return addresses[0]
