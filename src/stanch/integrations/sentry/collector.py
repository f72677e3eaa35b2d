"""The evidence port on Sentry: issues since the onset against before, with their traces, and steps that got slower.

Two questions a service, each answered for the time before and the time since: which errors (issues), and which steps
of its requests take longer (spans). The three issues that stand out are looked at closely: where in the code, in which
releases.
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from stanch.integrations.sentry.api import Query, SentryApi
from stanch.integrations.sentry.groups import Group, event_of, groups_of, row_of, versions_of
from stanch.integrations.sentry.groups import signals_of as signals_of_groups
from stanch.integrations.sentry.spans import FIELDS, SUM, Step, steps_of
from stanch.integrations.sentry.spans import row_of as row_of_step
from stanch.integrations.sentry.spans import signals_of as signals_of_steps
from stanch.kernel.errors import Invalid, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.ports.evidence import Finding, FindingStatus, Question, status_of
from stanch.ports.fetch import Fetch
from stanch.ports.query import SystemSpec

_MOST_SERVICES: Final = 6
_MOST_GROUPS: Final = 10
_LOOKED_INTO: Final = 3
_MOST_STEPS: Final = 20
_AT_A_TIME: Final = 4
"""Questions sent side by side; how many Sentry takes at a time is published nowhere, and stands in its answers: 25."""
_ROOM_S: Final = 1.0
_LEAST_S: Final = 0.05
_LEAST_SINCE_S: Final = 1.0


class SentryCollector:
    """Looks at the projects of the services in question; needs a token with `event:read` and `org:read`."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch) -> None:
        self._spec = spec
        self._api = SentryApi(spec, fetch=fetch)

    @property
    def name(self) -> str:
        """Return `sentry:` and its name, `sentry` where it is called that."""
        return self._spec.kind if self._spec.name == self._spec.kind else f"{self._spec.kind}:{self._spec.name}"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits."""
        return self._spec.timeout_s + _ROOM_S

    def collect(self, question: Question) -> list[Finding]:
        """Return a finding on the issues and one on the spans of each service; empty when it has none of them."""
        own = self._spec.services
        services = [name for name in question.services if not own or name in own][:_MOST_SERVICES]
        until = time.monotonic() + self._spec.timeout_s
        looks: list[Callable[[], Finding]] = [
            partial(self._told, question, service, what, until=until)
            for service in services
            for what in ("issues", "spans")
        ]
        with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="sentry") as pool:
            return list(pool.map(lambda look: look(), looks))

    def _told(self, question: Question, service: str, what: str, *, until: float) -> Finding:
        began = time.monotonic()
        path = "issues" if what == "issues" else "events"
        query = self._issue_query(service) if what == "issues" else self._span_query(service)
        blank = Finding(
            id=f"{self._spec.name}/{what}/{service}",
            collector=self.name,
            source=f"{self._spec.name} ({self._api.where})",
            command=self._api.command(path, [*query, *_stretch(question.onset, question.end)]),
            status=FindingStatus.NO_DATA,
            summary="",
            start=question.start,
            end=question.end,
            services=(service,),
        )
        try:
            look = self._issues if what == "issues" else self._spans
            found = look(question, service, query, blank, until=until)
        except (Refused, Unavailable, Invalid) as error:
            found = replace(blank, status=status_of(error), summary=f"{service}: {error.message}")
        return replace(found, took_s=time.monotonic() - began)

    def _issue_query(self, service: str) -> Query:
        # An empty query asks for issues in every state: one that somebody resolved may come back.
        project = self._api.project_of(service)
        return [("project", project), ("query", ""), ("sort", "freq"), ("limit", "25"), *self._api.environment]

    def _span_query(self, service: str) -> Query:
        project = self._api.project_of(service)
        fields = [("field", name) for name in FIELDS]
        only = [("dataset", "spans"), ("project", project), ("sort", f"-{SUM}"), ("per_page", "50")]
        return [*only, *fields, *self._api.environment]

    def _issues(self, question: Question, service: str, query: Query, blank: Finding, *, until: float) -> Finding:
        since = self._api.objects("issues", [*query, *_stretch(question.onset, question.end)], timeout_s=_left_s(until))
        before = self._api.objects(
            "issues", [*query, *_stretch(question.start, question.onset)], timeout_s=_left_s(until)
        )
        groups = groups_of(since, before, share=_share(question))[:_MOST_GROUPS]
        groups = [
            self._looked_into(group, until=until) if group.raised and place < _LOOKED_INTO else group
            for place, group in enumerate(groups)
        ]
        if not groups:
            return replace(blank, summary=f"{service}: Sentry has no errors of it since the onset")
        rows: list[JSON] = [row_of(group) for group in groups]
        samples: dict[str, JSON] = {group.id: group.event.sample for group in groups if group.event.sample}
        return replace(
            blank,
            status=FindingStatus.OK,
            summary=_groups_said(service, groups),
            signals=signals_of_groups(service, groups),
            data={"rows": rows, "samples": samples},
        )

    def _looked_into(self, group: Group, *, until: float) -> Group:
        """Return an issue with its newest trace and its releases, as far as Sentry tells them in time."""
        path = f"issues/{group.id}"
        try:
            event = event_of(self._api.object(f"{path}/events/latest", timeout_s=_left_s(until)))
            group = replace(group, event=event)
            tag = self._api.object(f"{path}/tags/release", timeout_s=_left_s(until))
        except (Refused, Unavailable, Invalid):
            # What was counted is worth telling without its trace; the finding shows that it has none.
            return group
        return replace(group, versions=versions_of(tag))

    def _spans(self, question: Question, service: str, query: Query, blank: Finding, *, until: float) -> Finding:
        stretches = ((question.onset, question.end), (question.start, question.onset))
        since, before = (
            self._api.object("events", [*query, *_stretch(*one)], timeout_s=_left_s(until)).objects("data")
            for one in stretches
        )
        steps = steps_of(since, before)
        if not steps:
            return replace(blank, summary=f"{service}: Sentry has no spans of it since the onset")
        rows: list[JSON] = [row_of_step(step) for step in steps[:_MOST_STEPS]]
        return replace(
            blank,
            status=FindingStatus.OK,
            summary=_steps_said(service, steps),
            signals=signals_of_steps(service, steps, known=question.services),
            data={"rows": rows},
        )


def _groups_said(service: str, groups: Sequence[Group]) -> str:
    raised = [group for group in groups if group.raised]
    if not raised:
        return f"{service}: no new errors; {len(groups)} issues as often as ever"
    first = raised[0]
    before = f", {first.before:,.0f} in an equal stretch before" if first.before >= 1 else ", never before"
    told = f"{service}: {first.title}, {first.count:,.0f} times since the onset{before}"
    if first.users:
        told += f"; {first.users:,.0f} users met it"
    if len(first.versions) == 1:
        told += f"; only in release {first.versions[0]}"
    if first.event.culprit:
        told += f"; at {first.event.culprit}"
    others = len(raised) - 1
    return told + (f"; and {others} more issue{'s' if others > 1 else ''}" if others else "")


def _steps_said(service: str, steps: Sequence[Step]) -> str:
    slower = [step for step in steps if step.slower]
    if not slower:
        return f"{service}: no kind of span takes longer than before ({len(steps)} looked at)"
    told = "; ".join(
        f"{step.words} takes {step.p95_ms:,.0f} ms, normal {step.normal_ms or 0:,.0f} ms (P95)" for step in slower[:3]
    )
    return f"{service}: {told}" + (f"; and {len(slower) - 3} more" if len(slower) > 3 else "")


def _stretch(start: datetime, end: datetime) -> Query:
    return [("start", _written(start)), ("end", _written(end))]


def _written(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def _share(question: Question) -> float:
    since = max(_LEAST_SINCE_S, (question.end - question.onset).total_seconds())
    return since / max(_LEAST_SINCE_S, (question.onset - question.start).total_seconds())


def _left_s(until: float) -> float:
    left_s = until - time.monotonic()
    if left_s < _LEAST_S:
        raise Unavailable("the time was over before all was asked", retry=True)
    return left_s
