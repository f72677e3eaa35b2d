"""The bounded GET: whom it follows with what it was given to send."""

import socket
import ssl
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from stanch.integrations.fetching import HttpGet
from stanch.kernel.errors import Unavailable
from tests.integrations.tls.test_tls import signed
from tests.support.farend import wire


def test_a_token_is_not_followed_to_plain_http(tmp_path: Path) -> None:
    """The same name and port without encryption is another place: everybody on the way could read it there."""
    certificate, key = signed("localhost", days=1, by=None)
    file = tmp_path / "leaf.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(file)
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    plain: list[bytes] = []

    def speak(peer: socket.socket, over: threading.Event) -> None:
        first = peer.recv(1, socket.MSG_PEEK)
        if first != b"\x16":  # a handshake of TLS begins so
            plain.append(peer.recv(4096))
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            return
        with shown.wrap_socket(peer, server_side=True) as wrapped:
            host = wrapped.recv(4096).partition(b"Host: ")[2].partition(b"\r\n")[0]
            wrapped.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://%s/x\r\nContent-Length: 0\r\n\r\n" % host)

    with wire(speak) as place, pytest.raises(Unavailable, match="plain HTTP"):
        HttpGet(trust=trusting)(f"https://{place}/x", headers={"Authorization": "Bearer t"}, timeout_s=10.0)

    assert [] == plain
