"""Takes the secrets out of what senders say before it is stored. What an alert is known by is not changed by it.

What counts as a secret is `kernel.redaction`'s, whose rules cost more than taking an alert in does. So a batch is first
asked as a whole whether any of them could find anything, which costs a few microseconds an alert: nearly all hold none.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

import msgspec
import numpy as np

from stanch.alerts.intake.fingerprint import canonical
from stanch.alerts.intake.model import Received
from stanch.kernel.redaction import redact, redact_tree

# Lower case, digits as zeros. In every text that a rule of `redaction` changes stands one of these, or a card number.
_WORDS: Final = (
    *("pass", "secret", "token", "key", "cred", "pwd", "auth", "sess", "signature", "cookie", "bearer ", "basic "),
    *("eyj", "akia", "asia", "abia", "acca", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xox", "xapp-"),
    *("glpat-", "glptt-", "gldt-", "glrt-", "glsoat-", "glcbt-", "glft-", "glimt-", "glagent-", "gloas-", "glffct-"),
    *("sk_live_", "sk_test_", "rk_live_", "rk_test_", "pk_live_", "pk_test_", "whsec_", "aiza", "ya00.", "gocspx-"),
    *("sk-", "npm_", "pypi-", "dop_v0_", "sg.", "glsa_", "glsc_", "hvs.", "sntryu_", "sntrys_", "0:aa"),
    *("hooks.slack.com", "discord.com/api/webhooks/", "api.telegram.org/bot"),
)
# Too short to mean anything inside other words: they count where they stand alone, as names do.
_ALONE: Final = ("jwt", "otp", "cvv", "cvc", "sid", "sig")
# An address counts only with somebody's name in it.
_LOGIN: Final = re.compile(rb"://[^\s\"'<>]{0,800}@")
_PLAIN: Final = bytes(48 if 48 <= code <= 57 else code for code in bytes(range(256)).lower())
_WORD: Final = re.compile(
    "|".join((*map(re.escape, _WORDS), rf"(?<![a-z])(?:{'|'.join(_ALONE)})(?![a-z])", r"://[^\s]{0,1100}@")).encode()
)
_CARDS: Final = (b"0" * 13, b"0000-0000", b"0000 0000")


def _hashed(text: bytes) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    """Return a number for every three bytes in a row, the same for the same three."""
    codes = np.frombuffer(text, dtype=np.uint8).astype(np.uint16)
    return codes[:-2] * np.uint16(961) + codes[1:-1] * np.uint16(31) + codes[2:]


_BEGINS: Final = np.zeros(65_536, dtype=np.bool_)
_BEGINS[_hashed(b" ".join(word[:3].encode() for word in (*_WORDS, *_ALONE)))[::4]] = True


def is_suspicious(text: bytes) -> bool:
    """Tell whether `redaction` could find anything in `text`, JSON in UTF-8. When in doubt it says yes."""
    if not text.isascii() or b"\\u" in text:
        # Letters that are equal to others but for their case, and letters written as numbers.
        text = redactable(text)
    if b"\\/" in text:
        # JSON may write a slash so, as some do.
        text = text.replace(b"\\/", b"/")
    plain = text.translate(_PLAIN)
    if any(card in plain for card in _CARDS) or (b"@" in plain and _LOGIN.search(plain) is not None):
        return True
    if len(plain) < 3:
        return False
    places = np.flatnonzero(_BEGINS[_hashed(plain)])
    return any(_WORD.match(plain, place) is not None for place in places.tolist())


def redactable(text: bytes) -> bytes:
    """Return `text` with letters as they are compared: written out, and in the one case that tells none apart."""
    try:
        written = re.sub(rb"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)).encode(errors="replace"), text)
        return written.decode("utf-8", "replace").casefold().encode("utf-8", "replace")
    except ValueError:
        return b"secret"


def hide(batch: Sequence[Received]) -> None:
    """Take the secrets out of labels that have been read, of annotations and of links."""
    if not batch or not is_suspicious(b"\n".join(_said(batch))):
        return
    for one in batch:
        if is_suspicious(b"\n".join(_said((one,)))):
            _hide(one)


def hide_before(batch: Sequence[Received]) -> None:
    """Take the secrets out of alerts as `hide` does, also out of labels that have not been read, and for good.

    Whoever may hold one is known by its key from then on, and by nothing else. Doing it again changes nothing.
    """
    links = {one.generator_url for one in batch}
    if not is_suspicious(b"\n".join([*chain.from_iterable(map(_raw, batch)), *map(_link, links)])):
        return
    for one in batch:
        if is_suspicious(b"\n".join((*_raw(one), _link(one.generator_url)))):
            one.read()
            _hide(one)
            one.raw_labels = msgspec.Raw(one.canonical)
            one.id = one.said = 0


def _raw(one: Received) -> tuple[msgspec.Raw, msgspec.Raw]:
    return one.raw_labels, one.raw_annotations


def _link(link: str) -> bytes:
    return link.encode("utf-8", "replace")


def _said(batch: Sequence[Received]) -> Iterable[bytes | msgspec.Raw]:
    """Return every text of a batch; links, of which many are the same, once."""
    links = {one.generator_url for one in batch}
    yield from [one.canonical for one in batch]
    yield from [one.raw_annotations for one in batch]
    yield from map(_link, links)


def _hide(one: Received) -> None:
    if one.labels:
        # By what it is known must be settled first: by the labels as they are.
        one.key()
        hidden = without_secrets(one.labels)
        if hidden != one.labels:
            one.labels = hidden
            one.canonical = canonical(hidden)
    text = one.annotations()
    notes = msgspec.json.decode(text, type=dict[str, str])
    shown = without_secrets(notes)
    if shown != notes:
        one.raw_annotations = msgspec.Raw(canonical(shown))
    one.generator_url = redact(one.generator_url)


def without_secrets(texts: dict[str, str]) -> dict[str, str]:
    """Return named texts without the secrets in them, and without those that a name stands for."""
    tree = redact_tree(dict(texts))
    return {name: str(value) for name, value in tree.items()} if isinstance(tree, dict) else {}
