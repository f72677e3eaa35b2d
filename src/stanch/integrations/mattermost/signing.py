"""Proves that a button is one of ours: an HMAC over what it asks and the channel, by the command's token. The token
itself stands in no post."""

import hashlib
import hmac
from typing import Final

_VERSION: Final = "stanch-button-1"


def proof(asks: str, *, channel: str, token: str) -> str:
    """Return the proof of a button that `asks` something in `channel`."""
    said = "\0".join((_VERSION, channel, asks)).encode()
    return hmac.new(token.encode(), said, hashlib.sha256).hexdigest()
