"""The evidence port and the issues port on Sentry's MCP server, where that is what is configured.

A search tells how often an issue came in a period that ends now, and not how often before; so what is new since the
onset stands out, and of an older issue is only said that it goes on. Tools answer in Markdown, read in `markdown`.
Only the tools named here are called, with arguments made here; deploys cannot be written by any.
"""

import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from stanch.integrations.sentry.api import project_of
from stanch.integrations.sentry.markdown import Found, analysis_in, issues_in
from stanch.integrations.sentry.mcpcalls import LEFT_OFF, McpCalls, Opened, Tool
from stanch.integrations.sentry.seer import settings_of
from stanch.integrations.sentry.writeback import value_by
from stanch.kernel.errors import NotFound, Refused, StanchError, Unavailable
from stanch.kernel.event import JSON
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal
from stanch.ports.issues import Act, Analysis, AnalysisLimits, Moment, Stage, Writing
from stanch.ports.query import SystemSpec

_MOST_SERVICES: Final = 6
_MOST_ISSUES: Final = 10
_PERIODS: Final = (("24h", 1), ("7d", 7), ("14d", 14), ("30d", 30), ("90d", 90))
_UNREAD: Final = "Sentry's MCP server cannot read this analysis, which has another shape: it stands in Sentry"
_SHAPE: Final = re.compile(r"invalid_(enum_)?value.*\"autofix\"", re.DOTALL)
"""What a version of the server says of an analysis in a shape that it does not know."""
_ROOM_S: Final = 2.0
_WRITE_S: Final = 20.0
_LOOK_S: Final = 25.0
"""How long one answer about an analysis is waited for: the tool itself waits for minutes, so it is asked again."""
_NEWEST: Final = (100, 25, 5, 1)
"""How many entries of an issue's activity are asked for: the most that the server gives, then fewer."""


class McpCollector:
    """Looks for the issues of the services in question, all in one session."""

    def __init__(self, spec: SystemSpec, *, opened: Opened | None = None) -> None:
        self._spec = spec
        self._calls = McpCalls(spec, opened=opened)

    @property
    def name(self) -> str:
        """Return `sentry-mcp:` and its name, `sentry-mcp` where it is called that."""
        return self._spec.kind if self._spec.name == self._spec.kind else f"{self._spec.kind}:{self._spec.name}"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits."""
        return self._spec.timeout_s + _ROOM_S

    def collect(self, question: Question) -> list[Finding]:
        """Return a finding on the issues of each service; empty when it has none of them."""
        own = self._spec.services
        services = [name for name in question.services if not own or name in own][:_MOST_SERVICES]
        if not services:
            return []
        began = time.monotonic()
        searches = [one for service in services for one in self._searches(service, question)]
        try:
            answers = self._calls.several(searches, timeout_s=self._spec.timeout_s)
        except Unavailable as error:
            answers = [error] * len(searches)
        found = [
            self._told(question, service, every, fresh)
            for service, every, fresh in zip(services, answers[::2], answers[1::2], strict=True)
        ]
        took_s = time.monotonic() - began
        return [replace(one, took_s=took_s) for one in found]

    def _told(self, question: Question, service: str, every: str | StanchError, fresh: str | StanchError) -> Finding:
        if isinstance(every, str) and isinstance(fresh, str):
            return self._finding(question, service, issues_in(every), issues_in(fresh))
        error = every if isinstance(every, StanchError) else fresh
        status = FindingStatus.REFUSED if isinstance(error, Refused) else FindingStatus.FAILED
        if isinstance(error, NotFound):
            status = FindingStatus.NO_DATA
        said = error.message if isinstance(error, StanchError) else ""
        return replace(self._blank(question, service), status=status, summary=f"{service}: {said}")

    def _searches(self, service: str, question: Question) -> list[Tool]:
        given = {
            "projectSlugOrId": project_of(self._spec, service),
            "sort": "freq",
            "period": period_over(question.end - question.onset),
            "limit": _MOST_ISSUES,
        }
        return [
            ("search_issues", {**given, "query": self._query("")}),
            ("search_issues", {**given, "query": self._query(f"firstSeen:>={_written(question.onset)}")}),
        ]

    def _query(self, more: str) -> str:
        environment = self._spec.settings.get("environment", "")
        return " ".join(
            part for part in ("is:unresolved", f"environment:{environment}" if environment else "", more) if part
        )

    def _blank(self, question: Question, service: str) -> Finding:
        name, given = self._searches(service, question)[1]
        shown = ", ".join(f"{key}={value!r}" for key, value in given.items())
        return Finding(
            id=f"{self._spec.name}/issues/{service}",
            collector=self.name,
            source=f"{self._spec.name} ({self._calls.where})",
            command=f"{name}({shown})",
            status=FindingStatus.NO_DATA,
            summary="",
            start=question.onset,
            end=question.end,
            services=(service,),
        )

    def _finding(self, question: Question, service: str, every: list[Found], fresh: list[Found]) -> Finding:
        blank = self._blank(question, service)
        new = {one.id for one in fresh}
        issues = [*fresh, *(one for one in every if one.id not in new)][:_MOST_ISSUES]
        if not issues:
            return replace(blank, summary=f"{service}: Sentry has no issues of it")
        rows: list[JSON] = [_row(one, is_new=one.id in new) for one in issues]
        return replace(
            blank,
            status=FindingStatus.OK,
            summary=_said(service, fresh, issues, period=period_over(question.end - question.onset)),
            signals=tuple(_signal(service, one, is_new=one.id in new, onset=question.onset) for one in issues),
            data={"rows": rows, "untrusted": True},
        )


class McpDesk:
    """Writes into issues and has them analysed through the server's tools."""

    def __init__(self, spec: SystemSpec, *, opened: Opened | None = None) -> None:
        self._spec = spec
        self._calls = McpCalls(spec, opened=opened)
        self._may = frozenset(spec.settings.get("write_back", "").split())

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._spec.name

    @property
    def kind(self) -> str:
        """Return `sentry`: the issues are Sentry's."""
        return "sentry"

    def may(self, act: Act) -> bool:
        """Tell whether `write_back` of the configuration has it."""
        return act.value in self._may

    def value_of(self, act: Act, moment: Moment, *, team: str) -> str:
        """Return the status or the team, as the configuration says."""
        return value_by(self._spec, act, moment, team=team)

    def serves(self, service: str) -> bool:
        """Tell whether the service is among those of the system, or none are named."""
        return not self._spec.services or service in self._spec.services

    def write(self, writing: Writing) -> str:
        """Write one thing and say what was done."""
        issue: dict[str, object] = {"issueId": writing.issue}
        match writing.act:
            case Act.STATUS:
                self._call("update_issue", {**issue, "status": writing.value})
                return f"status {writing.value}"
            case Act.ASSIGN:
                self._call("update_issue", {**issue, "assignedTo": f"team:{writing.value}"})
                return f"assigned to team {writing.value}"
            case Act.NOTE:
                if writing.again and self._has_note(writing):
                    return "the note stands there"
                self._call("add_issue_note", {**issue, "text": writing.text})
                return "note written"
            case Act.DEPLOY:
                raise Refused("Sentry's MCP server has no tool that records a deploy", reason="no_tool")

    def _has_note(self, writing: Writing) -> bool:
        """Tell whether a note stands there, among the newest entries; where they are too long, among fewer of them.

        Raises `Unavailable` where not even the newest fits: another note might then be the second.
        """
        for limit in _NEWEST:
            text = self._call("get_issue_activity", {"issueId": writing.issue, "limit": limit})
            if writing.mark in text:
                return True
            if not text.endswith(LEFT_OFF):
                return False
        raise Unavailable(f"the notes of {writing.issue} are too long to be looked through", retry=False)

    @property
    def analyses(self) -> AnalysisLimits | None:
        """Return the limits of Seer, None where it is not switched on."""
        return settings_of(self._spec) if self._spec.settings.get("seer") == "true" else None

    def analysis(self, issue: str, *, started: bool) -> Analysis:
        """Return the analysis of an issue; none before one was started, as asking for it is what starts it."""
        return self._analysed(issue) if started else Analysis(stage=Stage.NONE)

    def analyse(self, issue: str, *, context: str) -> str:
        """Have the server start Seer, or find what it said before. No run has a number here."""
        # Nothing is told to it: an instruction would start a run anew beside one that there is.
        return self._analysed(issue).run

    def _call(self, tool: str, given: dict[str, object]) -> str:
        return self._calls.one(tool, given, timeout_s=max(_WRITE_S, self._spec.timeout_s))

    def _analysed(self, issue: str) -> Analysis:
        wait_s = max(_LOOK_S, self._spec.timeout_s)
        try:
            return analysis_in(self._calls.one("analyze_issue_with_seer", {"issueId": issue}, timeout_s=wait_s))
        except Refused as error:
            words = f"Seer is not to be had through the MCP server ({error.message})"
            raise Refused(words, reason="not_enabled") from None
        except Unavailable as error:
            if error.retry:
                return Analysis(stage=Stage.RUNNING)
            if _SHAPE.search(error.message):
                return Analysis(stage=Stage.FAILED, detail=_UNREAD)
            raise


def period_over(length: timedelta) -> str:
    """Return the shortest period of a search of issues that covers `length` up to now, the longest where none does."""
    return next((name for name, days in _PERIODS if length <= timedelta(days=days)), _PERIODS[-1][0])


def _written(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _said(service: str, fresh: list[Found], issues: list[Found], *, period: str) -> str:
    if not fresh:
        return f"{service}: no issue is new since the onset; {len(issues)} older ones go on"
    first = fresh[0]
    told = f"{service}: {first.title}, new since the onset, {first.events:,.0f} times in the last {period}"
    if first.users:
        told += f"; {first.users:,.0f} users met it"
    if first.culprit:
        told += f"; at {first.culprit}"
    others = len(fresh) - 1
    return told + (f"; and {others} more new issue{'s' if others > 1 else ''}" if others else "")


def _row(one: Found, *, is_new: bool) -> dict[str, JSON]:
    return {
        "issue": one.id,
        "title": one.title,
        "events": round(one.events),
        "users": round(one.users),
        "at": one.culprit,
        "new": is_new,
        "url": one.url,
    }


def _signal(service: str, one: Found, *, is_new: bool, onset: datetime) -> Signal:
    data: dict[str, JSON] = {
        "fingerprint": f"sentry/{one.id}",
        "culprit": one.culprit,
        "url": one.url,
        "raised": is_new,
    }
    return Signal(
        name="error_group",
        service=service,
        value=one.events,
        normal=0.0 if is_new else None,
        text=one.title,
        at=onset if is_new else None,
        data=data,
    )
