"""What changed near the onset, ranked, as the event that goes on record: changes and how well each explains it.

The order is that of `changes.rank`; where the hypotheses know the cause, they have the last word on whether a change
explains it, since they have seen more than changes. Pure.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from stanch.diagnose.changes.model import Change as Candidate
from stanch.diagnose.changes.model import ChangeKind as CandidateKind
from stanch.diagnose.changes.model import Evidence, Message, Mover, Start
from stanch.diagnose.changes.model import RankedChange as Judged
from stanch.diagnose.changes.rank import rank_changes
from stanch.diagnose.logs.model import Frame
from stanch.diagnose.origin import origins
from stanch.diagnose.picture import Picture
from stanch.diagnose.wording import change_done, change_name, distance, metric_name, percent
from stanch.incidents.events import ChangesRanked, HypothesesRanked, RankedChange
from stanch.ports.changes import Change, ChangeKind

_MOST: Final = 200
"""Changes that are judged, nearest to the onset first; each is compared with the words of all errors."""
_NO_MOVERS: Final = frozenset({"error_group", "log_template", "moved_first", "suspect"})
"""Signals that tell of other signals, or are evidence of another kind."""
_AT_ONCE: Final = timedelta(seconds=3)
_SHOWN: Final = 12
_REASONS: Final = 5
_KIND_OF: Final = {
    ChangeKind.DEPLOY: CandidateKind.DEPLOY,
    ChangeKind.COMMIT: CandidateKind.DEPLOY,
    ChangeKind.TAG: CandidateKind.DEPLOY,
    ChangeKind.CONFIG: CandidateKind.CONFIG,
    ChangeKind.FLAG: CandidateKind.FLAG,
    ChangeKind.MIGRATION: CandidateKind.MIGRATION,
    ChangeKind.INFRASTRUCTURE: CandidateKind.INFRASTRUCTURE,
    ChangeKind.TRAFFIC: CandidateKind.TRAFFIC,
}
_PLACE: Final = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+)(?: in (?P<function>.+))?$")


def rank_suspects(picture: Picture, hypotheses: HypothesesRanked) -> ChangesRanked:
    """Return the changes near the onset, the best explanation first, and whether none explains it."""
    # A restart is what somebody or something did about it far more often than its cause.
    acts = [change for change in picture.changes if change.kind is not ChangeKind.RESTART]
    nearest = sorted(acts, key=lambda change: (abs(picture.lead(change)), change.id))[:_MOST]
    if not nearest:
        return ChangesRanked(
            round=hypotheses.round, changes=(), none_explains=True, verdict="Nothing is known to have changed"
        )
    found = origins(picture)
    symptom = found[0].service if found else (picture.services[0] if picture.services else "")
    judged = rank_changes(
        [_candidate(change) for change in nearest],
        onset=_start(picture),
        symptom_service=picture.services[0] if picture.services else symptom,
        graph=dict(picture.graph.depends_on),
        evidence=_evidence(picture),
        first_service=symptom,
    )
    blamed = _blamed(hypotheses)
    none = judged[0].change is None if blamed is None else not blamed
    known = {change.id: change for change in nearest}
    ranked = [_ranked(known[each.change.id], each, picture) for each in judged if each.change is not None]
    if blamed:
        ranked.sort(key=lambda each: each.change.id != blamed)
    return ChangesRanked(
        round=hypotheses.round,
        changes=tuple(ranked[:_SHOWN]),
        none_explains=none,
        verdict=_verdict(ranked, judged, none=none, blamed=bool(blamed)),
    )


def _blamed(hypotheses: HypothesesRanked) -> str | None:
    """Return the change that the known cause blames, "" when it blames none, None when the cause is not known."""
    return hypotheses.hypotheses[0].change if hypotheses.known and hypotheses.hypotheses else None


def _candidate(change: Change) -> Candidate:
    return Candidate(
        id=change.id,
        at=change.at,
        kind=_KIND_OF[change.kind],
        service=change.service,
        version=change.version,
        previous=change.previous,
        commit=change.commit,
        paths=change.paths,
        title=change.title,
        author=change.author,
        diff=change.diff or None,
        live=change.kind not in (ChangeKind.COMMIT, ChangeKind.TAG),
    )


def _start(picture: Picture) -> Start:
    low, high = picture.onset_low or picture.onset, picture.onset_high or picture.onset
    return Start(at=picture.onset, low=min(low, picture.onset), high=max(high, picture.onset))


def _evidence(picture: Picture) -> Evidence:
    raised = [fact for fact in picture.facts if fact.raised]
    errors = [fact for fact in raised if fact.signal.name == "error_group"]
    lines = [
        fact for fact in raised if fact.signal.name == "log_template" and fact.signal.data.get("change") != "vanished"
    ]
    movers = [
        Mover(service=fact.service, what=metric_name(fact.signal), at=fact.signal.at)
        for fact in raised
        if fact.service and fact.signal.at is not None and fact.signal.name not in _NO_MOVERS
    ]
    messages = [
        Message(service=fact.service, text=fact.signal.text, count=max(1, round(fact.value)))
        for fact in (*errors, *lines)
        if fact.signal.text
    ]
    frames = [frame for fact in errors if (frame := _frame(str(fact.signal.data.get("culprit", "")))) is not None]
    return Evidence(movers=tuple(movers), messages=tuple(messages), frames=tuple(frames))


def _frame(culprit: str) -> Frame | None:
    found = _PLACE.match(culprit)
    if found is None:
        return None
    return Frame(file=found["file"], line=int(found["line"]), function=found["function"] or "")


def _ranked(change: Change, judged: Judged, picture: Picture) -> RankedChange:
    lead = picture.lead(change)
    side = "before" if lead > timedelta(0) else "after"
    when = "as the trouble began" if abs(lead) <= _AT_ONCE else f"{distance(lead)} {side} the onset"
    strongest = judged.reasons[0].text if judged.reasons else "nothing speaks for or against it"
    return RankedChange(
        change=replace(change, diff=""),
        score=round(judged.score, 3),
        verdict=f"{change_done(change)} {when} ({percent(judged.probability)}): {strongest}",
        reasons=tuple(f"{reason.text} ({reason.weight:+.1f})" for reason in judged.reasons[:_REASONS]),
    )


def _verdict(ranked: Sequence[RankedChange], judged: Sequence[Judged], *, none: bool, blamed: bool) -> str:
    if none:
        why = next((each.reasons for each in judged if each.change is None), ())
        reason = f": {why[-1].text}" if len(why) > 1 else ""
        return f"No change explains this{reason}"
    best = ranked[0].change
    certain = "explains it" if blamed else "is the likeliest of the changes to explain it"
    return f"{change_name(best)} {certain}"
