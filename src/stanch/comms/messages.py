"""Composes messages from an incident's state, per purpose and audience (C1). Facts only: nothing is promised that the
log does not know, apart from when the next message comes. What is said in which order is the templates'."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.comms.template import Value, fill
from stanch.comms.templates import Templates, choose
from stanch.comms.words import INSIDE, Audience
from stanch.incidents.model import Role
from stanch.incidents.quantities import quantity
from stanch.incidents.state import IncidentState
from stanch.kernel.blocks import Block, to_markdown, to_plain
from stanch.kernel.duration import before_start, format_duration
from stanch.kernel.percentage import percent

__all__ = ["Audience", "Composed", "compose"]


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A message: as neutral blocks, and from them as plain text and as Markdown with everything outside escaped."""

    subject: str
    text: str
    markdown: str
    blocks: tuple[Block, ...] = ()


# Below these a figure is no impact worth telling, whatever is normal.
_LEAST_SHARE: Final = 0.01
_LEAST_MS: Final = 100.0
_NONE: Final[Mapping[str, Value]] = {}


def compose(
    state: IncidentState,
    *,
    purpose: str,
    audience: str,
    now: datetime,
    url: str,
    next_update_at: datetime | None,
    note: str = "",
    public_note: str = "",
    own: Templates | None = None,
    more: Mapping[str, Value] = _NONE,
) -> Composed:
    """Return the message of `purpose` for `audience`, as things stand at `now` (UTC).

    `own` are templates of the configuration, `more` variables beyond those of the state. `note` is not for the public,
    which is shown `public_note` in its place, and nothing of what is for the inside.
    """
    reader = Audience(audience)
    severity = state.ruling.severity.label
    values: dict[str, Value] = {
        **_values(state, reader),
        "url": url,
        "next_update": f"{next_update_at:%H:%M} UTC" if next_update_at else "",
        "note": public_note if reader is Audience.PUBLIC else note,
        **more,
    }
    if reader is Audience.PUBLIC:
        values = {name: value for name, value in values.items() if name not in INSIDE}
    template = choose(own or {}, purpose=purpose, audience=reader, severity=severity)
    subject, blocks = fill(template, values, severity=severity)
    return Composed(subject=subject, text=to_plain(blocks), markdown=to_markdown(blocks), blocks=blocks)


def _values(state: IncidentState, reader: Audience) -> dict[str, Value]:
    """Return what the state says for each variable, empty where it says nothing."""
    impact = state.impact
    failed = f"{impact.failed_requests:,}{' so far' if state.is_open else ''}" if impact else ""
    ended = state.resolution
    return {
        "severity": state.ruling.severity.label,
        "incident": state.key,
        "title": _what(state, reader),
        "status": state.status.value.capitalize(),
        "services": ", ".join(state.services),
        "impact": next(_impact(state, reader), ""),
        "started": f"{state.started_at:%Y-%m-%d %H:%M:%S} UTC",
        "duration": format_duration(state.resolved_at - state.started_at) if state.resolved_at else "",
        "failed_requests": failed if impact and impact.failed_requests else "",
        "error": f"{state.error.title}, {state.error.count:,} times" if state.error else "",
        "change": f"{state.change.title}, {before_start(state.change.seconds_before)}" if state.change else "",
        **{role.value: state.roles.get(role, "") for role in Role},
        "ruling": state.ruling.reason,
        "work": tuple(_work(state)),
        "cause": ended.cause if ended else "",
        "mitigation": ended.mitigation if ended else "",
    }


def _what(state: IncidentState, reader: Audience) -> str:
    if reader is Audience.PUBLIC:
        services = ", ".join(state.services) or "our service"
        return f"problems with {services}"
    return state.title


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


def _work(state: IncidentState) -> Iterator[str]:
    if state.cause_known and state.hypotheses:
        yield f"Likely cause: {state.hypotheses[0].title} ({percent(state.hypotheses[0].score)})"
    for action in state.actions.values():
        if action.started_at:
            verdict = f": {action.effect}" if action.effect else ""
            yield f"{action.plan.title} ({action.state.value}){verdict}"
