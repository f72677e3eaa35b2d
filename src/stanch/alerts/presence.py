"""When a service is down, restarts over and over, or cannot be seen. Pure, like `rules`, and judged the same way."""

from typing import Final

import numpy as np

from stanch.alerts.baseline import Floats
from stanch.alerts.began import Start
from stanch.alerts.model import Measured, Outcome
from stanch.alerts.verdict import Verdict
from stanch.alerts.words import many
from stanch.catalog.model import Thresholds

RESTART_WINDOWS: Final = 10.0
CRASH_LOOP: Final = 3
DOWN_LOOKS: Final = 2
DOWN_HOLD_S: Final = 15.0
WIDEST: Final = 8.0
"""Windows that are looked back at, to find when it was last well."""

BLIND_LOOKS: Final = 3


def judge_up(times: Floats, values: Floats, *, thresholds: Thresholds, now: float, window_s: float) -> Verdict:
    """Judge whether a service answers: down is two looks in a row, or half of at least four looks in the window."""
    keep = times > now - WIDEST * window_s
    times, values = times[keep], values[keep]
    if not times.size:
        return Verdict(breach=False, outcome=Outcome.NO_DATA, detail="its health was not looked at")
    measured = Measured(value=float(values[-1]), normal=1.0, limit=1.0)
    down = values < 0.5
    in_a_row = int(np.argmax(~down[::-1])) if not down.all() else down.size
    recent = down[times > now - window_s]
    often = recent.size >= 4 and bool(recent.mean() >= 0.5)
    if not down[-1] and not often:
        return Verdict(breach=False, outcome=Outcome.BELOW_THRESHOLD, detail="it answers", measured=measured)
    if in_a_row < DOWN_LOOKS and not often:
        detail = "it did not answer one look"
        return Verdict(breach=False, outcome=Outcome.HELD_TOO_SHORT, detail=detail, measured=measured)
    first = down.size - in_a_row if in_a_row >= DOWN_LOOKS else int(np.argmax(times > now - window_s))
    start = Start(at=float(times[first]), low=float(times[max(0, first - 1)]), high=float(times[first]))
    words = f"{many(in_a_row, 'look')} in a row" if in_a_row >= DOWN_LOOKS else f"{recent.sum()} of {recent.size} looks"
    return Verdict(
        breach=True,
        outcome=Outcome.HELD_TOO_SHORT,
        detail=f"it did not answer {words}",
        measured=measured,
        start=start,
        held_s=float(times[-1] - times[first]),
        hold_s=min(thresholds.for_s / 4, DOWN_HOLD_S),
    )


def judge_restarts(times: Floats, values: Floats, *, now: float, window_s: float) -> Verdict:
    """Judge how often a process started again with the same release: three times in ten windows is a crash loop."""
    span_s = RESTART_WINDOWS * window_s
    keep = (times > now - span_s) & (values > 0)
    count = float(values[keep].sum())
    measured = Measured(value=count, normal=0.0, limit=float(CRASH_LOOP))
    detail = f"{many(count, 'restart')} within {span_s:.0f} s"
    if not times.size:
        return Verdict(breach=False, outcome=Outcome.NO_DATA, detail="its start time is not known")
    if count < CRASH_LOOP:
        return Verdict(breach=False, outcome=Outcome.BELOW_THRESHOLD, detail=detail, measured=measured)
    first = int(np.argmax(keep))
    start = Start(at=float(times[first]), low=float(times[max(0, first - 1)]), high=float(times[first]))
    return Verdict(breach=True, outcome=Outcome.HELD_TOO_SHORT, detail=detail, measured=measured, start=start)


def judge_sight(troubles: int, troubled_s: float, trouble: str, *, every_s: float, thresholds: Thresholds) -> Verdict:
    """Judge whether a check still sees its service: blind is three looks in a row that see nothing."""
    measured = Measured(value=float(troubles), normal=0.0, limit=float(BLIND_LOOKS))
    if not troubles:
        return Verdict(breach=False, outcome=Outcome.BELOW_THRESHOLD, detail="it sees the service", measured=measured)
    return Verdict(
        breach=True,
        outcome=Outcome.HELD_TOO_SHORT,
        detail=trouble,
        measured=measured,
        held_s=troubled_s if troubles >= BLIND_LOOKS else -1.0,
        hold_s=max(thresholds.for_s, (BLIND_LOOKS - 1) * every_s * 0.9),
    )
