"""Identifiers: sortable, unguessable enough to be a permalink, short enough to read out."""

import secrets
from datetime import datetime
from typing import Final

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME_BITS: Final = 48
_RANDOM_BITS: Final = 80


def new_id(now: datetime) -> str:
    """Return a new 26-character identifier that sorts by `now` (milliseconds), in the ULID layout.

    The layout is 48 bits of Unix time in milliseconds and 80 random bits in Crockford's base 32
    (https://github.com/ulid/spec).
    """
    milliseconds = int(now.timestamp() * 1000)
    number = (milliseconds << _RANDOM_BITS) | secrets.randbits(_RANDOM_BITS)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
