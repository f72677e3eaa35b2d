"""What a model is given to read: an incident's facts, findings and entries, each with the word it is cited by. Pure.

Everything in it is from outside, or may be: it goes as one JSON value, without secrets, mail addresses and what people
do not see, each text and the whole of bounded length. The same log always makes the same material, so that its digest
says whether a question was asked before.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from stanch.incidents import events as ev
from stanch.incidents.recorded.thinking import Claim
from stanch.incidents.state import IncidentState
from stanch.incidents.telling import tell
from stanch.kernel.event import JSON, Event
from stanch.kernel.redaction import redact, without_emails
from stanch.kernel.untrusted import cut, seen
from stanch.ports.evidence import Finding, FindingStatus

LONGEST_TEXT: Final = 600
_LONGEST_READ: Final = 20_000
"""Letters of one text that are looked at: redaction comes before the cut, so that no half of a secret is left."""
_MARK: Final = re.compile(r"\[redacted:([a-z-]{1,30})\]")
_ROUND: Final = re.compile(r"f([0-9]{1,6})-")
# The model's own words, what came of them, and what is told of them: else every answer would make the next another.
_NOT_TOLD: Final = (
    ev.ThoughtAsked,
    ev.ThoughtSent,
    ev.ThoughtEnded,
    ev.HypothesesRanked,
    ev.HypothesisAdded,
    ev.FindingRecorded,
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Something that can be cited: the text that stands in the material, and whether it saw anything."""

    text: str
    saw: bool


@dataclass(frozen=True, kw_only=True)
class Material:
    """The text that leaves, what it lets cite, what was taken out of it by kind, and how many entries had no room."""

    text: str
    sources: Mapping[str, Source]
    facts: str
    redacted: dict[str, int]
    left_out: int


def material_of(state: IncidentState, events: Sequence[Event], *, most: int, claims: Sequence[Claim] = ()) -> Material:
    """Return the material of an incident in at most about `most` characters: findings first, then the newest entries.

    `claims` are hypotheses that a second pass looks at, numbered from 1.
    """
    facts = _facts(state)
    found = [*_findings(_newest(state)), *_entries(reversed(events))]
    kept: list[tuple[str, dict[str, JSON], bool]] = []
    room = most - len(_written(facts))
    left_out = 0
    for cite, one, saw in found:
        size = len(_written(one)) + 1
        if size > room:
            left_out += 1
            continue
        room -= size
        kept.append((cite, one, saw))
    findings = [one for cite, one, _ in kept if not cite.startswith("e-")]
    entries = [one for cite, one, _ in reversed(kept) if cite.startswith("e-")]
    whole: dict[str, JSON] = {"incident": facts, "findings": list(findings), "entries": list(entries)}
    if claims:
        whole["hypotheses"] = [_claim(place, one) for place, one in enumerate(claims, start=1)]
    text = _written(whole)
    return Material(
        text=text,
        sources={cite: Source(text=_written(one), saw=saw) for cite, one, saw in kept},
        facts=_written(facts),
        redacted=dict(sorted(Counter(_MARK.findall(text)).items())),
        left_out=left_out,
    )


def digest_of(*parts: str) -> str:
    """Return the SHA-256 over everything that decides what is asked, in hexadecimal digits."""
    hashed = hashlib.sha256()
    for one in parts:
        hashed.update(len(one).to_bytes(8, "big") + one.encode())
    return hashed.hexdigest()


def safe(text: str, *, most: int = LONGEST_TEXT) -> str:
    """Return a text as it may leave or be shown: in one line, without secrets, addresses and what is not seen."""
    return cut(without_emails(redact(seen(text[:_LONGEST_READ]))), most=most)


def _facts(state: IncidentState) -> dict[str, JSON]:
    impact = state.impact
    return {
        "key": state.key,
        "title": safe(state.title),
        "summary": safe(state.summary),
        "reported": safe(state.text),
        "severity": state.ruling.severity.label,
        "status": state.status.value,
        "services": [safe(one, most=100) for one in state.services],
        "began": _at(state.started_at),
        "error_ratio": impact.error_ratio if impact else None,
        "normal_error_ratio": impact.normal_error_ratio if impact else None,
        "failed_requests": impact.failed_requests if impact else None,
    }


def _newest(state: IncidentState) -> list[Finding]:
    """Return the findings of the newest round, and of tests, which a page shows; older rounds looked at the same."""
    rounds = ((one, _ROUND.match(one.id)) for one in state.findings.values())
    return [one for one, found in rounds if found is None or int(found[1]) == state.round]


def _findings(findings: Iterable[Finding]) -> Iterator[tuple[str, dict[str, JSON], bool]]:
    """Yield findings that saw something before those that did not, the newest first."""
    newest = list(findings)[::-1]
    for one in sorted(newest, key=lambda one: one.status is not FindingStatus.OK):
        told: dict[str, JSON] = {
            "cite": one.id,
            "source": safe(one.collector, most=100),
            "status": one.status.value,
            "says": safe(one.summary),
        }
        yield one.id, told, one.status is FindingStatus.OK


def _entries(events: Iterable[Event]) -> Iterator[tuple[str, dict[str, JSON], bool]]:
    for event in events:
        if event.kind not in ev.EVENT_TYPES:
            continue
        record = ev.typed(event)
        if isinstance(record, _NOT_TOLD):
            continue
        telling = tell(record)
        if not telling.major:
            continue
        cite = f"e-{event.seq}"
        says = safe(f"{telling.title}. {telling.text}" if telling.text else telling.title)
        yield cite, {"cite": cite, "at": _at(event.at), "by": event.actor.kind.value, "says": says}, True


def _claim(place: int, claim: Claim) -> JSON:
    return {"number": place, "title": safe(claim.title), "reason": safe(claim.reason), "cites": list(claim.cites)}


def _at(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _written(value: JSON | dict[str, JSON]) -> str:
    return msgspec.json.encode(value).decode()
