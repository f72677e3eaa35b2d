"""Records of what senders post: an alert as it stands by its sender's identity, and how a sender is doing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final

import msgspec

from stanch.alerts.intake.fingerprint import canonical, fingerprint, key_of
from stanch.alerts.intake.hiding import is_suspicious, without_secrets
from stanch.alerts.intake.model import Received
from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact, redact_tree
from stanch.ports.changes import Change
from stanch.ports.signals import AlertSignal

MOST_LABELS: Final = 1000
MOST_LABEL_BYTES: Final = 65_536
MOST_NOTE_BYTES: Final = 262_144
LONGEST_URL: Final = 4096
MOST_KEPT: Final = 262_144
"""Larger messages are not kept: reading one of 5 MB for secrets takes seconds, and nobody reads it afterwards."""

LASTS: Final = timedelta(days=30)
"""How long an alert stays open when its sender never says that it is over; most say it once and never repeat."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MARK: Final = b"[redacted:"
_PROMOTED: Final = ("severity", "service")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An alert as its sender last told it. `labels` are those it is grouped and silenced by.

    `identity` is of the labels as they came; in those that are kept no secret stands.
    """

    source: str
    identity: bytes
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    url: str
    starts_at: datetime
    is_firing: bool
    updated_at: datetime

    @property
    def id(self) -> str:
        """Return the id that an incident knows it by."""
        return f"{self.source}/{self.identity.hex()}"

    def received(self, *, now: datetime) -> Received:
        """Return it as the intake takes it: open for `LASTS` while it fires, else over at `updated_at`."""
        text = canonical(self.labels)
        note = canonical(self.annotations)
        digest = blake2b(note, digest_size=8, key=self.url.encode()[:64])
        start = _micros(self.starts_at)
        end = _micros(now + LASTS) if self.is_firing else max(start, _micros(self.updated_at))
        return Received(
            said=0,
            id=0,
            raw_labels=msgspec.Raw(text),
            raw_annotations=msgspec.Raw(note),
            generator_url=self.url,
            note=int.from_bytes(digest.digest(), "little", signed=True),
            starts_at=start,
            ends_at=end,
            assumed=self.is_firing,
            labels=dict(self.labels),
            canonical=text,
            # What differs in nothing but a secret is still two alerts.
            stored_by=key_of(text + self.identity) if _MARK in text else None,
        )


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One message that was taken in. `body` is what of it is kept, `delivery` its sender's id of it, empty for none."""

    source: str
    delivery: str
    received_at: datetime
    body: bytes = field(repr=False)
    content_type: str = ""
    alerts: int = 0
    changes: int = 0
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
class SenderFigures:
    """How a source is doing, counted since it was first seen. Instants are UTC."""

    name: str
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    deliveries: int = 0
    duplicates: int = 0
    alerts: int = 0
    changes: int = 0
    refused: int = 0
    invalid: int = 0
    last_error: str = ""
    last_error_at: datetime | None = None


def standing_of(signal: AlertSignal, *, source: str, defaults: Mapping[str, str], now: datetime) -> Standing:
    """Return how an alert stands when it fires as `signal` says. Raises `Invalid` for labels that are too many.

    The sender's labels are its identity; severity and service, which a sender may change or leave out at the end, come
    from the annotations, then from `defaults`, and the source is added. A start in the future is now.
    """
    own = {clean(name): clean(value) for name, value in signal.labels.items() if value}
    annotations = {clean(name): clean(value) for name, value in signal.annotations.items() if value}
    if not own or "" in own:
        raise Invalid("a label needs a name and a value", field="labels")
    labels = {name: annotations[name] for name in _PROMOTED if name in annotations} | own
    labels = {"source": source, **{name: value for name, value in defaults.items() if value}, **labels}
    identity = canonical(own)
    if len(labels) > MOST_LABELS or len(identity) > MOST_LABEL_BYTES:
        raise Invalid(f"at most {MOST_LABELS:,} labels and {MOST_LABEL_BYTES:,} bytes of them", field="labels")
    if len(canonical(annotations)) > MOST_NOTE_BYTES:
        annotations = {name: value[:1000] for name, value in list(annotations.items())[:100]}
    url = clean(signal.url)[:LONGEST_URL]
    if is_suspicious(b"\n".join((canonical(labels), canonical(annotations), url.encode()))):
        labels, annotations, url = without_secrets(labels), without_secrets(annotations), redact(url)
    return Standing(
        source=source,
        identity=fingerprint(identity),
        labels=labels,
        annotations=annotations,
        url=url,
        starts_at=min(signal.starts_at or now, now),
        is_firing=True,
        updated_at=now,
    )


def ended(standing: Standing, *, at: datetime | None, now: datetime) -> Standing:
    """Return `standing` as over since `at`, which is not before its start and not after `now`."""
    return replace(standing, is_firing=False, updated_at=max(standing.starts_at, min(at or now, now)))


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def plain_change(change: Change, *, now: datetime) -> Change:
    """Return `change` with texts that any database takes, without secrets, and not in the future."""
    return replace(
        change,
        id=clean(change.id)[:500],
        at=min(change.at, now),
        service=clean(change.service),
        title=_plain(change.title, 1000),
        version=_plain(change.version, 500),
        previous=_plain(change.previous, 500),
        commit=clean(change.commit)[:500],
        author=_plain(change.author, 500),
        paths=tuple(clean(path) for path in change.paths),
        url=_plain(change.url, LONGEST_URL),
        data={name: _plain_value(value) for name, value in _hidden(change.data).items()},
    )


def _plain(text: str, longest: int) -> str:
    # Redacted before it is cut: half a secret is one that no rule knows.
    return redact(clean(text))[:longest]


def _hidden(data: Mapping[str, JSON]) -> dict[str, JSON]:
    tree = redact_tree(dict(data))
    return tree if isinstance(tree, dict) else {}


def _plain_value(value: JSON) -> JSON:
    return clean(value) if isinstance(value, str) else value


def body_to_keep(body: bytes) -> bytes:
    """Return a message without its secrets, as it is kept to be looked at; nothing of one above `MOST_KEPT`."""
    if not body or len(body) > MOST_KEPT:
        return b""
    if not is_suspicious(body):
        return body
    try:
        return msgspec.json.encode(redact_tree(msgspec.json.decode(body)))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return redact(body.decode("utf-8", "replace")).encode()


def clean(text: str) -> str:
    """Return `text` without NUL characters, which PostgreSQL does not take, and without halves of surrogate pairs."""
    if text.isascii():
        return text.replace("\x00", "\N{REPLACEMENT CHARACTER}") if "\x00" in text else text
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
