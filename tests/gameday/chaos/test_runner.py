"""A game day on a clock moved by hand: done in time, taken back in reverse, whatever ends it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.catalog.gamedays.model import Act, GameStep, Scenario, Target, TargetKind
from stanch.gameday.chaos.journal import Journal, unfinished
from stanch.gameday.chaos.model import Deed, Line, Note, Story, Undo, UndoKind
from stanch.gameday.chaos.rules import pending
from stanch.gameday.chaos.runner import Runner, take_back
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Unavailable

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
STEPS = (
    GameStep(do=Act.RUN, target="a"),
    GameStep(do=Act.RUN, target="b", at_s=10, for_s=5),
    GameStep(do=Act.RUN, target="c", at_s=20),
)


@dataclass
class Notebook:
    """Hands that only write down what they do, with the second; `breaks` are targets at which they fail."""

    clock: ManualClock
    breaks: tuple[str, ...] = ()
    did: list[tuple[int, str]] = field(default_factory=list)

    def instances(self, target: Target) -> tuple[str, ...]:
        """Return the target itself."""
        return (target.name,)

    def mean(self, number: int, step: GameStep, target: Target, instances: Sequence[str], *, left_s: float) -> Deed:
        """Mean to take it back in two parts."""
        undo = tuple(Undo(kind=UndoKind.RUN, argv=(f"-{target.name}{part}",)) for part in (1, 2))
        return Deed(step=number, target=target.name, words=target.name, instances=tuple(instances), undo=undo)

    def act(self, step: GameStep, target: Target, deed: Deed, *, left_s: float) -> None:
        """Write it down, or fail."""
        if target.name in self.breaks:
            raise Unavailable("it broke", retry=False)
        self._note(f"+{target.name}")

    def undo(self, undo: Undo) -> None:
        """Write it down, or fail."""
        if undo.argv[0] in self.breaks:
            raise Unavailable("it stayed broken", retry=False)
        self._note(undo.argv[0])

    def _note(self, what: str) -> None:
        self.did.append((round((self.clock.now() - NOON).total_seconds()), what))


@dataclass(frozen=True)
class Game:
    """A game day that can be played."""

    clock: ManualClock
    hands: Notebook
    journal: Journal

    def play(self, *, stop: Callable[[], str] = lambda: "") -> Story:
        """Play it; waiting moves the clock."""

        def wait(seconds: float) -> None:
            self.clock.advance(timedelta(seconds=seconds))

        return Runner(
            scenario=Scenario(name="test", title="A test", steps=STEPS, within_s=60, most_targets=3),
            targets={name: Target(name=name, kind=TargetKind.COMMAND) for name in "abc"},
            journal=self.journal,
            hands=self.hands,
            clock=self.clock,
            wait=wait,
            stop=stop,
            narrate=lambda words: None,
        ).play(gameday=7)


@pytest.fixture
def game(tmp_path: Path) -> Game:
    """Give a game day at noon."""
    clock = ManualClock(NOON)
    return Game(clock=clock, hands=Notebook(clock), journal=Journal(tmp_path / "1"))


def test_it_is_done_in_time_and_taken_back_in_reverse(game: Game) -> None:
    """A step with a length ends before the others, its parts in reverse too; the rest ends at the time limit."""
    story = game.play()

    assert (
        "time_over",
        [
            (0, "+a"),
            (10, "+b"),
            (15, "-b2"),
            (15, "-b1"),
            (20, "+c"),
            (60, "-c2"),
            (60, "-c1"),
            (60, "-a2"),
            (60, "-a1"),
        ],
    ) == (story.closed, game.hands.did)


def test_an_abort_takes_back_what_was_done(game: Game) -> None:
    """What had not begun is never done."""

    def stop() -> str:
        if game.clock.now() >= NOON + timedelta(seconds=12):
            game.journal.ask_abort()
        return ""

    story = game.play(stop=stop)

    assert ("aborted", ["+a", "+b", "-b2", "-b1", "-a2", "-a1"]) == (
        story.closed,
        [what for _, what in game.hands.did],
    )


def test_a_step_that_fails_ends_it(game: Game) -> None:
    """What it may have done half is taken back too."""
    game.hands.breaks = ("b",)

    story = game.play()

    assert ("step_failed", ["+a", "-b2", "-b1", "-a2", "-a1"], "it broke") == (
        story.closed,
        [what for _, what in game.hands.did],
        story.deeds[1].problem,
    )


def test_what_cannot_be_taken_back_does_not_stop_the_rest(game: Game) -> None:
    """It stays pending, and is tried again by whoever aborts."""
    game.hands.breaks = ("-c1",)

    story = game.play()
    left = [one.deed.target for one in pending(story)]
    game.hands.breaks = ()
    again = take_back(game.journal, game.hands, clock=game.clock, reason="aborted")

    assert (["c"], (60, "-a1"), ()) == (left, game.hands.did[-3], pending(again))


def test_a_crash_leaves_the_list_on_disk(game: Game) -> None:
    """Another process reads it, takes back what is left, and nobody may go on."""

    class Killed(BaseException):
        """The process is gone."""

    def stop() -> str:
        if game.clock.now() >= NOON + timedelta(seconds=12):
            raise Killed
        return ""

    # Killed at once: not even the end of the block is reached.
    game.hands.breaks = ("-a1", "-a2", "-b1", "-b2")
    with pytest.raises(Killed):
        game.play(stop=stop)
    other = Notebook(game.clock)
    (found,) = unfinished(game.journal.folder.parent)
    take_back(found, other, clock=game.clock, reason="player_died")

    assert (["-b2", "-b1", "-a2", "-a1"], []) == (
        [what for _, what in other.did],
        unfinished(game.journal.folder.parent),
    )


def test_who_was_closed_meanwhile_does_nothing_more(game: Game) -> None:
    """A player that hung past its time finds that another has taken everything back."""

    def stop() -> str:
        if game.clock.now() >= NOON + timedelta(seconds=18) and not game.journal.story().closed:
            take_back(game.journal, game.hands, clock=game.clock, reason="time_over")
        return ""

    game.play(stop=stop)

    assert [] == [what for _, what in game.hands.did if what == "+c"]


def test_a_line_that_was_cut_off_says_nothing(game: Game) -> None:
    """What was not on the disk was never acted on, and spoils no line after it."""
    game.journal.write(Line(note=Note.OPENED, at=NOON, gameday=7, text="test"))
    with (game.journal.folder / "journal.jsonl").open("ab") as file:
        file.write(b'{"note":"closed","te')
    before = game.journal.story()
    game.journal.write(Line(note=Note.CLOSED, at=NOON, text="aborted"))

    assert [(7, ""), (7, "aborted")] == [(one.gameday, one.closed) for one in (before, game.journal.story())]
