"""Draws a length of time as a small bar, on the server: full to the median, faint to the 90th percentile. Pure."""

from typing import Final

from markupsafe import Markup

from stanch.review.figures.model import Spread

_WIDE: Final = 100.0

_BAR: Final = Markup(
    '<svg class="measured" role="img" aria-label="{label}" viewBox="0 0 100 10" preserveAspectRatio="none">'
    '<rect class="whole" width="100" height="10"/><rect class="faint" width="{far:.1f}" height="10"/>'
    '<rect class="full" width="{near:.1f}" height="10"/></svg>'
)


def bar(of: Spread, *, longest: float, label: str) -> Markup:
    """Return the bar of `of` on a scale that ends at `longest` (seconds); nothing where nothing is known."""
    if of.median_s is None or of.p90_s is None:
        return Markup("")
    return _BAR.format(label=label, near=_part(of.median_s, longest), far=_part(of.p90_s, longest))


def count_bar(count: int, *, most: int, label: str) -> Markup:
    """Return a bar for a number of things on a scale that ends at `most`."""
    share = _part(float(count), float(most))
    return _BAR.format(label=label, near=share, far=share)


def _part(value: float, whole: float) -> float:
    return _WIDE * min(value, whole) / whole if whole > 0 else 0.0
