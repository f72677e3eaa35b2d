"""The query port on nginx's `stub_status` page (https://nginx.org/en/docs/http/ngx_http_stub_status_module.html)."""

import re
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from stanch.kernel.errors import Refused, Unavailable
from stanch.ports.fetch import Fetch
from stanch.ports.query import Ask, ConfiguredSource, Reply, Row, SystemSpec

_MOST_BYTES: Final = 64 * 1024
_PAGE: Final = re.compile(
    r"Active connections:\s+(?P<active>\d+)\s+server accepts handled requests\s+(?P<accepted>\d+)\s+(?P<handled>\d+)"
    r"\s+(?P<requests>\d+)\s+Reading:\s+(?P<reading>\d+)\s+Writing:\s+(?P<writing>\d+)\s+Waiting:\s+(?P<waiting>\d+)"
)


class NginxSource(ConfiguredSource):
    """An nginx whose status page is at the URL."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch) -> None:
        super().__init__(spec)
        self._fetch = fetch

    @property
    def system(self) -> str:
        """Return `nginx`."""
        return "nginx"

    @property
    def where(self) -> str:
        """Return the URL of the page."""
        return self._spec.url

    @property
    def settings(self) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    @property
    def side_by_side(self) -> int:
        """Return 1: there is one page."""
        return 1

    @contextmanager
    def open(self) -> "Iterator[NginxSource]":
        """Give itself: every question is a request of its own."""
        yield self

    def ask(self, ask: Ask) -> Reply:
        """Read the page as one row. The path of a query is for its readers: the page is where the URL says."""
        headers = {"Authorization": f"Bearer {self._spec.secret}"} if self._spec.secret else {}
        got = self._fetch(self._spec.url, headers=headers, timeout_s=ask.timeout_s, most_bytes=_MOST_BYTES)
        if got.status in (401, 403):
            raise Refused(f"it answered {got.status}: stub_status must allow this machine", reason="denied")
        if got.status >= 400:
            raise Unavailable(f"it answered {got.status}", retry=True)
        found = _PAGE.search(got.body.decode(errors="replace"))
        if found is None:
            raise Unavailable("the page is not nginx's stub_status", retry=False)
        row: Row = {name: int(value[:18]) for name, value in found.groupdict().items()}
        row["dropped"] = max(0, int(found["accepted"][:18]) - int(found["handled"][:18]))
        return Reply(command=f"curl -sS {shlex.quote(self._spec.url)}", rows=(row,))
