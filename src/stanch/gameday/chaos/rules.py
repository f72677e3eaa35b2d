"""What may be hit, when what happens, and what is still to be taken back, in which order. Pure."""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from stanch.catalog.gamedays.model import Scenario
from stanch.gameday.chaos.model import Line, Note, Story, Told
from stanch.kernel.errors import Refused

# Seven tenths of ten instances are seven, though 10 * 0.7 is a little less in binary.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Something that happens `at_s` after the beginning: a step is done, or with `back` taken back."""

    at_s: float
    step: int
    back: bool


def moments(scenario: Scenario) -> tuple[Moment, ...]:
    """Return what happens before the end, in order. At the same moment what is taken back comes first, newest first."""
    found = []
    for number, step in enumerate(scenario.steps):
        found.append(Moment(at_s=step.at_s, step=number, back=False))
        if step.for_s and step.at_s + step.for_s < scenario.within_s:
            found.append(Moment(at_s=step.at_s + step.for_s, step=number, back=True))
    return tuple(sorted(found, key=lambda one: (one.at_s, not one.back, -one.step if one.back else one.step)))


def chosen(
    instances: Sequence[str], *, target: str, share: float, most_share: float, taken: Collection[str] = ()
) -> tuple[str, ...]:
    """Return the instances to hit: `share` (0..1) of them rounded down but at least one; with 0, one.

    `taken` are hit already and count. Raises `Refused` when nothing is there, nothing is left, or more than
    `most_share` of all would be hit: of three at most a half is one.
    """
    if not instances:
        raise Refused(f"{target} has no instance that runs", reason="no_instance")
    most = math.floor(len(instances) * most_share + _ROUNDING)
    wanted = max(1, math.floor(len(instances) * share + _ROUNDING))
    hit = [one for one in instances if one in taken]
    free = [one for one in instances if one not in taken]
    if len(hit) + wanted > most or wanted > len(free):
        raise Refused(
            f"{wanted} more of {len(instances)} instances of {target} would be hit, {len(hit)} are; allowed: {most}",
            reason="blast_radius",
            hint="most_share of the target and of the scenario say how many may be hit",
        )
    return tuple(free[:wanted])


def story_of(lines: Iterable[Line]) -> Story:
    """Return what the lines of a journal add up to."""
    story = Story()
    for line in lines:
        match line.note:
            case Note.OPENED:
                story = replace(story, gameday=line.gameday, scenario=line.text)
            case Note.MEANT if line.deed is not None:
                story = replace(story, deeds=(*story.deeds, Told(deed=line.deed)))
            case Note.DONE:
                story = _told(story, line)
            case Note.UNDONE:
                story = _told(story, line)
            case Note.STUCK:
                story = _told(story, line)
            case Note.CLOSED:
                story = replace(story, closed=story.closed or line.text)
            case Note.TOLD:
                story = replace(story, told=True)
            case _:
                pass
    return story


def pending(story: Story) -> tuple[Told, ...]:
    """Return what is still to be taken back, the newest first; what was meant counts, for it may have been done."""
    return tuple(one for one in reversed(story.deeds) if one.undone_at is None)


def taken(story: Story, *, target: str) -> frozenset[str]:
    """Return the instances of a target that are hit and not taken back."""
    held = [one.deed for one in story.deeds if one.deed.target == target and one.undone_at is None]
    return frozenset(name for deed in held for name in deed.instances)


def _told(story: Story, line: Line) -> Story:
    changes: dict[Note, dict[str, object]] = {
        Note.DONE: {"done_at": line.at},
        Note.UNDONE: {"undone_at": line.at},
        Note.STUCK: {"problem": line.text},
    }
    deeds = tuple(
        replace(one, **changes[line.note]) if one.deed.step == line.step else one  # type: ignore[arg-type]
        for one in story.deeds
    )
    return replace(story, deeds=deeds)
