"""Composes messages from an incident's state, per purpose and audience (C1). Facts only: nothing is promised that the
log does not know, apart from when the next message comes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from stanch.incidents.model import Role
from stanch.incidents.roles import TITLES
from stanch.incidents.state import IncidentState
from stanch.incidents.telling import quantity
from stanch.kernel.blocks import Block, Bullets, Fields, Heading, Link, Paragraph, Strong, Text, to_markdown, to_plain
from stanch.kernel.duration import format_duration


class Audience(StrEnum):
    """Who reads it. The public is told what it means for them, not what broke inside."""

    RESPONDERS = "responders"
    STAKEHOLDERS = "stakeholders"
    PUBLIC = "public"


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A message, as plain text and as Markdown with everything from outside escaped."""

    subject: str
    text: str
    markdown: str


_HEADLINES: Final = {
    "declaration": "declared",
    "update": "update",
    "mitigation": "mitigation applied",
    "recovered": "recovery verified",
    "resolution": "resolved",
    "reopened": "reopened",
    "dismissed": "dismissed",
}
_LAST_WORDS: Final = {
    "resolution": "This was the last message. A post-mortem follows within 48 hours.",
    "dismissed": "This was the last message.",
}
# Below these a figure is no impact worth telling, whatever is normal.
_LEAST_SHARE: Final = 0.01
_LEAST_MS: Final = 100.0


def compose(
    state: IncidentState,
    *,
    purpose: str,
    audience: str,
    now: datetime,
    url: str,
    next_update_at: datetime | None,
    note: str = "",
) -> Composed:
    """Return the message of `purpose` for `audience`, as things stand at `now` (UTC); `note` is not for the public."""
    reader = Audience(audience)
    headline = _HEADLINES.get(purpose, purpose)
    subject = f"[{state.ruling.severity.label}] {state.key} {headline}: {_what(state, reader)}"
    blocks: list[Block] = [Heading(subject, level=2), Fields(_facts(state, reader, now=now))]
    if note and reader is not Audience.PUBLIC:
        blocks.append(Paragraph(note))
    if reader is not Audience.PUBLIC:
        blocks += _work(state, purpose)
    if next_update_at is not None:
        blocks.append(Paragraph((Strong("Next update:"), f" by {next_update_at:%H:%M} UTC")))
    elif purpose in _LAST_WORDS:
        blocks.append(Paragraph(_LAST_WORDS[purpose]))
    if reader is not Audience.PUBLIC:
        blocks.append(Link(url, f"{state.key} in Stanch"))
    return Composed(subject=subject, text=to_plain(blocks), markdown=to_markdown(blocks))


def _what(state: IncidentState, reader: Audience) -> str:
    if reader is Audience.PUBLIC:
        services = ", ".join(state.services) or "our service"
        return f"problems with {services}"
    return state.title


def _facts(state: IncidentState, reader: Audience, *, now: datetime) -> tuple[tuple[str, Text], ...]:
    impact = state.impact
    facts: list[tuple[str, Text]] = [("Status", state.status.value.capitalize())]
    facts += [("Impact", words) for words in _impact(state, reader)]
    facts.append(("Started", f"{state.started_at:%Y-%m-%d %H:%M:%S} UTC"))
    if state.resolved_at:
        facts.append(("Duration", format_duration(state.resolved_at - state.started_at)))
    if reader is Audience.RESPONDERS:
        if impact and impact.failed_requests:
            facts.append(("Failed requests", f"{impact.failed_requests:,}{' so far' if state.is_open else ''}"))
        if state.error:
            facts.append(("Primary error", f"{state.error.title}, {state.error.count:,} times"))
        if state.change:
            facts.append(
                ("Closest change", f"{state.change.title}, {state.change.seconds_before:.0f} s before the start")
            )
        facts.extend((TITLES[role], state.roles[role]) for role in Role if role in state.roles)
        facts.append(("Severity", f"{state.ruling.severity.label}: {state.ruling.reason}"))
    return tuple(facts)


def _impact(state: IncidentState, reader: Audience) -> Iterator[str]:
    """Yield what it does to requests now; when it is over, what it did at worst. Nothing where figures are normal."""
    if not state.impacts:
        return
    seen = state.impacts[-1:] if state.is_open else state.impacts
    worst = max(seen, key=lambda one: one.error_ratio or 0.0)
    slowest = max(seen, key=lambda one: one.latency_p95_ms or 0.0)
    if _stands_out(worst.error_ratio, worst.normal_error_ratio, least=_LEAST_SHARE):
        share, normal = quantity(worst.error_ratio, "ratio"), quantity(worst.normal_error_ratio, "ratio")
        told = f"{share} of requests fail" if state.is_open else f"up to {share} of requests failed"
    elif _stands_out(slowest.latency_p95_ms, slowest.normal_latency_p95_ms, least=_LEAST_MS):
        value, normal = quantity(slowest.latency_p95_ms, "ms"), quantity(slowest.normal_latency_p95_ms, "ms")
        told = f"slow: p95 {value}" if state.is_open else f"slow: p95 up to {value}"
    else:
        return
    yield told if reader is Audience.PUBLIC else f"{told} (normal {normal})"


def _stands_out(value: float | None, normal: float | None, *, least: float) -> bool:
    return value is not None and value >= max(least, 2 * (normal or 0.0))


def _work(state: IncidentState, purpose: str) -> list[Block]:
    if purpose == "resolution" and state.resolution:
        cause = Fields((("Cause", state.resolution.cause), ("Mitigation", state.resolution.mitigation)))
        return [cause]
    lines: list[Text] = []
    if state.cause_known and state.hypotheses:
        lines.append(f"Likely cause: {state.hypotheses[0].title} ({state.hypotheses[0].score:.0%})")
    for action in state.actions.values():
        if action.started_at:
            verdict = f": {action.effect}" if action.effect else ""
            lines.append(f"{action.plan.title} ({action.state.value}){verdict}")
    return [Bullets(tuple(lines))] if lines else []
