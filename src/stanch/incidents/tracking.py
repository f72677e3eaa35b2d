"""What an incident's log says of trackers of errors: what was written there, and what was analysed. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, TypeAlias

from stanch.incidents import events as ev
from stanch.kernel.event import Event

TrackerEvent: TypeAlias = ev.WritingEnded | ev.AnalysisAsked | ev.AnalysisStarted | ev.AnalysisEnded
TRACKER_EVENTS: Final[tuple[type[TrackerEvent], ...]] = (
    ev.WritingEnded,
    ev.AnalysisAsked,
    ev.AnalysisStarted,
    ev.AnalysisEnded,
)
KINDS: Final = tuple(one.kind for one in TRACKER_EVENTS)

_WRITTEN: Final = {"status": "the status", "assign": "the team", "note": "a note", "deploy": "the marker of a deploy"}
_AS: Final = {
    ev.WritingOutcome.DONE: "written",
    ev.WritingOutcome.REFUSED: "refused",
    ev.WritingOutcome.FAILED: "failed",
}


@dataclass(frozen=True, kw_only=True)
class AskedAnalysis:
    """An analysis, when it was asked for, and how far it is."""

    asked: ev.AnalysisAsked
    at: datetime
    started: ev.AnalysisStarted | None = None
    ended: ev.AnalysisEnded | None = None


@dataclass(frozen=True, kw_only=True)
class Tracked:
    """What is on record of trackers: writings by id, analyses by id."""

    writings: dict[str, ev.WritingEnded] = field(default_factory=dict)
    analyses: dict[str, AskedAnalysis] = field(default_factory=dict)
    declined: tuple[ev.AnalysisEnded, ...] = ()
    """Analyses that were not even asked for, as their cost is capped."""


def tracked_of(events: Iterable[Event]) -> Tracked:
    """Return what events of `KINDS` add up to."""
    found = Tracked()
    for event in events:
        match ev.typed(event):
            case ev.WritingEnded() as ended:
                found.writings[ended.writing] = ended
            case ev.AnalysisAsked() as asked:
                found.analyses[asked.analysis] = AskedAnalysis(asked=asked, at=event.at)
            case ev.AnalysisStarted() as started if started.analysis in found.analyses:
                found.analyses[started.analysis] = replace(found.analyses[started.analysis], started=started)
            case ev.AnalysisEnded() as over if over.analysis in found.analyses:
                found.analyses[over.analysis] = replace(found.analyses[over.analysis], ended=over)
            case ev.AnalysisEnded() as over:
                found = replace(found, declined=(*found.declined, over))
            case _:
                continue
    return found


def tracker_words(record: TrackerEvent) -> tuple[str, str, str]:
    """Return title, text and tone of an event."""
    match record:
        case ev.WritingEnded():
            where = f"issue {record.issue} of {record.desk}" if record.issue else record.desk
            title = f"To {where}: {_WRITTEN.get(record.act, record.act)} {_AS[record.outcome]}"
            return title, record.detail, "system" if record.outcome is ev.WritingOutcome.DONE else "bad"
        case ev.AnalysisAsked():
            return f"Analysis of issue {record.issue} asked of {record.desk}", "", "system"
        case ev.AnalysisStarted():
            how = "was there already" if record.adopted else "started"
            return f"Analysis {how}", f"run {record.run}" if record.run else "", "system"
        case ev.AnalysisEnded():
            done = record.outcome is ev.AnalysisOutcome.COMPLETED
            return f"Analysis {record.outcome.value.replace('_', ' ')}", record.detail, "system" if done else "bad"
