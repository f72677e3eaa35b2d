"""What may be hit, what happens when, and in which order everything is taken back."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.catalog.gamedays.model import Act, GameStep, Scenario
from stanch.gameday.chaos.model import Deed, Line, Note
from stanch.gameday.chaos.rules import chosen, moments, pending, story_of, taken
from stanch.kernel.errors import Refused

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def scenario(*steps: GameStep, within_s: float = 60.0) -> Scenario:
    """Return a scenario of steps."""
    return Scenario(name="test", title="A test", steps=steps, within_s=within_s, most_targets=20)


@st.composite
def journals(draw: st.DrawFn) -> list[Line]:
    """Give a journal of a player that was stopped anywhere: some deeds were done, some were taken back."""
    count = draw(st.integers(min_value=0, max_value=8))
    lines = []
    for step in range(count):
        deed = Deed(step=step, target=draw(st.sampled_from(("a", "b"))), words="", instances=(f"i{step}",))
        lines.append(Line(note=Note.MEANT, at=NOON, step=step, deed=deed))
        if step < count - 1 or draw(st.booleans()):
            lines.append(Line(note=Note.DONE, at=NOON, step=step))
        if draw(st.booleans()):
            back = draw(st.integers(min_value=0, max_value=step))
            lines.append(Line(note=draw(st.sampled_from((Note.UNDONE, Note.STUCK))), at=NOON, step=back))
    return lines


@given(journals())
def test_what_is_left_is_taken_back_in_reverse_order(lines: list[Line]) -> None:
    """Wherever the player was stopped: the newest first, all that was meant and not taken back, nothing else."""
    meant = [line.step for line in lines if line.note is Note.MEANT]
    undone = {line.step for line in lines if line.note is Note.UNDONE}

    assert [step for step in reversed(meant) if step not in undone] == [
        one.deed.step for one in pending(story_of(lines))
    ]


@given(journals())
def test_what_is_pending_is_what_is_hit(lines: list[Line]) -> None:
    """An instance counts as hit for as long as it is not taken back."""
    story = story_of(lines)

    assert {name for one in pending(story) for name in one.deed.instances} == taken(story, target="a") | taken(
        story, target="b"
    )


@given(
    count=st.integers(min_value=1, max_value=40),
    share=st.floats(min_value=0, max_value=1),
    most=st.floats(min_value=0, max_value=1),
    hit=st.integers(min_value=0, max_value=40),
)
def test_never_more_than_allowed_are_hit(count: int, share: float, most: float, hit: int) -> None:
    """With those that are hit already at most `most_share` are; else nothing is."""
    names = [f"i{number}" for number in range(count)]
    before = names[:hit]
    try:
        found = chosen(names, target="t", share=share, most_share=most, taken=before)
    except Refused:
        found = ()

    assert (True, False) == (
        not found or len(before) + len(found) <= math.floor(count * most + 1e-6),
        bool(set(found) & set(before)),
    )


@pytest.mark.parametrize(
    ("count", "share", "most", "expected"),
    [
        (3, 0.0, 0.5, 1),  # none said: one, and half of three is one
        (10, 0.7, 0.7, 7),  # 10 * 0.7
        (4, 0.3, 1.0, 1),  # 4 * 0.3 = 1.2
        (1, 0.0, 1.0, 1),
    ],
)
def test_a_share_is_rounded_down(count: int, share: float, most: float, expected: int) -> None:
    """But at least one is hit."""
    names = [f"i{number}" for number in range(count)]

    assert expected == len(chosen(names, target="t", share=share, most_share=most))


@pytest.mark.parametrize(("names", "reason"), [([], "no_instance"), (["only"], "blast_radius")])
def test_the_only_one_is_not_hit_unless_said(names: list[str], reason: str) -> None:
    """Half of one is none."""
    with pytest.raises(Refused) as refused:
        chosen(names, target="t", share=0, most_share=0.5)

    assert reason == refused.value.reason


def test_moments_stand_in_order() -> None:
    """What ends at the moment at which something begins is taken back before; what ends with the end is left to it."""
    found = moments(
        scenario(
            GameStep(do=Act.PAUSE, target="a", at_s=0, for_s=10),
            GameStep(do=Act.PAUSE, target="b", at_s=5, for_s=5),
            GameStep(do=Act.KILL, target="c", at_s=10),
            GameStep(do=Act.KILL, target="d", at_s=20, for_s=100),
        )
    )

    assert [(0, 0, False), (5, 1, False), (10, 1, True), (10, 0, True), (10, 2, False), (20, 3, False)] == [
        (one.at_s, one.step, one.back) for one in found
    ]
