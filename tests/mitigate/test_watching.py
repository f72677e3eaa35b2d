"""Watching a recovery step by step: whatever happens, a stretch with a break or a gap in it never passes."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from stanch.incidents import events as ev
from stanch.incidents.folding import fold
from stanch.incidents.state import IncidentState, Verification
from stanch.kernel.actor import SYSTEM, Via
from stanch.kernel.event import Event
from stanch.mitigate.verification import Band, RecoveryCheck
from stanch.mitigate.watching import (
    LONGEST_GAP,
    Looked,
    Memory,
    Window,
    held_since,
    remembered,
    step,
    to_remember,
    unwatched,
)
from tests.mitigate.situations import NOW, incident

WINDOW_S = 60.0
ERRORS = RecoveryCheck(service="payments", metric="error_ratio", high=0.02)
LATENCY = RecoveryCheck(service="payments", metric="latency_p95_ms", high=80.0)


@dataclass(frozen=True, kw_only=True)
class Tick:
    """One look: so many seconds after the one before, and whether each of the two checks holds; None: nothing seen."""

    after_s: int
    errors: bool | None
    latency: bool | None
    pending: bool = False

    @property
    def failing(self) -> tuple[str, ...]:
        """Return what does not hold."""
        return tuple(name for name in ("errors", "latency") if getattr(self, name) is not True)


ticks = st.lists(
    st.builds(
        Tick,
        after_s=st.one_of(st.integers(1, 5), st.integers(1, 90)),
        errors=st.sampled_from([True] * 12 + [False, None]),
        latency=st.sampled_from([True] * 12 + [False, None]),
        pending=st.sampled_from([False] * 8 + [True]),
    ),
    max_size=80,
)


def folded(state: IncidentState, record: ev.IncidentEvent, at: datetime) -> IncidentState:
    """Return the state after an event, as the log gives it."""
    event = Event(
        seq=state.seq + 1,
        stream=ev.incident_stream(1),
        version=state.version + 1,
        kind=record.kind,
        at=at,
        recorded_at=at,
        actor=SYSTEM,
        via=Via.ENGINE,
        cause=None,
        incident=1,
        data=ev.data_of(record),
    )
    after = fold(state, event)
    assert after is not None
    return after


def watched(story: list[Tick]) -> list[tuple[datetime, Verification | None]]:
    """Return how the verification stood after each look."""
    state, memory, now, found = incident(), Memory(), NOW, []
    for tick in story:
        now += timedelta(seconds=tick.after_s)
        passed = state.verification is not None and state.verification.passed_at is not None
        gap = unwatched(memory, now=now)
        record = step(
            state.verification,
            failing=((gap,) if gap and not passed else ()) + tick.failing,
            pending=("something",) if tick.pending else (),
            checks=("errors", "latency"),
            window=Window(seconds=WINDOW_S),
            now=now,
        )
        if record is not None:
            state = folded(state, record, now)
        memory = replace(memory, looked_at=now)
        found.append((now, state.verification))
    return found


@given(story=ticks)
def test_nothing_passes_with_a_break_or_a_gap_inside_its_window(story: list[Tick]) -> None:
    """When it first counts as verified, each look of the window before held, and none was too far from the next."""
    stands = watched(story)
    for index, (now, verification) in enumerate(stands):
        if verification is None or verification.passed_at != now:
            continue
        inside = [at for at in range(index + 1) if now - stands[at][0] <= timedelta(seconds=WINDOW_S)]
        since = [stands[at][0] for at in inside]
        gaps = [later - earlier for earlier, later in pairwise(since)]

        assert (True, True, True, False) == (
            all(not story[at].failing for at in inside),
            all(gap <= LONGEST_GAP for gap in gaps),
            now - since[0] > timedelta(seconds=WINDOW_S) - LONGEST_GAP,
            story[index].pending,
        )


@given(story=ticks)
def test_what_is_verified_breaks_at_the_first_look_that_does_not_hold(story: list[Tick]) -> None:
    """Verified and failing never stand together."""
    stands = watched(story)

    assert [] == [
        at
        for (at, one), tick in zip(stands, story, strict=True)
        if tick.failing and one is not None and one.passed_at is not None
    ]


@given(story=ticks)
def test_a_whole_window_without_a_break_passes(story: list[Tick]) -> None:
    """Whatever came before: 61 good looks a second apart are a recovery."""
    calm = [Tick(after_s=1, errors=True, latency=True) for _ in range(int(WINDOW_S) + 2)]
    verification = watched([*story, *calm])[-1][1]

    assert verification is not None and verification.passed_at is not None


def test_each_check_has_its_own_since() -> None:
    """A check that breaks off begins anew; the other goes on."""
    memory = Memory(looked_at=NOW, since={ERRORS.key: NOW, LATENCY.key: NOW})
    found = [Looked(check=ERRORS, value=0.5, why="too many"), Looked(check=LATENCY, value=40.0, why="")]
    later = NOW + timedelta(seconds=1)

    assert [None, NOW] == [one.since for one in held_since(found, memory, now=later)]


def test_after_a_gap_every_check_begins_anew() -> None:
    """Nobody knows what it was in between."""
    memory = Memory(looked_at=NOW, since={LATENCY.key: NOW})
    later = NOW + LONGEST_GAP + timedelta(seconds=1)

    assert [later] == [one.since for one in held_since([Looked(check=LATENCY, value=1.0, why="")], memory, now=later)]


def test_what_is_handed_on_comes_back_as_it_was() -> None:
    """The timer keeps it as JSON."""
    memory = Memory(
        looked_at=NOW,
        since={ERRORS.key: NOW},
        onset=NOW,
        bands={("payments", "up"): None, ("payments", "error_ratio"): Band(normal=0.01, high=0.03)},
    )

    assert memory == remembered(to_remember(memory))
