"""How an incident is shown to an agent: the whole in short, and each of its parts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stanch.kernel.event import JSON
from stanch.surfaces.mcp.views import View, fields

CARD: Final = fields(
    "number key! title severity! status! is_open started_at resolved_at services environment error_ratio "
    "normal_error_ratio latency_p95_ms normal_latency_p95_ms failed_requests users cause recommended url!",
    error=fields("title count service! culprit trend!"),
    change=fields("id! title kind! service! version at seconds_before"),
)
_PLAN: Final = fields("id! title why target risk! reversible approvals_needed digest! refusal unseen warnings")
_HYPOTHESIS: Final = fields("id! kind! title score service! target change! next_test added_by")
_CITED: Final = fields("finding! text weight")
_CHANGE: Final = fields("id! at kind! service! title version previous commit! author source!")
_ACTION: Final = fields("state! code verdict effect not_run", plan=_PLAN)
_TESTED: Final = fields("hypothesis! text ready under_way summary command")

SHORT: Final = fields(
    "cause_known diagnosis next_test acknowledged_by seq",
    card=CARD,
    hypotheses=fields("id! title score"),
    actions=fields("state!", plan=fields("id! title risk! digest!")),
    progress=fields("held_s left_s holding failing pending"),
)
"""What `incident_show` shows first."""

WRITTEN: Final = fields("seq", card=fields("number key! severity! status! url!"))
"""What a tool answers that changed an incident."""

POSSIBLE: Final = fields("cause_known next_test", hypotheses=_HYPOTHESIS)
PLANNED: Final = fields("seq", actions=_ACTION, proposable=fields("service! action! title risk!"))


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of an incident that can be asked for: the field it is kept in, and how it is shown."""

    field: str
    view: View


_SAID: Final = fields("at by model stale", statements=fields("text cites"))
THOUGHT: Final = fields(
    "under_way! claims_by calls calls_limit",
    summary=_SAID,
    update=_SAID,
    claims=fields("title reason cites standing!", objections=fields("text cites")),
    history=fields("use! at by model place! outcome! detail tokens dropped"),
)
"""What a language model was asked about an incident, and what of its answers was believed: none of it a finding."""

PARTS: Final[Mapping[str, Part]] = {
    "findings": Part(field="findings", view=fields("id! collector! source command status! summary start end services")),
    "hypotheses": Part(
        field="hypotheses",
        view=View(
            own=_HYPOTHESIS.own,
            names=(*_HYPOTHESIS.names, "evidence_for", "evidence_against"),
            inner={"evidence_for": _CITED, "evidence_against": _CITED},
        ),
    ),
    "changes": Part(field="changes", view=fields("score verdict reasons", change=_CHANGE)),
    "actions": Part(field="actions", view=_ACTION),
    "tests": Part(field="tests", view=_TESTED),
    "impact": Part(
        field="impact",
        view=fields(
            "at down affected strained error_ratio normal_error_ratio latency_p95_ms failed_requests total_requests "
            "users reports explained regions versions business_share revenue_per_hour currency!"
        ),
    ),
    "readings": Part(field="readings", view=fields("metric! service! value normal unit!")),
    "roles": Part(field="roles", view=fields("role! person! duty")),
    "checklist": Part(field="checklist", view=fields("phase! text done how")),
    "triage": Part(field="triage", view=fields("question text tone!")),
    "messages": Part(field="messages", view=fields("at channel! audience! purpose! state! text")),
    "recovery": Part(
        field="progress",
        view=fields("held_s left_s holding failing pending", checks=fields("text because now since why")),
    ),
    "proposable": Part(field="proposable", view=fields("service! action! title risk!")),
}


def next_of(view: JSON) -> tuple[str, ...]:
    """Return what to do next about an incident, made of names and numbers of ours alone."""
    if not isinstance(view, dict):
        return ()
    card = view.get("card")
    step = view.get("next_step")
    if not isinstance(card, dict):
        return ()
    key, number, url = card.get("key"), card.get("number"), card.get("url")
    operation = step.get("operation") if isinstance(step, dict) else ""
    match operation:
        case "incident.acknowledge":
            return (
                f"A person acknowledges {key} at {url}.",
                f"Meanwhile: incident_show incident={number} part=findings",
            )
        case "mitigation.approve":
            return (
                f"A person reads and approves the plan at {url}; an agent cannot.",
                _follow(number, view.get("seq")),
            )
        case "mitigation.dry_run":
            return (f"plan incident={number} do=dry_run, with its id", f"then a person approves at {url}")
        case "incident.resolve":
            return (f"resolve incident={number}",)
        case "postmortem.publish":
            return (f"postmortem incident={number}, then a person publishes it at {url}",)
        case _:
            return _waiting(view, number)


def _waiting(view: Mapping[str, JSON], number: JSON) -> tuple[str, ...]:
    card = view.get("card")
    if isinstance(card, dict) and not card.get("is_open"):
        return (f"postmortem incident={number}",)
    if not view.get("cause_known"):
        return (f"investigate incident={number}", f"hypotheses incident={number}", _follow(number, view.get("seq")))
    return (_follow(number, view.get("seq")),)


def _follow(number: JSON, seq: JSON) -> str:
    return f"See what happens: incident_timeline incident={number} after={seq}"
