"""Recognises what senders repeat, so that a repetition costs a digest and a look-up instead of being read again.

Prometheus sends every alert again each minute or so, the same bytes but for the times. What is kept here is a shortcut
and never the truth: forgetting it costs time and nothing else.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

import msgspec

# About 200 bytes an alert and 90 a note: 60 MB when full.
_MOST: Final = 200_000

_texts: Final = msgspec.json.Decoder(dict[str, str] | None)


class Recognition:
    """What one node has seen lately. One thread reads by it and another teaches it; each call is one step."""

    def __init__(self, *, most: int = _MOST) -> None:
        self._most = most
        self._ids: dict[bytes, int] = {}
        self._notes: dict[int, None] = {}

    def id_of(self, said: bytes) -> int:
        """Return the id of the alert whose labels have this digest, 0 when it is not recognised."""
        return self._ids.get(said, 0)

    def learn(self, said: Iterable[tuple[bytes, int]]) -> None:
        """Keep digests of labels with the ids of their alerts, which are committed."""
        self._ids.update(said)
        _shorten(self._ids, self._most)

    def forget(self, said: bytes) -> None:
        """Take one digest out again."""
        self._ids.pop(said, None)

    def note_of(self, raw: msgspec.Raw, url: str) -> int:
        """Return the digest of annotations and URL.

        Annotations that are not known are checked: raises what msgspec raises.
        """
        digest = blake2b(raw, digest_size=8)
        if url:
            digest.update(url.encode())
        note = int.from_bytes(digest.digest(), "little", signed=True)
        if note not in self._notes:
            if memoryview(raw).nbytes:
                _texts.decode(raw)
            self._notes[note] = None
            _shorten(self._notes, self._most)
        return note


def _shorten(kept: dict[bytes, int] | dict[int, None], most: int) -> None:
    while len(kept) > most:
        # The oldest goes first. Another thread may have taken it meanwhile.
        kept.pop(next(iter(kept)), None)  # type: ignore[call-overload]  # either kind of key
