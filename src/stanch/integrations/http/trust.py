"""Which certificates are believed: the system's, or those of a file."""

import ssl
import threading


class Trust:
    """A TLS context, read when it is first used: that takes a while, and plain HTTP needs none of it."""

    def __init__(self, ca_file: str = "") -> None:
        self._ca_file = ca_file
        self._context: ssl.SSLContext | None = None
        self._lock = threading.Lock()

    def context(self) -> ssl.SSLContext:
        """Return the context. Raises `OSError` when the file cannot be read, `ssl.SSLError` when it holds none."""
        with self._lock:
            if self._context is None:
                self._context = ssl.create_default_context(cafile=self._ca_file or None)
            return self._context
