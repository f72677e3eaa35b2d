"""What a judge says about one condition: whether it is so, since when, and why not."""

from dataclasses import dataclass

from stanch.alerts.baseline import Floats
from stanch.alerts.began import Start
from stanch.alerts.model import Measured, Outcome


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What one condition looks like now.

    `breach` says that it is so, `held_s` for how long (seconds), `hold_s` how long it must; `outcome` is the reason
    where it is not so. `value` in `measured` is over the window, which may have been widened.
    """

    breach: bool
    outcome: Outcome
    detail: str
    measured: Measured | None = None
    start: Start | None = None
    held_s: float = 0.0
    hold_s: float = 0.0

    @property
    def is_due(self) -> bool:
        """Tell whether it has been so for long enough."""
        return self.breach and self.held_s >= self.hold_s


def held_since(start: Start | None, bad: Floats) -> float:
    """Return from the start to the last look that was bad, in seconds; negative when there is no start."""
    return float(bad[-1]) - start.at if start is not None and bad.size else -1.0
