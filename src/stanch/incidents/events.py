"""The typed events of an incident's log. A kind is never renamed, and a field never changes its meaning.

Streams: `incident/<n>` for the incident, `action/<n>/<plan>` for one plan and its run, `postmortem/<n>` for the
write-up, `page/<n>` for who was paged about it, `thinker/<n>` for what a model was asked. Every event carries the
incident's number, so one query reads the whole log.
"""

from datetime import datetime
from typing import Final, TypeAlias

from stanch.incidents.recorded.incident import (
    Acknowledged,
    AlertAttached,
    AlertEnded,
    Declared,
    Dismissed,
    ImpactMeasured,
    NoteAdded,
    Reopened,
    Resolved,
    RoleAssigned,
    SeverityChanged,
    StatusChanged,
    SymptomSeen,
    TargetMissed,
)
from stanch.incidents.recorded.investigation import (
    ChangesRanked,
    FindingRecorded,
    HypothesesRanked,
    HypothesisAdded,
    HypothesisConfirmed,
    HypothesisRefuted,
    InvestigationStarted,
    NextTestAsked,
    NextTestEnded,
    OnsetEstimated,
    RankedChange,
    ScoreMoved,
)
from stanch.incidents.recorded.items import (
    ActionItem,
    ItemAdded,
    ItemChanged,
    ItemEnded,
    ItemLinked,
    ItemPriority,
    ItemPurpose,
    ItemsReminded,
    ItemStatus,
)
from stanch.incidents.recorded.mitigation import (
    Approved,
    AutomaticDecided,
    AutomaticStopped,
    AutomaticSwitched,
    DryRunFinished,
    EffectChecked,
    Expectation,
    Fork,
    LookedAgain,
    MitigationProposed,
    OutcomeSettled,
    Plan,
    PlanAdded,
    Rejected,
    RunbookChecked,
    RunFinished,
    RunOutcomeUnknown,
    RunOutput,
    RunRefused,
    RunStarted,
    VerificationExtended,
    VerificationPassed,
    VerificationRelapsed,
    VerificationStarted,
)
from stanch.incidents.recorded.status import StatusDiscarded, StatusOffered, StatusPublished
from stanch.incidents.recorded.telling import (
    Invited,
    MeetingCalledOff,
    MeetingSet,
    MessageEnded,
    MessageOwed,
    PostmortemDrafted,
    PostmortemPublished,
    PostmortemReviewed,
    PostmortemScheduled,
    UpdateMissed,
)
from stanch.incidents.recorded.thinking import ThoughtAsked, ThoughtEnded, ThoughtSent
from stanch.incidents.recorded.tracker import (
    AnalysisAsked,
    AnalysisEnded,
    AnalysisOutcome,
    AnalysisStarted,
    WritingEnded,
    WritingOutcome,
)
from stanch.kernel.codec import from_data, to_data
from stanch.kernel.errors import Bug
from stanch.kernel.event import JSON, Event, NewEvent
from stanch.oncall.escalation.events import PageEvent

__all__ = [
    "EVENT_TYPES",
    "Acknowledged",
    "ActionItem",
    "AlertAttached",
    "AlertEnded",
    "AnalysisAsked",
    "AnalysisEnded",
    "AnalysisOutcome",
    "AnalysisStarted",
    "Approved",
    "AutomaticDecided",
    "AutomaticStopped",
    "AutomaticSwitched",
    "ChangesRanked",
    "Declared",
    "Dismissed",
    "DryRunFinished",
    "EffectChecked",
    "Expectation",
    "FindingRecorded",
    "Fork",
    "HypothesesRanked",
    "HypothesisAdded",
    "HypothesisConfirmed",
    "HypothesisRefuted",
    "ImpactMeasured",
    "IncidentEvent",
    "InvestigationStarted",
    "Invited",
    "ItemAdded",
    "ItemChanged",
    "ItemEnded",
    "ItemLinked",
    "ItemPriority",
    "ItemPurpose",
    "ItemStatus",
    "ItemsReminded",
    "LookedAgain",
    "MeetingCalledOff",
    "MeetingSet",
    "MessageEnded",
    "MessageOwed",
    "MitigationProposed",
    "NextTestAsked",
    "NextTestEnded",
    "NoteAdded",
    "OnsetEstimated",
    "OutcomeSettled",
    "Plan",
    "PlanAdded",
    "PostmortemDrafted",
    "PostmortemPublished",
    "PostmortemReviewed",
    "PostmortemScheduled",
    "RankedChange",
    "Rejected",
    "Reopened",
    "Resolved",
    "RoleAssigned",
    "RunFinished",
    "RunOutcomeUnknown",
    "RunOutput",
    "RunRefused",
    "RunStarted",
    "RunbookChecked",
    "ScoreMoved",
    "SeverityChanged",
    "StatusChanged",
    "StatusDiscarded",
    "StatusOffered",
    "StatusPublished",
    "SymptomSeen",
    "TargetMissed",
    "ThoughtAsked",
    "ThoughtEnded",
    "ThoughtSent",
    "UpdateMissed",
    "VerificationExtended",
    "VerificationPassed",
    "VerificationRelapsed",
    "VerificationStarted",
    "WritingEnded",
    "WritingOutcome",
    "action_stream",
    "data_of",
    "incident_stream",
    "items_stream",
    "new_event",
    "postmortem_stream",
    "status_stream",
    "thinker_stream",
    "typed",
]

IncidentEvent: TypeAlias = (
    Declared
    | AlertAttached
    | AlertEnded
    | SymptomSeen
    | Acknowledged
    | StatusChanged
    | SeverityChanged
    | RoleAssigned
    | NoteAdded
    | ImpactMeasured
    | TargetMissed
    | InvestigationStarted
    | OnsetEstimated
    | NextTestAsked
    | NextTestEnded
    | HypothesisAdded
    | HypothesisConfirmed
    | HypothesisRefuted
    | FindingRecorded
    | ChangesRanked
    | HypothesesRanked
    | MitigationProposed
    | DryRunFinished
    | PlanAdded
    | RunbookChecked
    | Approved
    | AutomaticDecided
    | AutomaticStopped
    | AutomaticSwitched
    | Rejected
    | LookedAgain
    | RunRefused
    | RunStarted
    | RunOutput
    | RunFinished
    | RunOutcomeUnknown
    | OutcomeSettled
    | EffectChecked
    | VerificationStarted
    | VerificationExtended
    | VerificationRelapsed
    | VerificationPassed
    | MessageOwed
    | MessageEnded
    | UpdateMissed
    | StatusOffered
    | StatusPublished
    | StatusDiscarded
    | Resolved
    | Reopened
    | Dismissed
    | PostmortemScheduled
    | MeetingSet
    | MeetingCalledOff
    | PostmortemDrafted
    | PostmortemReviewed
    | ItemAdded
    | ItemChanged
    | ItemEnded
    | ItemLinked
    | ItemsReminded
    | PostmortemPublished
    | ThoughtAsked
    | ThoughtSent
    | ThoughtEnded
    | WritingEnded
    | AnalysisAsked
    | AnalysisStarted
    | AnalysisEnded
    | PageEvent
)

EVENT_TYPES: Final[dict[str, type[IncidentEvent]]] = {kind.kind: kind for kind in IncidentEvent.__args__}


def new_event(record: IncidentEvent, *, at: datetime | None = None) -> NewEvent:
    """Wrap a typed event for the log; `at` is when it happened if that was earlier."""
    return NewEvent(kind=record.kind, data=to_data(record), at=at)


def typed(event: Event) -> IncidentEvent:
    """Return the typed event in an envelope. Raises `Bug` for a kind that is not in `EVENT_TYPES`."""
    kind = EVENT_TYPES.get(event.kind)
    if kind is None:
        raise Bug(f"unknown event kind {event.kind!r} at #{event.seq}")
    return from_data(event.data, kind)


def data_of(record: IncidentEvent) -> dict[str, JSON]:
    """Return the data of a typed event."""
    return to_data(record)


def incident_stream(number: int) -> str:
    """Return the stream of the incident's own events."""
    return f"incident/{number}"


def action_stream(number: int, plan: str) -> str:
    """Return the stream of one plan and its run."""
    return f"action/{number}/{plan}"


def postmortem_stream(number: int) -> str:
    """Return the stream of the write-up."""
    return f"postmortem/{number}"


def status_stream(number: int) -> str:
    """Return the stream of what the status page says of the incident."""
    return f"status/{number}"


def thinker_stream(number: int) -> str:
    """Return the stream of what a language model was asked about the incident."""
    return f"thinker/{number}"


def items_stream(number: int) -> str:
    """Return the stream of what is to be done after the incident."""
    return f"items/{number}"
