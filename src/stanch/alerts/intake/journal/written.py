"""How alerts are written down that were accepted and are still to be taken in, and read again. Pure.

What is written has been checked and holds no secrets any more, so reading it again cannot fail for what a sender says.
A list of arrays as JSON: labels and annotations stay the bytes they are, which costs a microsecond an alert.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from stanch.alerts.intake.hiding import hide_before
from stanch.alerts.intake.model import Received
from stanch.alerts.intake.recognition import Recognition


class _Written(msgspec.Struct, array_like=True, gc=False):
    """An alert as it is written. `key` is there where secrets were taken out: it is that of the labels with them."""

    labels: msgspec.Raw
    annotations: msgspec.Raw
    generator_url: str
    note: int
    starts_at: int
    ends_at: int
    assumed: bool
    key: int | None


_NOTHING: Final = msgspec.Raw(b"null")
_written: Final = msgspec.json.Decoder(list[_Written])


def write(batch: Sequence[Received]) -> bytes:
    """Return alerts as they are written down. Secrets are taken out of them, of those given too."""
    hide_before(batch)
    return msgspec.json.encode(
        [
            (
                one.raw_labels,
                one.raw_annotations or _NOTHING,
                one.generator_url,
                one.note,
                one.starts_at,
                one.ends_at,
                one.assumed,
                one.stored_by,
            )
            for one in batch
        ]
    )


def read(text: bytes, recognition: Recognition) -> list[Received]:
    """Return the alerts that were written as `text`; those that have been taken in meanwhile are recognised again."""
    secret, ids = recognition.secret, recognition.ids
    found = []
    for one in _written.decode(text):
        # By labels without their secrets nothing is recognised: senders write them with.
        said = hash(secret + one.labels) if one.key is None else 0
        found.append(
            Received(
                said,
                ids.get(said, 0) if said else 0,
                one.labels,
                one.annotations,
                one.generator_url,
                one.note,
                one.starts_at,
                one.ends_at,
                one.assumed,
                stored_by=one.key,
            )
        )
    return found
