"""The issues port on Sentry: status, team and note of an issue, and the marker of a deploy.

The status and the team are set to what they shall be, so setting them again changes nothing. A note and a deploy are
added: one that may have arrived before is looked for by its mark first (https://docs.sentry.io/api/events/,
https://docs.sentry.io/api/releases/).
"""

from typing import Final

from stanch.integrations.sentry.api import SentryApi, segment
from stanch.integrations.sentry.calls import SentryCalls
from stanch.integrations.sentry.seer import LIMITS, read_analysis, settings_of
from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject
from stanch.ports.fetch import Fetch
from stanch.ports.issues import Act, Analysis, AnalysisLimits, Moment, Writing, line
from stanch.ports.query import SystemSpec

_ISSUE_SCOPE: Final = "event:write"
_NOTES_SCOPE: Final = "event:read"
_RELEASE_SCOPE: Final = "project:releases"
_TEAM_SCOPE: Final = "team:read"
_NOT_ENABLED: Final = "Seer is not enabled for this organization, or the token may not use it"


class SentryDesk:
    """One organization; what may be written stands in its settings."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch) -> None:
        self._spec = spec
        self._api = SentryApi(spec, fetch=fetch)
        self._calls = SentryCalls(spec, token=self._api.token)
        self._may = frozenset(spec.settings.get("write_back", "").split())

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._spec.name

    @property
    def kind(self) -> str:
        """Return `sentry`."""
        return "sentry"

    def may(self, act: Act) -> bool:
        """Tell whether `write_back` of the configuration has it."""
        return act.value in self._may

    def value_of(self, act: Act, moment: Moment, *, team: str) -> str:
        """Return the status or the team; a note is written at either moment, and has no value but its text."""
        return value_by(self._spec, act, moment, team=team)

    def serves(self, service: str) -> bool:
        """Tell whether the service is among those of the system, or none are named."""
        return not self._spec.services or service in self._spec.services

    def write(self, writing: Writing) -> str:
        """Write one thing and say what was done."""
        match writing.act:
            case Act.STATUS:
                self._put(writing.issue, {"status": writing.value})
                return f"status {writing.value}"
            case Act.ASSIGN:
                self._put(writing.issue, {"assignedTo": f"team:{self._team(writing.value)}"})
                return f"assigned to team {writing.value}"
            case Act.NOTE:
                return self._note(writing)
            case Act.DEPLOY:
                return self._deploy(writing)

    @property
    def analyses(self) -> AnalysisLimits | None:
        """Return the limits of Seer, None where it is not switched on."""
        return settings_of(self._spec) if self._spec.settings.get("seer") == "true" else None

    def analysis(self, issue: str, *, started: bool) -> Analysis:
        """Return Seer's analysis of an issue, in either shape."""
        try:
            answer = self._calls.ask("GET", f"issues/{segment(issue)}/autofix", scope=_NOTES_SCOPE)
        except Refused as error:
            raise _not_enabled(error) from None
        return read_analysis(answer)

    def analyse(self, issue: str, *, context: str) -> str:
        """Start Seer on an issue, up to a solution in words: never code, never a pull request."""
        body: dict[str, JSON] = {"stopping_point": "solution"}
        if context:
            body["user_context"] = context[: LIMITS["context"]]
        try:
            answer = self._calls.ask("POST", f"issues/{segment(issue)}/autofix", body, scope=_ISSUE_SCOPE)
        except Refused as error:
            raise _not_enabled(error) from None
        return _object(answer).text("run_id")

    def _put(self, issue: str, body: dict[str, JSON]) -> None:
        self._calls.ask("PUT", f"issues/{segment(issue)}", body, scope=_ISSUE_SCOPE)

    def _team(self, slug: str) -> str:
        path = self._calls.in_organization(f"teams/{{organization}}/{segment(slug)}")
        try:
            answer = self._calls.ask("GET", path, scope=_TEAM_SCOPE, organization=False)
        except NotFound:
            raise Unavailable(f"Sentry has no team {slug!r}", retry=False) from None
        return _object(answer).needed("id")

    def _note(self, writing: Writing) -> str:
        path = f"issues/{segment(writing.issue)}/notes"
        if writing.again and self._has_note(path, writing.mark):
            return "the note stands there"
        self._calls.ask("POST", path, {"text": writing.text}, scope=_ISSUE_SCOPE)
        return "note written"

    def _has_note(self, path: str, mark: str) -> bool:
        answer = self._calls.ask("GET", path, scope=_NOTES_SCOPE)
        notes = [JsonObject(one) for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
        return any(mark in one.object("data").text("text") for one in notes)

    def _deploy(self, writing: Writing) -> str:
        release = self._release_of(writing)
        path = f"releases/{segment(release)}/deploys"
        if writing.again and self._has_deploy(path, writing.mark):
            return f"the deploy of {release} stands there"
        body: dict[str, JSON] = {
            "environment": (self._spec.settings.get("environment") or writing.environment)[:64],
            "name": writing.mark[:64],
            "url": writing.url,
            "projects": [self._api.project_of(writing.service)],
        }
        self._calls.ask("POST", path, body, scope=_RELEASE_SCOPE)
        return f"deploy of {release} recorded"

    def _has_deploy(self, path: str, mark: str) -> bool:
        answer = self._calls.ask("GET", path, scope=_RELEASE_SCOPE)
        deploys = [JsonObject(one) for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
        return any(one.text("name") == mark[:64] for one in deploys)

    def _release_of(self, writing: Writing) -> str:
        """Return the release that a version is in Sentry: `payments@3.2.0` where it is called so, else the version."""
        project = self._api.project_of(writing.service)
        bare = writing.value.removeprefix("v")
        for name in dict.fromkeys((f"{project}@{bare}", f"{project}@{writing.value}", writing.value, bare)):
            try:
                self._calls.ask("GET", f"releases/{segment(name)}", scope=_RELEASE_SCOPE)
            except NotFound:
                continue
            return name
        raise Unavailable(f"Sentry has no release {line(writing.value)!r} of {project}", retry=False)


def value_by(spec: SystemSpec, act: Act, moment: Moment, *, team: str) -> str:
    """Return what the settings of a system have an issue set to at a moment; empty for nothing."""
    match act:
        case Act.STATUS:
            resolved = spec.settings.get("resolve_as", "resolved")
            return {Moment.DECLARED: "unresolved", Moment.RESOLVED: resolved}.get(moment, "")
        case Act.ASSIGN:
            # Whose it is does not change with its end.
            wanted = spec.settings.get("assign_to", "{team}")
            return wanted.replace("{team}", team) if moment is Moment.DECLARED else ""
        case Act.NOTE:
            return moment.value
        case Act.DEPLOY:
            return ""


def _not_enabled(error: Refused) -> Refused:
    return Refused(f"{_NOT_ENABLED} ({error.message})", reason="not_enabled")


def _object(answer: JSON) -> JsonObject:
    if not isinstance(answer, dict):
        raise Invalid("Sentry answered no object")
    return JsonObject(answer)
