"""The TLS check: a handshake that verifies chain and host name as a client does, and the days the leaf has left."""

import socket
import ssl
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509

from stanch.kernel.event import JSON
from stanch.ports.checks import TlsCheck
from stanch.ports.sampler import Look, Sample

TIMEOUT_S: Final = 5.0
_DAY_S: Final = 86_400.0
_LONGEST_LINE: Final = 4096

_REASONS: Final = {
    # OpenSSL's X509_V_ERR_... (https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/)
    9: "is not valid yet",
    10: "has expired",
    18: "is signed by itself, and nobody trusts that",
    19: "comes from an authority that is not trusted",
    20: "comes from an authority that is not known, or the chain lacks a certificate between",
    21: "comes without the certificates between it and an authority",
    23: "has been revoked",
    62: "is for another name",
    64: "is for another address",
}


class TlsSampler:
    """Looks at the certificate of `host:port`. Expiring soon is a warning, everything else a failure."""

    def __init__(self, settings: TlsCheck | None = None, *, timeout_s: float = TIMEOUT_S) -> None:
        self._settings = settings or TlsCheck()
        self._timeout_s = timeout_s

    @property
    def kind(self) -> str:
        """Return `tls`."""
        return "tls"

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Make one handshake, and where it is not trusted a second one that only reads the certificate."""
        place = urlsplit(f"//{target}")
        host, port = place.hostname or "", place.port or 0
        name = self._settings.server_name or host
        began = time.perf_counter()
        try:
            trusting = ssl.create_default_context(cafile=self._settings.ca_file or None)
        except OSError as error:
            return Look(trouble=f"{self._settings.ca_file} cannot be read: {error.strerror or error}")
        wrong, leaf = "", None
        try:
            leaf = self._leaf(host, port, name, trusting)
        except ssl.SSLCertVerificationError as error:
            wrong = (
                f"the certificate of {name} {_REASONS.get(error.verify_code, f'is not valid: {error.verify_message}')}"
            )
            leaf = self._untrusted(host, port, name)
            if leaf is not None:
                wrong += f" ({_told(leaf)})"
        except TimeoutError:
            wrong = f"{target} made no TLS handshake within {self._timeout_s:g} s"
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
            wrong = f"{target} made no TLS handshake: {reason}"
        took_ms = (time.perf_counter() - began) * 1000
        return Look(samples=tuple(self._samples(service, name, leaf, wrong, took_ms, now)))

    def _samples(
        self, service: str, name: str, leaf: x509.Certificate | None, wrong: str, took_ms: float, now: datetime
    ) -> list[Sample]:
        found = [Sample(service=service, metric="check_latency_ms", value=took_ms, at=now)]
        soon = ""
        if leaf is not None:
            days = (leaf.not_valid_after_utc - now.astimezone(UTC)).total_seconds() / _DAY_S
            found.append(Sample(service=service, metric="check_days_left", value=days, at=now))
            told = f"the certificate of {name} expires in {days:.0f} days, on {leaf.not_valid_after_utc:%Y-%m-%d}"
            if not wrong and days < 0:
                wrong = f"the certificate of {name} has expired, on {leaf.not_valid_after_utc:%Y-%m-%d}"
            elif not wrong and days < self._settings.fail_days:
                wrong = told
            elif not wrong and days < self._settings.warn_days:
                soon = told
        return [
            Sample(service=service, metric="check", value=0.0 if wrong else 1.0, at=now, note=wrong),
            Sample(
                service=service,
                metric="check",
                value=0.0 if soon else 1.0,
                at=now,
                labels=(("severity", "warning"),),
                note=soon,
            ),
            *found,
        ]

    def _untrusted(self, host: str, port: int, name: str) -> x509.Certificate | None:
        """Return the certificate without believing it, so that it can be said what is wrong with it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            return self._leaf(host, port, name, context)
        except (OSError, ValueError):
            return None

    def _leaf(self, host: str, port: int, name: str, context: ssl.SSLContext) -> x509.Certificate:
        with socket.create_connection((host, port), timeout=self._timeout_s) as wire:
            _ASKED[self._settings.starttls](wire)
            with context.wrap_socket(wire, server_hostname=name) as wrapped:
                shown = wrapped.getpeercert(binary_form=True)
        if not shown:
            raise ValueError("it shows no certificate")
        return x509.load_der_x509_certificate(shown)


def _told(leaf: x509.Certificate) -> str:
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        listed = [str(one.value) for one in names][:5]
    except (x509.ExtensionNotFound, ValueError):
        listed = []
    issuer = leaf.issuer.rfc4514_string()[:120]
    return f"for {', '.join(listed) or 'no name'}, by {issuer}, until {leaf.not_valid_after_utc:%Y-%m-%d}"


def _smtp(wire: socket.socket) -> None:
    """Ask a mail server for TLS (RFC 3207)."""
    with wire.makefile("rb") as lines:
        for said in (b"", b"EHLO stanch\r\n", b"STARTTLS\r\n"):
            if said:
                wire.sendall(said)
            line = lines.readline(_LONGEST_LINE)
            while line[3:4] == b"-":
                line = lines.readline(_LONGEST_LINE)
            if not line.startswith(b"2"):
                raise ValueError(f"the mail server said {line[:80]!r}")


def _postgres(wire: socket.socket) -> None:
    """Ask PostgreSQL for TLS: SSLRequest (https://www.postgresql.org/docs/current/protocol-message-formats.html)."""
    wire.sendall(struct.pack("!II", 8, 80_877_103))
    if wire.recv(1) != b"S":
        raise ValueError("the database speaks no TLS")


_ASKED: Final[dict[str, Callable[[socket.socket], None]]] = {
    "": lambda wire: None,
    "smtp": _smtp,
    "postgres": _postgres,
}
