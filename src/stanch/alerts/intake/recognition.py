"""Recognises what senders repeat, so that a repetition costs a hash and a look-up instead of being read again.

Prometheus sends every alert again each minute or so, the same bytes but for the times. What is kept here is a shortcut
and never the truth: forgetting it costs time and nothing else. Texts are told apart by the 64 bits of Python's keyed
hash, a fifth of the time of a cryptographic one; a secret before each text keeps anybody from making two alike. Of
200,000 texts the chance that a further one is taken for one of them is 1 in 10^14.
"""

import secrets
from collections.abc import Iterable
from typing import Final

from stanch.alerts.intake.fingerprint import note_of, read_labels

# About 120 bytes an alert and 120 a note: 48 MB when full.
_MOST: Final = 200_000


class Recognition:
    """What one node has seen lately. One thread reads by it and another teaches it; each call is one step.

    `ids` are ids of alerts by `hash(secret + labels)`, `notes` digests by `hash(secret + annotations) ^ hash(url)`, of
    labels and annotations as they were written; whoever reads many alerts looks there by himself.
    """

    def __init__(self, *, most: int = _MOST) -> None:
        self._most = most
        self.secret = secrets.token_bytes(16)
        self.ids: dict[int, int] = {}
        self.notes: dict[int, int] = {}

    def learn(self, said: Iterable[tuple[int, int]]) -> None:
        """Keep what labels are told apart by with the ids of their alerts, which are committed."""
        self.ids.update(said)
        _shorten(self.ids, self._most)

    def note_of(self, text: bytes, url: str, noted: int) -> int:
        """Check annotations, keep them as `noted`, and return the digest of them and the URL.

        Raises what msgspec raises.
        """
        if text:
            read_labels(text)
        note = self.notes[noted] = note_of(text, url)
        _shorten(self.notes, self._most)
        return note


def _shorten(kept: dict[int, int], most: int) -> None:
    while len(kept) > most:
        # The oldest goes first. Another thread may have taken it meanwhile.
        kept.pop(next(iter(kept)), None)
