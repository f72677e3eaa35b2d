"""Links for subscribers, who have no login: to confirm, within two days, and to leave, for as long as there is mail.

A token is `<what>.<subscriber>.<expiry>.<signature>`; the signature is HMAC-SHA256 cut to 128 bits, as of the links
that answer pages, with the same key and other words before what is signed, so that none is good for another.
"""

import base64
import hashlib
import hmac
import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from stanch.kernel.errors import Forbidden

CONFIRM_WITHIN: Final = timedelta(days=2)
_TOKEN: Final = re.compile(r"([cl])\.([0-9a-f]{16})\.([0-9]{1,12})\.([A-Za-z0-9_-]{22})")


class Purpose(StrEnum):
    """What a link is for."""

    CONFIRM = "c"
    LEAVE = "l"


def token_for(key: bytes, purpose: Purpose, *, subscriber: str, now: datetime) -> str:
    """Return a token that is made at `now`; one to leave does not end."""
    expiry = int((now + CONFIRM_WITHIN).timestamp()) if purpose is Purpose.CONFIRM else 0
    said = f"{purpose.value}.{subscriber}.{expiry}"
    return f"{said}.{_signature(key, said)}"


def read_token(key: bytes, token: str, purpose: Purpose, *, now: datetime) -> str:
    """Return the subscriber whose token this is. Raises `Forbidden` when it is not ours or too old."""
    found = _TOKEN.fullmatch(token)
    if found is None or found[1] != purpose.value:
        raise Forbidden("this is no link of ours", reason="bad_link")
    said = f"{found[1]}.{found[2]}.{found[3]}"
    if not hmac.compare_digest(found[4].encode(), _signature(key, said).encode()):
        raise Forbidden("this is no link of ours", reason="bad_link")
    if int(found[3]) and now.timestamp() > int(found[3]):
        raise Forbidden("this link is too old", reason="link_expired", hint="subscribe again on the status page")
    return found[2]


def _signature(key: bytes, said: str) -> str:
    digest = hmac.new(key, f"stanch status page {said}".encode(), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
