"""A mail server on a port of its own, whose hands are a test's."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from tests.support.servers import free_port

Authenticator = Callable[[SMTP, Session, Envelope, str, object], AuthResult]

# aiosmtpd gives up after 5 s, which the thread of its loop may wait for a core.
_READY_WITHIN_S: Final = 60.0


@contextmanager
def mail_server(hands: object, *, authenticator: Authenticator | None = None) -> Iterator[int]:
    """Run a server without TLS until the block is left; yield its port. `hands` has aiosmtpd's `handle_…` methods."""
    port, loop = free_port(), asyncio.new_event_loop()
    controller = Controller(
        hands,
        hostname="127.0.0.1",
        port=port,
        loop=loop,
        ready_timeout=_READY_WITHIN_S,
        authenticator=authenticator,
        auth_require_tls=False,
    )
    controller.start()
    try:
        yield port
    finally:
        controller.stop()
        loop.close()
