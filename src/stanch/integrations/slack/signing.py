"""Checks that a request comes from Slack: HMAC over the bytes as they came, and not older than five minutes
(https://docs.slack.dev/authentication/verifying-requests-from-slack)."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from stanch.kernel.errors import Forbidden

MOST_AGE_S: Final = 300
_VERSION: Final = "v0"


def verify(body: bytes, headers: Mapping[str, str], *, secret: str, now: datetime) -> None:
    """Raise `Forbidden` unless Slack signed `body` within five minutes of `now`. Header names are in lower case."""
    stamp = headers.get("x-slack-request-timestamp", "")
    given = headers.get("x-slack-signature", "")
    if not secret:
        raise Forbidden("the signing secret is not set on this server", reason="secret_not_set")
    if not stamp.isascii() or not stamp.isdecimal() or len(stamp) > 12:
        raise Forbidden("Slack says when it sends, and this does not", reason="bad_signature")
    if not hmac.compare_digest(signature(body, stamp=stamp, secret=secret).encode(), given.encode()):
        raise Forbidden("the signature is not Slack's", reason="bad_signature")
    if abs(now.timestamp() - int(stamp)) > MOST_AGE_S:
        raise Forbidden("the request is older than five minutes", reason="too_old", hint="check this server's clock")


def signature(body: bytes, *, stamp: str, secret: str) -> str:
    """Return the signature of `body` sent at `stamp` (Unix seconds)."""
    digest = hmac.new(secret.encode(), f"{_VERSION}:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return f"{_VERSION}={digest}"
