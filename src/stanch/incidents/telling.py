"""Says in words what an event means: the time line, the terminal and the post-mortem all tell it the same way. Pure."""

from dataclasses import dataclass
from functools import singledispatch

from stanch.incidents import events as ev
from stanch.incidents.quantities import quantity, since
from stanch.incidents.thoughts import THOUGHT_EVENTS, ThoughtEvent, thought_words
from stanch.incidents.tracking import TRACKER_EVENTS, TrackerEvent, tracker_words
from stanch.kernel.duration import before_start
from stanch.kernel.percentage import percent
from stanch.oncall.escalation.events import PAGE_EVENTS, PageEvent
from stanch.oncall.escalation.words import words


@dataclass(frozen=True, kw_only=True)
class Telling:
    """An event in words. `text` may quote the outside and is untrusted; `tone` is listed at `TimelineEntry`.

    `major` says that it belongs into a short time line such as the post-mortem's.
    """

    title: str
    text: str = ""
    tone: str = "system"
    major: bool = False


@singledispatch
def tell(record: ev.IncidentEvent) -> Telling:
    """Return the words for a typed event."""
    return Telling(title=record.kind)


@tell.register
def _(record: ev.Declared) -> Telling:
    return Telling(
        title=f"{record.ruling.severity.label} declared: {record.title}",
        text=f"{record.ruling.reason}. Channel #{record.channel}.",
        tone="alert",
        major=True,
    )


@tell.register
def _(record: ev.AlertAttached) -> Telling:
    return Telling(title=f"Alert: {record.summary}", text=record.trend, tone="alert", major=True)


@tell.register
def _(record: ev.AlertEnded) -> Telling:
    return Telling(title=f"Alert over: {record.summary}", tone="good")


@tell.register
def _(record: ev.SymptomSeen) -> Telling:
    parts = []
    if record.error:
        parts.append(f"{record.error.title} ({record.error.count:,} times, {record.error.trend or 'trend unknown'})")
    if record.change:
        parts.append(f"{record.change.title}, {before_start(record.change.seconds_before)}")
    return Telling(title="What stands out", text="; ".join(parts), tone="alert")


@tell.register
def _(record: ev.Acknowledged) -> Telling:
    return Telling(title="Acknowledged", tone="person", major=True)


@tell.register
def _(record: ev.StatusChanged) -> Telling:
    return Telling(title=f"Status: {record.status.value}", text=record.reason, tone="system")


@tell.register
def _(record: ev.SeverityChanged) -> Telling:
    how = "set by hand" if record.overridden else f"by rule {record.ruling.rule}"
    return Telling(
        title=f"Severity {record.previous.label} → {record.ruling.severity.label}, {how}",
        text=record.ruling.reason,
        tone="alert",
        major=True,
    )


@tell.register
def _(record: ev.RoleAssigned) -> Telling:
    role = record.role.value.replace("_", " ")
    title = f"{record.person} is {role}" if record.person else f"Nobody is {role} any more"
    if record.before and record.person:
        title = f"{record.before} handed over: {record.person} is {role}"
    return Telling(title=title, text=record.summary, tone="person")


@tell.register
def _(record: ev.NoteAdded) -> Telling:
    return Telling(title="Pinned note" if record.pinned else "Note", text=record.text, tone="note", major=True)


@tell.register
def _(record: ev.ImpactMeasured) -> Telling:
    impact = record.impact
    if not impact.is_measured:
        return Telling(title="Impact not measured", text="nothing that was looked at tells how wide it is")
    parts = []
    if impact.error_ratio is not None:
        parts.append(
            f"error rate {quantity(impact.error_ratio, 'ratio')}"
            f" (normal {quantity(impact.normal_error_ratio, 'ratio')})"
        )
    if impact.latency_p95_ms is not None:
        parts.append(
            f"p95 {quantity(impact.latency_p95_ms, 'ms')} (normal {quantity(impact.normal_latency_p95_ms, 'ms')})"
        )
    parts.append(f"{impact.failed_requests:,} failed requests so far")
    if impact.down:
        parts.append(f"failing: {', '.join(impact.down)}")
    if impact.affected:
        parts.append(f"affected: {', '.join(impact.affected)}")
    return Telling(title="Impact measured", text="; ".join(parts))


@tell.register
def _(record: ev.TargetMissed) -> Telling:
    return Telling(
        title=f"Response target missed: {record.target}",
        text=f"was due {record.due_at:%H:%M:%S} UTC",
        tone="bad",
        major=True,
    )


@tell.register
def _(record: ev.InvestigationStarted) -> Telling:
    return Telling(title=f"Investigation {record.round} started", text=", ".join(record.collectors))


@tell.register
def _(record: ev.OnsetEstimated) -> Telling:
    return Telling(
        title=f"Began {since(record.at, record.low, record.high)}", text=record.text, tone="alert", major=True
    )


@tell.register
def _(record: ev.NextTestAsked) -> Telling:
    return Telling(title=f"Test: {record.text}", text=", ".join(record.collectors), tone="person")


@tell.register
def _(record: ev.NextTestEnded) -> Telling:
    return Telling(title="Test came back", text=record.summary, tone="change", major=bool(record.moved))


@tell.register
def _(record: ev.HypothesisAdded) -> Telling:
    cited = f"{record.reason} (cites {', '.join(record.cites)})" if record.cites else record.reason
    return Telling(title=f"Possible cause added: {record.title}", text=cited, tone="person", major=True)


@tell.register
def _(record: ev.HypothesisConfirmed) -> Telling:
    return Telling(title=f"Cause confirmed: {record.title}", text=record.reason, tone="person", major=True)


@tell.register
def _(record: ev.HypothesisRefuted) -> Telling:
    return Telling(title=f"Not the cause: {record.title}", text=record.reason, tone="person", major=True)


@tell.register
def _(record: ev.FindingRecorded) -> Telling:
    finding = record.finding
    return Telling(title=f"{finding.collector}: {finding.status.value.replace('_', ' ')}", text=finding.summary)


@tell.register
def _(record: ev.ChangesRanked) -> Telling:
    return Telling(title="Changes ranked", text=record.verdict, tone="change")


@tell.register
def _(record: ev.HypothesesRanked) -> Telling:
    if not record.hypotheses or not record.known:
        return Telling(title="Cause not known yet", text=record.verdict)
    top = record.hypotheses[0]
    return Telling(
        title=f"Likely cause: {top.title} ({percent(top.score)})", text=record.verdict, tone="change", major=True
    )


@tell.register
def _(record: ev.MitigationProposed) -> Telling:
    if record.plan is None:
        return Telling(title="No mitigation proposed", text=record.verdict)
    return Telling(title=f"Proposed: {record.plan.title}", text=record.verdict, tone="action", major=True)


@tell.register
def _(record: ev.DryRunFinished) -> Telling:
    outcome = "would work" if record.code == 0 else f"failed with code {record.code}"
    return Telling(title=f"Dry run of {record.plan}: {outcome}", text=record.output, tone="action")


@tell.register
def _(record: ev.PlanAdded) -> Telling:
    by = {"person": "by hand", "undo": "as an undo", "tree": "anew"}
    whence = "from a runbook" if record.runbook else by.get(record.plan.origin, "from a runbook")
    text = record.reason or record.plan.why
    return Telling(title=f"Proposed {whence}: {record.plan.title}", text=text, tone="action", major=True)


@tell.register
def _(record: ev.RunbookChecked) -> Telling:
    words = {"as_expected": "as expected", "not_as_expected": "not as expected", "failed": "could not be asked"}
    outcome = words.get(record.outcome, "answered")
    wanted = f"\nexpected: {record.expects}" if record.expects else ""
    tone = {"as_expected": "good", "not_as_expected": "bad"}.get(record.outcome, "note")
    title = f"Runbook {record.runbook}, {record.heading.lower()}: {outcome}"
    return Telling(title=title, text=f"{record.asked}{wanted}\n{record.answer}", tone=tone)


@tell.register
def _(record: ev.Approved) -> Telling:
    return Telling(title=f"Approved: {record.plan}", text=f"digest {record.digest[:12]}", tone="person", major=True)


@tell.register
def _(record: ev.AutomaticDecided) -> Telling:
    title = f"{record.plan} runs by itself" if record.acts else f"{record.plan} does not run by itself"
    return Telling(title=title, text=record.detail, tone="action", major=record.acts)


@tell.register
def _(record: ev.AutomaticStopped) -> Telling:
    return Telling(title="Nothing runs by itself any more", text=record.reason, tone="bad", major=True)


@tell.register
def _(record: ev.AutomaticSwitched) -> Telling:
    what = "paused" if record.paused else "resumed"
    return Telling(title=f"Automatic actions {what}", text=record.reason, tone="person", major=True)


@tell.register
def _(record: ev.Rejected) -> Telling:
    return Telling(title=f"Rejected: {record.plan}", text=record.reason, tone="person", major=True)


@tell.register
def _(record: ev.LookedAgain) -> Telling:
    plan = record.plan
    said = plan.unseen or plan.refusal or "; ".join(plan.warnings)
    return Telling(title=f"Looked at again: {plan.title}", text=said, tone="bad" if plan.unseen else "action")


@tell.register
def _(record: ev.RunRefused) -> Telling:
    why = {
        "world_changed": "the world has changed since it was made",
        "far_end_down": "its far end does not answer",
        "expired": "its approval has expired",
        "not_open": "the incident is over",
        "paused": "automatic actions are paused",
    }.get(record.reason, "it cannot be done")
    return Telling(title=f"Not run: {record.plan}, {why}", text=record.detail, tone="bad", major=True)


@tell.register
def _(record: ev.OutcomeSettled) -> Telling:
    what = "had happened" if record.happened else "had not happened"
    return Telling(title=f"Looked at: {record.plan} {what}", text=record.reason, tone="person", major=True)


@tell.register
def _(record: ev.RunStarted) -> Telling:
    what = "Undo" if record.undo else "Run"
    return Telling(title=f"{what} of {record.plan} started", text=f"on {record.node}", tone="action", major=True)


@tell.register
def _(record: ev.RunOutput) -> Telling:
    return Telling(title=f"Output of {record.plan}", text=record.text, tone="action")


@tell.register
def _(record: ev.RunFinished) -> Telling:
    how = "succeeded" if record.code == 0 else f"failed with code {record.code}"
    return Telling(
        title=f"Run of {record.plan} {how} after {record.took_s:.1f} s",
        text=record.detail,
        tone="action" if record.code == 0 else "bad",
        major=True,
    )


@tell.register
def _(record: ev.RunOutcomeUnknown) -> Telling:
    return Telling(title=f"Outcome of {record.plan} is unknown", text=record.detail, tone="bad", major=True)


@tell.register
def _(record: ev.EffectChecked) -> Telling:
    words = {
        "helped": "It helped",
        "partly": "It helped in part",
        "no_effect": "It had no effect",
        "worse": "It made things worse",
    }
    tone = "good" if record.verdict == "helped" else "bad"
    return Telling(title=words.get(record.verdict, record.verdict), text=record.summary, tone=tone, major=True)


@tell.register
def _(record: ev.VerificationStarted) -> Telling:
    short = f" ({record.shortened})" if record.shortened else ""
    return Telling(
        title=f"Recovery is watched for {record.window_s:.0f} s{short}", text="; ".join(record.checks), major=True
    )


@tell.register
def _(record: ev.VerificationExtended) -> Telling:
    short = f" ({record.shortened})" if record.shortened else ""
    return Telling(title=f"Recovery is watched for {record.window_s:.0f} s{short}", text=record.reason, major=True)


@tell.register
def _(record: ev.VerificationRelapsed) -> Telling:
    return Telling(title="The recovery broke off; the wait starts again", text=record.summary, tone="bad", major=True)


@tell.register
def _(record: ev.VerificationPassed) -> Telling:
    return Telling(
        title=f"Recovery verified: held for {record.window_s:.0f} s", text=record.summary, tone="good", major=True
    )


@tell.register
def _(record: ev.MessageOwed) -> Telling:
    what = record.purpose.replace("_", " ").capitalize()
    whom = f"{record.audience} ({record.to})" if record.to else record.audience
    return Telling(title=f"{what} to {whom} on {record.channel}", text=record.text)


@tell.register
def _(record: ev.UpdateMissed) -> Telling:
    whose = f"; {record.person} leads communication" if record.person else ""
    return Telling(title=f"Update promised for {record.due_at:%H:%M} UTC was missed{whose}", tone="bad", major=True)


@tell.register
def _(record: ev.MessageEnded) -> Telling:
    tone = "system" if record.state == "sent" else "bad"
    return Telling(title=f"Message {record.delivery}: {record.state}", text=record.detail, tone=tone)


@tell.register
def _(record: ev.Resolved) -> Telling:
    how = f"Forced: {record.reason}. " if record.forced else ""
    return Telling(
        title="Resolved", text=f"{how}Cause: {record.cause}. Mitigation: {record.mitigation}.", tone="good", major=True
    )


@tell.register
def _(record: ev.Reopened) -> Telling:
    return Telling(title="Reopened", text=record.reason, tone="bad", major=True)


@tell.register
def _(record: ev.Dismissed) -> Telling:
    into = f" as part of INC-{record.merged_into}" if record.merged_into else ""
    return Telling(title=f"Dismissed{into}", text=record.reason, tone="person", major=True)


@tell.register
def _(record: ev.PostmortemScheduled) -> Telling:
    return Telling(title=f"Post-mortem due {record.due_at:%Y-%m-%d %H:%M} UTC")


@tell.register
def _(record: ev.MeetingSet) -> Telling:
    word = "moved to" if record.sequence else "on"
    who = ", ".join(one.person for one in record.invited)
    return Telling(
        title=f"Meeting on the post-mortem {word} {record.starts_at:%Y-%m-%d %H:%M} UTC", text=f"Invited: {who}"
    )


@tell.register
def _(record: ev.MeetingCalledOff) -> Telling:
    return Telling(title="Meeting on the post-mortem called off", text=record.reason)


@tell.register
def _(record: ev.PostmortemDrafted) -> Telling:
    return Telling(title=f"Post-mortem revision {record.revision} written", tone="person")


@tell.register
def _(record: ev.PostmortemReviewed) -> Telling:
    verdict = "agreed with" if record.agreed else "to be changed"
    return Telling(title=f"Post-mortem revision {record.revision} {verdict}", text=record.note, tone="person")


@tell.register
def _(record: ev.PostmortemPublished) -> Telling:
    return Telling(title=f"Post-mortem revision {record.revision} published", tone="good", major=True)


@tell.register
def _(record: ev.ItemAdded) -> Telling:
    return Telling(
        title=f"Action item {record.item.number}: {record.item.title}", text=_owed(record.item), tone="person"
    )


@tell.register
def _(record: ev.StatusOffered) -> Telling:
    return Telling(title=f"Update {record.number} for the status page is ready: {record.stage}", text=record.text)


@tell.register
def _(record: ev.StatusPublished) -> Telling:
    how = " by itself" if record.automatic else ""
    return Telling(title=f"Published{how} on the status page: {record.stage}", text=record.text, tone="person")


@tell.register
def _(record: ev.StatusDiscarded) -> Telling:
    return Telling(title=f"Update {record.number} is kept off the status page", text=record.reason, tone="person")


@tell.register
def _(record: ev.ItemChanged) -> Telling:
    told = f"Action item {record.item.number} is now: {record.item.title}"
    return Telling(title=told, text=_owed(record.item), tone="person")


@tell.register
def _(record: ev.ItemEnded) -> Telling:
    word = "opened again" if record.status is ev.ItemStatus.OPEN else record.status.value
    return Telling(title=f"Action item {record.number} {word}", text=record.note, tone="person")


@tell.register
def _(record: ev.ItemLinked) -> Telling:
    return Telling(title=f"Action item {record.number} is {record.reference} in {record.tracker}", text=record.url)


@tell.register
def _(record: ev.ItemsReminded) -> Telling:
    numbers = ", ".join(str(number) for number in record.numbers)
    return Telling(title=f"Reminded of action item {numbers}")


def _owed(item: ev.ActionItem) -> str:
    due = f", due {item.due_on:%Y-%m-%d}" if item.due_on else ""
    return f"{item.owner or 'nobody'} has it{due}; {item.priority} priority, to {item.purpose}"


def _paging(record: PageEvent) -> Telling:
    told = words(record)
    return Telling(title=told.title, text=told.text, tone=told.tone, major=told.major)


for _kind in PAGE_EVENTS.values():
    tell.register(_kind, _paging)


def _thinking(record: ThoughtEvent) -> Telling:
    title, text, tone = thought_words(record)
    return Telling(title=title, text=text, tone=tone)


for _thought in THOUGHT_EVENTS:
    tell.register(_thought, _thinking)


def _tracking(record: TrackerEvent) -> Telling:
    title, text, tone = tracker_words(record)
    return Telling(title=title, text=text, tone=tone)


for _tracked in TRACKER_EVENTS:
    tell.register(_tracked, _tracking)
