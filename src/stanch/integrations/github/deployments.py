"""The changes port on GitHub: deployments of a repository (`GET /repos/{owner}/{repo}/deployments`)."""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from stanch.kernel.errors import Invalid, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import read_json
from stanch.kernel.redaction import redact
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.fetch import Fetch
from stanch.ports.query import SystemSpec

URL: Final = "https://api.github.com"
_MOST_BYTES: Final = 4 * 1024 * 1024
_AT_A_TIME: Final = 100
_KEPT_S: Final = 70.0
"""Without a token 60 calls an hour are allowed (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api);
one every 70 s is 51."""


class GitHubDeployments:
    """Reads the newest deployments; a token is needed for a private repository."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch, timeout_s: float = 5.0) -> None:
        self._spec = spec
        self._fetch = fetch
        self._timeout_s = timeout_s
        self._known: tuple[float, list[JSON]] | None = None

    @property
    def name(self) -> str:
        """Return `github:` and its name."""
        return f"github:{self._spec.name}"

    @property
    def command(self) -> str:
        """Return the command that shows what this source reads."""
        return f"gh api '{self._path}'"

    @property
    def _path(self) -> str:
        environment = self._spec.settings.get("environment", "")
        only = f"&environment={environment}" if environment else ""
        return f"/repos/{self._spec.settings['project']}/deployments?per_page={_AT_A_TIME}{only}"

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return the deployments in [start, end), oldest first. Raises `Unavailable`."""
        found = [change for one in self._read() if isinstance(one, dict) and (change := self._change(one)) is not None]
        kept = [one for one in found if start <= one.at < end and (not services or one.service in ("", *services))]
        return sorted(kept, key=lambda change: (change.at, change.id))

    def _read(self) -> list[JSON]:
        """Return the newest deployments, as they were a minute ago at most."""
        if self._known is not None and time.monotonic() - self._known[0] < _KEPT_S:
            return self._known[1]
        headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
        if self._spec.secret:
            headers["Authorization"] = f"Bearer {self._spec.secret}"
        url = f"{(self._spec.url or URL).rstrip('/')}{self._path}"
        got = self._fetch(url, headers=headers, timeout_s=self._timeout_s, most_bytes=_MOST_BYTES)
        if got.status in (401, 403, 404, 429):
            why = "the token may not read it, or the limit of calls is reached"
            raise Unavailable(f"GitHub answered {got.status} to {self._path}: {why}", retry=False)
        try:
            answer = read_json(got.body)
        except Invalid as error:
            raise Unavailable(f"GitHub answered {got.status}: {error.message}", retry=True) from None
        if got.status >= 400 or not isinstance(answer, list):
            raise Unavailable(f"GitHub answered {got.status} with no list of deployments", retry=True)
        self._known = (time.monotonic(), answer)
        return answer

    def _change(self, one: Mapping[str, object]) -> Change | None:
        try:
            at = datetime.fromisoformat(str(one.get("created_at")))
        except ValueError:
            return None
        ref, sha = str(one.get("ref") or ""), str(one.get("sha") or "")
        creator = one.get("creator")
        service = self._spec.services[0] if len(self._spec.services) == 1 else ""
        version = ref or sha[:12]
        said = redact(str(one.get("description") or ""))[:200]
        return Change(
            id=f"github/{self._spec.settings['project']}/deployment/{one.get('id')}",
            at=at,
            kind=ChangeKind.DEPLOY,
            service=service,
            title=f"{service or self._spec.settings['project']} {version} to {one.get('environment')}"
            + (f": {said}" if said else ""),
            version=version,
            commit=sha,
            author=str(creator.get("login") or "") if isinstance(creator, dict) else "",
            source=self.name,
            url=str(one.get("url") or ""),
        )
