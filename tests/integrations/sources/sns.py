"""A far side of SNS: a key of its own, its certificate at the address that messages point to, and signatures."""

import base64
import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from stanch.integrations.cloudwatch.signature import signed_text
from stanch.kernel.errors import Unavailable
from stanch.kernel.jsontext import JsonObject

TOPIC: Final = "arn:aws:sns:eu-central-1:111122223333:alarms"
CERTIFICATE: Final = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-test.pem"
CONFIRM: Final = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t0k3n"
asked: Final[list[str]] = []
"""Every address that was asked for, in order."""


@lru_cache(maxsize=1)
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@lru_cache(maxsize=1)
def certificate() -> bytes:
    """Return the certificate as PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_key().public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2036, 1, 1, tzinfo=UTC))
        .sign(_key(), hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.PEM)


def fetch(url: str) -> bytes:
    """Answer as SNS does."""
    asked.append(url)
    if url == CERTIFICATE:
        return certificate()
    if url == CONFIRM:
        return b"<ConfirmSubscriptionResponse/>"
    raise Unavailable("SNS answered 404", retry=True)


def signed(body: bytes, *, version: str = "2") -> bytes:
    """Return a message with its signature; what is no message of SNS stays as it is."""
    try:
        message = json.loads(body)
    except ValueError:
        return body
    if not isinstance(message, dict) or "Signature" not in message:
        return body
    message["SignatureVersion"] = version
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303  # what version 1 is
    made = _key().sign(signed_text(JsonObject(message)), padding.PKCS1v15(), algorithm)
    return json.dumps({**message, "Signature": base64.b64encode(made).decode()}).encode()
