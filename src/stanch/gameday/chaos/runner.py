"""Plays a scenario: each step is meant on disk, then done; at the end, whatever ended it, all is taken back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.catalog.gamedays.model import Scenario, Target
from stanch.gameday.chaos.hands import Hands
from stanch.gameday.chaos.journal import Journal
from stanch.gameday.chaos.model import Line, Note, Story, Told
from stanch.gameday.chaos.rules import chosen, moments, pending, taken
from stanch.kernel.clock import Clock
from stanch.kernel.errors import StanchError

OVER: Final = "time_over"
ABORTED: Final = "aborted"
FAILED: Final = "step_failed"
_SLICE: Final = timedelta(seconds=0.25)


@dataclass(frozen=True, kw_only=True)
class Runner:
    """One game day. `wait` lets some seconds pass; `stop` returns why to end early, an empty text to go on."""

    scenario: Scenario
    targets: Mapping[str, Target]
    journal: Journal
    hands: Hands
    clock: Clock
    wait: Callable[[float], None]
    stop: Callable[[], str]
    narrate: Callable[[str], None]

    def play(self, *, gameday: int = 0) -> Story:
        """Play to the end and take everything back, also when a step fails or the block is left by an exception."""
        began = self.clock.now()
        opened = Line(note=Note.OPENED, at=began, gameday=gameday, text=self.scenario.name)
        self.journal.write(opened)
        reason = "interrupted"
        try:
            reason = self._steps(began)
        finally:
            story = take_back(self.journal, self.hands, clock=self.clock, reason=reason, narrate=self.narrate)
        return story

    def _steps(self, began: datetime) -> str:
        for moment in moments(self.scenario):
            if reason := self._until(began + timedelta(seconds=moment.at_s)):
                return reason
            try:
                if not self._back(moment.step) if moment.back else not self._forth(moment.step, began):
                    return self.journal.story().closed
            except (StanchError, OSError) as error:
                self.narrate(f"Step {moment.step + 1} could not be done: {error}")
                return FAILED
        return self._until(began + timedelta(seconds=self.scenario.within_s)) or OVER

    def _until(self, moment: datetime) -> str:
        """Let time pass; return why to end early."""
        while True:
            if self.journal.is_abort_asked():
                return ABORTED
            if reason := self.stop():
                return reason
            left = moment - self.clock.now()
            if left <= timedelta(0):
                return ""
            self.wait(min(left, _SLICE).total_seconds())

    def _forth(self, number: int, began: datetime) -> bool:
        """Do a step; False where somebody closed the game day meanwhile."""
        step = self.scenario.steps[number]
        target = self.targets[step.target]
        with self.journal.turn():
            story = self.journal.story()
            if story.closed:
                return False
            now = self.clock.now()
            left_s = max(1.0, self.scenario.within_s - (now - began).total_seconds())
            hit = chosen(
                self.hands.instances(target),
                target=target.name,
                share=step.share,
                most_share=min(target.most_share, self.scenario.most_share) if _is_many(target) else 1.0,
                taken=taken(story, target=target.name),
            )
            deed = self.hands.mean(number, step, target, hit, left_s=left_s)
            self.journal.write(Line(note=Note.MEANT, at=now, step=number, deed=deed))
            try:
                self.hands.act(step, target, deed, left_s=left_s)
            except (StanchError, OSError) as error:
                self.journal.write(Line(note=Note.STUCK, at=self.clock.now(), step=number, text=f"{error}"))
                raise
            self.journal.write(Line(note=Note.DONE, at=self.clock.now(), step=number))
        self.narrate(f"Done: {deed.words}")
        return True

    def _back(self, number: int) -> bool:
        """Take one step back; False where somebody closed the game day meanwhile."""
        with self.journal.turn():
            story = self.journal.story()
            if story.closed:
                return False
            for told in pending(story):
                if told.deed.step == number:
                    _undo(self.journal, self.hands, told, clock=self.clock, narrate=self.narrate)
        return True


def take_back(
    journal: Journal,
    hands: Hands,
    *,
    clock: Clock,
    reason: str,
    narrate: Callable[[str], None] = lambda words: None,
) -> Story:
    """Close a game day and take back everything that is left, the newest first; what fails does not stop the rest.

    May be done again, by any process, until nothing is pending.
    """
    with journal.turn():
        if not journal.story().closed:
            journal.write(Line(note=Note.CLOSED, at=clock.now(), text=reason))
        for told in pending(journal.story()):
            _undo(journal, hands, told, clock=clock, narrate=narrate)
        return journal.story()


def _undo(journal: Journal, hands: Hands, told: Told, *, clock: Clock, narrate: Callable[[str], None]) -> None:
    number = told.deed.step
    problems = []
    for one in reversed(told.deed.undo):
        try:
            hands.undo(one)
        except (StanchError, OSError) as error:
            problems.append(f"{error}")
    if problems:
        journal.write(Line(note=Note.STUCK, at=clock.now(), step=number, text="; ".join(problems)))
        narrate(f"NOT taken back: {told.deed.words}: {'; '.join(problems)}. Again: stanch gameday abort")
        return
    journal.write(Line(note=Note.UNDONE, at=clock.now(), step=number))
    narrate(f"Taken back: {told.deed.words}" if told.deed.undo else f"Nothing to take back: {told.deed.words}")


def _is_many(target: Target) -> bool:
    """Tell whether a target has instances, of which only some may be hit."""
    return target.kind.value in ("process", "pods")
