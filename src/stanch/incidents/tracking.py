"""What an incident's log says of trackers of errors: what was written there, and what was analysed. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from stanch.incidents import events as ev
from stanch.kernel.event import Event

KINDS: Final = (ev.WritingEnded.kind, ev.AnalysisAsked.kind, ev.AnalysisStarted.kind, ev.AnalysisEnded.kind)


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
