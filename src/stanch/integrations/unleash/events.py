"""The changes port on Unleash: its events (`GET /api/admin/search/events`, and `/api/admin/events` before version 6).

An event has a `type` such as `feature-environment-enabled`, the `featureName`, and what was there before as `preData`.
"""

import difflib
import json
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from stanch.kernel.errors import Invalid, Unavailable
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.kernel.redaction import redact
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.fetch import Fetch, Got
from stanch.ports.query import SystemSpec

_MOST_BYTES: Final = 4 * 1024 * 1024
_MOST_EVENTS: Final = 200
_SEARCH: Final = "/api/admin/search/events"
_LIST: Final = "/api/admin/events"
_STATES: Final = {"feature-environment-enabled": ("on", "off"), "feature-environment-disabled": ("off", "on")}
# What changes what people get, by the beginning of an event's type.
_TELLING: Final = (
    *("feature-environment-", "feature-strategy-", "feature-variants-", "feature-archived", "feature-revived"),
    *("feature-updated", "feature-deleted", "segment-updated", "segment-deleted", "strategy-order-changed"),
)
_LONGEST_DIFF: Final = 4_000


class UnleashFlags:
    """Reads what was done to feature flags."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch, timeout_s: float = 5.0) -> None:
        self._spec = spec
        self._fetch = fetch
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """Return `unleash:` and its name."""
        return f"unleash:{self._spec.name}"

    @property
    def command(self) -> str:
        """Return the command that shows what this source reads; the file holds the header with the token."""
        return f'curl -H @unleash.header "{self._spec.url.rstrip("/")}{_LIST}"'

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return what was done to flags in [start, end), oldest first. Raises `Unavailable`."""
        days = {"from": f"IS:{start.astimezone(UTC):%Y-%m-%d}", "to": f"IS:{end.astimezone(UTC):%Y-%m-%d}"}
        got = self._get(f"{_SEARCH}?{urlencode({**days, 'limit': str(_MOST_EVENTS)})}")
        if got.status == 404:
            got = self._get(_LIST)
        found = [change for event in _events(got) if (change := self._change(event)) is not None]
        kept = [one for one in found if start <= one.at < end and (not services or one.service in ("", *services))]
        return sorted(kept, key=lambda change: (change.at, change.id))

    def _get(self, path: str) -> Got:
        headers = {"Authorization": self._spec.secret} if self._spec.secret else {}
        url = f"{self._spec.url.rstrip('/')}{path}"
        return self._fetch(url, headers=headers, timeout_s=self._timeout_s, most_bytes=_MOST_BYTES)

    def _change(self, event: JsonObject) -> Change | None:
        type, flag, at = event.text("type"), event.text("featureName"), event.instant("createdAt")
        environment, project = event.text("environment"), event.text("project")
        wanted = {name: self._spec.settings.get(name, "") for name in ("environment", "project")}
        if at is None or not type.startswith(_TELLING):
            return None
        if (environment and wanted["environment"] not in ("", environment)) or wanted["project"] not in ("", project):
            return None
        subject = flag or event.object("data").text("name") or type
        now, before = _STATES.get(type, ("", ""))
        where = f" in {environment}" if environment else ""
        did = f"turned {now}" if now else type.replace("-", " ")
        return Change(
            id=f"unleash/{self._spec.name}/{event.text('id')}",
            at=at,
            kind=ChangeKind.FLAG,
            service=self._spec.services[0] if len(self._spec.services) == 1 else "",
            title=f"{subject}: {did}{where}",
            version=f"{subject}={now}" if now else subject,
            previous=f"{subject}={before}" if before else "",
            author=event.text("createdBy"),
            source=self.name,
            diff=_diff(event, subject),
            data={"flag": subject, "environment": environment, "type": type},
        )


def _events(got: Got) -> list[JsonObject]:
    if got.status in (401, 403):
        raise Unavailable(f"Unleash answered {got.status}: the token may not read events", retry=False)
    try:
        answer = read_object(got.body)
        if got.status >= 400 or "events" not in answer:
            raise Unavailable(f"Unleash answered {got.status} with no list of events", retry=got.status >= 429)
        return answer.objects("events")
    except Invalid as error:
        raise Unavailable(f"Unleash answered {got.status}: {error.message}", retry=True) from None


def _diff(event: JsonObject, flag: str) -> str:
    """Return what the event changed as a diff, empty where it has no before and after."""
    if "preData" not in event or "data" not in event:
        return ""
    old, new = (
        json.dumps(dict(event.object(name).data), indent=1, sort_keys=True).splitlines() for name in ("preData", "data")
    )
    name = f"flags/{flag}.json"
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", n=1, lineterm="")
    return redact("\n".join(lines))[:_LONGEST_DIFF]
