"""The changes port on GitLab: deployments of a project (`GET /projects/:id/deployments`)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote, urlencode

from stanch.kernel.errors import Invalid, Unavailable
from stanch.kernel.jsontext import read_json
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.fetch import Fetch
from stanch.ports.query import SystemSpec

URL: Final = "https://gitlab.com"
_MOST_BYTES: Final = 4 * 1024 * 1024


class GitLabDeployments:
    """Reads the deployments that reached an environment; a token with `read_api` is needed for a private project."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch, timeout_s: float = 5.0) -> None:
        self._spec = spec
        self._fetch = fetch
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """Return `gitlab:` and its name."""
        return f"gitlab:{self._spec.name}"

    @property
    def command(self) -> str:
        """Return the command that shows what this source reads."""
        return f"glab api '{self._path}'"

    @property
    def _path(self) -> str:
        return f"/projects/{quote(self._spec.settings['project'], safe='')}/deployments"

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return the deployments in [start, end), oldest first. Raises `Unavailable`."""
        query = {
            "order_by": "updated_at",
            "sort": "desc",
            "per_page": "100",
            "updated_after": f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "status": "success",
        }
        if environment := self._spec.settings.get("environment"):
            query["environment"] = environment
        headers = {"PRIVATE-TOKEN": self._spec.secret} if self._spec.secret else {}
        url = f"{(self._spec.url or URL).rstrip('/')}/api/v4{self._path}?{urlencode(query)}"
        got = self._fetch(url, headers=headers, timeout_s=self._timeout_s, most_bytes=_MOST_BYTES)
        if got.status in (401, 403, 404, 429):
            raise Unavailable(f"GitLab answered {got.status} to {self._path}: check the token", retry=False)
        try:
            answer = read_json(got.body)
        except Invalid as error:
            raise Unavailable(f"GitLab answered {got.status}: {error.message}", retry=True) from None
        if got.status >= 400 or not isinstance(answer, list):
            raise Unavailable(f"GitLab answered {got.status} with no list of deployments", retry=True)
        found = [change for one in answer if isinstance(one, dict) and (change := self._change(one)) is not None]
        kept = [one for one in found if start <= one.at < end and (not services or one.service in ("", *services))]
        return sorted(kept, key=lambda change: (change.at, change.id))

    def _change(self, one: Mapping[str, object]) -> Change | None:
        try:
            at = datetime.fromisoformat(str(one.get("updated_at") or one.get("created_at")))
        except ValueError:
            return None
        user, environment = one.get("user"), one.get("environment")
        name = str(environment.get("name") or "") if isinstance(environment, dict) else ""
        ref, sha = str(one.get("ref") or ""), str(one.get("sha") or "")
        service = self._spec.services[0] if len(self._spec.services) == 1 else ""
        project = self._spec.settings["project"]
        return Change(
            id=f"gitlab/{project}/deployment/{one.get('id')}",
            at=at,
            kind=ChangeKind.DEPLOY,
            service=service,
            title=f"{service or project} {ref or sha[:12]} to {name or 'an environment'}",
            version=ref or sha[:12],
            commit=sha,
            author=str(user.get("username") or "") if isinstance(user, dict) else "",
            source=self.name,
        )
