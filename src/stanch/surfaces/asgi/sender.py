"""Who sends a form without a login, told apart for a day by a digest of the address, which itself is kept nowhere."""

import ipaddress
from hashlib import blake2b

from starlette.requests import Request


def sender_of(request: Request, *, day: str) -> str:
    """Return what tells one sender from another on `day`: a digest of the address, of an IPv6 one its network of 64."""
    peer = request.client.host if request.client else ""
    address = _address(peer)
    forwarded = request.headers.get("x-forwarded-for", "")
    if forwarded and (address is None or address.is_loopback):
        # Set by the proxy on this machine; what stands before its own entry anyone could have written.
        address = _address(forwarded.rpartition(",")[2].strip()) or address
    named = str(address or peer)
    if isinstance(address, ipaddress.IPv6Address):
        named = str(ipaddress.IPv6Network((address, 64), strict=False))
    return blake2b(named.encode(), digest_size=12, key=day.encode()).hexdigest()


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
