"""Webhooks of strangers who subscribed: one POST per message, to an address that is looked at before every one.

A stranger names the address, and so chooses what this server connects to. It connects to public addresses alone, to the
one that was looked at (a name may lead elsewhere a moment later), follows nowhere, and shows nothing of the answer. The
whole of it has a time: who answers with a byte every few seconds keeps nobody else waiting.
"""

import ipaddress
import socket
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import httpx2

from stanch.kernel.within import Late, within
from stanch.ports.channel import Failure, Message, NotTaken, Receipt, lost, refused

_TIMEOUT: Final = httpx2.Timeout(5.0, connect=3.0)
# Of everything: the name, the connection, the answer's head.
WITHIN_S: Final = 8.0
# Networks of IPv6 whose last 32 bits are an IPv4 address that a gateway leads to: compatible ones (RFC 4291, 2.5.5.1),
# and the well-known prefix of NAT64 (RFC 6052, 2.1).
_EMBEDDING: Final = (ipaddress.IPv6Network("::/96"), ipaddress.IPv6Network("64:ff9b::/96"))
_PORTS: Final = {"https": 443, "http": 80}


class SubscribedWebhook:
    """Posts a message's data to the URL that the message is for."""

    idempotent = True

    def __init__(self, *, name: str, private: bool = False, within_s: float = WITHIN_S) -> None:
        self._name = name
        self._private = private
        self._within_s = within_s
        self._trusted = httpx2.create_ssl_context(trust_env=False)

    @property
    def name(self) -> str:
        """Return the name of this channel."""
        return self._name

    def post(self, message: Message) -> Receipt:
        """Post the data of `message`."""
        client = httpx2.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False, verify=self._trusted)
        try:
            return within(self._within_s, lambda: self._posted(client, message))
        except Late as late:
            raise NotTaken(f"{self._name}: {late}; it may have arrived", failure=Failure.UNKNOWN) from None
        finally:
            # What is late has its connection closed, which ends its thread.
            client.close()

    def _posted(self, client: httpx2.Client, message: Message) -> Receipt:
        parts = urlsplit(message.to)
        host = parts.hostname or ""
        address = self._looked_up(host, parts.port or _PORTS.get(parts.scheme, 443))
        place = f"[{address}]" if ":" in address else address
        netloc = f"{place}:{parts.port}" if parts.port else place
        headers = {"Host": parts.netloc, "Idempotency-Key": message.id, "User-Agent": "Stanch"}
        try:
            with client.stream(
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
        """Hold nothing."""

    def _looked_up(self, host: str, port: int) -> str:
        """Return an address of `host`. Raises `NotTaken` where any of them is none of the public internet."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise NotTaken(f"{self._name}: the name is not known", failure=Failure.UNREACHABLE) from None
        addresses = [str(one[4][0]).partition("%")[0] for one in found]
        if not self._private and not all(_is_public(ipaddress.ip_address(one)) for one in addresses):
            raise NotTaken(f"{self._name}: the address is not a public one", failure=Failure.REFUSED)
        return addresses[0]


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Tell whether an address, and the one inside it where it holds one, is of one machine on the public internet."""
    if not address.is_global or address.is_multicast:
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    # A 6to4 address has the IPv4 one behind its prefix (RFC 3056).
    inside = address.sixtofour
    if any(address in network for network in _EMBEDDING):
        inside = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return inside is None or (inside.is_global and not inside.is_multicast)
