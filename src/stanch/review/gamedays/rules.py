"""How a game day is scored. Pure: the incident's events, when the first fault began, and `now` in; a score out.

detect       first fault -> the incident was declared
acknowledge  declaration -> first acknowledgement by a person
hypothesis   first fault -> the first ranking that puts a right hypothesis first, or a person who confirms one
mitigate     first fault -> the beginning of the watched stretch in which every figure held, else the first plan
             that was seen to help; only what came before the fault was taken back counts
updates      every promised update went out by its time, with half a minute's grace for the way
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from stanch.catalog.gamedays.model import Expectation
from stanch.incidents import events as ev
from stanch.incidents.model import Hypothesis
from stanch.kernel.duration import format_duration
from stanch.kernel.event import Event
from stanch.review.gamedays.model import Mark, Promise, Score, Skill, Standing

# A timer that sends at the promised instant is looked at every second, and a channel takes its time.
GRACE: Final = timedelta(seconds=30)


def score(
    events: Sequence[Event],
    *,
    expect: Expectation,
    began_at: datetime,
    ended_at: datetime | None,
    now: datetime,
    away: Sequence[str] = (),
) -> Score:
    """Return how a game day went whose first fault began at `began_at` and was taken back at `ended_at` (UTC).

    `events` are all of the incident's, in order, empty where none was declared; `away` are people who did not answer
    on purpose.
    """
    known = [(event, ev.typed(event)) for event in events if event.kind in ev.EVENT_TYPES]
    marks = [
        _detected(known, expect, began_at=began_at, now=now),
        _acknowledged(known, expect, now=now),
        *([_reached_another(known, away)] if away else []),
        _explained(known, expect, began_at=began_at, now=now),
        _mitigated(known, expect, began_at=began_at, ended_at=ended_at, now=now),
        _kept(known, expect, now=now),
    ]
    asked = [mark for mark in marks if mark.standing in (Standing.HELD, Standing.MISSED)]
    return Score(marks=tuple(marks), held=sum(mark.standing is Standing.HELD for mark in asked), asked=len(asked))


def promises(known: Sequence[tuple[Event, ev.IncidentEvent]]) -> tuple[Promise, ...]:
    """Return every update that was promised, in order, with when the next message to its audience went out.

    The end of the incident keeps every promise that is due later; what it promised itself counts for nothing.
    """
    messages = [(event, record) for event, record in known if isinstance(record, ev.MessageOwed)]
    over = [event.recorded_at for event, record in known if isinstance(record, ev.Resolved | ev.Dismissed)]
    found: dict[tuple[str, datetime], Promise] = {}
    for event, record in messages:
        due_at = record.next_update_at
        key = (record.audience, due_at) if due_at is not None else None
        if due_at is None or key is None or key in found:
            continue
        later = [
            other.recorded_at
            for other, sent in messages
            if sent.audience == record.audience and other.recorded_at > event.recorded_at
        ]
        sent_at = min([*later, *(at for at in over if at > event.recorded_at)], default=None)
        found[key] = Promise(audience=record.audience, due_at=due_at, sent_at=sent_at, seq=event.seq)
    return tuple(found.values())


_Known = Sequence[tuple[Event, ev.IncidentEvent]]


def _detected(known: _Known, expect: Expectation, *, began_at: datetime, now: datetime) -> Mark:
    found = next((event for event, record in known if isinstance(record, ev.Declared)), None)
    return _timed(
        Skill.DETECT,
        since=began_at,
        found=(found.recorded_at, found.seq) if found else None,
        limit_s=expect.detect_s,
        now=now,
        done="declared {took} after the first fault",
        missing="no incident was declared",
    )


def _acknowledged(known: _Known, expect: Expectation, *, now: datetime) -> Mark:
    declared = next((event for event, record in known if isinstance(record, ev.Declared)), None)
    if declared is None:
        return _nothing_to_do(Skill.ACKNOWLEDGE, expect.acknowledge_s, "there was no incident to acknowledge")
    found = _first_yes(known)
    return _timed(
        Skill.ACKNOWLEDGE,
        since=declared.recorded_at,
        found=(found.recorded_at, found.seq) if found else None,
        limit_s=expect.acknowledge_s,
        now=now,
        done=f"acknowledged by {found.actor.label if found else ''} {{took}} after the declaration",
        missing="nobody acknowledged it",
    )


def _reached_another(known: _Known, away: Sequence[str]) -> Mark:
    found = _first_yes(known)
    absent = ", ".join(away)
    if found is None:
        return Mark(
            skill=Skill.SOMEBODY_ELSE, standing=Standing.OPEN, words=f"{absent} is away; nobody else has answered yet"
        )
    missed = found.actor.id in away
    words = f"answered by {found.actor.label}, who was to be away" if missed else f"reached {found.actor.label}"
    standing = Standing.MISSED if missed else Standing.HELD
    return Mark(skill=Skill.SOMEBODY_ELSE, standing=standing, words=f"{absent} away: {words}", seq=found.seq)


def _first_yes(known: _Known) -> Event | None:
    return next((event for event, one in known if isinstance(one, ev.Acknowledged) and event.actor.is_person), None)


def _explained(known: _Known, expect: Expectation, *, began_at: datetime, now: datetime) -> Mark:
    if not expect.kinds:
        words = "the scenario does not say which hypothesis is right"
        return Mark(skill=Skill.HYPOTHESIS, standing=Standing.NOT_ASKED, words=words)
    found, title = _first_right(known, expect)
    return _timed(
        Skill.HYPOTHESIS,
        since=began_at,
        found=(found.recorded_at, found.seq) if found else None,
        limit_s=expect.hypothesis_s,
        now=now,
        done=f'"{title}" came first {{took}} after the first fault',
        missing=f"no hypothesis of kind {' or '.join(expect.kinds)} came first",
    )


def _first_right(known: _Known, expect: Expectation) -> tuple[Event | None, str]:
    """Return the event that first put a right hypothesis first, and the hypothesis' title."""
    seen: dict[str, tuple[str, str, str, str]] = {}
    for event, record in known:
        match record:
            case ev.HypothesesRanked(hypotheses=ranked, known=is_known):
                seen.update({one.id: _place(one) for one in ranked})
                if is_known and ranked and _is_right(_place(ranked[0]), expect):
                    return event, ranked[0].title
            case ev.HypothesisAdded():
                seen[record.hypothesis] = (record.cause, record.service, record.target, record.title)
            case ev.HypothesisConfirmed() if record.hypothesis in seen and _is_right(seen[record.hypothesis], expect):
                return event, record.title
            case _:
                pass
    return None, ""


def _place(one: Hypothesis) -> tuple[str, str, str, str]:
    return (one.kind, one.service, one.target, one.title)


def _is_right(place: tuple[str, str, str, str], expect: Expectation) -> bool:
    kind, service, target, _ = place
    return kind in expect.kinds and (not expect.about or service in expect.about or target in expect.about)


def _mitigated(
    known: _Known, expect: Expectation, *, began_at: datetime, ended_at: datetime | None, now: datetime
) -> Mark:
    if not any(isinstance(record, ev.Declared) for _, record in known):
        return _nothing_to_do(Skill.MITIGATE, expect.mitigate_s, "there was no incident to mitigate")
    watched: tuple[datetime, int] | None = None
    helped: tuple[datetime, int] | None = None
    for event, record in known:
        match record:
            case ev.VerificationPassed(window_s=window_s):
                watched = (event.at - timedelta(seconds=window_s), event.seq)
            case ev.EffectChecked(verdict="helped"):
                helped = helped or (event.at, event.seq)
            case ev.VerificationRelapsed():
                watched = None
            case ev.Reopened():
                watched, helped = None, None
            case _:
                pass
    found = watched or helped
    if found and ended_at is not None and found[0] > ended_at and expect.mitigate_s:
        words = "the harm ended only when the game day took the fault back"
        return Mark(
            skill=Skill.MITIGATE, standing=Standing.MISSED, words=words, limit_s=expect.mitigate_s, seq=found[1]
        )
    return _timed(
        Skill.MITIGATE,
        since=began_at,
        found=found,
        limit_s=expect.mitigate_s,
        now=now,
        # What nobody mitigated before the fault was taken back nobody can any more.
        until=ended_at,
        done="the harm was over {took} after the first fault",
        missing="nothing was seen to end the harm while the fault lasted",
    )


def _kept(known: _Known, expect: Expectation, *, now: datetime) -> Mark:
    if not expect.updates:
        return Mark(skill=Skill.UPDATES, standing=Standing.NOT_ASKED, words="promised updates are not looked at")
    told = promises(known)
    missed = [event for event, record in known if isinstance(record, ev.UpdateMissed)]
    late = [one for one in told if (one.sent_at or now) > one.due_at + GRACE]
    waiting = [one for one in told if one.sent_at is None and one not in late]
    if late or missed:
        first = late[0].seq if late else missed[0].seq
        count = max(len(late), len(missed))
        noun = "update was" if count == 1 else "updates were"
        words = f"{count} promised {noun} late or never came, of {len(told)}"
        return Mark(skill=Skill.UPDATES, standing=Standing.MISSED, words=words, seq=first)
    if not told:
        return Mark(skill=Skill.UPDATES, standing=Standing.NOT_ASKED, words="no update was promised to anybody")
    words = f"{len(told) - len(waiting)} of {len(told)} promised updates came in time"
    if waiting:
        return Mark(skill=Skill.UPDATES, standing=Standing.OPEN, words=f"{words}, the next is not due yet")
    return Mark(skill=Skill.UPDATES, standing=Standing.HELD, words=words, seq=told[-1].seq)


def _timed(
    skill: Skill,
    *,
    since: datetime,
    found: tuple[datetime, int] | None,
    limit_s: float,
    now: datetime,
    done: str,
    missing: str,
    until: datetime | None = None,
) -> Mark:
    took_s = max(0.0, (found[0] - since).total_seconds()) if found else None
    words = missing if took_s is None else done.format(took=format_duration(timedelta(seconds=took_s)))
    seq = found[1] if found else 0
    if not limit_s:
        return Mark(skill=skill, standing=Standing.NOT_ASKED, words=words, seconds=took_s, seq=seq)
    if took_s is not None:
        standing = Standing.HELD if took_s <= limit_s else Standing.MISSED
    else:
        gone_s = (min(now, until) if until else now) - since
        is_open = gone_s.total_seconds() <= limit_s and until is None
        standing = Standing.OPEN if is_open else Standing.MISSED
    return Mark(skill=skill, standing=standing, words=words, seconds=took_s, limit_s=limit_s, seq=seq)


def _nothing_to_do(skill: Skill, limit_s: float, words: str) -> Mark:
    # What was never declared is missed once, where it was to be detected.
    return Mark(skill=skill, standing=Standing.NOT_ASKED, words=words, limit_s=limit_s)


TITLES: Final[Mapping[Skill, str]] = {
    Skill.DETECT: "Detected",
    Skill.ACKNOWLEDGE: "Acknowledged",
    Skill.SOMEBODY_ELSE: "Reached somebody else",
    Skill.HYPOTHESIS: "First right hypothesis",
    Skill.MITIGATE: "Mitigated",
    Skill.UPDATES: "Updates as promised",
}
