"""Clues about calls from one service to another: slow, failing, explained by the far end, or lost on the way."""

from typing import Final

from stanch.diagnose.clues.clue import Clue, findings_of, of_fact
from stanch.diagnose.model import Candidate, Fact, Sighting
from stanch.diagnose.origin import explained_share, troubles
from stanch.diagnose.phrases import CALL_FAMILIES, Family, family_of, names
from stanch.diagnose.picture import Picture
from stanch.diagnose.wording import compared
from stanch.kernel.percentage import percent

_MINOR: Final = 0.1
_INSIDE: Final = ("error_ratio", "latency_p95_ms")
_OWN: Final = (*_INSIDE, "up", "restarts", "error_group", "request_rate")
_PAGE_STRENGTH: Final = {"minor": 0.5, "major": 1.0, "critical": 1.0, "maintenance": 0.3}


def _slow(picture: Picture, candidate: Candidate) -> Sighting | None:
    return of_fact(picture.one("dependency_latency_p95_ms", candidate.service, candidate.target))


def _failing(picture: Picture, candidate: Candidate) -> Sighting | None:
    fact = picture.one("dependency_error_ratio", candidate.service, candidate.target)
    if fact is None:
        return None
    # Half of the calls failing is as clear as all of them; a few in a hundred less so.
    return of_fact(fact, strength=min(1.0, 0.3 + 1.4 * fact.excess) if fact.raised else 1.0)


def _explains(picture: Picture, candidate: Candidate) -> Sighting | None:
    wrong = troubles(picture)
    trouble = wrong.get(candidate.service)
    if trouble is None or not (trouble.errors or trouble.slow_ms or trouble.logged):
        return None
    share, by = explained_share(picture, candidate.service, wrong)
    holds = share >= 0.5 and by == candidate.target
    cited = findings_of(
        list(trouble.facts) + picture.of("dependency_latency_p95_ms", candidate.service, candidate.target)
    )
    return Sighting(holds=holds, findings=cited, words={"share": percent(share if by == candidate.target else 0.0)})


def _minor(picture: Picture, candidate: Candidate) -> Sighting | None:
    """What is wrong with the caller is a tenth of what is wrong elsewhere: calls creep under load that hurts others."""
    wrong = troubles(picture)
    trouble = wrong.get(candidate.service)
    worst = max(wrong.values(), key=lambda each: each.excess, default=None)
    if trouble is None or worst is None:
        return None
    cited = findings_of([*trouble.facts, *worst.facts])
    words = {"worst": worst.service, "part": percent(trouble.excess / worst.excess if worst.excess else 1.0)}
    return Sighting(holds=trouble.excess < _MINOR * worst.excess, findings=cited, words=words)


def _probe(picture: Picture, candidate: Candidate) -> Sighting | None:
    down = picture.raised("dependency_up", key=candidate.target) or picture.raised("dns_ok", key=candidate.target)
    found = down or picture.one("dependency_up", key=candidate.target)
    return of_fact(found)


def _status_page(picture: Picture, candidate: Candidate) -> Sighting | None:
    fact = picture.one("status_page", key=candidate.target)
    return of_fact(fact, strength=_PAGE_STRENGTH.get(fact.signal.text, 1.0)) if fact is not None else None


def _external(picture: Picture, candidate: Candidate) -> Sighting | None:
    return Sighting(holds=candidate.target in picture.graph.external)


def _not_looked_into(picture: Picture, candidate: Candidate) -> Sighting | None:
    """A service of ours that nobody measures inside: that its callers see it fail is the symptom and not the cause."""
    target = candidate.target
    if target not in picture.graph.depends_on or target in picture.graph.external:
        return None
    inside = [fact for fact in picture.facts if fact.service == target and fact.signal.name in _OWN]
    return Sighting(holds=not inside, findings=findings_of(inside[:1]))


def _healthy_inside(picture: Picture, candidate: Candidate) -> Sighting | None:
    """The far end sees nothing wrong while its caller does: the sign of a network fault."""
    inside = [fact for name in _INSIDE for fact in picture.of(name, candidate.target)]
    edge = [fact for fact in _edges(picture, candidate) if fact.raised]
    if not inside or not edge:
        return None
    raised = [fact for fact in inside if fact.raised]
    shown = (raised or inside)[0]
    return Sighting(
        holds=not raised,
        findings=findings_of([shown, edge[0]]),
        words={"inside": compared(shown.signal), "outside": compared(edge[0].signal)},
    )


def _errors_name_target(picture: Picture, candidate: Candidate) -> Sighting | None:
    groups = [fact for fact in picture.of("error_group", candidate.service) if fact.raised]
    if not groups:
        return None
    named = [fact for fact in groups if names(fact.signal.text, candidate.target)]
    shown = (named or groups)[0]
    share = sum(fact.value for fact in named) / max(1.0, sum(fact.value for fact in groups))
    if share < 0.5 and family_of(shown.signal.text) in CALL_FAMILIES:
        return None  # an error of a call that does not say whom it was about may well be about the target
    words = {"error": shown.signal.text, "count": f"{shown.value:,.0f}"}
    return Sighting(holds=share >= 0.5, findings=(shown.finding,), words=words)


def _refused(picture: Picture, candidate: Candidate) -> Sighting | None:
    return _family(picture, candidate, frozenset({Family.REFUSED, Family.DNS}))


def _timeouts(picture: Picture, candidate: Candidate) -> Sighting | None:
    return _family(picture, candidate, frozenset({Family.TIMEOUT}))


def _broken(picture: Picture, candidate: Candidate) -> Sighting | None:
    return _family(picture, candidate, frozenset({Family.RESET, Family.DNS}))


def _tls_text(picture: Picture, candidate: Candidate) -> Sighting | None:
    groups = [fact for fact in picture.of("error_group", candidate.service) if fact.raised]
    hit = next((fact for fact in groups if family_of(fact.signal.text) is Family.TLS), None)
    return _worded(hit or groups[0], holds=hit is not None) if groups else None


def _tls_expired(picture: Picture, candidate: Candidate) -> Sighting | None:
    expired = picture.raised("tls_expires_s", key=candidate.target)
    if expired is not None:
        return of_fact(expired)
    calm = picture.of("tls_expires_s", key=candidate.target)
    return of_fact(calm[0]) if calm else None


def _family(picture: Picture, candidate: Candidate, families: frozenset[Family]) -> Sighting | None:
    """Look among the errors about calls for one family; errors about other things do not tell."""
    groups = [
        fact
        for fact in picture.of("error_group", candidate.service)
        if fact.raised and (names(fact.signal.text, candidate.target) or family_of(fact.signal.text) in CALL_FAMILIES)
    ]
    if not groups:
        return None
    hit = next((fact for fact in groups if family_of(fact.signal.text) in families), None)
    return _worded(hit or groups[0], holds=hit is not None)


def _worded(fact: Fact, *, holds: bool) -> Sighting:
    words = {"error": fact.signal.text, "count": f"{fact.value:,.0f}"}
    return Sighting(holds=holds, findings=(fact.finding,), words=words)


def _edges(picture: Picture, candidate: Candidate) -> list[Fact]:
    service, target = candidate.service, candidate.target
    return [
        *picture.of("dependency_error_ratio", service, target),
        *picture.of("dependency_latency_p95_ms", service, target),
    ]


CLUES: Final = (
    Clue(
        name="call_slow",
        look=_slow,
        says="calls of {service} to {target}: {reading}",
        denies="calls of {service} to {target} are as fast as ever: {reading}",
        test="Time a call to {target}",
    ),
    Clue(
        name="call_failing",
        look=_failing,
        says="calls of {service} to {target} fail: {reading}",
        denies="calls of {service} to {target} do not fail more than usual: {reading}",
        test="Count the failing calls of {service} to {target}",
    ),
    Clue(
        name="call_explains",
        look=_explains,
        says="{target} explains {share} of what is wrong with {service}",
        denies="{target} explains only {share} of what is wrong with {service}",
    ),
    Clue(
        name="minor_trouble",
        look=_minor,
        says="what is wrong with {service} is {part} of what is wrong with {worst}",
        denies="{service} is in as much trouble as any: {part} of {worst}'s",
    ),
    Clue(
        name="target_down",
        look=_probe,
        says="{target} does not answer from here: {text}",
        denies="{target} answers from here: {text}",
        test="Ask {target} for its health from here",
    ),
    Clue(
        name="target_says_so",
        look=_status_page,
        says="the status page of {target} reports trouble: {text}",
        denies="the status page of {target} reports nothing ({text})",
        test="Read the status page of {target}",
    ),
    Clue(
        name="target_external",
        look=_external,
        says="{target} is somebody else's",
        denies="{target} is our own",
    ),
    Clue(
        name="target_not_looked_into",
        look=_not_looked_into,
        says="{target} is our own and nothing is known of its inside: why it is so lies there",
        denies="{target} is our own and was looked into",
    ),
    Clue(
        name="target_healthy_inside",
        look=_healthy_inside,
        says="{target} itself sees nothing wrong ({inside}), its caller does ({outside})",
        denies="{target} itself is in trouble too: {inside}",
        test="Compare the latency that {service} sees with the one {target} measures itself",
    ),
    Clue(
        name="errors_name_target",
        look=_errors_name_target,
        says="the errors of {service} tell of {target}: {error}, {count} times",
        denies="most errors of {service} tell of something else: {error}, {count} times",
    ),
    Clue(
        name="calls_refused",
        look=_refused,
        says="connections are refused: {error}, {count} times",
        denies="the failing calls are not refused connections: {error}",
    ),
    Clue(
        name="calls_time_out",
        look=_timeouts,
        says="calls run into their time-out: {error}, {count} times",
        denies="the failing calls are no time-outs: {error}",
    ),
    Clue(
        name="calls_break",
        look=_broken,
        says="connections break: {error}, {count} times",
        denies="the failing calls are no broken connections: {error}",
    ),
    Clue(
        name="tls_errors",
        look=_tls_text,
        says="certificates are refused: {error}, {count} times",
        denies="no error tells of certificates",
    ),
    Clue(
        name="tls_expired",
        look=_tls_expired,
        says="the certificate of {target} has expired: {text}",
        denies="the certificate of {target} is valid: {text}",
        test="Look at when the certificate of {target} expires",
    ),
)
