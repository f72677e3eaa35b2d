"""Drafts a post-mortem from the log (L1). Every statement links to the event it rests on; what is not known says so.

What rests on samples and on the configuration links to where the incident's page shows both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.incidents import events as ev
from stanch.incidents.quantities import quantity
from stanch.incidents.rules import NOT_KNOWN
from stanch.incidents.state import IncidentState
from stanch.incidents.telling import tell
from stanch.kernel.blocks import Block, Bullets, Checklist, Fields, Inline, Link, Paragraph, Text, to_markdown
from stanch.kernel.duration import format_duration
from stanch.kernel.event import Event
from stanch.kernel.percentage import percent
from stanch.review.charts import charts_of, describe
from stanch.review.templating import STANDARD, fill, shipped

_FAST_DETECTION: Final = timedelta(minutes=5)
_TODO: Final = "To be written by those who were there."
# What a person said in words of their own: it is nowhere else in the document.
_SAID: Final = (
    ev.NoteAdded,
    ev.SeverityChanged,
    ev.Rejected,
    ev.HypothesisAdded,
    ev.HypothesisConfirmed,
    ev.HypothesisRefuted,
    ev.AutomaticStopped,
    ev.AutomaticSwitched,
)
_LONGEST_SAID: Final = 600


@dataclass(frozen=True, kw_only=True)
class Source:
    """Finds the event a statement rests on."""

    events: Sequence[Event]
    url: str
    number: int

    def first(self, kind: str) -> Event | None:
        """Return the first event of a kind."""
        return next((event for event in self.events if event.kind == kind), None)

    def last(self, kind: str) -> Event | None:
        """Return the last event of a kind."""
        return next((event for event in reversed(self.events) if event.kind == kind), None)

    def about(self, kind: str, **fields: object) -> Event | None:
        """Return the last event of a kind whose data has these values."""
        return next(
            (
                event
                for event in reversed(self.events)
                if event.kind == kind and all(event.data.get(name) == value for name, value in fields.items())
            ),
            None,
        )

    def link(self, event: Event | None) -> tuple[Inline, ...]:
        """Return ` [e-17]`, linked to the event; nothing when there is none."""
        if event is None:
            return ()
        return (" ", Link(f"{self.url}/i/{self.number}#e-{event.seq}", f"e-{event.seq}"))

    def since_start(self, event: Event | None, start: datetime) -> timedelta | None:
        """Return how long after `start` an event happened."""
        return None if event is None else max(timedelta(0), event.at - start)


def draft(
    state: IncidentState,
    events: Sequence[Event],
    *,
    url: str,
    now: datetime,
    template: str = "",
    lessons: Sequence[str] = (),
) -> str:
    """Return the post-mortem of an incident as Markdown, from its events in the order of the log.

    `template` is the text of one (see `templating`), empty for the standard one; `lessons` are what would have told
    sooner and what was missing, a sentence each.
    """
    return fill(template or shipped()[STANDARD], sections_of(state, events, url=url, now=now, lessons=lessons))


def sections_of(
    state: IncidentState, events: Sequence[Event], *, url: str, now: datetime, lessons: Sequence[str] = ()
) -> dict[str, str]:
    """Return everything a template may name, as Markdown."""
    source = Source(events=tuple(events), url=url, number=state.number)
    blocks: dict[str, list[Block]] = {
        "key": [Paragraph(state.key)],
        "title": [Paragraph(state.title)],
        "facts": [Fields(_header(state, source, now=now))],
        "summary": [Paragraph(_summary(state, source))],
        "impact": [Bullets(_impact(state, source))],
        "timeline": [Bullets(_timeline(state, source))],
        "root_cause": _root_cause(state, source),
        "went_well": [Bullets(_went_well(state, source))],
        "went_poorly": [Bullets(_went_poorly(state, source))],
        "action_items": [Checklist(_items(state, source))],
        "prevention": [Bullets(_prevention(state, source, lessons))],
        "to_write": [Paragraph(_TODO)],
    }
    return {name: to_markdown(one) for name, one in blocks.items()} | {"charts": _charts(state, source)}


def _charts(state: IncidentState, source: Source) -> str:
    """Return the pictures; their names and what they show hold nothing from outside."""
    drawn = charts_of(source.events, started_at=state.started_at)
    place = f"{source.url}/postmortem/{state.number}/chart"
    return "\n\n".join(f"![{describe(one)}](<{place}/{one.measure.name}.svg>)" for one in drawn)


def _prevention(state: IncidentState, source: Source, lessons: Sequence[str]) -> tuple[Text, ...]:
    """Return what was not there: no monitor, a late one, no runbook, nobody who owns it; and what would have helped."""
    lines: list[Text] = []
    declared = source.first(ev.Declared.kind)
    detected = source.since_start(declared, state.started_at)
    if state.source != "alert":
        lines.append(("No monitor raised it: a person told of it", *source.link(declared)))
    elif detected is not None and detected > _FAST_DETECTION:
        lines.append((f"The alert came {format_duration(detected)} after the start", *source.link(declared)))
    if not state.runbook_checks:
        lines.append(("No runbook was used", *source.link(declared)))
    if not state.cause_known:
        ranked = source.last(ev.HypothesesRanked.kind) or declared
        lines.append(("What was collected did not tell the cause", *source.link(ranked)))
    # They rest on samples and on the configuration; the page of the incident shows both, and how to close the gap.
    lines += [(lesson, " ", Link(f"{source.url}/i/{source.number}#prevent", "prevention")) for lesson in lessons]
    return tuple(lines) or (_TODO,)


def _header(state: IncidentState, source: Source, *, now: datetime) -> tuple[tuple[str, Text], ...]:
    declared = source.first(ev.Declared.kind)
    ruled = source.last(ev.SeverityChanged.kind) or declared
    facts: list[tuple[str, Text]] = [
        ("Date", (f"{state.started_at:%Y-%m-%d}", *source.link(declared))),
        ("Severity", (f"{state.ruling.severity.label} ({state.ruling.rule})", *source.link(ruled))),
        ("Duration", (_duration(state, now=now), *source.link(source.last(ev.Resolved.kind) or declared))),
        ("Origin", "drafted from the log of the incident"),
    ]
    for role, person in state.roles.items():
        given = source.about(ev.RoleAssigned.kind, role=role.value)
        facts.append((role.value.replace("_", " ").capitalize(), (person, *source.link(given))))
    if state.drill:
        facts.append(("Note", "This was a drill: the fault was injected into the sample shop."))
    return tuple(facts)


def _duration(state: IncidentState, *, now: datetime) -> str:
    start, end = state.started_at, state.resolved_at
    length = format_duration((end or now) - start)
    if end is None:
        return f"{length} so far (since {start:%H:%M:%S} UTC)"
    shown = f"{end:%H:%M:%S}" if end.date() == start.date() else f"{end:%Y-%m-%d %H:%M:%S}"
    return f"{length} ({start:%H:%M:%S} - {shown} UTC)"


def _summary(state: IncidentState, source: Source) -> Text:
    declared = source.first(ev.Declared.kind)
    parts: list[Inline] = [
        f"On {state.started_at:%Y-%m-%d} from {state.started_at:%H:%M:%S} UTC, {_sentence(state.title)}",
        *source.link(declared),
    ]
    if state.resolution:
        cause, mitigation = _sentence(state.resolution.cause), _sentence(state.resolution.mitigation)
        parts.append(f" Cause: {cause} Mitigation: {mitigation}")
        parts += source.link(source.last(ev.Resolved.kind))
    return tuple(parts)


def _impact(state: IncidentState, source: Source) -> tuple[Text, ...]:
    measured = [
        (record.impact, source.link(event))
        for event in source.events
        if isinstance(record := ev.typed(event), ev.ImpactMeasured) and record.impact.is_measured
    ]
    if not measured:
        return ("Not measured.",)
    most, at_most = max(measured, key=lambda one: one[0].failed_requests)
    worst, at_worst = max(measured, key=lambda one: one[0].error_ratio or 0.0)
    slowest, at_slowest = max(measured, key=lambda one: one[0].latency_p95_ms or 0.0)
    lines: list[Text] = []
    share = f" of {most.total_requests:,}" if most.total_requests else ""
    lines.append((f"Failed requests: {most.failed_requests:,}{share}", *at_most))
    if worst.error_ratio is not None:
        normal = quantity(worst.normal_error_ratio, "ratio")
        lines.append((f"Error rate at worst: {quantity(worst.error_ratio, 'ratio')} (normal {normal})", *at_worst))
    if slowest.latency_p95_ms is not None:
        normal = quantity(slowest.normal_latency_p95_ms, "ms")
        lines.append((f"p95 latency at worst: {quantity(slowest.latency_p95_ms, 'ms')} (normal {normal})", *at_slowest))
    names = dict.fromkeys(name for impact, _ in measured for name in (*impact.down, *impact.affected))
    if names:
        widest = max(measured, key=lambda one: len(one[0].down) + len(one[0].affected))
        lines.append((f"Services: {', '.join(names)}", *widest[1]))
    met, at_met = max(measured, key=lambda one: -1 if one[0].users is None else one[0].users)
    users = f"{met.users:,}" if met.users is not None else "not known (no source counts them)"
    lines.append((f"Users affected: {users}", *at_met))
    told, at_told = next((one for one in reversed(measured) if one[0].explained), (None, ()))
    if told is not None:
        lines.append((f"What the failures share: {told.explained}", *at_told))
    if worst.formula:
        lines.append((f"How it is computed: {worst.formula}", *at_worst))
    return tuple(lines)


def _timeline(state: IncidentState, source: Source) -> tuple[Text, ...]:
    lines: list[Text] = []
    for event in sorted(source.events, key=lambda event: (event.at, event.seq)):
        record = ev.typed(event)
        told = tell(record)
        if told.major:
            said = f": {_shortened(told.text)}" if isinstance(record, _SAID) and told.text.strip() else ""
            who = "" if event.actor.id == "stanch" else f" ({event.actor.label} via {event.via.value})"
            day = "" if event.at.date() == state.started_at.date() else f"{event.at:%Y-%m-%d} "
            lines.append((f"{day}{event.at:%H:%M:%S} {told.title}{said}{who}", *source.link(event)))
    return tuple(lines)


def _shortened(text: str) -> str:
    """Return what was said as one line; the rest of a long one is where its link leads."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SAID else f"{line[: _LONGEST_SAID - 1].rstrip()}…"


def _root_cause(state: IncidentState, source: Source) -> list[Block]:
    ranked = source.last(ev.HypothesesRanked.kind)
    said = _cause_as_said(state, source)
    if not state.hypotheses or not state.cause_known:
        verdict = state.diagnosis.verdict if state.diagnosis else "Nothing that was found points at a cause."
        if said:
            top = state.hypotheses[0] if state.hypotheses else None
            guess = f"; its best guess was, at {percent(top.score)}: {top.title}" if top else ""
            verdict = f"What was collected did not tell it{guess}."
        return [*said, Paragraph((verdict, *source.link(ranked or source.first(ev.Declared.kind))))]
    top = state.hypotheses[0]
    found: list[Block] = [*said, Paragraph((f"{top.title} ({percent(top.score)}).", *source.link(ranked)))]
    facts: list[tuple[str, Text]] = []
    for name, value in (
        ("Service", top.service),
        ("Change", top.change_title),
        ("Commit", top.commit),
        ("Raised at", top.culprit),
    ):
        if value:
            facts.append((name, (value, *source.link(ranked))))
    if facts:
        found.append(Fields(tuple(facts)))
    recorded = {
        record.finding.id: event for event in source.events if isinstance(record := ev.typed(event), ev.FindingRecorded)
    }
    evidence = [
        (f"For: {one.text} (weight {one.weight:+.1f})", *source.link(recorded.get(one.finding)))
        for one in top.evidence_for
    ]
    evidence += [
        (f"Against: {one.text} (weight {one.weight:+.1f})", *source.link(recorded.get(one.finding)))
        for one in top.evidence_against
    ]
    if evidence:
        found.append(Bullets(tuple(evidence)))
    return found


def _cause_as_said(state: IncidentState, source: Source) -> list[Block]:
    """Return what a person said at the end about the cause, where that is not what the log had found."""
    cause = state.resolution.cause if state.resolution else ""
    found = state.known_cause.title if state.known_cause else NOT_KNOWN
    if not cause or cause == found:
        return []
    return [Paragraph((f"As said at the end: {_sentence(cause)}", *source.link(source.last(ev.Resolved.kind))))]


def _sentence(text: str) -> str:
    """Return words with an end, and with one only."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _went_well(state: IncidentState, source: Source) -> tuple[Text, ...]:
    lines: list[Text] = []
    declared = source.first(ev.Declared.kind)
    detected = source.since_start(declared, state.started_at)
    if detected is not None and detected <= _FAST_DETECTION and state.source == "alert":
        lines.append((f"{_detector(source)} {format_duration(detected)} after the start", *source.link(declared)))
    for action in state.actions.values():
        if action.verdict == "helped":
            checked = source.about(ev.EffectChecked.kind, plan=action.plan.id)
            lines.append((f"{action.plan.title} helped: {action.effect}", *source.link(checked)))
    if state.verification and state.verification.passed_at and not state.verification.relapses:
        passed = source.last(ev.VerificationPassed.kind)
        lines.append(("The recovery held at the first try", *source.link(passed)))
    return tuple(lines) or (_TODO,)


def _detector(source: Source) -> str:
    """Return by whom an incident was told that an alert declared."""
    attached = source.first(ev.AlertAttached.kind)
    match ev.typed(attached) if attached is not None else None:
        case ev.AlertAttached(source="own check"):
            return "Detected by Stanch's own checks"
        case ev.AlertAttached(source=sender) if sender:
            return f"Told by an alert from {sender}"
        case _:
            return "Told by an alert"


def _went_poorly(state: IncidentState, source: Source) -> tuple[Text, ...]:
    lines: list[Text] = []
    for event in source.events:
        match ev.typed(event):
            case ev.TargetMissed(target=target):
                lines.append((f"The response target “{target}” was missed", *source.link(event)))
            case ev.EffectChecked(verdict="partly", plan=plan, summary=summary):
                lines.append((f"{plan} helped in part only: {summary}", *source.link(event)))
            case ev.EffectChecked(verdict="no_effect" | "worse", plan=plan, summary=summary):
                lines.append((f"{plan} did not help: {summary}", *source.link(event)))
            case ev.VerificationRelapsed(summary=summary):
                lines.append((f"The recovery broke off: {summary}", *source.link(event)))
            case ev.MessageEnded(state="failed" | "unknown", delivery=delivery, detail=detail):
                lines.append((f"A message did not arrive ({delivery}): {detail}", *source.link(event)))
            case ev.Resolved(forced=True, reason=reason):
                lines.append((f"Resolved without verification: {reason}", *source.link(event)))
            case ev.RunFinished(code=code, plan=plan) if code:
                lines.append((f"The run of {plan} failed with code {code}", *source.link(event)))
            case _:
                pass
    return tuple(lines) or ("Nothing in the log says so.",)


def _items(state: IncidentState, source: Source) -> tuple[tuple[bool, Text], ...]:
    """Return the action items as they stand; where nobody wrote any, those that the log suggests."""
    known: dict[int, tuple[ev.ActionItem, ev.ItemStatus, Event]] = {}
    for event in source.events:
        match ev.typed(event):
            case ev.ItemAdded(item=item) | ev.ItemChanged(item=item):
                status = known[item.number][1] if item.number in known else ev.ItemStatus.OPEN
                known[item.number] = (item, status, event)
            case ev.ItemEnded(number=number, status=status) if number in known:
                known[number] = (known[number][0], status, event)
            case _:
                pass
    if not known:
        return tuple((False, item) for item in _action_items(state, source))
    return tuple(
        (status is ev.ItemStatus.DONE, (f"{item.title} ({_owed(item)})", *source.link(event)))
        for item, status, event in known.values()
        if status is not ev.ItemStatus.DROPPED
    )


def _owed(item: ev.ActionItem) -> str:
    due = f", due {item.due_on}" if item.due_on else ""
    return f"owner: {item.owner or 'to be named'}{due}, to {item.purpose}"


def _action_items(state: IncidentState, source: Source) -> tuple[Text, ...]:
    items: list[Text] = []
    top = state.known_cause
    ranked = source.link(source.last(ev.HypothesesRanked.kind))
    if top and top.culprit:
        items.append((f"Fix {top.culprit} and add a test for the case that failed (owner: to be named)", *ranked))
    elif top:
        items.append((f"Remove the cause: {top.title} (owner: to be named)", *ranked))
    if top and top.kind == "bad_deploy":
        items.append(
            ("Roll such changes out gradually, with an automatic stop on errors (owner: to be named)", *ranked)
        )
    alerted = source.first(ev.AlertAttached.kind)
    if alerted:
        items.append(("Review the thresholds that raised the alert (owner: to be named)", *source.link(alerted)))
    else:
        told = source.link(source.first(ev.Declared.kind))
        items.append(("Add a check that would have raised an alert (owner: to be named)", *told))
    return tuple(items)
