"""What changed near the onset, ranked, as the event that goes on record: changes and how well each explains it.

There is one answer to what caused it, that of the hypotheses, which have seen more than changes: a change stands where
the hypothesis that blames it stands, with its score. `changes.rank`, which reads time and content alone, orders the
rest and gives the reasons; where it would have put another change first, the verdict says so. Pure.
"""

import re
from collections.abc import Mapping, Sequence
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
from stanch.diagnose.wording import change_done, change_name, distance, metric_name
from stanch.incidents.events import ChangesRanked, HypothesesRanked, RankedChange
from stanch.kernel.percentage import percent
from stanch.ports.changes import Change, ChangeKind

_MOST: Final = 200
"""Changes that are judged, nearest to the onset first; each is compared with the words of all errors."""
_NO_MOVERS: Final = frozenset({"error_group", "log_template", "moved_first", "suspect"})
"""Signals that tell of other signals, or are evidence of another kind."""
_AT_ONCE: Final = timedelta(seconds=3)
_SHOWN: Final = 12
_REASONS: Final = 5
_LIKELY: Final = 0.2
"""From this share on a change is told by what speaks for it."""
_WORTH_NAMING: Final = 0.05
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
    shares = _shares(hypotheses)
    known = {change.id: change for change in nearest}
    told = [each for each in judged if each.change is not None]
    told.sort(key=lambda each: -shares.get(each.change.id if each.change else "", 0.0))
    ranked = [_ranked(known[each.change.id], each, picture, shares) for each in told if each.change is not None]
    none = _none_explains(hypotheses, shares)
    return ChangesRanked(
        round=hypotheses.round,
        changes=tuple(ranked[:_SHOWN]),
        none_explains=none,
        verdict=_verdict(ranked[0].change, judged, hypotheses, shares, none=none),
    )


def _shares(hypotheses: HypothesesRanked) -> dict[str, float]:
    """Return how likely each change is the cause, by id: the scores of the hypotheses that blame it, added."""
    shares: dict[str, float] = {}
    for one in hypotheses.hypotheses:
        if one.change:
            shares[one.change] = shares.get(one.change, 0.0) + one.score
    return shares


def _none_explains(hypotheses: HypothesesRanked, shares: Mapping[str, float]) -> bool:
    """Tell whether no change is the cause: the known one is none, or none is likelier than the likeliest change."""
    if hypotheses.known and hypotheses.hypotheses:
        return not hypotheses.hypotheses[0].change
    return max(shares.values(), default=0.0) <= 1 - sum(shares.values())


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


def _ranked(change: Change, judged: Judged, picture: Picture, shares: Mapping[str, float]) -> RankedChange:
    lead = picture.lead(change)
    side = "before" if lead > timedelta(0) else "after"
    when = "as the trouble began" if abs(lead) <= _AT_ONCE else f"{distance(lead)} {side} the onset"
    share = shares.get(change.id)
    said = "" if share is None else f" ({percent(share)})"
    return RankedChange(
        change=replace(change, diff=""),
        score=round(judged.score, 3),
        verdict=f"{change_done(change)} {when}{said}: {_why(judged, likely=(share or 0.0) >= _LIKELY)}",
        reasons=tuple(f"{reason.text} ({reason.weight:+.1f})" for reason in judged.reasons[:_REASONS]),
    )


def _why(judged: Judged, *, likely: bool) -> str:
    """Return the strongest reason for where a change stands: what speaks for a likely one, against an unlikely one."""
    fitting = [reason for reason in judged.reasons if (reason.weight > 0) is likely]
    chosen = next(iter(fitting or judged.reasons), None)
    if chosen is None:
        return "nothing speaks for or against it"
    return chosen.text if fitting or likely else f"{chosen.text}, but other causes explain more"


def _verdict(
    first: Change,
    judged: Sequence[Judged],
    hypotheses: HypothesesRanked,
    shares: Mapping[str, float],
    *,
    none: bool,
) -> str:
    top = hypotheses.hypotheses[0] if hypotheses.hypotheses else None
    share = shares.get(first.id, 0.0)
    if hypotheses.known and top is not None:
        told = f"{change_name(first)} explains it"
        if none:
            told = f"No change explains this; what does, at {percent(top.score)}: {top.title}"
    elif none:
        likeliest = f"; the likeliest is {change_name(first)}, at {percent(share)}" if share >= _WORTH_NAMING else ""
        told = f"No change is known to explain this{likeliest}"
        none = not likeliest
    else:
        told = f"{change_name(first)} is the likeliest of the changes to explain it, at {percent(share)}"
    return told + _otherwise(judged, named="" if none else first.id)


def _otherwise(judged: Sequence[Judged], *, named: str) -> str:
    """Say which change time and content alone would have put first, where that is another one than `named` (an id)."""
    best = judged[0]
    if best.change is None or not best.change.live or best.change.id == named:
        return ""
    why = next((reason.text for reason in best.reasons if reason.weight > 0), "")
    name = " ".join(part for part in (best.change.service, best.change.version or best.change.title) if part)
    return f"; time and content alone would point at {name}" + (f", which {why}" if why else "")
