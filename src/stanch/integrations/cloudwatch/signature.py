"""Whether a message really comes from SNS: the signature, by the certificate that the message points to.

The rules are those of https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html: the certificate
is fetched over https from a host of SNS only, and what is signed are certain fields, in order, a line each.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from stanch.kernel.errors import Forbidden
from stanch.kernel.jsontext import JsonObject

Fetch = Callable[[str], bytes]

_HOST: Final = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
_NOTIFICATION: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION: Final = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_HASHES: Final[dict[str, type[hashes.SHA1] | type[hashes.SHA256]]] = {"1": hashes.SHA1, "2": hashes.SHA256}
_MOST_KEPT: Final = 32


class Certificates:
    """The certificates seen so far by their address; `fetch` gets one that is not known. Raises what it raises."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._known: dict[str, rsa.RSAPublicKey] = {}

    def key(self, url: str) -> rsa.RSAPublicKey:
        """Return the public key of the certificate at `url`. Raises `Forbidden` when it is none."""
        known = self._known.get(url)
        if known is not None:
            return known
        try:
            key = x509.load_pem_x509_certificate(self._fetch(url)).public_key()
        except ValueError:
            raise Forbidden("the signing certificate cannot be read", reason="bad_certificate") from None
        if not isinstance(key, rsa.RSAPublicKey):
            raise Forbidden("the signing certificate holds no RSA key", reason="bad_certificate")
        if len(self._known) < _MOST_KEPT:
            self._known[url] = key
        return key


def is_sns(url: str) -> bool:
    """Tell whether `url` leads to SNS itself, over https and nowhere else."""
    try:
        parts = urlsplit(url)
        plain = parts.port in (None, 443) and not parts.username and not parts.password
    except ValueError:
        return False
    return parts.scheme == "https" and plain and _HOST.fullmatch(parts.hostname or "") is not None


def check(message: JsonObject, certificates: Certificates) -> None:
    """Raise `Forbidden` when the signature does not fit, or its certificate is not one of SNS."""
    algorithm = _HASHES.get(message.text("SignatureVersion"))
    if algorithm is None:
        raise Forbidden("the version of the signature is not known", reason="bad_signature")
    url = message.text("SigningCertURL") or message.text("SigningCertUrl")
    if not is_sns(url):
        raise Forbidden("the signing certificate is not on a host of SNS", reason="bad_certificate")
    try:
        signature = base64.b64decode(message.text("Signature"), validate=True)
    except (binascii.Error, ValueError):
        raise Forbidden("the signature is not base64", reason="bad_signature") from None
    key = certificates.key(url)
    try:
        # SHA-1 is what version 1 is signed with; a topic says `SignatureVersion=2` for better.
        key.verify(signature, signed_text(message), padding.PKCS1v15(), algorithm())
    except InvalidSignature:
        raise Forbidden("the signature does not fit", reason="bad_signature") from None


def signed_text(message: JsonObject) -> bytes:
    """Return what is signed: name and value of each field in order, a line each; an absent `Subject` is left out."""
    names = _NOTIFICATION if message.text("Type") == "Notification" else _CONFIRMATION
    lines = (f"{name}\n{message.text(name)}\n" for name in names if name != "Subject" or name in message)
    return "".join(lines).encode()
