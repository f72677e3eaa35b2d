"""From findings to ranked hypotheses: log-odds added, every step cited, and "not known yet" below a floor. Pure.

For a candidate i of a kind with prior log-odds b and n rivals of its kind, and clues of w = s * ln r nats (r is the
likelihood ratio, s the sighting's strength, 0..1):

    l(i) = b - ln n + (largest w > 0 + SHARE * the other w > 0) + (smallest w < 0 + SHARE * the other w < 0)
    score(i) = (1 - UNSEEN) * exp(A l(i)) / (exp(A l(else)) + sum over j of exp(A l(j))), A being SHARPNESS

Kinds that say the same of the same place (`Kind.same_as`) have one score together, under the likelier name. `else` is
"something else": a cause that is none of the kinds. Worked value: a deploy alone (b = ln(0.3 / 0.7)) that
came 40 s before (15) and is where it starts (8): l = -0.85 + 2.71 + 0.5 * 2.08 = 2.90; against `else` at
ln(0.15 / 0.85) = -1.73 and nothing more: score = 0.98 * exp 3.77 / (exp -2.25 + exp 3.77) = 0.98.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from stanch.diagnose.candidates import candidates
from stanch.diagnose.claims import contradictions
from stanch.diagnose.clues import CLUES, Clue
from stanch.diagnose.kinds import KINDS, Kind, Subject, log_odds
from stanch.diagnose.model import Candidate, Graph, Sighting
from stanch.diagnose.named import Named, named_candidates, word_of
from stanch.diagnose.origin import origins, own_errors
from stanch.diagnose.picture import Picture, picture_of
from stanch.diagnose.questions import Weighed, most_informative
from stanch.diagnose.wording import change_name, place
from stanch.incidents.events import HypothesesRanked
from stanch.incidents.model import Citation, Hypothesis, Judged, Judgement
from stanch.kernel.percentage import percent
from stanch.ports.changes import Change
from stanch.ports.evidence import Finding

SHARE: Final = 0.5
"""What is left of a clue's weight beside a stronger one of the same sign: clues of one incident overlap, and added in
full they are sure of themselves too soon; 1 would be right for independent clues. To be calibrated on drills."""
UNSEEN: Final = 0.02
"""Share that is never given away: the cause nobody thought of."""
SHARPNESS: Final = 1.3
"""What the log-odds are multiplied with before they become scores. Fitted on one half of the made incidents of
`bench.scenarios`, where log loss is .415 at 1, .378 at 1.3 and .374 at 1.5; the smallest, since real clues overlap more
than made ones do. The order is the same with any."""
FLOOR: Final = 0.65
"""Below it the answer is "not known yet". At it two of three guesses are right, and a wrong one that is called known
costs more than waiting for the next look: of the incidents without a cause to be found it keeps five in six unknown."""
ELSE_PRIOR: Final = log_odds(0.15)
"""Something else: about one in seven incidents has a cause outside the kinds."""
ELSE_UNSEEN: Final = log_odds(0.5)
"""The same where no finding shows the trouble at all: then every second time it is something else."""
ELSE_UNASKED: Final = log_odds(0.4)
"""The same where nobody looked for changes: most causes are changes, and the one to blame may be among those unseen."""
MOST_SHOWN: Final = 8
_ALWAYS_SHOWN: Final = 3
_LEAST_SHOWN: Final = 0.02
# What is wrong nineteen times in twenty is told as no guess: about what a kind starts from when nothing speaks for it.
_LEAST_GUESS: Final = 0.05
_LEAST_WEIGHT: Final = 0.01
_LEAST_EVIDENCE: Final = 0.5
"""Nats of evidence for a cause without which it is a guess from how common it is, whatever its score."""


@dataclass(frozen=True, kw_only=True)
class _Scored:
    kind: Kind
    candidate: Candidate
    log_odds: float
    pro: tuple[Citation, ...]
    contra: tuple[Citation, ...]
    sightings: Mapping[str, Sighting]
    named: Named | None = None
    judged: Judged | None = None

    @property
    def id(self) -> str:
        """Return the hypothesis' id: what it says, in words, so that it is the same in every round."""
        return self.named.id if self.named is not None else id_of(self.candidate)


def rank(
    findings: Iterable[Finding],
    *,
    changes: Sequence[Change],
    onset: datetime,
    graph: Graph,
    now: datetime,
    services: Sequence[str] = (),
    round: int = 1,
    kinds: Sequence[Kind] = KINDS,
    onset_low: datetime | None = None,
    onset_high: datetime | None = None,
) -> HypothesesRanked:
    """Weigh every kind of cause against the findings and return the hypotheses, likeliest first.

    `services` are those the incident is about, used where the findings do not tell where it starts. `known` is False
    when the first one's score is below `FLOOR`, or nothing but its prior speaks for it.
    """
    picture = picture_of(
        findings,
        changes=changes,
        onset=onset,
        graph=graph,
        now=now,
        services=services,
        onset_low=onset_low,
        onset_high=onset_high,
    )
    return rank_picture(picture, round=round, kinds=kinds)


def rank_picture(
    picture: Picture,
    *,
    round: int = 1,
    kinds: Sequence[Kind] = KINDS,
    named: Sequence[Named] = (),
    judged: Mapping[str, Judged] = MappingProxyType({}),
) -> HypothesesRanked:
    """Do what `rank` does on a picture that is already there, with what people `named` and `judged` (by id)."""
    scored = _scored(picture, kinds=kinds, named=named, judged=judged)
    masses = {each.id: math.exp(SHARPNESS * each.log_odds) for each in scored}
    total = math.exp(SHARPNESS * _else(picture)) + sum(masses.values())
    masses = _joined(scored, masses)
    scored = [each for each in scored if each.id in masses]
    weighed = {
        each.id: Weighed(
            kind=each.kind,
            candidate=each.candidate,
            score=masses[each.id] / total,
            seen=frozenset(each.sightings),
        )
        for each in scored
    }
    hypotheses = [
        _hypothesis(each, (1 - UNSEEN) * masses[each.id] / total, picture, weighed[each.id]) for each in scored
    ]
    hypotheses.sort(
        key=lambda each: (not _confirmed(each), -each.score, each.kind, each.service, each.target, each.change)
    )
    shown = _shown(hypotheses)
    top = shown[0] if shown else None
    # Without a look at the trouble itself the nearest change could win by being near alone.
    measured = top is not None and top.score >= FLOOR and bool(origins(picture)) and _is_argued(top)
    known = top is not None and (_confirmed(top) or measured)
    question = most_informative(list(weighed.values()))
    next_test = question.text if question is not None else "Look at what the failing requests have in common"
    if known and top is not None:
        next_test = top.next_test
    return HypothesesRanked(
        round=round,
        hypotheses=shown,
        known=known,
        verdict=_verdict(top, known=known),
        next_test=next_test,
        next_clue="" if known or question is None else question.clue,
        next_about=() if known or question is None else question.about,
    )


def _joined(scored: Sequence[_Scored], masses: Mapping[str, float]) -> dict[str, float]:
    """Give what says the same of the same place one mass: the likelier of the two has it, the other is left out.

    That the far end is down, and that there is an outage at the far end, would else halve each other's score until
    neither is known. What a person had a hand in stays.
    """
    found = dict(masses)
    for one in scored:
        place = (one.candidate.service, one.candidate.target)
        others = [
            each
            for each in scored
            if each.kind.name in one.kind.same_as
            and (each.candidate.service, each.candidate.target) == place
            and each.id in found
        ]
        if not others or one.id not in found:
            continue
        best = max(others, key=lambda each: found[each.id])
        kept, dropped = (one, best) if found[one.id] > found[best.id] else (best, one)
        if dropped.named is None and dropped.judged is None:
            found[kept.id] += found.pop(dropped.id)
    return found


def _else(picture: Picture) -> float:
    """Return the log-odds of a cause that is none of the candidates, by what was looked at."""
    if not origins(picture):
        return ELSE_UNSEEN
    looked = bool(picture.changes_looked_at or picture.change_findings or picture.changes)
    return ELSE_PRIOR if looked else ELSE_UNASKED


def id_of(candidate: Candidate) -> str:
    """Return what a candidate is called: `bad_deploy/payments/deploylog/1a2b`, `dependency_slow/payments/acquirer`."""
    parts = (candidate.kind, candidate.service, candidate.target, candidate.change.id if candidate.change else "")
    return "/".join(part for part in parts if part)


def _scored(
    picture: Picture, *, kinds: Sequence[Kind], named: Sequence[Named], judged: Mapping[str, Judged]
) -> list[_Scored]:
    found = {
        (one := _weigh(kind, candidate, picture, judged=judged.get(id_of(candidate)))).id: one
        for kind, candidate in candidates(kinds, picture)
    }
    for kind, candidate, said in named_candidates(named, kinds, picture):
        same = id_of(candidate)
        if same in found and said.cause:
            # Somebody thought of what was weighed already: one hypothesis, with the person's word beside the rest.
            found.pop(same)
        found[said.id] = _weigh(kind, candidate, picture, named=said, judged=judged.get(said.id) or judged.get(same))
    return list(found.values())


def _shown(hypotheses: Sequence[Hypothesis]) -> tuple[Hypothesis, ...]:
    """Return those worth showing: the likeliest, and whatever a person had a hand in.

    So is the likeliest that blames a change, however unlikely: whether it was the deploy is what everybody asks first,
    and what speaks against it is the answer.
    """
    blamed = next((each for each in hypotheses if each.change), None)
    return tuple(
        each
        for place, each in enumerate(hypotheses)
        if place < _ALWAYS_SHOWN
        or (place < MOST_SHOWN and each.score >= _LEAST_SHOWN)
        or each is blamed
        or each.added_by
        or each.judged is not None
    )


def _confirmed(hypothesis: Hypothesis) -> bool:
    return hypothesis.judged is not None and hypothesis.judged.judgement is Judgement.CONFIRMED


def _weigh(
    kind: Kind, candidate: Candidate, picture: Picture, *, named: Named | None = None, judged: Judged | None = None
) -> _Scored:
    sightings: dict[str, Sighting] = {}
    cited: list[Citation] = []
    for weight in kind.weights:
        clue = CLUES[weight.clue]
        sighting = clue.look(picture, candidate)
        if sighting is None:
            continue
        sightings[clue.name] = sighting
        nats = sighting.strength * math.log(weight.holds if sighting.holds else weight.absent)
        finding = sighting.findings[0] if sighting.findings else ""
        cited.append(Citation(finding=finding, text=_say(clue, sighting, candidate), weight=nats))
    said = word_of(judged)
    if named is not None:
        said.append(Citation(finding="", text=f"{named.by} thought of it: {named.reason}", weight=named.weight))
        said += contradictions(named, picture)
    # What people say is no overlapping view of the same measurements, so it counts in full.
    pro = (*(one for one in said if one.weight > 0), *_shared([each for each in cited if each.weight > 0]))
    contra = (*(one for one in said if one.weight < 0), *_shared([each for each in cited if each.weight < 0]))
    return _Scored(
        kind=kind,
        candidate=candidate,
        log_odds=kind.prior - math.log(candidate.rivals) + sum(each.weight for each in (*pro, *contra)),
        pro=pro,
        contra=contra,
        sightings=sightings,
        named=named,
        judged=judged,
    )


def _shared(cited: list[Citation]) -> tuple[Citation, ...]:
    """Leave the strongest its weight and the others their share of it; strongest first, those of no weight left out."""
    ordered = sorted(cited, key=lambda each: (-abs(each.weight), each.text))
    weighed = [
        replace(each, weight=round(each.weight * (1.0 if place == 0 else SHARE), 3))
        for place, each in enumerate(ordered)
    ]
    return tuple(each for each in weighed if abs(each.weight) >= _LEAST_WEIGHT)


def _is_argued(hypothesis: Hypothesis) -> bool:
    return sum(one.weight for one in hypothesis.evidence_for) >= _LEAST_EVIDENCE


def _say(clue: Clue, sighting: Sighting, candidate: Candidate) -> str:
    template = clue.says if sighting.holds else clue.denies
    return template.format_map(_Words({**_words(candidate), **sighting.words}))


class _Words(dict[str, str]):
    """Words for a template; one that is missing is left out rather than breaking the sentence."""

    def __missing__(self, key: str) -> str:
        return ""


def _words(candidate: Candidate) -> dict[str, str]:
    change = candidate.change
    return {
        "service": candidate.service or "the service",
        "target": candidate.target,
        "pool": candidate.target if "connections" in candidate.target else f"connections of {candidate.target}",
        "change": change_name(change) if change else "",
        "version": change.version or change.commit if change else "",
        "previous": change.previous or f"{change.commit or change.version}^" if change else "",
    }


def _hypothesis(scored: _Scored, score: float, picture: Picture, weighed: Weighed) -> Hypothesis:
    kind, candidate, change = scored.kind, scored.candidate, scored.candidate.change
    culprit = _culprit(scored, picture)
    touched = scored.sightings.get("trace_in_change")
    file = touched.words.get("path", "") if touched is not None and touched.holds else ""
    words = _Words({**_words(candidate), "culprit_file": file})
    words["repeat"] = _repeat(scored, picture)
    title = scored.named.title if scored.named is not None else kind.title.format_map(words)
    question = most_informative([weighed])
    return Hypothesis(
        id=scored.id,
        kind=kind.name,
        title=title,
        score=round(score, 4),
        service=candidate.service,
        target=candidate.target,
        change=change.id if change else "",
        change_title=change.title or change_name(change) if change else "",
        version=change.version if change else "",
        previous=change.previous if change else "",
        commit=_commit(change, culprit),
        culprit=culprit,
        log_odds=round(scored.log_odds, 3),
        evidence_for=scored.pro,
        evidence_against=scored.contra,
        next_test=kind.next_test.format_map(words),
        next_command=_look_again(scored, picture) or kind.next_command.format_map(words).strip().removesuffix(" --"),
        mitigations=kind.mitigations,
        next_clue=question.clue if question is not None else "",
        next_look=question.text if question is not None else "",
        judged=scored.judged,
        added_by=scored.named.by if scored.named is not None else "",
    )


def _culprit(scored: _Scored, picture: Picture) -> str:
    if scored.named is not None and not scored.named.cause:
        return ""
    seen = scored.sightings.get("trace_in_change")
    if seen is not None and seen.holds:
        return seen.words.get("culprit", "")
    if scored.kind.subject is Subject.CHANGE:
        blamed = scored.sightings.get("errors_new_since_change")
        if blamed is None or not blamed.holds:
            return ""
    elif scored.kind.subject is Subject.CALL:
        return ""
    groups = own_errors(picture, scored.candidate.service)
    return next((place(str(fact.signal.data["culprit"])) for fact in groups if fact.signal.data.get("culprit")), "")


def _commit(change: Change | None, culprit: str) -> str:
    """Return the commit to blame: the change's newest one that touched the culprit's file, else the change's own."""
    if change is None:
        return ""
    commits = change.data.get("commits")
    file = culprit.split(":", 1)[0]
    if file and isinstance(commits, list):
        for entry in reversed(commits):
            if not isinstance(entry, dict):
                continue
            paths = entry.get("paths")
            if isinstance(paths, list) and any(_same_file(str(path), file) for path in paths):
                return str(entry.get("commit", ""))
    return change.commit


def _same_file(one: str, other: str) -> bool:
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    return longer == shorter or longer.endswith(f"/{shorter}")


def _repeat(scored: _Scored, picture: Picture) -> str:
    """Return the command of the finding that weighs most, so that a person can look again."""
    return _command((one.finding for one in (*scored.pro, *scored.contra)), picture)


def _look_again(scored: _Scored, picture: Picture) -> str:
    """Return the command of the look that the kind rests on, empty where nobody could look."""
    sighting = scored.sightings.get(scored.kind.looks)
    return _command(sighting.findings, picture) if sighting is not None else ""


def _command(findings: Iterable[str], picture: Picture) -> str:
    """Return the first command of these findings."""
    commands = (fact.command for id in findings for fact in picture.facts if fact.finding == id)
    return next((one for one in commands if one), "")


def _verdict(top: Hypothesis | None, *, known: bool) -> str:
    if top is None or (not known and top.score < _LEAST_GUESS):
        return "Not known yet: nothing that was found points at a cause"
    if not known:
        return f"Not known yet; the best guess, at {percent(top.score)}, is: {top.title}"
    why = top.evidence_for[0].text if top.evidence_for else ""
    return f"{top.title} ({percent(top.score)}): {why}" if why else f"{top.title} ({percent(top.score)})"
