"""A game day is scored from the log alone: what came in time, what came late, what never came."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from stanch.catalog.gamedays.model import Expectation
from stanch.incidents import events as ev
from stanch.incidents.model import Hypothesis
from stanch.kernel.actor import SYSTEM, Actor, Via, person
from stanch.kernel.codec import to_data
from stanch.kernel.event import Event
from stanch.review.gamedays.model import Mark, Score, Skill, Standing
from stanch.review.gamedays.rules import score
from stanch.review.gamedays.telling import markdown, to_do
from tests.incidents.lives import DECLARED

BEGAN = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)
ALICE, BOB = person("alice", name="Alice"), person("bob", name="Bob")
RIGHT = Hypothesis(id="slow", kind="dependency_slow", title="Slow: acquirer", score=0.9, target="acquirer")
WRONG = Hypothesis(id="deploy", kind="bad_deploy", title="Bad deploy", score=0.9, service="payments")
EXPECT = Expectation(
    kinds=("dependency_slow",), about=("acquirer",), detect_s=60, acknowledge_s=120, hypothesis_s=300, mitigate_s=600
)

Said = tuple[float, ev.IncidentEvent, Actor]


def at(second: float, record: ev.IncidentEvent, by: Actor = SYSTEM) -> Said:
    """Return what was recorded so many seconds after the first fault."""
    return (second, record, by)


def log(*said: Said) -> list[Event]:
    """Return an incident's log."""
    numbers = count(1)
    return [
        Event(
            seq=(number := next(numbers)),
            stream="incident/7",
            version=number,
            kind=record.kind,
            at=BEGAN + timedelta(seconds=second),
            recorded_at=BEGAN + timedelta(seconds=second),
            actor=by,
            via=Via.ENGINE,
            cause=None,
            incident=7,
            data=to_data(record),
        )
        for second, record, by in said
    ]


def ranked(*hypotheses: Hypothesis, known: bool = True) -> ev.HypothesesRanked:
    """Return a ranking."""
    return ev.HypothesesRanked(round=1, hypotheses=hypotheses, known=known, verdict="")


def owed(*, next_s: float | None, audience: str = "responders") -> ev.MessageOwed:
    """Return a message that promises the next for so many seconds after the first fault."""
    due = None if next_s is None else BEGAN + timedelta(seconds=next_s)
    return ev.MessageOwed(
        delivery="d", channel="room", audience=audience, purpose="update", text="", next_update_at=due
    )


def scored(
    *said: Said, now_s: float, ended_s: float | None = None, away: Sequence[str] = (), expect: Expectation = EXPECT
) -> Score:
    """Return the score as it is so many seconds after the first fault."""
    return score(
        log(*said),
        expect=expect,
        began_at=BEGAN,
        ended_at=None if ended_s is None else BEGAN + timedelta(seconds=ended_s),
        now=BEGAN + timedelta(seconds=now_s),
        away=away,
    )


def mark(found: Score, skill: Skill) -> Mark:
    """Return one mark."""
    return next(one for one in found.marks if one.skill is skill)


RESOLVED = ev.Resolved(cause="", mitigation="", duration_s=0)
GOOD = (
    at(10, DECLARED),
    at(10, owed(next_s=310)),
    at(30, ranked(WRONG)),
    at(40, ev.Acknowledged(), ALICE),
    at(50, ranked(RIGHT, known=False)),
    at(90, ranked(RIGHT, WRONG)),
    at(300, owed(next_s=910)),
    at(500, ev.VerificationPassed(window_s=100, summary="")),
    at(520, RESOLVED, ALICE),
)


def test_a_good_one_holds_everything() -> None:
    """Each length is counted from where it is defined; a ranking that is not known is none."""
    found = scored(*GOOD, now_s=600, ended_s=550)

    assert (
        5,
        5,
        [
            (Skill.DETECT, 10.0),
            (Skill.ACKNOWLEDGE, 30.0),  # 40 - 10
            (Skill.HYPOTHESIS, 90.0),
            (Skill.MITIGATE, 400.0),  # 500 - 100, the beginning of the watched stretch
            (Skill.UPDATES, None),
        ],
    ) == (found.held, found.asked, [(one.skill, one.seconds) for one in found.marks])


def test_nothing_at_all_is_missed_once() -> None:
    """Where nothing was declared nobody could acknowledge or mitigate."""
    found = scored(now_s=700, ended_s=650)

    assert (0, 2, [Skill.DETECT, Skill.HYPOTHESIS]) == (found.held, found.asked, [one.skill for one in found.missed])


@pytest.mark.parametrize(("now_s", "expected"), [(60, Standing.OPEN), (61, Standing.MISSED)])
def test_what_has_time_is_open(now_s: float, expected: Standing) -> None:
    """Until its limit, the limit included."""
    assert expected is mark(scored(now_s=now_s), Skill.DETECT).standing


def test_an_acknowledgement_by_no_person_is_none() -> None:
    """Somebody has to be reached."""
    found = scored(at(10, DECLARED), at(20, ev.Acknowledged(), SYSTEM), now_s=700)

    assert Standing.MISSED is mark(found, Skill.ACKNOWLEDGE).standing


def test_a_person_who_confirms_the_cause_has_it() -> None:
    """Whatever the ranking says."""
    confirmed = ev.HypothesisConfirmed(hypothesis="slow", title="Slow: acquirer", reason="seen")
    found = scored(at(10, DECLARED), at(20, ranked(WRONG, RIGHT)), at(200, confirmed, ALICE), now_s=700)

    assert (Standing.HELD, 200.0) == (
        mark(found, Skill.HYPOTHESIS).standing,
        mark(found, Skill.HYPOTHESIS).seconds,
    )


def test_the_right_kind_at_another_place_is_wrong() -> None:
    """It must name what the scenario says."""
    elsewhere = Hypothesis(id="x", kind="dependency_slow", title="Slow: search", score=0.9, target="search")

    assert (
        Standing.MISSED
        is mark(scored(at(10, DECLARED), at(20, ranked(elsewhere)), now_s=400), Skill.HYPOTHESIS).standing
    )


def test_harm_that_ends_with_the_game_day_was_not_mitigated() -> None:
    """The fault was taken back at 300 s, and all figures held only from 400 s on."""
    found = scored(*GOOD, now_s=600, ended_s=300)

    assert Standing.MISSED is mark(found, Skill.MITIGATE).standing


def test_a_relapse_takes_the_watched_stretch_back() -> None:
    """What helped before it counts for as long as nobody reopens."""
    found = scored(
        at(10, DECLARED),
        at(100, ev.EffectChecked(plan="p", verdict="helped", summary="")),
        at(200, ev.VerificationPassed(window_s=50, summary="")),
        at(210, ev.VerificationRelapsed(check="checkout", summary="")),
        now_s=400,
    )

    assert 100.0 == mark(found, Skill.MITIGATE).seconds


@pytest.mark.parametrize(
    ("sent_s", "now_s", "expected"),
    [
        (330, 400, Standing.OPEN),  # promised for 310, with 30 s for the way; it promised another
        (350, 400, Standing.MISSED),
        (None, 330, Standing.OPEN),
        (None, 341, Standing.MISSED),
    ],
)
def test_a_promise_is_kept_or_broken(sent_s: float | None, now_s: float, expected: Standing) -> None:
    """By the next message to the same audience."""
    later = [at(sent_s, owed(next_s=900))] if sent_s else []
    found = scored(at(10, DECLARED), at(10, owed(next_s=310)), *later, now_s=now_s, ended_s=None)

    assert expected is mark(found, Skill.UPDATES).standing


def test_another_audience_keeps_no_promise() -> None:
    """Who was promised something hears of it."""
    other = at(300, owed(next_s=None, audience="public"))

    assert (
        Standing.MISSED
        is mark(scored(at(10, DECLARED), at(10, owed(next_s=310)), other, now_s=400), Skill.UPDATES).standing
    )


@pytest.mark.parametrize(("who", "expected"), [(ALICE, Standing.MISSED), (BOB, Standing.HELD)])
def test_somebody_else_is_reached(who: Actor, expected: Standing) -> None:
    """Whoever is away does not answer."""
    found = scored(at(10, DECLARED), at(20, ev.Acknowledged(), who), now_s=30, away=("alice",))

    assert expected is mark(found, Skill.SOMEBODY_ELSE).standing


def test_what_was_missed_is_to_be_done() -> None:
    """With the limit and what happened instead."""
    (missed, _) = scored(now_s=700, ended_s=650).missed

    assert (
        'Detect it in time (within 1m): in the game day "A pause" no incident was declared',
        "detect",
    ) == to_do(missed, title="A pause")


def test_the_report_links_to_the_log() -> None:
    """Every line with the event that it rests on."""
    text = markdown(
        scored(*GOOD, now_s=600, ended_s=550),
        number=3,
        title="A pause",
        began_at=BEGAN,
        ended_at=BEGAN + timedelta(seconds=550),
        incident=7,
        url="http://s",
        steps=("14:00:00: pause payments",),
        player="Alice",
    )

    assert (
        "| First right hypothesis | held | 1m 30s | 5m |"
        ' ["Slow: acquirer" came first 1m 30s after the first fault](http://s/i/7#e-6) |'
    ) in text.splitlines()
