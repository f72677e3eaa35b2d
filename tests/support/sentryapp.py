"""A small application that reports to Sentry by the real `sentry-sdk`: its release stands in a file, one is broken.

Run as a program: `sentryapp.py RELEASE_FILE`, with the address of Sentry in SENTRY_DSN; it says where it listens.
`/charge` fails in release 3.2.1. Whoever changes the file deploys another release.
"""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, make_server

import sentry_sdk
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware

BROKEN: Final = "payments@3.2.1"

# What WSGI passes along is anything at all.
Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Application:
    """Takes charges, in the release that the file names at the moment."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._release = ""

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request. Raises what is broken, as a web framework lets it through."""
        self._deployed()
        if environ["PATH_INFO"] == "/charge":
            sentry_sdk.set_user({"id": environ.get("QUERY_STRING", "")})
            charge({"items": []}, release=self._release)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [self._release.encode()]

    def _deployed(self) -> None:
        release = self._file.read_text(encoding="utf-8").strip()
        if release != self._release:
            self._release = release
            sentry_sdk.init(release=release, environment="production", traces_sample_rate=1.0, shutdown_timeout=5)


def charge(cart: dict[str, list[int]], *, release: str) -> int:
    """Return what a cart costs; the broken release takes the first item of an empty one."""
    return amount_of(cart) if release == BROKEN else sum(cart["items"])


def amount_of(cart: dict[str, list[int]]) -> int:
    """Return what the first item costs."""
    return cart["items"][0]


class Quiet(WSGIRequestHandler):
    """Writes nothing about requests."""

    def log_message(self, format: str, *args: Any) -> None:
        """Stay quiet."""


def main() -> None:
    """Serve until the process is ended."""
    application = Application(Path(sys.argv[1]))
    # The address of Sentry is read from the environment, as the SDK's documentation has it.
    assert os.environ["SENTRY_DSN"]
    server = make_server("127.0.0.1", 0, SentryWsgiMiddleware(application), handler_class=Quiet)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
