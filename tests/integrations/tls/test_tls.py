"""The TLS check against servers with certificates of an authority of the test's own."""

import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from stanch.integrations.tls import TlsSampler
from stanch.ports.checks import TlsCheck
from stanch.ports.sampler import Look
from tests.support.farend import hang, wire

# A handshake is judged by this machine's clock, so certificates are made around it.
NOW = dt.datetime.now(dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Who signs: its certificate, its key, and the file that others trust."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    file: Path


def signed(
    subject: str, *, days: float, by: Authority | None, names: tuple[str, ...] = ()
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return a certificate that lasts `days` from now, of an authority itself where nobody signs it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    issuer = by.certificate.subject if by else name
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=90))
        .not_valid_after(NOW + dt.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True)
    )
    if names:
        built = built.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
    else:
        built = built.add_extension(
            x509.KeyUsage(
                digital_signature=False,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    signer = by.key if by else key
    ids = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    built = built.add_extension(ids, critical=False)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
    return built.add_extension(authority, critical=False).sign(signer, hashes.SHA256()), key


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Return an authority that signs for the test."""
    certificate, key = signed("Test CA", days=365, by=None)
    file = tmp_path / "ca.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(certificate=certificate, key=key, file=file)


@contextlib.contextmanager
def server(folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Iterator[str]:
    """Run a server that shows a certificate; yield localhost:port."""
    file = folder / "leaf.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    def speak(peer: socket.socket, over: threading.Event) -> None:
        with context.wrap_socket(peer, server_side=True) as wrapped:
            wrapped.recv(100)

    with wire(speak) as place:
        yield place.replace("127.0.0.1", "localhost")


def looked(place: str, settings: TlsCheck, *, timeout_s: float = 20.0) -> Look:
    """Return one look."""
    return TlsSampler(settings, timeout_s=timeout_s).look(service="shop", target=place, cursor={}, now=NOW)


def told(look: Look) -> tuple[str, str]:
    """Return what fails, and what is a warning."""
    notes = {dict(one.labels).get("severity", ""): one.note for one in look.samples if one.metric == "check"}
    return notes[""], notes["warning"]


@pytest.mark.parametrize(
    ("days", "fails", "warns"),
    [
        (90.5, "", ""),
        (10.5, "", "the certificate of localhost expires in 10 days"),
        (1.6, "the certificate of localhost expires in 2 days", ""),
        (-2, "the certificate of localhost has expired", ""),
    ],
)
def test_days_left(authority: Authority, tmp_path: Path, days: float, fails: str, warns: str) -> None:
    """Under 21 days it is a warning, under 3 it fails."""
    with server(tmp_path, *signed("localhost", days=days, by=authority, names=("localhost",))) as place:
        found = told(looked(place, TlsCheck(ca_file=str(authority.file))))

    assert (True, True, bool(fails), bool(warns)) == (
        found[0].startswith(fails),
        found[1].startswith(warns),
        bool(found[0]),
        bool(found[1]),
    )


def test_other_name(authority: Authority, tmp_path: Path) -> None:
    """A certificate for another name fails, and the names that it is for are told."""
    with server(tmp_path, *signed("other", days=90, by=authority, names=("other.example",))) as place:
        fails, _ = told(looked(place, TlsCheck(ca_file=str(authority.file))))

    assert fails.startswith("the certificate of localhost is for another name (for other.example, by CN=Test CA")


def test_server_name(authority: Authority, tmp_path: Path) -> None:
    """The name that is asked for may be another than that of the place."""
    with server(tmp_path, *signed("other", days=90, by=authority, names=("other.example",))) as place:
        found = told(looked(place, TlsCheck(ca_file=str(authority.file), server_name="other.example")))

    assert ("", "") == found


def test_unknown_authority(authority: Authority, tmp_path: Path) -> None:
    """A chain that leads to nobody who is trusted fails."""
    with server(tmp_path, *signed("localhost", days=90, by=authority, names=("localhost",))) as place:
        fails, _ = told(looked(place, TlsCheck()))

    assert fails.startswith("the certificate of localhost comes from an authority that is not known")


def test_no_tls() -> None:
    """A far end that makes no handshake is left in time."""
    with wire(hang) as place:
        fails, _ = told(looked(place, TlsCheck(), timeout_s=1.0))

    assert f"{place} made no TLS handshake within 1 s" == fails


def test_authority_that_cannot_be_read(tmp_path: Path) -> None:
    """A file of authorities that is not there is trouble, not a failure of the far end."""
    look = looked("localhost:1", TlsCheck(ca_file=str(tmp_path / "none.pem")))

    assert (True, ()) == ("none.pem cannot be read" in look.trouble, look.samples)
