"""How values are written on a page: times, lengths, figures, commands. Pure; everything from outside is escaped."""

import shlex
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from markupsafe import Markup

from stanch.kernel.duration import format_age, format_duration
from stanch.mitigate.plan import command_line
from stanch.ports.actuator import Step

_SYMBOLS: Final = {"SEV1": "▲", "SEV2": "◆", "SEV3": "●", "SEV4": "○"}
_ARROWS: Final = {
    "spiking": "⇈",
    "step": "↑",
    "gradual increase": "↗",
    "gradual decrease": "↘",
    "recovering": "↘",
    "flapping": "⇅",
    "steady": "→",
}
_METRICS: Final = {"error_ratio": "error rate", "latency_p95_ms": "p95 latency"}
# Tab and line feed are shown as they are; every other control and format character could make a command look like
# another one (https://trojansource.codes), and is written out.
_PLAIN: Final = frozenset("\n\t")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})


def when(at: datetime, style: str = "clock", *, now: datetime | None = None) -> Markup:
    """Return an instant as `<time>`: UTC as it stands here, the reader's zone once the page's script has run.

    `style` is `clock` (14:30:05 UTC), `full` (with the date), `ago` (4m ago; needs `now`), or `both`.
    """
    utc = at.astimezone(UTC)
    full = f"{utc:%Y-%m-%d %H:%M:%S} UTC"
    clock = f"{utc:%H:%M:%S} UTC"
    ago = format_age(now - at) if now is not None else full
    shown = {"clock": clock, "full": full, "ago": ago, "both": f"{ago} · {clock}"}[style]
    stamp = _stamp(utc)
    return Markup('<time datetime="{}" data-style="{}" title="{}">{}</time>').format(stamp, style, full, shown)


def lasting(since: datetime, until: datetime | None, *, now: datetime) -> Markup:
    """Return a clock that counts from `since`, and stands still when there is an `until`."""
    length = format_duration(max(timedelta(0), (until or now) - since))
    if until is not None:
        return Markup('<span class="lasting">{}</span>').format(length)
    return Markup('<span class="lasting" data-since="{}">{}</span>').format(_stamp(since.astimezone(UTC)), length)


def remaining(due: datetime, *, now: datetime) -> Markup:
    """Return how long it is until `due`, or since when it is over."""
    left = due - now
    words = f"in {format_duration(left)}" if left > timedelta(0) else f"{format_duration(-left)} over"
    return Markup('<span class="lasting" data-due="{}">{}</span>').format(_stamp(due.astimezone(UTC)), words)


def seconds(value: float, *, parts: int = 2) -> str:
    """Return a length in seconds as `1m 20s`."""
    return format_duration(timedelta(seconds=round(value) if abs(value) >= 1 else value), parts=parts)


def deed(step: str) -> str:
    """Return what a step does without what to type for it: the page has a button there."""
    return step.partition(": stanch ")[0]


def metric(name: str) -> str:
    """Return a metric's name as people say it."""
    return _METRICS.get(name, plain(name))


def command(argv: Sequence[str]) -> str:
    """Return an argument list as one line that a shell reads back into the same list."""
    return exact(shlex.join(argv))


def order(step: Step) -> str:
    """Return what a step does as one line: its command, or its actuator with what that is told."""
    return exact(command_line(step))


def exact(text: str) -> str:
    """Return `text` with every character that could hide or reorder others written out, as in `\\u202e`."""
    if text.isprintable():
        return text
    return "".join(
        char if char in _PLAIN or unicodedata.category(char) not in _HIDDEN else _code(char) for char in text
    )


def symbol(severity: str) -> str:
    """Return the shape that stands for a severity beside its name."""
    return _SYMBOLS.get(severity, "○")


def arrow(trend: str) -> str:
    """Return the arrow that stands for a trend beside its word."""
    return _ARROWS.get(trend, "")


def plain(word: str) -> str:
    """Return an identifier as words: `technical_lead` becomes `technical lead`."""
    return word.replace("_", " ")


def _code(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _stamp(utc: datetime) -> str:
    return utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
