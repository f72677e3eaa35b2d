"""The changes port on Sentry: the newest deploy of each release that its API lists.

A deploy has the id under which one that was posted to Stanch itself is stored, so one told both ways is one change.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from stanch.integrations.sentry.api import SentryApi
from stanch.kernel.errors import Invalid, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.fetch import Fetch
from stanch.ports.query import SystemSpec

_AT_A_TIME: Final = 50
_KEPT_S: Final = 30.0
"""Deploys are rare and calls are counted: two looks a minute."""


class SentryDeploys:
    """Reads releases that were deployed; needs a token with `project:releases` or `project:read`."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch, timeout_s: float = 5.0) -> None:
        self._spec = spec
        self._api = SentryApi(spec, fetch=fetch)
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._known: tuple[float, list[JsonObject]] | None = None

    @property
    def name(self) -> str:
        """Return `sentry:` and its name."""
        return f"sentry:{self._spec.name}"

    @property
    def command(self) -> str:
        """Return the command that shows what this source reads."""
        return self._api.command("releases", [("per_page", str(_AT_A_TIME))])

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return the deploys in [start, end), oldest first. Raises `Unavailable`."""
        try:
            found = with_previous([change for release in self._read() for change in self._of(release)])
        except (Refused, Invalid) as error:
            raise Unavailable(error.message, retry=False) from error
        kept = [one for one in found if start <= one.at < end and (not services or one.service in ("", *services))]
        return sorted(kept, key=lambda change: (change.at, change.id))

    def _read(self) -> Sequence[JsonObject]:
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] >= _KEPT_S:
                query = [("per_page", str(_AT_A_TIME)), *self._api.environment]
                self._known = (time.monotonic(), self._api.objects("releases", query, timeout_s=self._timeout_s))
            return self._known[1]

    def _of(self, release: JsonObject) -> list[Change]:
        deploy = release.object("lastDeploy")
        at = deploy.instant("dateFinished")
        version = release.text("version")
        environment = deploy.text("environment")
        wanted = self._spec.settings.get("environment", "")
        if at is None or not version or (wanted and environment != wanted):
            return []
        slugs = [project.text("slug") for project in release.objects("projects")]
        return [
            Change(
                id=f"sentry/deploy/{service}/{version}/{environment}/{at.isoformat()}",
                at=at,
                kind=ChangeKind.DEPLOY,
                service=service,
                title=f"{deploy.text('name') or version} deployed to {environment}",
                version=version.rpartition("@")[2],
                commit=release.object("lastCommit").text("id"),
                author=release.object("lastCommit").object("author").text("name"),
                source=self.name,
                url=deploy.text("url") or release.text("url"),
                data={"environment": environment, "release": version},
            )
            for service in self._services(slugs)
        ]

    def _services(self, slugs: Sequence[str]) -> list[str]:
        """Return the services whose projects are among `slugs`; without configured services a slug is one."""
        known = self._spec.services
        if not known:
            return [slug for slug in slugs if slug]
        return [service for service in known if self._api.project_of(service) in slugs]


def with_previous(changes: Sequence[Change]) -> list[Change]:
    """Return deploys with the version that ran before each: of the service's deploy before it to that environment.

    It is what a roll back goes to. Sentry tells it nowhere: of a release it names the newest deploy alone.
    """
    found: list[Change] = []
    ran: dict[tuple[str, JSON], str] = {}
    for change in sorted(changes, key=lambda one: (one.at, one.id)):
        where = (change.service, change.data.get("environment"))
        found.append(replace(change, previous=ran.get(where, "")))
        ran[where] = change.version
    return found
