"""Finds wording that blames (L2): a person as the cause, hindsight, what somebody should have done. Pure.

A system may fail, break and be at fault; a person is described by what they saw and what was there. So the same verb is
a finding with a person before it and none with a service. What stands in code, in a quotation or in a link is evidence,
not wording, and is passed over. Each finding comes with another way to say it.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stanch.review.naming import GIVEN_NAMES
from stanch.review.verbs import PARTICIPLE, participle_of, verb_of

_LONGEST_SENTENCE: Final = 1_000
_PEOPLE: Final = (
    r"(?:(?:the|an?|our|their|one|some|another|every) (?:[\w-]+ ){0,3}?)?"
    r"(?:engineers?|developers?|devs?|(?<!kubernetes )(?<!k8s )(?<!database )(?<!postgres )operators?|"
    r"admins?|administrators?|sres?|on-?callers?|responders?|commanders?|"
    r"managers?|leads?|reviewers?|authors?|testers?|interns?|contractors?|dbas?|colleagues?|employees?|staff|teams?|"
    r"team members?|people|person|users?|customers?|somebody|someone|nobody|no one|everyone|anyone|on-?call|"
    r"management|whoever|who)(?: on call| on duty| of the day)?"
    r"|we|they|he|she|i|you|he or she"
)
_MODAL: Final = r"(?:should|could|would|must|ought to|needed to)"


class Kind(StrEnum):
    """What is wrong with a wording."""

    BLAME = "blame"
    JUDGEMENT = "judgement"
    HINDSIGHT = "hindsight"
    COUNTERFACTUAL = "counterfactual"


EXPLAINED: Final[dict[Kind, str]] = {
    Kind.BLAME: "A person as the cause ends the search there. What made the step possible, or easy to get wrong?",
    Kind.JUDGEMENT: "It grades somebody. Say what they saw and what they knew when they decided.",
    Kind.HINDSIGHT: "It was not plain to those who were there. Say what they could see at that moment.",
    Kind.COUNTERFACTUAL: "It tells of what did not happen. Say what did, and turn the rest into an action item.",
}


@dataclass(frozen=True, kw_only=True)
class Wording:
    """One finding: `line` counts from 1, `start` and `end` are places in that line, counted in characters from 0."""

    line: int
    start: int
    end: int
    kind: Kind
    text: str
    suggestion: str

    @property
    def why(self) -> str:
        """Return why it is better said otherwise."""
        return EXPLAINED[self.kind]


@dataclass(frozen=True)
class _Rule:
    kind: Kind
    pattern: re.Pattern[str]
    suggest: Callable[[re.Match[str]], str]


def check(markdown: str, *, people: Sequence[str] = ()) -> tuple[Wording, ...]:
    """Return the findings in a text in their order; `people` are the names and identifiers of those who took part."""
    rules = (*_RULES, *_rules_for(people))
    found: list[Wording] = []
    for number, line in _prose(markdown):
        taken: list[tuple[int, int]] = []
        for start, sentence in _sentences(line):
            for rule in rules:
                for match in rule.pattern.finditer(sentence):
                    place = (start + match.start(), start + match.end())
                    if any(place[0] < end and begin < place[1] for begin, end in taken):
                        continue
                    taken.append(place)
                    found.append(
                        Wording(
                            line=number,
                            start=place[0],
                            end=place[1],
                            kind=rule.kind,
                            text=match.group(0).strip(),
                            suggestion=rule.suggest(match),
                        )
                    )
    return tuple(sorted(found, key=lambda one: (one.line, one.start)))


def _prose(markdown: str) -> Iterator[tuple[int, str]]:
    """Yield the lines that are wording, with code and the targets of links blanked out so that places stay."""
    fence = ""
    for number, line in enumerate(markdown.splitlines(), start=1):
        mark = line.lstrip()[:3]
        if mark in ("```", "~~~"):
            fence = "" if fence == mark else fence or mark
            continue
        if fence or line.startswith(("    ", "\t")) or line.lstrip().startswith(">"):
            continue
        yield number, _BLANKED.sub(lambda match: " " * len(match.group(0)), line)


# Code, targets of links, and what is quoted word for word.
_BLANKED: Final = re.compile(r"`[^`\n]{1,500}`|\]\([^)\n]{1,2000}\)|\"[^\"\n]{1,300}\"|“[^”\n]{1,300}”|<[^>\n]{1,300}>")
_ENDS: Final = re.compile(r"(?<=[.!?;:|])\s+")


def _sentences(line: str) -> Iterator[tuple[int, str]]:
    start = 0
    for end in (*(match.end() for match in _ENDS.finditer(line)), len(line)):
        if end > start:
            yield start, line[start : min(end, start + _LONGEST_SENTENCE)]
        start = end


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


def _always(text: str) -> Callable[[re.Match[str]], str]:
    return lambda match: text


def _clause(text: str | None) -> str:
    """Return what a sentence goes on with, up to its end."""
    return (text or "").strip().rstrip(".!?;:|,* ")


def _not_done(match: re.Match[str]) -> str:
    rest = _clause(match.group("rest"))
    if match.group("no"):
        return f"Say what made it seem right to have {match.group('did')} {rest}".rstrip() + "."
    return f"Nobody had {match.group('did')} {rest} by then: say what was known, and what led there.".replace("  ", " ")


def _not_made_sure(match: re.Match[str]) -> str:
    step = f"{verb_of(match.group('did'))} {_clause(match.group('rest'))}".strip()
    return f"Nothing in place made sure of this step: {step}."


def _from_memory(match: re.Match[str]) -> str:
    rest = _clause(match.group("rest")).removeprefix("to ").removeprefix("about ")
    return f"This step relied on memory: {rest}." if rest else "The step relied on memory."


def _passive(match: re.Match[str]) -> str:
    rest = _clause(match.group("rest"))
    done = participle_of(match.group("did"))
    noun, joint, after = _split(rest)
    if not noun:
        return f"Say what the step was and what made it possible ({done})."
    were = "were" if re.search(r"(?<!s)s$", noun) and not re.match(r"(?:an?|this|that) ", noun) else "was"
    told = f"{noun[0].upper()}{noun[1:]} {were} {done}"
    return f"{told}{' ' + joint + after if joint else ''}; say what allowed it."


_JOINT: Final = re.compile(
    r"\b(?:during|while|when|without|because|before|after|in|on|at|by|with|from|to|into|and|which|that|instead|so)\b"
)


def _split(rest: str) -> tuple[str, str, str]:
    found = _JOINT.search(rest)
    if found is None:
        return rest, "", ""
    return rest[: found.start()].strip(" ,"), found.group(0), rest[found.end() :]


_REST: Final = r"(?P<rest>(?: [^.!?;|]{1,200})?)"
_FAILING: Final = (
    r"(?P<did>fail(?:ed|s) to|neglected to|did ?n[o']t bother to|refused to|omitted to|did ?n[o']t "
    r"(?:check|test|notice|realise|realize|follow|verify|read|review|think|double-check|communicate|escalate|ask)|"
    r"missed(?! (?:[\w-]+ ){0,4}?(?:targets?|deadlines?|objectives?|slos?)\b)|"
    r"overlooked|ignored|misread|mistyped|disregarded)"
)
# What is also done on purpose, to end an incident: with whom it stands, and to what it was done, tells the two apart.
_ENDING: Final = r"(?:deleted|dropped|took down|wiped|killed)"
_ENDED: Final = (
    r"(?: (?!wrong\b)[\w-]+){0,3}? (?:pods?|sessions?|quer(?:y|ies)|connections?|jobs?|process(?:es)?|traffic|load|"
    r"ind(?:ex|exes|ices)|locks?|caches?|transactions?)\b"
)
_BREAKING: Final = (
    r"(?P<did>broke|caused|misconfigured|crashed|corrupted|brought down|leaked|messed up|screwed up|botched|"
    rf"fat-fingered|(?<=ly ){_ENDING}|{_ENDING}(?!{_ENDED})|"
    r"introduced(?= (?:[\w-]+ ){0,3}?(?:bug|regression|error|fault|defect|leak|problem|issue|flaw|outage|mistake|typo)"
    r"s?\b)|"
    r"(?:deployed|merged|pushed|ran|used|chose|approved|picked|restarted|edited|typed|entered|selected|clicked|copied|"
    r"pasted|pressed|configured)(?= (?:the|a|an) (?:wrong|bad|broken)))"
)
# "We dropped the index to make room" tells of a step; what it was done to can make it a confession.
_OUR_STEP: Final = (
    rf"(?!we (?:had )?{_ENDING}(?! [^.!?;|]{{0,60}}\b(?:wrong|production|prod|live|backups?|customers?)\b))"
)
# Those who are served do not fail: "users failed to log in" says what it was like for them.
_SERVED: Final = (
    r"(?!(?:(?:the|an?|our|their|some|one|another|every) )?(?:[\w-]+ ){0,3}?(?:users?|customers?) "
    r"(?:fail(?:ed|s) to|missed)\b)"
)
_RULES: Final[tuple[_Rule, ...]] = (
    _Rule(
        Kind.COUNTERFACTUAL,
        _compiled(rf"\b(?:{_PEOPLE}) {_MODAL}(?P<no> not|n't)? have (?:\w+ly )?(?P<did>{PARTICIPLE}){_REST}"),
        _not_done,
    ),
    _Rule(
        Kind.COUNTERFACTUAL,
        _compiled(
            r"\b(?:should|ought to|needed to)(?: not|n't)? have been (?:\w+ly )?"
            rf"(?P<did>{PARTICIPLE}|more careful)\b"
        ),
        lambda match: f"Say that it was not {match.group('did')}, and what let it through.",
    ),
    _Rule(
        Kind.COUNTERFACTUAL,
        _compiled(r"\b(?:could|would|might)(?: easily)? have been (?:prevented|avoided|caught|spotted|averted)\b"),
        _always("Say what there was to stop it and how far that reached; make the rest an action item."),
    ),
    _Rule(
        Kind.COUNTERFACTUAL,
        _compiled(rf"\b(?:if|had) (?:only )?(?:{_PEOPLE}) (?:had |only |simply |just )*(?:{PARTICIPLE})\b"),
        _always("Say what was done and what was known at that time."),
    ),
    _Rule(Kind.BLAME, _compiled(rf"\b{_SERVED}(?:{_PEOPLE}) {_FAILING}{_REST}"), _not_made_sure),
    _Rule(
        Kind.BLAME,
        _compiled(rf"\b(?:{_PEOPLE}) (?:had )?(?:forgot|forgotten|forgets){_REST}"),
        _from_memory,
    ),
    _Rule(
        Kind.BLAME,
        _compiled(
            r"\b(?<!un)(?:forgotten|overlooked|neglected|ignored|misconfigured|broken|caused|introduced) by "
            rf"(?!(?:the |an? )?(?:user|customer)s?\b)(?:{_PEOPLE})\b"
        ),
        _always("Leave the person out, and say what made the step easy to miss or to get wrong."),
    ),
    _Rule(
        Kind.BLAME,
        _compiled(
            r"\b(?:human|operator|user|pilot|manual|personal|individual) (?:error|failure|mistake)s?\b"
            r"(?! (?:messages?|codes?|pages?|handling|rates?|budgets?))"
        ),
        _always("Name the condition instead: what the tool accepted, what looked alike, which check was not there."),
    ),
    _Rule(
        Kind.BLAME,
        _compiled(
            rf"\b(?:{_PEOPLE})(?:'s|s'|’s) (?:own )?(?:mistake|error|fault|negligence|oversight|carelessness|failure|"
            r"inattention|lapse|blunder|incompetence)\b"
        ),
        _always("Say what happened at that step and what made it possible."),
    ),
    _Rule(
        Kind.BLAME,
        _compiled(
            rf"\b(?:(?:{_PEOPLE}) (?:is|was|were|are|is to|who is|who was) (?:at fault|to blame|guilty|responsible for "
            r"(?:the|this|breaking|causing))|(?:blamed?|blaming) (?:on )?(?:the |our )?\w+|(?:mistake|error|oversight) "
            rf"(?:of|by) (?:{_PEOPLE})|the fault of (?:{_PEOPLE})|the culprit (?:is|was) (?:{_PEOPLE}))\b"
        ),
        _always("Say what happened and what allowed it; who it was does not make it less likely next time."),
    ),
    _Rule(
        Kind.BLAME,
        _compiled(
            rf"\b(?:{_PEOPLE}) (?:had )?(?:made|makes|was making|made such) (?:an? |the )?(?:\w+ )?(?:mistake|error)"
        ),
        _always("Say what was done, what was expected of it and why that seemed right."),
    ),
    _Rule(
        Kind.BLAME,
        _compiled(
            rf"\b{_OUR_STEP}(?:{_PEOPLE}) (?:had )?(?:accidentally |mistakenly |wrongly |carelessly )?"
            rf"{_BREAKING}{_REST}"
        ),
        _passive,
    ),
    _Rule(
        Kind.BLAME,
        _compiled(
            rf"\b(?:(?:nobody|no one) (?:even )?bothered to|(?:{_PEOPLE}) (?:slept through|(?:was|were|had been) too "
            r"(?:slow|late|tired|busy|lazy) to)|(?:mistake|error)s? (?:was|were|had been) made by)\b"
        ),
        _always("Say what happened at that step and what made it possible."),
    ),
    _Rule(
        Kind.BLAME,
        _compiled(
            r"\b(?:broke|violated|bypassed|ignored|disregarded|skipped|did ?n[o']t follow|not following) "
            r"(?:the |our |all )?(?:agreed |established |known )?"
            r"(?:procedures?|process(?:es)?|polic(?:y|ies)|protocols?|rules|guidelines)\b"
        ),
        _always("Say how the work is really done, and where the written procedure stands in its way."),
    ),
    _Rule(
        Kind.JUDGEMENT,
        _compiled(
            r"\b(?:careless(?:ly|ness)?|negligen(?:t|tly|ce)|slopp(?:y|ily|iness)|laz(?:y|iness)|reckless(?:ly|ness)?|"
            r"incompeten(?:t|ce)|irresponsibl[ey]|stupid(?:ly|ity)?|dumb|foolish(?:ly)?|inattenti(?:ve|on)|clueless|"
            r"unprofessional(?:ly)?|thoughtless(?:ly)?|complacen(?:t|cy)|inexcusabl[ey]|unacceptable|hast(?:y|ily)|"
            r"rookie|amateurish|blunder(?:ed|s)?|(?:poor|bad|terrible|wrong) (?:judge?ment|decisions?|choices?)|"
            r"lack of (?:care|attention|discipline|diligence|ownership|common sense|professionalism)|common sense|"
            r"due diligence|(?:basic|silly|simple|careless|avoidable|elementary) (?:mistake|error|oversight)s?|"
            r"(?:more|not|n't|being|been|was) careful(?: enough)?|pay(?:ing)? (?:more )?attention|"
            r"kn[eo]w better|inexperienced? (?:engineer|developer|operator)s?)\b"
        ),
        _always("Say what was seen and known at that moment, and what it led to."),
    ),
    _Rule(
        Kind.HINDSIGHT,
        _compiled(
            r"\b(?:(?:in|with) hindsight|in retrospect|looking back,? it|"
            r"(?<!no )(?<!not )(?<!nothing )(?<!any )obvious(?:ly)?(?! (?:cause|reason))|"
            r"clearly (?:wrong|missed|a mistake|should|could|the wrong)|(?:simply|just|only) (?:had|needed) to|"
            r"all (?:they|he|she|we) had to do|it was (?:only )?a matter of time|how could (?:they|anyone|we)|"
            r"any(?:one|body) (?:could|would|should) (?:have )?(?:see|seen|known?|noticed?)|"
            r"why did(?:n't| not)? (?:they|nobody|no one|anyone))\b"
        ),
        _always("Say which signs were visible at that time and how they were read."),
    ),
)


def _rules_for(people: Sequence[str]) -> tuple[_Rule, ...]:
    """Return the rules that need names: those who took part, and given names that are common."""
    known = sorted({name.strip() for name in people if len(name.strip()) > 1}, key=len, reverse=True)
    own = "|".join(re.escape(name) for name in known)
    common = "|".join(GIVEN_NAMES)
    # Capitals are what tells a given name from a word, so only the participants' names are matched in any case.
    name = rf"(?:{f'(?i:{own})|' if own else ''}(?:{common})(?: [A-Z]\w+)?)"
    loose = r"(?i:{})"
    person = rf"(?<![\w@/.-]){name}"
    return (
        _Rule(
            Kind.COUNTERFACTUAL,
            re.compile(
                rf"{person} " + loose.format(rf"{_MODAL}(?P<no> not|n't)? have (?:\w+ly )?(?P<did>{PARTICIPLE}){_REST}")
            ),
            _not_done,
        ),
        _Rule(Kind.BLAME, re.compile(rf"{person} " + loose.format(rf"{_FAILING}{_REST}")), _not_made_sure),
        _Rule(
            Kind.BLAME, re.compile(rf"{person} " + loose.format(rf"(?:had )?(?:forgot|forgotten){_REST}")), _from_memory
        ),
        _Rule(
            Kind.BLAME,
            re.compile(
                rf"{person} "
                + loose.format(rf"(?:had )?(?:accidentally |mistakenly |wrongly |carelessly )?{_BREAKING}{_REST}")
            ),
            _passive,
        ),
        _Rule(
            Kind.BLAME,
            re.compile(
                rf"{person}(?:"
                + loose.format(
                    r"(?:'s|’s) (?:own )?(?:mistake|error|fault|negligence|oversight|carelessness|failure|lapse)"
                    r"| (?:is|was|were) (?:at fault|to blame|guilty|responsible for (?:the|this))"
                    r"| (?:had )?made (?:an? |the )?(?:\w+ )?(?:mistake|error)"
                )
                + ")"
            ),
            _always("Leave the name out, and say what happened at that step and what made it possible."),
        ),
        _Rule(
            Kind.BLAME,
            re.compile(
                loose.format(
                    r"\b(?:caused|broken|introduced|deleted|misconfigured|mistake|error|fault|overlooked|forgotten) "
                    r"(?:by|of) "
                )
                + name
                + r"\b"
            ),
            _always("Leave the name out, and say what happened at that step and what made it possible."),
        ),
    )
