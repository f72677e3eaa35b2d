"""The changes port on LaunchDarkly: entries of the audit log about flags (`GET /api/v2/auditlog`).

Described at https://launchdarkly.com/docs/api/audit-log/get-audit-log-entries. An entry names what was done by actions
such as `updateOn` on resources such as `proj/shop:env/production:flag/new-checkout`, newest first.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from stanch.kernel.errors import Invalid, Unavailable
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.kernel.redaction import redact
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.fetch import Fetch
from stanch.ports.query import SystemSpec

URL: Final = "https://app.launchdarkly.com"
_MOST_BYTES: Final = 4 * 1024 * 1024
_AT_A_TIME: Final = 20
_MOST_CALLS: Final = 5
_FLAG: Final = re.compile(r"^proj/(?P<project>[^:;]+):env/(?P<environment>[^:;]+):flag/(?P<flag>[^:;]+)")
# What changes what people get; a tag or a description does not.
_INERT: Final = re.compile(
    r"name|description|tags?|maintainer|followers|codereference|comments?|pinned|flaglinks?", re.I
)


class LaunchDarklyFlags:
    """Reads what was done to the flags of one project."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch, timeout_s: float = 5.0) -> None:
        self._spec = spec
        self._fetch = fetch
        self._timeout_s = timeout_s

    @property
    def name(self) -> str:
        """Return `launchdarkly:` and its name."""
        return f"launchdarkly:{self._spec.name}"

    @property
    def command(self) -> str:
        """Return the command that shows what this source reads; the file holds the header with the token."""
        return f'curl -H @launchdarkly.header "{self._url({})}"'

    def changes(self, *, services: tuple[str, ...], start: datetime, end: datetime) -> list[Change]:
        """Return what was done to flags in [start, end), oldest first. Raises `Unavailable`."""
        found = []
        before = end
        for _ in range(_MOST_CALLS):
            entries = self._read(start, before)
            found += [change for entry in entries if (change := self._change(entry)) is not None]
            oldest = entries[-1].instant("date") if entries else None
            if len(entries) < _AT_A_TIME or oldest is None or oldest >= before:
                break
            before = oldest
        kept = [one for one in found if start <= one.at < end and (not services or one.service in ("", *services))]
        return sorted({one.id: one for one in kept}.values(), key=lambda change: (change.at, change.id))

    def _url(self, query: dict[str, str]) -> str:
        project, environment = self._spec.settings["project"], self._spec.settings.get("environment") or "*"
        asked = {"limit": str(_AT_A_TIME), "spec": f"proj/{project}:env/{environment}:flag/*", **query}
        return f"{(self._spec.url or URL).rstrip('/')}/api/v2/auditlog?{urlencode(asked)}"

    def _read(self, start: datetime, end: datetime) -> list[JsonObject]:
        window = {name: str(int(at.timestamp() * 1000)) for name, at in (("after", start), ("before", end))}
        got = self._fetch(
            self._url(window),
            headers={"Authorization": self._spec.secret} if self._spec.secret else {},
            timeout_s=self._timeout_s,
            most_bytes=_MOST_BYTES,
        )
        if got.status in (401, 403, 404, 429):
            why = "too many calls" if got.status == 429 else "the token may not read the audit log"
            raise Unavailable(f"LaunchDarkly answered {got.status}: {why}", retry=got.status == 429)
        try:
            answer = read_object(got.body)
            if got.status >= 400 or "items" not in answer:
                raise Unavailable(f"LaunchDarkly answered {got.status} with no audit log", retry=True)
            return answer.objects("items")
        except Invalid as error:
            raise Unavailable(f"LaunchDarkly answered {got.status}: {error.message}", retry=True) from None

    def _change(self, entry: JsonObject) -> Change | None:
        at = entry.instant("date")
        accesses = entry.objects("accesses")
        named = [*(one.text("resource") for one in accesses), *entry.object("target").words("resources")]
        about = next((found for one in named if (found := _FLAG.match(one))), None)
        actions = [one.text("action") for one in accesses]
        if at is None or about is None or (actions and all(_INERT.search(one) for one in actions)):
            return None
        verb = entry.text("titleVerb") or ", ".join(actions)
        flag, said = about["flag"], redact(entry.text("comment"))[:200]
        state, before = _turned(verb)
        member = entry.object("member")
        return Change(
            id=f"launchdarkly/{self._spec.name}/{entry.text('_id')}",
            at=at,
            kind=ChangeKind.FLAG,
            service=_only(self._spec.services),
            title=f"{flag}: {verb} in {about['environment']}" + (f": {said}" if said else ""),
            version=f"{flag}={state}" if state else flag,
            previous=f"{flag}={before}" if before else "",
            author=member.text("email") or entry.object("token").text("name"),
            source=self.name,
            data={"flag": flag, "environment": about["environment"], "actions": list(actions)},
        )


def _turned(verb: str) -> tuple[str, str]:
    """Return what a flag is now and was before, empty where it was neither turned on nor off."""
    words = verb.lower()
    if "turned on" in words:
        return "on", "off"
    return ("off", "on") if "turned off" in words or "archived" in words else ("", "")


def _only(services: Sequence[str]) -> str:
    return services[0] if len(services) == 1 else ""
