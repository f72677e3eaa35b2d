"""Answers without a login: the token of a notice, signed, for one notice, expiring, counted once.

A token is `<page>.<notice>.<expiry>.<signature>`, numbers in base 36 so that it fits into a text message; the
signature is HMAC-SHA256 cut to 128 bits (RFC 2104 section 5 allows half) over what stands before it.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from stanch.kernel.errors import Forbidden

LASTS: Final = timedelta(hours=24)
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_LONGEST: Final = 80


@dataclass(frozen=True, kw_only=True)
class Answerable:
    """What a token lets its holder answer."""

    page: int
    notice: int
    expires_at: datetime


def token_for(key: bytes, *, page: int, notice: int, now: datetime) -> str:
    """Return the token of a notice that is made at `now`."""
    expiry = int((now + LASTS).timestamp())
    said = f"{_base36(page)}.{_base36(notice)}.{_base36(expiry)}"
    return f"{said}.{_signature(key, said)}"


def read_token(key: bytes, token: str, *, now: datetime) -> Answerable:
    """Return what `token` is for. Raises `Forbidden` when it is not ours or too old."""
    said, _, signature = token.rpartition(".")
    parts = said.split(".")
    if len(token) > _LONGEST or len(parts) != 3 or not all(_is_number(part) for part in parts):
        raise Forbidden("this is no link of ours", reason="bad_link")
    if not hmac.compare_digest(signature.encode(), _signature(key, said).encode()):
        raise Forbidden("this is no link of ours", reason="bad_link")
    page, notice, expiry = (int(part, 36) for part in parts)
    expires_at = datetime.fromtimestamp(expiry, UTC)
    if now > expires_at:
        raise Forbidden("this link is too old", reason="link_expired", hint="open the incident's page and log in")
    return Answerable(page=page, notice=notice, expires_at=expires_at)


def _signature(key: bytes, said: str) -> str:
    digest = hmac.new(key, f"stanch page answer {said}".encode(), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _base36(number: int) -> str:
    digits = ""
    while True:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
        if not number:
            return digits


def _is_number(part: str) -> bool:
    return bool(part) and len(part) <= 12 and all(digit in _DIGITS for digit in part)
