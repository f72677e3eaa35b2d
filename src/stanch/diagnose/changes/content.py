"""Weighs what a change does on its own: a tidy-up, a setting turned by far, a protection taken away, another version.

Knows no incident; how well the content fits the failures is `match`'s part.
"""

import re
from collections.abc import Iterable

from stanch.diagnose.changes.diff import HARMLESS, DiffReading, PathKind, Turned, words_of
from stanch.diagnose.changes.model import Change, ChangeKind, Reason

_LOWERING_HURTS = frozenset(
    re.findall(
        r"\w+",
        "timeout deadline ttl max maximum limit pool size retries attempts replicas memory cpu conns "
        "connections backoff delay capacity quota workers threads concurrency buffer heap burst period budget "
        "min minimum cache expiry",
    )
)

_PATIENCE = frozenset(
    re.findall(
        r"\w+", "timeout deadline ttl idle interval period delay backoff wait expiry lifetime keepalive grace retention"
    )
)


def content_reasons(change: Change, reading: DiffReading) -> Iterable[Reason]:
    """Return the arguments that follow from the change's content, may be empty."""
    if reading.kinds and reading.kinds <= HARMLESS:
        names = " and ".join(sorted(kind.value for kind in reading.kinds))
        return [Reason(text=f"touches only {names}", weight=-3.5)]
    if reading.kinds and reading.kinds <= HARMLESS | {PathKind.STYLE}:
        return [Reason(text="touches only how pages look", weight=-2.5)]
    if not reading.has_diff:
        return [Reason(text="what it did is not known", weight=-0.7)] if change.kind is not ChangeKind.FLAG else []
    if reading.only_words:
        moved = "only moves code" if reading.moved_share >= 0.9 else "changes only comments and white space"
        return [Reason(text=moved, weight=-2.5)]
    if reading.bumps:
        return _bumped(reading)
    found = [*_turned_far(reading), *_taken_away(reading)]
    if not found and reading.only_observes:
        return [Reason(text="touches only logs, metrics or traces", weight=-1.5)]
    if not found and reading.moved_share >= 0.9 and _mostly_moved(reading):
        return [Reason(text="moves code without taking anything away", weight=-1.2)]
    return found


def _mostly_moved(reading: DiffReading) -> bool:
    """Say whether most of what was removed stands elsewhere now: an extraction, not an edit of one line."""
    return not reading.removed or reading.moved_lines >= 2 * len(reading.removed)


def _bumped(reading: DiffReading) -> Iterable[Reason]:
    level = min((level for _, level in reading.bumps), key=("major", "minor", "patch").index)
    weight = {"major": 0.5, "minor": -0.3, "patch": -1.5}[level]
    names = ", ".join(name for name, its_level in reading.bumps if its_level == level)
    return [Reason(text=f"a {level} version of {names[:120]}", weight=weight)]


def _turned_far(reading: DiffReading) -> Iterable[Reason]:
    if not reading.turned:
        return []
    widest = max(reading.turned, key=lambda turned: (turned.factor, turned.name))
    text = f"turns {widest.name} from {_figure(widest.old)} to {_figure(widest.new)}"
    if widest.factor >= 2.9 and (_tightens(widest) or not _is_patience(widest)):
        return [Reason(text=text, weight=1.5 if _tightens(widest) else 0.8)]
    if _tightens(widest):
        return [Reason(text=text, weight=0.3)]
    return [Reason(text=f"{text}, which gives more room", weight=-0.8)]


def _tightens(turned: Turned) -> bool:
    return turned.new < turned.old and bool(_LOWERING_HURTS & set(words_of(turned.name)))


def _is_patience(turned: Turned) -> bool:
    """Say whether the setting is a length of time somebody waits or keeps a thing: more of it seldom hurts at once."""
    return bool(_PATIENCE & set(words_of(turned.name)))


def _taken_away(reading: DiffReading) -> Iterable[Reason]:
    if not reading.gone:
        return []
    return [Reason(text=f"takes away {', '.join(reading.gone[:4])}", weight=0.9)]


def _figure(value: float) -> str:
    return f"{value:g}"
